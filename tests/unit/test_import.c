/* Reports as other tools write them (tests/support/peers, by their published formats). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/import/result_files.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/import/baseline.h"
#include "reports/import/import.h"

static void load(struct result_set *s, const char *path)
{
	struct err err = ERR_INIT;

	if (result_set_load(s, path, &err))
		fail_msg("%s", err.text);
}

static void expect(const struct result_set *s, const char *metric, const char *unit,
		   double value)
{
	const struct samples *m = result_metric(&s->results[0], metric);

	if (!m)
		fail_msg("no %s", metric);
	assert_string_equal(m->def.unit, unit);
	assert_true(m->nr >= 1 && fabs(m->values[0] / value - 1) < 1e-12);
}

static void reads_nvbandwidth(void **state)
{
	struct result_set s;

	(void)state;
	load(&s, "tests/support/peers/nvbandwidth.json");
	assert_int_equal(s.nr, 1);
	assert_int_equal(s.results[0].metrics_nr,
			 2); /* neither N/A nor what was waived */
	expect(&s, "nvbandwidth.host_to_device_memcpy_ce[0,0]", "byte/s", 55.63e9);
	expect(&s, "nvbandwidth.device_to_device_latency_sm[0,1]", "s", 636.25e-9);
	assert_int_equal(result_metric(&s.results[0],
				       "nvbandwidth.device_to_device_latency_sm[0,1]")
				 ->def.better,
			 METRIC_LOWER);
	result_set_release(&s);
}

static void reads_nccl_tests(void **state)
{
	struct result_set s;

	(void)state;
	load(&s, "tests/support/peers/nccl.json");
	expect(&s, "nccl.out_of_place.bus_bandwidth[1048576]", "byte/s", 62.7e9);
	expect(&s, "nccl.out_of_place.time[1048576]", "s", 25.1e-6);
	expect(&s, "nccl.in_place.time[1048576]", "s", 24.0e-6);
	assert_int_equal(result_metric(&s.results[0], "nccl.in_place.time[1048576]")->nr,
			 2);
	/* One of the three is null: no time of 0. */
	assert_int_equal(
		result_metric(&s.results[0], "nccl.in_place.time[1048576]")->failed, 1);
	result_set_release(&s);
}

static void reads_vllm_bench(void **state)
{
	struct result_set s;

	(void)state;
	load(&s, "tests/support/peers/vllm.json");
	expect(&s, "load.output_tokens_per_s", "token/s", 512);
	expect(&s, "load.ttft_p50_s", "s", 0.050);
	expect(&s, "load.tpot_p99_s", "s", 0.009);
	assert_int_equal(result_metric(&s.results[0], "load.ttft_s")->nr, 3);
	assert_null(result_metric(&s.results[0], "load.itl_mean_s"));
	result_set_release(&s);
}

static void reads_guidellm_one_and_two(void **state)
{
	static const char *const paths[] = {"tests/support/peers/guidellm-v1.json",
					    "tests/support/peers/guidellm-v2.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct result_set s;

		load(&s, paths[i]);
		assert_string_equal(s.results[0].name, "concurrent-8");
		expect(&s, "load.output_tokens_per_s", "token/s", 512);
		expect(&s, "load.ttft_p95_s", "s", 0.055);
		/* its inter-token latency is what everybody else calls TPOT */
		expect(&s, "load.tpot_mean_s", "s", 0.00825);
		assert_null(result_metric(&s.results[0], "load.itl_mean_s"));
		assert_null(result_metric(&s.results[0], "load.latency_mean_s"));
		result_set_release(&s);
	}
}

/* As the table of load metrics says, whoever measured them; 3 requests have no p95. */
static void gates_as_a_load_of_ours(void **state)
{
	struct result_set s;
	size_t gates = 0;

	(void)state;
	load(&s, "tests/support/peers/vllm.json");
	for (size_t i = 0; i < s.results[0].metrics_nr; i++)
		gates += s.results[0].metrics[i].def.gate;
	assert_int_equal(gates, 2);
	assert_true(result_metric(&s.results[0], "load.output_tokens_per_s")->def.gate);
	assert_true(result_metric(&s.results[0], "load.ttft_p50_s")->def.gate);
	result_set_release(&s);
}

static char *scratch(const char *name, const char *text)
{
	char *dir = dir_make_temporary("test-import", NULL), *path = path_join(dir, name);

	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
	free(dir);
	return path;
}

static void discard(char *path)
{
	*strrchr(path, '/') = '\0';
	dir_remove(path, NULL);
	free(path);
}

