#include "reports/import/import_bandwidth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

static bool is_nvbandwidth(struct json_object *o)
{
	return json_object_is_type(json_at(o, "nvbandwidth/testcases"), json_type_array);
}

/* nvbandwidth writes each cell as a text, "N/A" where there is no such pair. */
static double cell_value(struct json_object *cell)
{
	const char *text = json_object_get_string(cell);
	char *end;
	double v;

	if (!text)
		return NAN;
	errno = 0;
	v = strtod(text, &end);
	return errno || end == text || *end ? NAN : v;
}

static void read_matrix(struct result *r, struct json_object *test)
{
	struct json_object *matrix = json_member(test, "bandwidth_matrix");
	const char *name = json_get_text(test, "name", "test");
	/* "... latency ..." in ns, lower is better; everything else in GB/s. */
	bool is_latency = strstr(name, "latency") != NULL;

	if (!json_object_is_type(matrix, json_type_array))
		return;
	for (size_t i = 0; i < json_length(matrix); i++) {
		struct json_object *row = json_object_array_get_idx(matrix, i);
		size_t nr = json_length(row);

		for (size_t k = 0; k < nr; k++) {
			char *metric = x_asprintf("nvbandwidth.%s[%zu,%zu]", name, i, k);
			double v = cell_value(json_object_array_get_idx(row, k));

			import_value(r, metric, is_latency ? "s" : "byte/s",
				     is_latency ? METRIC_LOWER : METRIC_HIGHER,
				     v * (is_latency ? 1e-9 : 1e9));
			free(metric);
		}
	}
}

static int read_nvbandwidth(struct result_set *s, struct json_object *o, const char *path,
			    struct err *err)
{
	struct json_object *root = json_member(o, "nvbandwidth");
	struct json_object *tests = json_member(root, "testcases");
	struct result r;

	(void)err;
	import_begin(&r, "nvbandwidth", json_get_text(root, "version", NULL),
		     "nvbandwidth");
	for (size_t i = 0; i < json_length(tests); i++) {
		struct json_object *t = json_object_array_get_idx(tests, i);
		const char *status = json_get_text(t, "status", "");

		if (strcmp(status, "Passed") == 0) {
			read_matrix(&r, t);
		} else if (strcmp(status, "Waived") != 0) {
			char *why = x_asprintf(
				"%s: %s", json_get_text(t, "name", "test case"), status);

			result_worsen(&r, RESULT_INVALID, why);
			free(why);
		}
	}
	import_end(s, &r, path);
	return 0;
}

const struct import_format import_nvbandwidth = {"nvbandwidth -j", is_nvbandwidth,
						 read_nvbandwidth};

static bool is_nccl(struct json_object *o)
{
	return json_object_is_type(json_member(o, "results"), json_type_array) &&
	       (json_member(o, "average_bus_bandwidth") ||
		json_member(o, "nccl_version") || json_at(o, "config/nthreads"));
}

static void read_line(struct result *r, struct json_object *line, const char *place)
{
	struct json_object *o = json_member(line, place);
	struct json_object *each;
	char *name = x_asprintf("nccl.%s.bus_bandwidth[%lld]", place,
				(long long)json_get_int(line, "size", 0));
	char *key = x_asprintf("%s_per_iter", place);

	if (json_get_real(o, "nwrong", 0) > 0)
		result_worsen(r, RESULT_INVALID, "wrong-values: nccl-tests found some");
	import_value(r, name, "byte/s", METRIC_HIGHER,
		     1e9 * json_get_real(o, "bus_bw", NAN));
	free(name);
	each = json_member(json_member(line, key), "times_us");
	name = x_asprintf("nccl.%s.time[%lld]", place,
			  (long long)json_get_int(line, "size", 0));
	if (json_length(each)) {
		size_t nr = json_length(each);
		double *values = x_calloc(nr, sizeof(*values));

		for (size_t i = 0; i < nr; i++)
			values[i] =
				1e-6 * json_real(json_object_array_get_idx(each, i), NAN);
		import_values(r, name, "s", METRIC_LOWER, values, nr);
		free(values);
	} else {
		import_value(r, name, "s", METRIC_LOWER,
			     1e-6 * json_get_real(o, "time",
						  json_get_real(o, "cpu_time", NAN)));
	}
	free(name);
	free(key);
}

static int read_nccl(struct result_set *s, struct json_object *o, const char *path,
		     struct err *err)
{
	struct json_object *lines = json_member(o, "results");
	struct result r;

	(void)err;
	import_begin(&r, "nccl-tests", json_get_text(o, "nccl_tests_version", NULL),
		     "nccl");
	for (size_t i = 0; i < json_length(lines); i++) {
		struct json_object *line = json_object_array_get_idx(lines, i);

		read_line(&r, line, "out_of_place");
		read_line(&r, line, "in_place");
	}
	import_end(s, &r, path);
	return 0;
}

const struct import_format import_nccl = {"nccl-tests -J", is_nccl, read_nccl};
