#include "harness/target/bundle.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/base/strvec.h"
#include "harness/target/elf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Parts of the C library: they come with the target's system, whose kernel and name
 * services they belong to. */
static const char *const c_library[] = {
	"ld-linux",       "linux-vdso", "libc.so.",     "libm.so.",    "libmvec.so.",
	"libpthread.so.", "libdl.so.",  "librt.so.",    "libutil.so.", "libresolv.so.",
	"libnsl.so.",     "libanl.so.", "libcrypt.so.", "libnss_",
};

static bool belongs_to_system(const char *soname)
{
	for (size_t i = 0; i < ARRAY_SIZE(c_library); i++) {
		if (strncmp(soname, c_library[i], strlen(c_library[i])) == 0)
			return true;
	}
	return false;
}

static int add_file(struct bundle *b, const char *local, const char *dir,
		    const char *name, struct err *err)
{
	struct bundle_file *f;
	char *remote = x_asprintf("%s%s", dir, name);

	for (size_t i = 0; i < b->nr; i++) {
		if (strcmp(b->files[i].remote, remote) == 0) {
			free(remote);
			return 0;
		}
	}
	GROW(b->files, b->nr, b->alloc);
	f = &b->files[b->nr++];
	*f = (struct bundle_file){
		.local = x_strdup(local), .remote = remote, .mode = 0755};
	return digest_of_file(local, f->sha256, err);
}

/*
 * A line of the loader's list: "\tlibx.so.1 => /path/libx.so.1.2 (0x7f...)", or
 * "\t/path/libx.so (0x...)" for one asked for by its path. The name in the bundle is the
 * one that is asked for, not that of the file it leads to.
 */
static int add_line(struct bundle *b, char *line, struct err *err)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow ? arrow + 4 : line + strspn(line, "\t ");
	char *soname = line + strspn(line, "\t "), *end;

	if (arrow)
		*arrow = '\0';
	if (strncmp(path, "not found", 9) == 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "%s needs %s, which is not installed here; run make",
			       b->program, soname);
	end = strstr(path, " (0x");
	if (!end || path[0] != '/' || belongs_to_system(path_base(soname)))
		return 0;
	*end = '\0';
	return add_file(b, path, "lib/", path_base(arrow ? soname : path), err);
}

static int add_listed(struct bundle *b, char *text, struct err *err)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (add_line(b, line, err))
			return -1;
	}
	return 0;
}

/*
 * Libraries that are opened at run time are listed by the loader as if they had been
 * preloaded, so that it follows their own needs by its own rules; one that is missing
 * here it leaves out with a word on its standard error.
 */
static int add_libraries(struct bundle *b, const char *loader, const char *const *extra,
			 struct err *err)
{
	static const char *const env[] = {"LD_LIBRARY_PATH=", "LD_PRELOAD=", "LC_ALL=C",
					  NULL};
	struct strvec argv = {0};
	struct proc_outcome o;
	char *preload = x_strdup("");
	int rc;

	for (size_t i = 0; extra && extra[i]; i++) {
		char *longer =
			x_asprintf("%s%s%s", preload, preload[0] ? ":" : "", extra[i]);

		free(preload);
		preload = longer;
	}
	strvec_add(&argv, loader);
	if (preload[0]) {
		strvec_add(&argv, "--preload");
		strvec_add(&argv, preload);
	}
	strvec_add(&argv, "--list");
	strvec_add(&argv, b->program);
	rc = proc_run_ok(&(struct proc_spec){.argv = strvec_argv(&argv),
					     .env = env,
					     .timeout_ns = 60 * NS_PER_S,
					     .output_max = (size_t)1 << 20},
			 &o, err);
	if (!rc) {
		rc = add_listed(b, o.out.data, err);
		proc_outcome_release(&o);
	}
	free(preload);
	strvec_release(&argv);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct bundle_file *x = a, *y = b;

	return strcmp(x->remote, y->remote);
}

/* The same files give the same digest, whatever order the loader names them in. */
static void name_it(struct bundle *b)
{
	struct digest *d = digest_new();

	if (b->nr > 1)
		qsort(b->files + 1, b->nr - 1, sizeof(*b->files), by_name);
	for (size_t i = 0; i < b->nr; i++) {
		digest_add(d, b->files[i].remote, strlen(b->files[i].remote) + 1);
		digest_add(d, b->files[i].sha256, DIGEST_SIZE);
	}
	digest_end(d, b->digest);
}

int bundle_make(struct bundle *ret, const char *program, const char *const *extra,
		struct err *err)
{
	struct elf_facts elf;
	int rc;

	*ret = (struct bundle){.program = realpath(program, NULL)};
	if (!ret->program)
		return err_errno(err, "%s", program);
	rc = elf_read(ret->program, &elf, err);
	if (!rc)
		rc = add_file(ret, ret->program, "", path_base(ret->program), err);
	if (!rc)
		snprintf(ret->machine, sizeof(ret->machine), "%s", elf.machine);
	if (!rc && elf.loader[0])
		rc = add_libraries(ret, elf.loader, extra, err);
	if (rc) {
		bundle_release(ret);
		return -1;
	}
	name_it(ret);
	return 0;
}

void bundle_release(struct bundle *b)
{
	for (size_t i = 0; i < b->nr; i++) {
		free(b->files[i].local);
		free(b->files[i].remote);
	}
	free(b->files);
	free(b->program);
	*b = (struct bundle){0};
}
