/* Servers and clocks of two sides: each difference has its name and its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict.h"
#include "tests/support/honest.h"

static const struct result_set run = {.is_run = true};
static const struct compared_side on_metal = {&run, "metal", "metal"},
				  on_vm = {&run, "vm", "vm"};

/* Why they are not comparable, all else being shown. */
static char *why_of(const struct workload_side sides[2], char **note)
{
	struct claims c;
	char *why;

	claims_judge(&c, &(struct claims_spec){.sides = {sides[0], sides[1]}}, note);
	why = claims_reason(&c);
	claims_release(&c);
	return why;
}

static void served(struct result *r, int side, const char *server)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(server, strlen(server), "server", &err);

	if (!o)
		fail_msg("%s", err.text);
	result_init(r, "test", "load", "load");
	json_put(r->details, "server", o);
	honest_result(r, side, 1, HONEST_SERVER);
}

static char *servers(const char *a, const char *b)
{
	struct result x, y;
	const struct workload_side sides[2] = {{&on_metal, &x, 1}, {&on_vm, &y, 1}};
	char *why, *note;

	served(&x, 0, a);
	served(&y, 1, b);
	why = why_of(sides, &note);
	assert_null(note);
	result_release(&x);
	result_release(&y);
	return why;
}

static void servers_must_be_alike(void **state)
{
	static const struct {
		const char *a, *b, *begins, *has;
	} cases[] = {
		{"{\"version\": \"0.11.0\"}", "{\"version\": \"0.11.1\"}",
		 "server-version: ", "0.11.0 on metal, 0.11.1 on vm"},
		{"{\"model\": \"opt\"}", "{\"model\": \"gpt\"}", "server-model: ", "gpt"},
		{"{\"model\": \"opt\", \"revision\": \"aaa\"}",
		 "{\"model\": \"opt\", \"revision\": \"bbb\"}",
		 "model-revision: ", "aaa on metal, bbb on vm"},
		{"{\"tare_serve\": {\"revision\": \"905a\"}}",
		 "{\"tare_serve\": {\"revision\": \"40c1\"}}",
		 "model-revision: ", "905a on metal, 40c1 on vm"},
		{"{\"max_model_len\": 2048}", "{\"max_model_len\": 4096}",
		 "server-limit: ", "2048 on metal, 4096 on vm"},
		{"{\"is_mock\": true}", "{\"is_mock\": false}",
		 "server-mock: ", "yes on metal, no on vm"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *why = servers(cases[i].a, cases[i].b);

		assert_non_null(why);
		assert_int_equal(strncmp(why, cases[i].begins, strlen(cases[i].begins)),
				 0);
		assert_non_null(strstr(why, cases[i].has));
		free(why);
		assert_null(servers(cases[i].a, cases[i].a));
		/* What one side does not say is not shown. */
		why = servers(cases[i].a, "{}");
		assert_non_null(strstr(why, "not shown: same-"));
		free(why);
		why = servers("{}", cases[i].b);
		assert_non_null(strstr(why, "not shown: same-"));
		free(why);
	}
}

static void watched(struct result *r, int side, int round, const char *key,
		    double slowed_s, double clock_hz)
{
	struct json_object *throttle = json_object_new_object();
	struct json_object *clock = json_object_new_object();
	struct json_object *series = json_object_new_object();
	struct json_object *times = json_object_new_array();
	struct json_object *values = json_object_new_array();

	result_init(r, "test", "gemm", "gemm");
	json_put_real(throttle, key, slowed_s);
	json_put_real(clock, "mean", clock_hz);
	json_put_real(r->telemetry, "span_s", 10);
	json_put(r->telemetry, "throttle_s", throttle);
	json_put(r->telemetry, "sm_clock_hz", clock);
	json_object_array_add(times, json_object_new_double(5));
	json_object_array_add(values, json_object_new_double(clock_hz));
	json_put(series, "t_s", times);
	json_put(series, "sm_clock_hz", values);
	json_put(r->telemetry, "series", series);
	r->round = round;
	honest_result(r, side, round, HONEST_GPU);
}

/* Two rounds of ten seconds a side, slowed down for so long in each. */
static char *clocks(const char *key, double a, double b, char **note)
{
	struct result x[2], y[2];
	const struct workload_side sides[2] = {{&on_metal, x, 2}, {&on_vm, y, 2}};
	char *why;

	for (int i = 0; i < 2; i++) {
		watched(&x[i], 0, i + 1, key, a, 1.77e9);
		watched(&y[i], 1, i + 1, key, b, 1.755e9);
	}
	why = why_of(sides, note);
	for (int i = 0; i < 2; i++) {
		result_release(&x[i]);
		result_release(&y[i]);
	}
	return why;
}

static void one_side_held_down_is_invalid(void **state)
{
	static const char *const keys[] = {"hw_thermal", "sw_thermal", "hw_power_brake",
					   "sync_boost"};
	char *why, *note;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		why = clocks(keys[i], 0, 3.4, &note);
		assert_non_null(why);
		assert_null(note);
		assert_int_equal(strncmp(why, "throttled: ", 11), 0);
		assert_non_null(strstr(why, "in 0.0 % of 20 s on metal"));
		assert_non_null(strstr(why, "in 34.0 % of 20 s on vm"));
		assert_non_null(strstr(why, "1.77 GHz, 1.755 GHz"));
		free(why);
		/* Both sides alike, a moment, or four times a moment. */
		assert_null(clocks(keys[i], 3.2, 3.4, &note));
		assert_null(clocks(keys[i], 0, 0.4, &note));
		assert_null(clocks(keys[i], 1, 3.9, &note));
		assert_null(note);
	}
}

