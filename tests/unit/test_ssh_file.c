/*
 * The SSH target: files and bundles there and back (tests/support/ssh_rig.h).
 */
#include "harness/target/target.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/target/elf.h"
#include "tests/support/kernel.h"
#include "tests/support/ssh_rig.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_large_file_there_and_back(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	char *from = path_join(ssh_rig(state)->dir, "large");
	char *back = path_join(ssh_rig(state)->dir, "back");
	char a[DIGEST_SIZE], b[DIGEST_SIZE];
	struct err err = ERR_INIT;

	ssh_rig_write_random(from, (size_t)100 << 20);
	if (ssh_rig_send(t, from, "it's large", 120 * NS_PER_S, &err) ||
	    ssh_rig_get(t, "it's large", back, 120 * NS_PER_S, &err))
		fail_msg("%s", err.text);
	assert_int_equal(digest_of_file(from, a, &err), 0);
	assert_int_equal(digest_of_file(back, b, &err), 0);
	assert_string_equal(a, b);
	char *there = path_join(target_workdir(t, &err), "it's large");

	assert_true(file_exists(there));
	ssh_rig_close(t);
	assert_false(file_exists(there));
	free(there);
	unlink(from);
	unlink(back);
	free(from);
	free(back);
}

static void test_file_errors(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	char *back = path_join(ssh_rig(state)->dir, "nothing");
	struct err err = ERR_INIT;

	assert_int_equal(target_get(t, "/not/there", back, 20 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "no such file"));
	assert_false(file_exists(back));
	err_clear(&err);
	assert_int_equal(target_get(t, "/proc", back, 20 * NS_PER_S, &err), -1);
	err_clear(&err);
	assert_int_equal(target_get(t, "/bin/sh", "/not/here/x", 20 * NS_PER_S, &err),
			 -1);
	ssh_rig_close(t);
	free(back);
}

static char *own_path(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = '\0';
	return x_strdup(path);
}

static void place_and_run(struct target *t, const struct bundle *b)
{
	struct err err = ERR_INIT;
	const char *argv[] = {NULL, "--say", "placed", NULL};

	if (target_place(t, b, 60 * NS_PER_S, &argv[0], &err))
		fail_msg("%s", err.text);
	struct proc_outcome o = ssh_rig_run(t, argv);

	assert_string_equal(o.out.data, "placed\n");
	proc_outcome_release(&o);
}

/* An emulated test has a server that is not. */
static bool is_our_kind(struct target *t, const char *machine)
{
	const char *argv[] = {"uname", "-m", NULL};
	struct proc_outcome o = ssh_rig_run(t, argv);
	bool same = strncmp(o.out.data, machine, strlen(machine)) == 0;

	if (!same)
		print_message("the server's machine is of another kind: %s", o.out.data);
	proc_outcome_release(&o);
	return same;
}

/* Libraries in use by the placed program come from the bundle (ld.so's own list). */
static void test_place(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct target *t = ssh_rig_connect(s);
	struct err err = ERR_INIT;
	char *program = own_path(), *object;
	const char *path, *cut[] = {"truncate", "-s", "10", NULL, NULL};
	struct bundle b;
	struct stat before, after;
	struct elf_facts elf;

	assert_int_equal(elf_read(program, &elf, &err), 0);
	if (!kernel_starts_loader(elf.loader)) { /* which lists what the bundle holds */
		ssh_rig_close(t);
		free(program);
		skip();
	}
	assert_int_equal(bundle_make(&b, program, NULL, &err), 0);
	if (!is_our_kind(t, b.machine)) {
		ssh_rig_close(t);
		bundle_release(&b);
		free(program);
		skip();
	}
	place_and_run(t, &b);
	object = x_asprintf("%s/tare/objects/%s", s->cache, b.files[0].sha256);
	assert_int_equal(stat(object, &before), 0);
	place_and_run(t, &b); /* nothing is sent again */
	assert_int_equal(stat(object, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* Damaged on the other side: noticed, and put right. */
	assert_int_equal(target_place(t, &b, 60 * NS_PER_S, &path, &err), 0);
	cut[3] = path;
	struct proc_outcome o = ssh_rig_run(t, cut);
	proc_outcome_release(&o);
	place_and_run(t, &b);
	snprintf(b.machine, sizeof(b.machine), "riscv64");
	assert_int_equal(target_place(t, &b, 60 * NS_PER_S, &path, &err), -1);
	assert_non_null(strstr(err.text, "this program is for riscv64"));
	bundle_release(&b);
	free(object);
	free(program);
	ssh_rig_close(t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_file_there_and_back),
		cmocka_unit_test(test_file_errors),
		cmocka_unit_test(test_place),
	};

	if (argc == 3 && strcmp(argv[1], "--say") == 0) {
		puts(argv[2]);
		return 0;
	}
	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
