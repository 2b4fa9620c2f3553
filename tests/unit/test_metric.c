#include "core/document/metric.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <math.h>
#include <cmocka.h>

static const struct metric_def flops = {
	.name = "gemm.flops",
	.unit = "FLOP/s",
	.better = METRIC_HIGHER,
	.gate = true,
	.help = "Speed.",
};

static void every_value_is_kept_in_order(void **state)
{
	struct samples s;

	(void)state;
	samples_init(&s, &flops);
	for (int i = 0; i < 1000; i++)
		samples_add(&s, 1000 - i);
	assert_int_equal(s.nr, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(s.values[i] == 1000 - i);
	samples_release(&s);
	assert_null(s.values);
}

static void reserved_room_is_not_moved(void **state)
{
	struct samples s;
	double *before;

	(void)state;
	samples_init(&s, &flops);
	samples_reserve(&s, 100);
	before = s.values;
	for (int i = 0; i < 100; i++)
		samples_add(&s, i);
	assert_ptr_equal(s.values, before);
	samples_reserve(&s, 10);
	assert_ptr_equal(s.values, before);
	samples_release(&s);
}

/* Not a number is a bug in tare, and must not reach a document. */
static void a_value_that_is_no_number_aborts(void **state)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			struct samples s;

			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			close(STDERR_FILENO);
			samples_init(&s, &flops);
			samples_add(&s, bad[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
}

static void samples_go_to_json_and_back(void **state)
{
	static const double values[] = {5.39e13, 0.1, 1.0 / 3, 1e-300};
	struct samples a, b;
	struct json_object *o;
	struct err err = ERR_INIT;

	(void)state;
	samples_init(&a, &flops);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		samples_add(&a, values[i]);
	a.warmup = 3;
	a.failed = 2;
	o = samples_to_json(&a);
	assert_string_equal(json_get_text(o, "name", ""), "gemm.flops");
	assert_string_equal(json_get_text(o, "better", ""), "higher");
	assert_int_equal(samples_from_json(&b, o, "test", &err), 0);
	json_object_put(o);
	assert_string_equal(b.def.name, a.def.name);
	assert_string_equal(b.def.unit, a.def.unit);
	assert_int_equal(b.def.better, METRIC_HIGHER);
	assert_true(b.def.gate);
	assert_int_equal(b.nr, a.nr);
	assert_memory_equal(b.values, a.values, sizeof(values));
	assert_int_equal(b.warmup, 3);
	assert_int_equal(b.failed, 2);
	samples_release(&a);
	samples_release(&b);
}

static int read_one(struct samples *s, const char *json, struct err *err)
{
	struct json_object *o = json_parse(json, strlen(json), "test", err);
	int rc;

	assert_non_null(o);
	*err = (struct err)ERR_INIT;
	rc = samples_from_json(s, o, "r.json", err);
	json_object_put(o);
	return rc;
}

/* Readers accept unknown keys, and nothing measured is null or absent. */
static void what_others_wrote_is_read(void **state)
{
	static const char *const good[] = {
		"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"lower\", \"new\": 1}",
		"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		" \"values\": null}",
		"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\", \"values\": "
		"[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct samples s;
		struct err err;

		if (read_one(&s, good[i], &err))
			fail_msg("%s: %s", good[i], err.text);
		assert_int_equal(s.nr, 0);
		assert_false(s.def.gate);
		samples_release(&s);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"{}", "needs a 'name' and a 'unit'"},
		{"{\"name\": \"\", \"unit\": \"s\"}", "needs a 'name'"},
		{"{\"name\": 5, \"unit\": \"s\"}", "needs a 'name'"},
		{"{\"name\": \"a\"}", "needs a 'name' and a 'unit'"},
		{"{\"name\": \"a\", \"unit\": \"s\"}", "'better' must be"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"bigger\"}",
		 "r.json: metric a: 'better' must be higher, lower or none"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		 " \"values\": 5}",
		 "'values' must be a list of numbers"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		 " \"values\": [1, null]}",
		 "'values' must be a list of numbers"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		 " \"values\": [\"1\"]}",
		 "'values' must be a list of numbers"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		 " \"failed\": -1}",
		 "are counts"},
		{"{\"name\": \"a\", \"unit\": \"s\", \"better\": \"none\","
		 " \"warmup\": 1.5}",
		 "are counts"},
		{"[]", "needs a 'name'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct samples s;
		struct err err;

		if (read_one(&s, bad[i][0], &err) != -1)
			fail_msg("%s was accepted", bad[i][0]);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.text);
	}
}

static void people_read_scaled_values(void **state)
{
	static const struct {
		double value;
		const char *unit, *want;
	} cases[] = {
		{53.9e12, "FLOP/s", "53.9 TFLOP/s"},
		{1.25e-3, "s", "1.25 ms"},
		{64.0 * (1 << 30), "byte", "64 GiB"},
		{3.35e12, "byte/s", "3.35 TB/s"},
		{0, "s", "0 s"},
		{-2.5e-6, "s", "-2.5 µs"},
		{12345.6, "token/s", "12345.6 token/s"},
		{0.9871, "1", "0.9871"},
		{700, "W", "700 W"},
		{1.2345678, "furlong", "1.235 furlong"},
	};
	char text[60];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			unit_human(cases[i].value, cases[i].unit, text, sizeof(text)),
			cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_kept_in_order),
		cmocka_unit_test(reserved_room_is_not_moved),
		cmocka_unit_test(a_value_that_is_no_number_aborts),
		cmocka_unit_test(samples_go_to_json_and_back),
		cmocka_unit_test(what_others_wrote_is_read),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(people_read_scaled_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