/* As 'vllm bench serve --append-result' writes one line for each load. */
static void reads_several_vllm_reports(void **state)
{
	char *path = scratch("all.json",
			     "{\"max_concurrency\": 1, \"request_rate\": \"inf\", "
			     "\"output_throughput\": 100, \"mean_ttft_ms\": 20}\n"
			     "{\"max_concurrency\": 8, \"request_rate\": \"inf\", "
			     "\"output_throughput\": 700, \"mean_ttft_ms\": 30}\r\n\n"
			     "{\"max_concurrency\": null, \"request_rate\": 2.5, "
			     "\"output_throughput\": 300, \"mean_ttft_ms\": 25}");
	static const char *const names[] = {"serve-c1", "serve-c8", "serve-r2.5"};
	static const double tokens_per_s[] = {100, 700, 300};
	struct result_set s;

	(void)state;
	load(&s, path);
	assert_int_equal(s.nr, 3);
	assert_int_equal(s.workloads.nr, 3);
	for (size_t i = 0; i < 3; i++) {
		size_t nr;
		const struct result *r =
			result_set_range(&s, s.arms.items[0], names[i], &nr);

		assert_int_equal(nr, 1);
		assert_true(result_metric(r, "load.output_tokens_per_s")->values[0] ==
			    tokens_per_s[i]);
	}
	result_set_release(&s);
	discard(path);
}

/* vLLM writes a time of 0 for a request that failed, and its text in 'errors'. */
static void failures_are_no_samples(void **state)
{
	static const struct {
		const char *text;
		enum result_status status;
		size_t samples, failed;
	} cases[] = {
		{"{\"output_throughput\": 9, \"mean_ttft_ms\": 50, \"completed\": 2, "
		 "\"failed\": 1, \"num_prompts\": 3, \"ttfts\": [0.05, 0.0, 0.05], "
		 "\"errors\": [\"\", \"Timeout\", \"\"]}",
		 RESULT_INVALID, 2, 1},
		{"{\"output_throughput\": 9, \"mean_ttft_ms\": 50, \"completed\": 2, "
		 "\"num_prompts\": 3, \"ttfts\": [0.05, 0.05]}",
		 RESULT_INVALID, 2, 0},
		{"{\"output_throughput\": 9, \"mean_ttft_ms\": 50, \"completed\": 100, "
		 "\"failed\": 1, \"num_prompts\": 101, \"ttfts\": [0.05]}",
		 RESULT_OK, 1, 0},
		{"{\"output_throughput\": 0, \"mean_ttft_ms\": null, \"completed\": 0, "
		 "\"failed\": 1, \"ttfts\": [null], \"errors\": [\"refused\"]}",
		 RESULT_FAILED, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = scratch("serve.json", cases[i].text);
		const struct samples *m;
		struct result_set s;

		load(&s, path);
		assert_int_equal(s.results[0].status, cases[i].status);
		m = result_metric(&s.results[0], "load.ttft_s");
		assert_int_equal(m->nr, cases[i].samples);
		assert_int_equal(m->failed, cases[i].failed);
		result_set_release(&s);
		discard(path);
	}
}

static void a_p95_gates_with_requests_enough(void **state)
{
	(void)state;
	for (int completed = 129; completed <= 130; completed++) {
		char *text =
			x_asprintf("{\"output_throughput\": 9, \"mean_ttft_ms\": 50, "
				   "\"completed\": %d, \"p95_e2el_ms\": 900}",
				   completed);
		char *path = scratch("serve.json", text);
		struct result_set s;

		load(&s, path);
		assert_int_equal(
			result_metric(&s.results[0], "load.latency_p95_s")->def.gate,
			completed == 130);
		result_set_release(&s);
		discard(path);
		free(text);
	}
}

static void failed_benchmarks_are_told(void **state)
{
	char *path =
		scratch("guidellm.json",
			"{\"metadata\": {\"version\": 2}, \"benchmarks\": "
			"[{\"config\": {\"strategy\": {\"type_\": \"throughput\"}}, "
			"\"metrics\": {\"request_totals\": {\"successful\": 5, "
			"\"errored\": 95, \"incomplete\": 8, \"total\": 108}, "
			"\"requests_per_second\": {\"successful\": {\"mean\": 1}}}}]}");
	struct result_set s;

	(void)state;
	load(&s, path);
	assert_int_equal(s.results[0].status, RESULT_INVALID);
	assert_string_equal(s.results[0].reasons.items[0],
			    "failures: only 5.00 % of 100 requests ended well");
	result_set_release(&s);
	discard(path);
}

static void bad_lines_are_named(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"{\"output_throughput\": 1, \"mean_ttft_ms\": 1}\n{\"a\": 1}\n",
		 "all.json:2: neither a result nor a report"},
		{"{\"output_throughput\": 1, \"mean_ttft_ms\": 1}\n{\"a\": }\n",
		 "all.json:2"},
		{"{\"output_throughput\": 1, \"mean_ttft_ms\": 1}\nx\n", "all.json"},
		{"{\n\"a\": 1", "all.json"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = scratch("all.json", cases[i].text);
		struct err err = ERR_INIT;
		struct result_set s;

		assert_int_equal(result_set_load(&s, path, &err), -1);
		if (!strstr(err.text, cases[i].words))
			fail_msg("%s", err.text);
		discard(path);
	}
}

