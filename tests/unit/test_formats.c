/*
 * The writers of other tools' formats, over records made here. Expected figures are
 * worked out by hand from the definitions in formats.h; GuideLLM's own reading is
 * tests/peers/run.
 */
#include "inference/load/formats/formats.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/json.h"
#include "inference/load/formats/format_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MS NS_PER_MS

/* Four tokens at 100, 110, 130 and 140 ms after sending at 1 s. */
static const struct chunk_stamp chunks[] = {
	{.arrival_ns = 1100 * MS, .tokens = 1},
	{.arrival_ns = 1110 * MS, .tokens = 1},
	{.arrival_ns = 1130 * MS, .tokens = 1},
	{.arrival_ns = 1140 * MS, .tokens = 1},
};

static const struct request_record records[] = {
	{.index = 0,
	 .scheduled_ns = 990 * MS,
	 .issued_ns = 995 * MS,
	 .sent_ns = 1000 * MS,
	 .first_byte_ns = 1050 * MS,
	 .role_ns = RECORD_NONE,
	 .first_token_ns = 1100 * MS,
	 .last_token_ns = 1140 * MS,
	 .done_ns = 1141 * MS,
	 .end_ns = 1142 * MS,
	 .end = REQUEST_OK,
	 .http_status = 200,
	 .prompt_wanted = 7,
	 .output_wanted = 4,
	 .prompt_tokens = 7,
	 .output_tokens = 4,
	 .cached_tokens = -1,
	 .received_tokens = 4,
	 .events = 6,
	 .response_id = "cmpl-1",
	 .chunks = chunks,
	 .chunks_nr = 4},
	{.index = 1, /* answered 500: no token, no usage */
	 .scheduled_ns = 2000 * MS,
	 .issued_ns = 2000 * MS,
	 .sent_ns = 2000 * MS,
	 .first_byte_ns = 2010 * MS,
	 .role_ns = RECORD_NONE,
	 .first_token_ns = RECORD_NONE,
	 .last_token_ns = RECORD_NONE,
	 .done_ns = RECORD_NONE,
	 .end_ns = 2011 * MS,
	 .end = REQUEST_HTTP_STATUS,
	 .http_status = 500,
	 .prompt_wanted = 7,
	 .output_wanted = 4,
	 .prompt_tokens = -1,
	 .output_tokens = -1,
	 .cached_tokens = -1},
	{.index = 2, /* sent in the warm-up: not listed */
	 .scheduled_ns = 100 * MS,
	 .issued_ns = 100 * MS,
	 .sent_ns = 100 * MS,
	 .first_byte_ns = RECORD_NONE,
	 .role_ns = RECORD_NONE,
	 .first_token_ns = RECORD_NONE,
	 .last_token_ns = RECORD_NONE,
	 .done_ns = RECORD_NONE,
	 .end_ns = 200 * MS,
	 .end = REQUEST_REFUSED,
	 .prompt_wanted = 7,
	 .output_wanted = 4,
	 .prompt_tokens = -1,
	 .output_tokens = -1,
	 .cached_tokens = -1},
};

static const struct load_stage stage = {
	.label = "c1",
	.kind = STAGE_CONCURRENT,
	.concurrency = 1,
	.seed = 9,
	.wall_offset_ns = INT64_C(1700000000) * NS_PER_S,
	.start_ns = 0,
	.measure_start_ns = 500 * MS,
	.measure_end_ns = 2500 * MS,
	.end_ns = 3000 * MS,
};

struct list {
	size_t at, fails_at;
};

static int next_record(void *ctx, struct request_record *ret, struct err *err)
{
	struct list *l = ctx;

	if (l->at == l->fails_at)
		return err_set(err, ERR_ENVIRONMENT, "the disk");
	if (l->at == ARRAY_SIZE(records))
		return 0;
	*ret = records[l->at++];
	return 1;
}

static void rewind_records(void *ctx)
{
	((struct list *)ctx)->at = 0;
}

/* As the writer's caller sees it; a record that cannot be read is number 'fails_at'. */
static int write_report(bool as_vllm, size_t fails_at, const char *path, struct err *err)
{
	struct list list = {0, fails_at};
	const struct record_source source = {&list, next_record, rewind_records};
	const struct load_report report = {
		.target = "http://127.0.0.1:1",
		.model = "m",
		.endpoint = "/v1/completions",
		.prompt_tokens = 7,
		.output_tokens = 4,
		.profile = "concurrent",
		.warmup_s = 0.5,
		.cooldown_s = 0.5,
		.stages = &stage,
		.sources = &source,
		.stages_nr = 1,
	};

	return as_vllm ? format_write_vllm(&report, path, err)
		       : format_write_guidellm(&report, path, err);
}

static struct json_object *written(bool as_vllm)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err), *path;
	struct json_object *o;

	assert_non_null(dir);
	path = path_join(dir, "report.json");
	assert_int_equal(write_report(as_vllm, SIZE_MAX, path, &err), 0);
	o = json_read_file(path, JSON_FILE_MAX, &err);
	if (!o)
		fail_msg("%s", err.text);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
	return o;
}

static void check_real(struct json_object *o, const char *path, double want)
{
	struct json_object *v = json_at(o, path);

	if (!v)
		fail_msg("no %s", path);
	assert_float_equal(json_object_get_double(v), want, 1e-9 * (1 + want));
}

