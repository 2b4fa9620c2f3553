#include "core/document/result.h"

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct metric_def flops = {
	.name = "gemm.flops", .unit = "FLOP/s", .better = METRIC_HIGHER, .gate = true};

static struct json_object *parsed(const char *json)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(json, strlen(json), "test", &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

static void fill(struct result *r)
{
	struct samples s;

	result_init(r, "tare-gemm", "gemm", "gemm-fp32");
	result_set_params(r, parsed("{\"n\": 128, \"alpha\": 1.0}"));
	result_set_machine(r, parsed("{\"cpu\": {\"model\": \"x\"}}"));
	result_set_evidence(r, parsed("{\"others\": {\"known\": true}}"));
	samples_init(&s, &flops);
	samples_add(&s, 1e12);
	samples_add(&s, 1.1e12);
	result_add_metric(r, &s);
	assert_int_equal(s.nr, 0);
	assert_null(s.values);
	result_add_check(r, "verified", true, "64 entries within the bound");
}

static void a_new_one_is_whole(void **state)
{
	struct result r;
	char hex[DIGEST_SIZE];

	(void)state;
	result_init(&r, "tare-gemm", "gemm", "gemm");
	assert_int_equal(r.status, RESULT_OK);
	assert_int_equal(result_exit_status(&r), EXIT_PASS);
	assert_string_equal(json_get_text(r.tool, "name", ""), "tare-gemm");
	assert_int_equal(strlen(r.created), strlen("2026-11-22T19:17:25.123Z"));
	digest_of("{}", 2, hex);
	assert_string_equal(r.digest, hex);
	assert_int_equal(json_object_array_length(r.checks), 0);
	assert_null(result_metric(&r, "gemm.flops"));
	result_release(&r);
}

/* sha256sum of {"a":[{"x":1,"y":2}],"b":1}: keys in order, no blanks. */
static void the_digest_names_the_parameters_not_their_order(void **state)
{
	static const char *const same[] = {
		"{\"b\": 1, \"a\": [{\"y\": 2, \"x\": 1}]}",
		"{\"a\": [{\"x\": 1, \"y\": 2}], \"b\": 1}",
	};
	struct result r;
	char *other;

	(void)state;
	result_init(&r, "t", "k", "n");
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		result_set_params(&r, parsed(same[i]));
		assert_string_equal(r.digest, "644408bd76f399b8ede2a3cef08e70e1d485d59bfb"
					      "7321c8a7e776a23b6aee0c");
	}
	other = x_strdup(r.digest);
	result_set_params(&r, parsed("{\"b\": 2, \"a\": [{\"y\": 2, \"x\": 1}]}"));
	assert_string_not_equal(r.digest, other);
	free(other);
	result_release(&r);
}

static void checks_and_reasons_worsen_the_status(void **state)
{
	struct result r;
	struct json_object *check;

	(void)state;
	fill(&r);
	assert_int_equal(r.status, RESULT_OK);
	result_add_check(&r, "peak", false, "70 TFLOP/s is above the peak of 67");
	assert_int_equal(r.status, RESULT_INVALID);
	assert_int_equal(result_exit_status(&r), EXIT_INVALID);
	check = json_object_array_get_idx(r.checks,
					  json_object_array_length(r.checks) - 1);
	assert_false(json_get_bool(check, "passed", true));
	assert_string_equal(json_get_text(check, "name", ""), "peak");
	assert_string_equal(r.reasons.items[0],
			    "peak: 70 TFLOP/s is above the peak of 67");
	result_worsen(&r, RESULT_FAILED, "device: gone");
	assert_int_equal(r.status, RESULT_FAILED);
	assert_int_equal(result_exit_status(&r), EXIT_ENVIRONMENT);
	result_worsen(&r, RESULT_INVALID, "late: too");
	assert_int_equal(r.status, RESULT_FAILED);
	assert_int_equal(r.reasons.nr, 3);
	result_release(&r);
}