static void reads_csv(void **state)
{
	char *path =
		scratch("a.csv", "\xef\xbb\xbfmetric,value,unit,better\r\nx,1.5,s,Lower\n"
				 "y,3,,\nx,1.7,s,lower\nz,1,,none\n\n");
	struct result_set s;

	(void)state;
	load(&s, path);
	assert_int_equal(s.nr, 2); /* two repeats */
	expect(&s, "x", "s", 1.5);
	expect(&s, "y", "1", 3);
	assert_true(result_metric(&s.results[1], "x")->values[0] == 1.7);
	assert_null(result_metric(&s.results[1], "y"));
	assert_int_equal(result_metric(&s.results[1], "x")->def.better, METRIC_LOWER);
	assert_int_equal(result_metric(&s.results[0], "y")->def.better, METRIC_HIGHER);
	assert_int_equal(result_metric(&s.results[0], "z")->def.better, METRIC_NONE);
	result_set_release(&s);
	discard(path);
}

static void bad_csv_is_named_by_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"a,b\n1,2\n", ":1:"},
		{"metric,value\nx,fast\n", ":2:"},
		{"metric,value\nx,NaN\n", ":2:"},
		{"metric,value\nx,1e999\n", ":2:"},
		{"metric,value,unit\nx,1,s\nx,2,ms\n", ":3:"},
		{"metric,value,better\nx,1,lowr\n", ":2: better is 'lowr'"},
		{"metric,value,better\nx,1,lower\nx,1,\nx,1,higher\n", ":4:"},
		{"metric,value\nx,\"1,5\"\n", ":2: 3 cells where the first line has 2"},
		{"metric,value\n", "no values"},
		{"", ":1:"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = scratch("bad.csv", cases[i].text);
		struct err err = ERR_INIT;
		struct result_set s;

		assert_int_equal(result_set_load(&s, path, &err), -1);
		if (!strstr(err.text, cases[i].words))
			fail_msg("%s", err.text);
		discard(path);
	}
}

static void a_baseline_keeps_every_sample(void **state)
{
	char *path = scratch("base.json", "x");
	struct baseline_options o = {.name = "first", .replace = false};
	struct err err = ERR_INIT;
	struct result_set s, back;

	(void)state;
	load(&s, "tests/support/peers/nccl.json");
	assert_int_equal(baseline_save(&s, &o, path, &err), -1);
	assert_non_null(strstr(err.text, "there already"));
	o.replace = true;
	assert_int_equal(baseline_save(&s, &o, path, &err), 0);
	load(&back, path);
	assert_int_equal(back.nr, 1);
	assert_int_equal(back.results[0].metrics_nr, s.results[0].metrics_nr);
	for (size_t i = 0; i < s.results[0].metrics_nr; i++) {
		const struct samples *a = &s.results[0].metrics[i];
		const struct samples *b = &back.results[0].metrics[i];

		assert_int_equal(a->nr, b->nr);
		assert_memory_equal(a->values, b->values, a->nr * sizeof(double));
	}
	result_worsen(&s.results[0], RESULT_INVALID, "x: y");
	assert_int_equal(baseline_save(&s, &o, path, &err), -1);
	assert_int_equal(err_exit_status(&err), EXIT_INVALID);
	result_set_release(&s);
	result_set_release(&back);
	discard(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_nvbandwidth),
		cmocka_unit_test(reads_nccl_tests),
		cmocka_unit_test(reads_vllm_bench),
		cmocka_unit_test(reads_guidellm_one_and_two),
		cmocka_unit_test(reads_several_vllm_reports),
		cmocka_unit_test(gates_as_a_load_of_ours),
		cmocka_unit_test(a_p95_gates_with_requests_enough),
		cmocka_unit_test(failures_are_no_samples),
		cmocka_unit_test(failed_benchmarks_are_told),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(reads_csv),
		cmocka_unit_test(bad_csv_is_named_by_line),
		cmocka_unit_test(a_baseline_keeps_every_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
