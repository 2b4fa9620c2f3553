#include "harness/plan/workload_kind.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t describe_timeout_ns = 20 * NS_PER_S;
static const size_t describe_max_bytes = 1 << 20;

/* What the harness sets on every workload itself. */
static const char *const always_hidden[] = {"json", "output", NULL};

/* Sized for a GPU; on a CPU a plan gives an 'n' that takes about as long. */
static int64_t gemm_expected_ns(struct json_object *params)
{
	double warmup = json_get_real(params, "warmup_seconds", 5);
	double iterations = json_get_real(params, "iterations", 10);

	return (int64_t)((warmup + iterations * 0.2 + 2) * 1e9);
}

/* Stages of a load: those of the list, or about as many as a search takes. */
static double load_stages(struct json_object *params)
{
	const char *profile = json_get_text(params, "profile", "concurrent");
	struct json_object *levels = json_member(params, "concurrency");
	double widest = json_get_real(params, "max_concurrency", 256);

	if (strcmp(profile, "sweep") == 0)
		return json_get_real(params, "sweep_size", 10);
	if (strcmp(profile, "saturation") == 0 || strcmp(profile, "slo") == 0)
		return log2(widest) + 3;
	if (strcmp(profile, "concurrent") == 0 &&
	    json_object_is_type(levels, json_type_array))
		return (double)json_length(levels);
	return 1;
}

static int64_t load_expected_ns(struct json_object *params)
{
	double seconds = json_get_real(params, "seconds", 60);

	return (int64_t)((seconds * load_stages(params) + 15) * 1e9);
}

/* Of one GPU; how many there are only the machine knows. */
static int64_t link_expected_ns(struct json_object *params)
{
	return (json_get_bool(params, "quick", false) ? 20 : 90) * NS_PER_S;
}

static const char *const gemm_extra[] = {"libopenblas.so.0", NULL};
static const char *const load_hidden[] = {"target", "mock", NULL};

static const struct workload_kind gemm_kind = {
	.name = "gemm",
	.summary = "matrix product by cuBLAS or OpenBLAS",
	.program = "tare-gemm",
	.extra = gemm_extra,
	.expected_ns = gemm_expected_ns,
};

static const struct workload_kind link_kind = {
	.name = "link",
	.summary = "copies, latencies and memory between host and GPUs",
	.program = "tare-link",
	.expected_ns = link_expected_ns,
};

static const struct workload_kind load_kind = {
	.name = "load",
	.summary = "serving load on a model server",
	.program = "tare-load",
	.server = "tare-serve",
	.hidden = load_hidden,
	.expected_ns = load_expected_ns,
};

static const struct workload_kind *const kinds[] = {&gemm_kind, &link_kind, &load_kind,
						    NULL};

const struct workload_kind *const *workload_kinds(void)
{
	return kinds;
}

const struct workload_kind *workload_kind_find(const char *name)
{
	for (size_t i = 0; kinds[i]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

char *program_path(const char *program, struct err *err)
{
	const char *elsewhere = getenv(PROGRAM_DIR_VARIABLE);
	char *dir = elsewhere ? x_strdup(elsewhere) : path_program_dir(err), *path;

	if (!dir)
		return NULL;
	path = path_join(dir, program);
	free(dir);
	if (file_exists(path))
		return path;
	err_set(err, ERR_ENVIRONMENT, "%s: no such program; 'make' builds it beside tare",
		path);
	free(path);
	return NULL;
}

static struct json_object *describe(const char *program, struct err *err)
{
	char *path = program_path(program, err);
	const char *argv[] = {path, "--describe", "json", NULL};
	struct proc_spec spec = {
		.argv = argv,
		.timeout_ns = describe_timeout_ns,
		.output_max = describe_max_bytes,
	};
	struct json_object *o = NULL;
	struct proc_outcome out;

	if (path && !proc_run_ok(&spec, &out, err)) {
		o = json_parse(out.out.data, out.out.len, program, err);
		proc_outcome_release(&out);
	}
	free(path);
	return o;
}

struct field *program_options(const char *program, struct err *err)
{
	struct json_object *o = describe(program, err);
	struct field *options;

	if (!o)
		return NULL;
	options = fields_from_description(json_member(o, "options"), program, err);
	json_object_put(o);
	return options;
}

static bool is_in(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

struct field *program_options_shown(const struct field *options,
				    const char *const *hidden)
{
	size_t nr = 0;
	struct field *shown;

	while (options[nr].name)
		nr++;
	shown = x_calloc(nr + 1, sizeof(*shown));
	nr = 0;
	for (const struct field *f = options; f->name; f++)
		if (!is_in(hidden, f->name) && !is_in(always_hidden, f->name))
			shown[nr++] = *f;
	return shown;
}

void program_args(const struct field *options, struct json_object *params,
		  struct strvec *ret)
{
	json_object_object_foreach(params, key, value)
	{
		const struct field *f = field_find(options, key);

		if (f)
			field_json_to_args(f, value, ret);
	}
}