static void a_power_cap_is_a_note(void **state)
{
	char *note;

	(void)state;
	assert_null(clocks("sw_power_cap", 10, 1, &note));
	assert_non_null(note);
	assert_non_null(strstr(note, "the power limit in 100.0 % of 20 s on metal"));
	free(note);
	assert_null(clocks("sw_power_cap", 10, 9, &note));
	assert_null(note);
}

static void what_nobody_watched_is_not_shown(void **state)
{
	struct result a, b;
	const struct workload_side sides[2] = {{&on_metal, &a, 1}, {&on_vm, &b, 1}};
	char *note, *why;

	(void)state;
	watched(&a, 0, 0, "hw_thermal", 9, 1e9);
	result_init(&b, "test", "gemm", "gemm");
	honest_result(&b, 1, 1, HONEST_GPU);
	json_object_object_del(b.telemetry, "sm_clock_hz");
	why = why_of(sides, &note);
	assert_non_null(strstr(why, "not shown: clocks"));
	assert_null(note);
	free(why);
	result_release(&a);
	result_release(&b);
}

/* Loads whose servers are at these addresses. */
static char *served_from(const char *a, const char *b)
{
	const char *const urls[2] = {a, b};
	struct result r[2];
	const struct workload_side sides[2] = {{&on_metal, &r[0], 1}, {&on_vm, &r[1], 1}};
	char *why, *note;

	for (int i = 0; i < 2; i++) {
		served(&r[i], i, "{}");
		json_put_text(json_member(r[i].evidence, "computed"), "device", urls[i]);
	}
	why = why_of(sides, &note);
	assert_null(note);
	result_release(&r[0]);
	result_release(&r[1]);
	return why;
}