/* A record that cannot be read leaves no file, whichever pass over them it ends. */
static void unreadable_records_leave_no_file(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err), *path;

	(void)state;
	assert_non_null(dir);
	path = path_join(dir, "report.json");
	for (size_t at = 0; at <= ARRAY_SIZE(records); at++)
		for (int as_vllm = 0; as_vllm < 2; as_vllm++) {
			err_clear(&err);
			assert_int_equal(write_report(as_vllm, at, path, &err), -1);
			assert_string_equal(err.text, "the disk");
			assert_int_equal(access(path, F_OK), -1);
		}
	dir_remove(dir, NULL);
	free(path);
	free(dir);
}

static void guidellm_means_what_it_means_there(void **state)
{
	struct json_object *o = written(false), *b, *requests, *first;

	(void)state;
	check_real(o, "metadata/version", 2);
	b = json_object_array_get_idx(json_member(o, "benchmarks"), 0);
	check_real(b, "metrics/request_totals/successful", 1);
	check_real(b, "metrics/request_totals/errored", 1);
	check_real(b, "metrics/request_totals/total", 2);
	check_real(b, "metrics/time_to_first_token_ms/successful/mean", 100);
	/* 140 ms for four tokens, TTFT included */
	check_real(b, "metrics/time_per_output_token_ms/successful/mean", 35);
	/* 40 ms for the three behind the first */
	check_real(b, "metrics/inter_token_latency_ms/successful/mean", 40.0 / 3);
	check_real(b, "metrics/request_latency/successful/mean", 0.142);
	check_real(b, "metrics/request_latency/errored/mean", 0.011);
	check_real(b, "metrics/time_to_first_token_ms/errored/count", 0);
	/* In a window of two seconds: one good end, one bad, four tokens. */
	check_real(b, "metrics/requests_per_second/successful/mean", 0.5);
	check_real(b, "metrics/requests_per_second/total/mean", 1);
	check_real(b, "metrics/output_tokens_per_second/total/mean", 2);
	check_real(b, "metrics/request_concurrency/total/mean", (0.142 + 0.011) / 2);
	check_real(b, "scheduler_metrics/measure_start_time", 1700000000.5);
	check_real(b, "scheduler_metrics/request_targeted_start_delay_avg", 0.005);
	requests = json_at(b, "requests/successful");
	assert_int_equal(json_object_array_length(requests), 1);
	first = json_object_array_get_idx(requests, 0);
	assert_string_equal(json_get_text(first, "response_id", ""), "cmpl-1");
	check_real(first, "info/timings/request_start", 1700000001);
	assert_int_equal(json_object_array_length(json_at(b, "requests/errored")), 1);
	json_object_put(o);
}

static void vllm_means_what_it_means_there(void **state)
{
	struct json_object *o = written(true);

	(void)state;
	check_real(o, "completed", 1);
	check_real(o, "failed", 1);
	check_real(o, "duration", 2);
	check_real(o, "output_throughput", 2);
	check_real(o, "total_token_throughput", 5.5);
	check_real(o, "request_throughput", 0.5);
	check_real(o, "mean_ttft_ms", 100);
	check_real(o, "mean_tpot_ms", 40.0 / 3);
	check_real(o, "median_itl_ms", 10); /* gaps of 10, 20 and 10 */
	check_real(o, "mean_e2el_ms", 140); /* to the last token */
	assert_int_equal(json_object_array_length(json_member(o, "ttfts")), 2);
	assert_null(json_object_array_get_idx(json_member(o, "ttfts"), 1));
	assert_string_equal(json_get_text(o, "request_rate", ""), "inf");
	json_object_put(o);
}

static void summaries_follow_their_definitions(void **state)
{
	static const struct weighted values[] = {{3, 1}, {1, 1}, {2, 2}, {10, 1}};
	struct weighted_samples s = {0};
	struct json_object *o, *v = json_object_new_object();

	(void)state;
	for (size_t i = 0; i < 4; i++)
		weighted_add(&s, values[i].value, values[i].weight);
	weighted_add(&s, 0.0 / 0.0, 1);
	o = weighted_to_guidellm(&s);
	check_real(o, "mean", 18.0 / 5);
	check_real(o, "median", 2);
	check_real(o, "mode", 2);
	check_real(o, "variance", (0.36 + 6.76 + 2 * 2.56 + 40.96) / 5);
	check_real(o, "count", 4);
	check_real(o, "percentiles/p75", 3); /* CDF: 0.2, 0.6, 0.8, 1 */
	check_real(o, "percentiles/p90", 10);
	json_object_put(o);
	s.items[1].weight = 1;
	weighted_put_vllm(v, "x", 1000, &s);
	/* numpy.percentile([1, 2, 3, 10], 90) = 7.9 */
	check_real(v, "p90_x_ms", 7900);
	check_real(v, "median_x_ms", 2500);
	json_object_put(v);
	weighted_release(&s);
	o = weighted_to_guidellm(&s);
	check_real(o, "count", 0);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreadable_records_leave_no_file),
		cmocka_unit_test(guidellm_means_what_it_means_there),
		cmocka_unit_test(vllm_means_what_it_means_there),
		cmocka_unit_test(summaries_follow_their_definitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
