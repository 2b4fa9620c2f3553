#include "tests/support/link_rig.h"

#include "core/base/mem.h"
#include "tests/support/built.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXTS_MAX = 24 };

static void append(const char **to, size_t *at, const char *const *from)
{
	for (; from && *from; from++) {
		assert_true(*at < TEXTS_MAX - 1);
		to[(*at)++] = *from;
	}
}

struct proc_outcome link_run(const char *const *faults, const char *const *arguments)
{
	char *program = built_path("tare-link"), *fakes = built_path("tests/fakes");
	char *path = x_asprintf("LD_LIBRARY_PATH=%s", fakes);
	const char *env[TEXTS_MAX] = {path, "TARE_FAKE_CUDA_COPY_MB_S=50000"};
	const char *argv[TEXTS_MAX] = {program};
	struct proc_spec spec = {.argv = argv,
				 .env = env,
				 .timeout_ns = INT64_C(120000000000),
				 .output_max = 64 << 20};
	size_t nr_env = 2, nr_argv = 1;
	struct proc_outcome out;
	struct err err = ERR_INIT;

	append(env, &nr_env, faults);
	append(argv, &nr_argv, arguments);
	assert_int_equal(proc_run(&spec, &out, &err), 0);
	assert_int_equal(out.end, PROC_EXITED);
	free(path);
	free(fakes);
	free(program);
	return out;
}

struct json_object *link_document(const char *const *faults, const char *const *arguments,
				  int status)
{
	const char *all[TEXTS_MAX] = {"--json"};
	size_t nr = 1;
	struct err err = ERR_INIT;
	struct proc_outcome out;
	struct json_object *o;

	append(all, &nr, arguments);
	out = link_run(faults, all);
	o = json_parse(out.out.data, out.out.len, "stdout", &err);
	if (!o || out.code != status)
		print_error("status %d: %s\n%s", out.code, err.text, out.diag.data);
	assert_non_null(o);
	assert_int_equal(out.code, status);
	proc_outcome_release(&out);
	return o;
}

static struct json_object *by_name(struct json_object *list, const char *name)
{
	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(json_get_text(o, "name", ""), name) == 0)
			return o;
	}
	return NULL;
}

struct json_object *link_cell(struct json_object *document, const char *name)
{
	return by_name(json_member(document, "metrics"), name);
}

double link_value(struct json_object *document, const char *name)
{
	struct json_object *cell = link_cell(document, name);

	if (!cell)
		fail_msg("there is no cell %s", name);
	return json_real(json_at(cell, "values/0"), -1);
}

const char *link_failed(struct json_object *document, const char *check)
{
	struct json_object *o = by_name(json_member(document, "checks"), check);

	return o && !json_get_bool(o, "passed", true) ? json_get_text(o, "detail", "")
						      : NULL;
}
