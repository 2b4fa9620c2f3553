/*
 * Bundles. The expected set of libraries comes from ldd; the proof is a folder that holds
 * nothing but the C library and the bundle, in which the program must run (as root, by
 * chroot).
 */
#include "harness/target/bundle.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "harness/target/elf.h"
#include "tests/support/kernel.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *self(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(len > 0);
	path[len] = '\0';
	return x_strdup(path);
}

static bool has(const struct bundle *b, const char *remote)
{
	for (size_t i = 0; i < b->nr; i++) {
		if (strcmp(b->files[i].remote, remote) == 0)
			return true;
	}
	return false;
}

static void test_libraries_are_found(void **state)
{
	struct err err = ERR_INIT;
	struct bundle b;
	char *program = self();

	(void)state;
	if (bundle_make(&b, program, NULL, &err))
		fail_msg("%s", err.text);
	assert_string_equal(b.files[0].local, program);
	assert_true(has(&b, "lib/libmd.so.0"));
	assert_true(has(&b, "lib/libcmocka.so.0"));
	for (size_t i = 0; i < b.nr; i++) {
		assert_null(strstr(b.files[i].remote, "/libc.so"));
		assert_null(strstr(b.files[i].remote, "/ld-linux"));
		assert_int_equal(strlen(b.files[i].sha256), 64);
	}
	bundle_release(&b);
	free(program);
}

static void test_extra(void **state)
{
	static const char *const extra[] = {"libopenblas.so.0", "libnot-there.so.9",
					    NULL};
	struct err err = ERR_INIT;
	struct bundle with, without, again;
	char *program = self();

	(void)state;
	if (bundle_make(&with, program, extra, &err))
		fail_msg("%s", err.text);
	assert_int_equal(bundle_make(&without, program, NULL, &err), 0);
	assert_int_equal(bundle_make(&again, program, extra, &err), 0);
	assert_string_equal(with.digest, again.digest);
	assert_string_not_equal(with.digest, without.digest);
	assert_false(has(&with, "lib/libnot-there.so.9"));
	assert_true(has(&with, "lib/libopenblas.so.0"));
	assert_true(has(&with, "lib/libgfortran.so.5")); /* OpenBLAS's own need */
	assert_false(has(&without, "lib/libopenblas.so.0"));
	bundle_release(&with);
	bundle_release(&without);
	bundle_release(&again);
	free(program);
}

static void test_errors(void **state)
{
	struct err err = ERR_INIT;
	struct bundle b;

	(void)state;
	assert_int_equal(bundle_make(&b, "/not/there", NULL, &err), -1);
	assert_non_null(strstr(err.text, "/not/there"));
	assert_int_equal(bundle_make(&b, "Makefile", NULL, &err), -1);
	assert_non_null(strstr(err.text, "not a program file"));
}

static void copy_into(const char *root, const char *from, const char *to)
{
	struct err err = ERR_INIT;
	char *path = path_join(root, to);
	char *dir = x_strndup(path, (size_t)(strrchr(path, '/') - path));

	if (dir_make(dir, 0755, &err) || file_copy(from, path, 0755, &err))
		fail_msg("%s", err.text);
	free(dir);
	free(path);
}

/* The loader and the C library's parts, where the loader looks for them. */
static void copy_c_library(const char *root, const char *loader)
{
	static const char *const parts[] = {"libc.so.6",       "libm.so.6",
					    "libpthread.so.0", "libdl.so.2",
					    "libresolv.so.2",  "librt.so.1"};
	static const char *const dirs[] = {"/lib/x86_64-linux-gnu",
					   "/lib/aarch64-linux-gnu", "/lib64"};

	copy_into(root, loader, loader);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (size_t d = 0; d < ARRAY_SIZE(dirs); d++) {
			char *from = path_join(dirs[d], parts[i]);

			if (file_exists(from))
				copy_into(root, from, from);
			free(from);
		}
	}
}

static void test_runs_with_c_library_alone(void **state)
{
	static const char *const extra[] = {"libopenblas.so.0", NULL};
	struct err err = ERR_INIT;
	struct elf_facts elf;
	struct proc_outcome o;
	struct bundle b;
	char *program, *root;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message("skipped: the leak checker needs /proc, which is not in there\n");
	skip();
#endif
	if (geteuid() != 0) {
		print_message("skipped: chroot needs root\n");
		skip();
	}
	program = self();
	root = dir_make_temporary("tare-chroot", &err);
	assert_non_null(root);
	assert_int_equal(elf_read(program, &elf, &err), 0);
	copy_c_library(root, elf.loader);
	assert_int_equal(bundle_make(&b, program, extra, &err), 0);
	for (size_t i = 0; i < b.nr; i++)
		copy_into(root, b.files[i].local, b.files[i].remote);
	char *inside = x_asprintf("/%s", b.files[0].remote);
	const char *argv[] = {"chroot", root, inside, "--open", "libopenblas.so.0", NULL};
	int rc = proc_run_ok(&(struct proc_spec){.argv = argv,
						 .timeout_ns = 60 * NS_PER_S,
						 .output_max = 1 << 16},
			     &o, &err);
	(void)dir_remove(root, NULL);
	if (rc)
		fail_msg("%s", err.text);
	assert_string_equal(o.out.data, "opened\n");
	proc_outcome_release(&o);
	bundle_release(&b);
	free(inside);
	free(root);
	free(program);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libraries_are_found),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_runs_with_c_library_alone),
	};

	struct elf_facts elf;
	struct err err = ERR_INIT;

	/* This program is its own bundled program: it opens a library and says so. */
	if (argc == 3 && strcmp(argv[1], "--open") == 0) {
		if (!dlopen(argv[2], RTLD_NOW)) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		puts("opened");
		return 0;
	}
	/* Libraries are found by the loader of the bundled program. */
	if (elf_read("/proc/self/exe", &elf, &err) == 0 &&
	    !kernel_starts_loader(elf.loader))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