/* 'ok' never makes a bad one good, whatever the reason says. */
static void the_worse_status_wins(void **state)
{
	struct result r;

	(void)state;
	fill(&r);
	result_worsen(&r, RESULT_INVALID, "a: b");
	result_worsen(&r, RESULT_OK, "c: d");
	assert_int_equal(r.status, RESULT_INVALID);
	result_release(&r);
}

static void it_goes_to_a_file_and_back(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err);
	char *path = path_join(dir, "r.json");
	struct json_object *a, *b;
	struct result r, back;

	(void)state;
	fill(&r);
	result_worsen(&r, RESULT_INVALID, "a: b");
	r.arm = x_strdup("vm");
	r.round = 3;
	assert_int_equal(result_write(&r, path, &err), 0);
	assert_int_equal(result_read(&back, path, &err), 0);
	a = result_to_json(&r);
	b = result_to_json(&back);
	assert_string_equal(json_line(a), json_line(b));
	assert_int_equal(back.round, 3);
	assert_string_equal(back.arm, "vm");
	assert_true(json_get_bool(json_at(back.evidence, "others"), "known", false));
	assert_true(result_metric(&back, "gemm.flops")->values[1] == 1.1e12);
	json_object_put(a);
	json_object_put(b);
	result_release(&r);
	result_release(&back);
	assert_int_equal(dir_remove(dir, &err), 0);
	assert_int_equal(result_read(&back, path, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	free(path);
	free(dir);
}

#define HEAD "{\"schema\": \"tare.result/1\", \"workload\": {\"kind\": \"k\"}, "

static void what_others_wrote_is_read(void **state)
{
	static const char *const good[] = {
		HEAD "\"status\": \"ok\", \"metrics\": []}",
		HEAD "\"status\": \"failed\", \"metrics\": [], \"later\": {\"x\": 1},"
		     " \"reasons\": [\"a: b\", 5], \"arm\": null, \"machine\": 3}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct json_object *o = parsed(good[i]);
		struct err err = ERR_INIT;
		struct result r;

		if (result_from_json(&r, o, "test", &err))
			fail_msg("%s: %s", good[i], err.text);
		assert_string_equal(r.name, "k");
		assert_non_null(r.machine);
		assert_non_null(r.checks);
		json_object_put(o);
		result_release(&r);
	}
}

static void what_is_no_result_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"[]", "schema '(none)', expected 'tare.result/1'"},
		{"{\"schema\": \"tare.result/2\"}", "f: not a result this tare reads"},
		{"{\"schema\": \"tare.result/1\"}", "'workload' has no 'kind'"},
		{HEAD "\"metrics\": []}", "'status' must be ok, failed or invalid"},
		{HEAD "\"status\": \"fine\", \"metrics\": []}", "'status' must be"},
		{HEAD "\"status\": \"ok\"}", "'metrics' must be a list"},
		{HEAD "\"status\": \"ok\", \"metrics\": [{}]}",
		 "a metric needs a 'name'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *o = parsed(bad[i][0]);
		struct err err = ERR_INIT;
		struct result r;

		if (result_from_json(&r, o, "f", &err) != -1)
			fail_msg("%s was accepted", bad[i][0]);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.text);
		json_object_put(o);
	}
}

static void identifiers_are_times_and_do_not_repeat(void **state)
{
	char *a = result_new_id(), *b = result_new_id();

	(void)state;
	assert_int_equal(strlen(a), strlen("20261122T191725-3f9a1c2b"));
	assert_int_equal(a[8], 'T');
	assert_int_equal(a[15], '-');
	for (const char *p = a; *p; p++)
		assert_true(isxdigit((unsigned char)*p) || *p == 'T' || *p == '-');
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_is_whole),
		cmocka_unit_test(the_digest_names_the_parameters_not_their_order),
		cmocka_unit_test(checks_and_reasons_worsen_the_status),
		cmocka_unit_test(the_worse_status_wins),
		cmocka_unit_test(it_goes_to_a_file_and_back),
		cmocka_unit_test(what_others_wrote_is_read),
		cmocka_unit_test(what_is_no_result_is_refused),
		cmocka_unit_test(identifiers_are_times_and_do_not_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