static void servers_elsewhere_are_not_the_arms(void **state)
{
	static const struct {
		const char *a, *b, *has;
	} cases[] = {
		{"http://10.9.9.9:8000", "http://10.9.9.9:8000", "same-server: "},
		{"http://127.0.0.1:8000", "http://10.9.9.9:8000", "not shown: computed"},
		{"http://10.9.9.8:8000", "http://10.9.9.9:8000", "not shown: computed"},
		{"http://127.0.0.1:8000", "http://localhost:8000", NULL},
		{"http://host-0:8000", "http://host-1:8000/v1", NULL}, /* themselves */
		{"http://host-0:8000", "http://host-10:8000", "not shown: computed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *why = served_from(cases[i].a, cases[i].b);

		if (!cases[i].has)
			assert_null(why);
		else
			assert_non_null(strstr(why, cases[i].has));
		free(why);
	}
}

/* ---- turns ---- */

/* Two rounds whose turns ended at these hours by the journal, and by their own clocks on time. */
static char *turned(const double hours[2][2], bool has_journal, const char *started_vm,
		    const char *ended_vm, bool is_synchronised)
{
	struct result_set s = {.is_run = true};
	const struct compared_side of[2] = {{&s, "metal", "metal"}, {&s, "vm", "vm"}};
	struct workload_side sides[2];
	char *why, *note;

	for (int side = 0; side < 2; side++) {
		for (int i = 0; i < 2; i++) {
			struct result r;

			result_init(&r, "test", "gemm", "gemm");
			free(r.arm);
			r.arm = x_strdup(side ? "vm" : "metal");
			r.round = i + 1;
			honest_result(&r, side, i + 1, HONEST_GPU);
			json_put_bool(json_member(r.machine, "time"), "synchronised",
				      is_synchronised);
			if (side && i && started_vm) {
				honest_edit(r.evidence, "span/started", started_vm);
				honest_edit(r.evidence, "span/ended", ended_vm);
			}
			if (has_journal)
				result_set_add_step(&s, r.arm, "gemm", i + 1,
						    (int64_t)(hours[side][i] * 3600e9),
						    610);
			result_set_add(&s, &r, "by hand");
		}
	}
	result_set_sort(&s);
	for (int side = 0; side < 2; side++) {
		sides[side].of = &of[side];
		sides[side].results =
			result_set_range(&s, of[side].arm, "gemm", &sides[side].nr);
	}
	why = why_of(sides, &note);
	result_set_release(&s);
	return why;
}

static void arms_that_took_no_turns_are_told(void **state)
{
	static const double fair[2][2] = {{1, 2}, {1.25, 2.25}};
	static const double after[2][2] = {{1, 2}, {3, 4}};
	static const char from[] = "\"2026-11-20T02:15:00.000Z\"",
			  to[] = "\"2026-11-20T02:25:00.000Z\"";
	/* Within metal's second turn, from 2:00 to 2:10. */
	static const char at[] = "\"2026-11-01T02:05:00.000Z\"",
			  till[] = "\"2026-11-01T02:15:00.000Z\"";
	char *why = turned(fair, true, NULL, NULL, true);

	(void)state;
	assert_null(why);
	why = turned(after, true, NULL, NULL, true);
	assert_non_null(
		strstr(why, "not shown: time (that the arms took turns is not so"));
	free(why);
	why = turned(fair, false, from, to, true);
	assert_non_null(strstr(why, "metal and vm were measured 19 days apart"));
	free(why);
	why = turned(fair, false, at, till, true);
	assert_non_null(strstr(why, "measured at once on one machine or GPU"));
	free(why);
	/* Clocks that nobody sets tell no overlap. */
	assert_null(turned(fair, false, at, till, false));
}

/* Of another tool's file nothing is claimed but what it holds. */
static enum verdict import_verdict(const char *params_a, const char *params_b,
				   char **line)
{
	static const struct metric_def flops = {"f", "FLOP/s", METRIC_HIGHER, true, ""};
	struct claims c;
	const char *const params[] = {params_a, params_b};
	struct judge_options o = {0};
	struct err err = ERR_INIT;
	struct result_set s[2];
	struct judgement j;
	enum verdict v;

	for (int i = 0; i < 2; i++) {
		result_set_init(&s[i], i ? "today" : "yesterday");
		for (int k = 0; k < 4; k++) {
			struct samples m;
			struct result r;

			result_init(&r, "GuideLLM", "import", "load");
			result_set_params(&r, honest_json(params[i]));
			free(r.digest);
			r.digest = x_strdup("");
			r.arm = x_strdup("peer");
			samples_init(&m, &flops);
			samples_add(&m, 100 + 0.01 * (i + k));
			result_add_metric(&r, &m);
			result_set_add(&s[i], &r, "by hand");
		}
		result_set_sort(&s[i]);
	}
	assert_int_equal(judge_sets(&j, &s[0], &s[1], &o, &err), 0);
	judgement_claims(&j, SIZE_MAX, &c);
	*line = claims_line(&c);
	claims_release(&c);
	v = j.overall;
	judgement_release(&j);
	result_set_release(&s[0]);
	result_set_release(&s[1]);
	return v;
}

static void imports_claim_what_they_hold(void **state)
{
	static const struct {
		const char *a, *b;
		enum verdict verdict;
	} cases[] = {
		{"{}", "{}", VERDICT_EQUIVALENT},
		{"{\"model\": \"opt\"}", "{\"model\": \"opt\"}", VERDICT_EQUIVALENT},
		{"{\"model\": \"opt\"}", "{\"model\": \"gpt\"}", VERDICT_INVALID},
		{"{\"model\": \"opt\"}", "{}", VERDICT_INVALID},
		{"{\"backend\": \"vllm\"}", "{\"backend\": \"tgi\"}", VERDICT_INVALID},
		{"{\"concurrency\": 8}", "{\"concurrency\": 64}", VERDICT_INVALID},
		{"{\"input_tokens\": 100}", "{\"input_tokens\": 102}",
		 VERDICT_EQUIVALENT},
		{"{\"input_tokens\": 100}", "{\"input_tokens\": 900}", VERDICT_INVALID},
		{"{\"output_tokens\": 21}", "{\"output_tokens\": 900}", VERDICT_INVALID},
	};
	char *line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(import_verdict(cases[i].a, cases[i].b, &line),
				 cases[i].verdict);
		if (cases[i].verdict == VERDICT_EQUIVALENT)
			assert_string_equal(
				line,
				"the same work as far as the files say; which machines "
				"these were, and all else, is not shown");
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_must_be_alike),
		cmocka_unit_test(one_side_held_down_is_invalid),
		cmocka_unit_test(a_power_cap_is_a_note),
		cmocka_unit_test(what_nobody_watched_is_not_shown),
		cmocka_unit_test(servers_elsewhere_are_not_the_arms),
		cmocka_unit_test(arms_that_took_no_turns_are_told),
		cmocka_unit_test(imports_claim_what_they_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
