/*
 * Losses that hide: in few rounds, in failures, in rounds that resemble each other, and at
 * the edges of arithmetic. None of them may end 'equivalent'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "tests/support/known_run.h"

/* Noise of half a percent that no generator is needed for. */
static double noise(int i)
{
	return 0.001 * ((i * 7) % 11 - 5);
}

static void begin(struct result_set *s)
{
	result_set_init(s, "run");
	s->is_run = true;
	s->baseline = x_strdup("metal");
}

static void add_round(struct result_set *s, int round, double ratio)
{
	known_run_add_one(s, "metal", round, METRIC_HIGHER, 100);
	known_run_add_one(s, "vm", round, METRIC_HIGHER, 100 * ratio);
}

static void release(struct result_set *s, struct judgement *j)
{
	judgement_release(j);
	result_set_release(s);
}

static bool has_note(const struct comparison *c, const char *words)
{
	for (size_t i = 0; i < c->notes.nr; i++)
		if (strstr(c->notes.items[i], words))
			return true;
	return false;
}

/* In rounds that divide by six the candidate is measured last, in the others first. */
static void put_turn(struct result *r)
{
	bool is_last = (strcmp(r->arm, "vm") == 0) == (r->round % 6 == 0);

	free(r->created);
	r->created = x_strdup(is_last ? "2026-11-30T10:15:00.000Z"
				      : "2026-11-30T10:14:00.000Z");
}

/* One boot in six is slow by 20 %: a mean of 0.966, where the margin is 5 %. */
static void slow_rounds_are_a_loss_and_a_finding(void **state)
{
	const struct comparison *c;
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int i = 1; i <= 30; i++)
		add_round(&s, i, (i % 6 == 0 ? 0.8 : 1) * (1 + noise(i)));
	result_set_sort(&s);
	for (size_t i = 0; i < s.nr; i++)
		put_turn(&s.results[i]);
	known_run_judge(&s, &j);
	c = &j.items[0];
	assert_int_equal(c->verdict, VERDICT_INCONCLUSIVE);
	assert_true(fabs(c->ratio - exp(log(0.8) / 6)) < 0.002); /* the mean */
	assert_true(fabs(c->robust_ratio - 1) < 0.01);           /* what hid it */
	assert_int_equal(c->slow.nr, 5);
	assert_int_equal(c->slow.rounds[0], 6);
	assert_int_equal(c->slow.rounds[4], 30);
	assert_true(fabs(c->slow.difference + 0.2) < 0.01);
	assert_string_equal(c->slow.arm, "vm");
	assert_int_equal(c->slow.shared.nr, 1);
	assert_string_equal(c->slow.shared.items[0],
			    "measured after the other arm in the round");
	assert_true(has_note(c, "5 of 30 rounds stand out (6, 12, 18, 24, 30)"));
	assert_true(has_note(c, "it is vm that moves in them; they alone share: measured "
				"after the other arm in the round"));
	release(&s, &j);
}

/* The baseline's own bad rounds make the candidate look better: no finding against it. */
static void slow_rounds_of_the_baseline_are_no_finding_against_the_candidate(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int i = 1; i <= 24; i++) {
		known_run_add_one(&s, "metal", i, METRIC_HIGHER, i % 8 ? 100 : 80);
		known_run_add_one(&s, "vm", i, METRIC_HIGHER, 100 * (1 + noise(i)));
	}
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].slow.nr, 0);
	assert_true(has_note(&j.items[0], "3 of 24 rounds stand out (8, 16, 24)"));
	release(&s, &j);
}

/* A good baseline in two rounds makes the candidate look slow there: it is said so. */
static void it_is_said_which_arm_moves(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int i = 1; i <= 24; i++) {
		known_run_add_one(&s, "metal", i, METRIC_LOWER, i % 12 ? 100 : 80);
		known_run_add_one(&s, "vm", i, METRIC_LOWER, 100 * (1 + noise(i)));
	}
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].slow.nr, 2);
	assert_string_equal(j.items[0].slow.arm, "metal");
	assert_true(has_note(&j.items[0], "have nothing in common"));
	release(&s, &j);
}

static void let_fail(struct result_set *s, const char *arm, int64_t upto)
{
	for (size_t i = 0; i < s->nr; i++)
		if (strcmp(s->results[i].arm, arm) == 0 && s->results[i].round <= upto)
			result_worsen(&s->results[i], RESULT_FAILED, "died: signal 9");
}

static void failed_rounds_gate(void **state)
{
	static const struct {
		int rounds, baseline, candidate;
		enum verdict failures, overall;
		double margin; /* 0: as built in */
	} cases[] = {
		{9, 0, 6, VERDICT_DEGRADED, VERDICT_DEGRADED, 0},
		{6, 0, 4, VERDICT_DEGRADED, VERDICT_DEGRADED, 0},
		{6, 0, 4, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE, 0.2},
		{6, 0, 1, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE, 0},
		{6, 0, 1, VERDICT_NONE, VERDICT_EQUIVALENT, 0.2},
		{6, 1, 1, VERDICT_NONE, VERDICT_EQUIVALENT, 0},
		{6, 2, 1, VERDICT_NONE, VERDICT_EQUIVALENT, 0},
		{6, 1, 2, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct judge_options o = {0};
		struct err err = ERR_INIT;
		struct margins m;
		struct result_set s;
		struct judgement j;
		struct comparison *c;

		begin(&s);
		for (int k = 1; k <= cases[i].rounds; k++)
			add_round(&s, k, 1 + noise(k) / 10);
		result_set_sort(&s);
		let_fail(&s, "metal", cases[i].baseline);
		let_fail(&s, "vm", cases[i].candidate);
		margins_init(&m);
		if (cases[i].margin > 0) {
			struct json_object *own = json_object_new_object();

			json_put_real(own, "failures", cases[i].margin);
			assert_int_equal(margins_add_json(&m, own, "test", NULL), 0);
			json_object_put(own);
		}
		o.margins = &m;
		if (judge_run(&j, &s, NULL, &o, &err))
			fail_msg("%s", err.text);
		assert_int_equal(j.nr, 2);
		c = &j.items[1];
		assert_string_equal(c->metric, "failures.rounds");
		if (c->verdict != cases[i].failures || j.overall != cases[i].overall)
			fail_msg("case %zu: %s; overall %s", i, c->reason,
				 verdict_name(j.overall));
		assert_int_equal(c->failed_candidate, cases[i].candidate);
		assert_int_equal(c->tried_candidate, cases[i].rounds);
		assert_int_equal(c->failed_baseline, cases[i].baseline);
		assert_true(c->gate);
		if (c->verdict == VERDICT_INCONCLUSIVE)
			assert_true(c->needed_n > (size_t)cases[i].rounds);
		margins_release(&m);
		release(&s, &j);
	}
}

static void without_a_failure_nothing_is_said_of_failures(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	known_run_judge(&s, &j);
	assert_int_equal(j.nr, 1);
	release(&s, &j);
}

/* What does not gate does not begin to by failing. */
static void failures_of_information_are_information(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int k = 1; k <= 6; k++)
		add_round(&s, k, 1);
	result_set_sort(&s);
	let_fail(&s, "vm", 5);
	for (size_t i = 0; i < s.nr; i++)
		s.results[i].metrics[0].def.gate = false;
	known_run_judge(&s, &j);
	assert_int_equal(j.items[1].verdict, VERDICT_DEGRADED);
	assert_false(j.items[1].gate);
	release(&s, &j);
}

static void put_requests(struct result *r, int ok, int failed)
{
	char *text = x_asprintf("[{\"requests\": {\"ok\": %d, \"failed\": %d}}, "
				"{\"requests\": {\"ok\": 100, \"failed\": 0}}]",
				ok, failed);

	json_put(r->details, "stages", json_tokener_parse(text));
	free(text);
}

/* 1 % of requests fail on the candidate: in every round, or all in one. */
static void requests_fail_together_so_rounds_must_show_it(void **state)
{
	static const struct {
		int failed[6];
		enum verdict want;
	} cases[] = {
		{{2, 3, 2, 1, 2, 2}, VERDICT_DEGRADED},
		{{0, 0, 12, 0, 0, 0}, VERDICT_INCONCLUSIVE},
		{{2, 2, 2, 2, 2, 2}, VERDICT_DEGRADED},
		{{0, 0, 0, 0, 0, 0}, VERDICT_NONE},
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
		struct result_set s;
		struct judgement j;
		size_t at = 0;

		begin(&s);
		for (int i = 1; i <= 6; i++)
			add_round(&s, i, 1 + noise(i) / 10);
		result_set_sort(&s);
		for (size_t i = 0; i < s.nr; i++) {
			bool is_vm = strcmp(s.results[i].arm, "vm") == 0;
			int failed = is_vm ? cases[k].failed[at++] : 0;

			put_requests(&s.results[i], 100 - failed, failed);
		}
		known_run_judge(&s, &j);
		if (cases[k].want == VERDICT_NONE) {
			assert_int_equal(j.nr, 1);
			assert_int_equal(j.overall, VERDICT_EQUIVALENT);
		} else {
			assert_int_equal(j.nr, 2);
			assert_string_equal(j.items[1].metric, "failures.requests");
			assert_int_equal(j.items[1].failed_candidate, 12);
			assert_int_equal(j.items[1].tried_candidate, 1200);
			assert_int_equal(j.items[1].verdict, cases[k].want);
			assert_int_equal(j.overall, cases[k].want);
		}
		release(&s, &j);
	}
}

/* Requests that all failed are tried too; what no number stands for is none. */
static void requests_without_a_success_are_counted(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int i = 1; i <= 6; i++)
		add_round(&s, i, 1 + noise(i) / 10);
	result_set_sort(&s);
	for (size_t i = 0; i < s.nr; i++)
		json_put(s.results[i].details, "stages",
			 json_tokener_parse(strcmp(s.results[i].arm, "vm") == 0
						    ? "[{\"requests\": {\"failed\": 3}}]"
						    : "[{\"requests\": {\"ok\": 9}}]"));
	known_run_judge(&s, &j);
	assert_int_equal(j.items[1].tried_candidate, 18);
	assert_int_equal(j.items[1].failed_candidate, 18);
	assert_int_equal(j.items[1].tried_baseline, 54);
	assert_int_equal(j.items[1].failed_baseline, 0);
	assert_int_equal(j.overall, VERDICT_DEGRADED);
	release(&s, &j);
}

/* Where the worse end is farther out, more rounds are said to be needed. */
static void needed_rounds_allow_for_the_longer_tail(void **state)
{
	static const double ratios[] = {1.01, 1.02, 1.015, 1.0, 1.01, 0.86, 1.012};
	size_t needed[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct result_set s;
		struct judgement j;

		begin(&s);
		for (int k = 0; k < 7; k++) {
			enum metric_better b = i ? METRIC_LOWER : METRIC_HIGHER;

			known_run_add_one(&s, "metal", k + 1, b, 100);
			known_run_add_one(&s, "vm", k + 1, b, 100 * ratios[k]);
		}
		result_set_sort(&s);
		known_run_judge(&s, &j);
		if (j.items[0].verdict != VERDICT_INCONCLUSIVE)
			fail_msg("%s", j.items[0].reason);
		needed[i] = j.items[0].needed_n;
		release(&s, &j);
	}
	assert_true(needed[0] > needed[1]); /* the tail is a loss where more is better */
}

/* One round has no p: it claims nothing. */
static void one_round_is_beyond_nothing(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	add_round(&s, 1, 0.5);
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_true(j.items[0].p_beyond == 1);
	release(&s, &j);
}

/* Two sides that are the same, for 'rounds' rounds whose neighbours resemble each other. */
static void judge_itself(struct result_set *s, struct judgement *j, int rounds)
{
	begin(s);
	for (int i = 1; i <= rounds; i++)
		add_round(s, i, 1 + 0.004 * sin(i / 3.0));
	result_set_sort(s);
	known_run_judge(s, j);
}

static void the_floors_memory_widens_a_short_run(void **state)
{
	char path[] = "/tmp/tare-floor-XXXXXX";
	struct noise_floor floor = {0}, again = {0};
	struct judge_options o = {.floor = &again};
	struct err err = ERR_INIT;
	struct judgement j, plain, held;
	struct result_set s, run;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	judge_itself(&s, &j, 24);
	assert_true(j.items[0].memory_seen.figure > 0.8);
	assert_true(has_note(&j.items[0], "neighbouring rounds resemble each other"));
	floor.source = x_strdup("aa");
	noise_floor_add(&floor, &s, &j.items[0]);
	assert_int_equal(noise_floor_write(&floor, path, &err), 0);
	assert_int_equal(noise_floor_read(&again, path, &err), 0);
	assert_int_equal(again.items[0].memory.nr, 24);
	assert_true(again.items[0].memory.figure == j.items[0].memory_seen.figure);
	assert_true(again.items[0].memory.p == j.items[0].memory_seen.p);
	begin(&run);
	for (int i = 1; i <= 6; i++)
		add_round(&run, i, 1 + 3 * noise(i));
	result_set_sort(&run);
	known_run_judge(&run, &plain);
	assert_int_equal(plain.overall, VERDICT_EQUIVALENT);
	assert_int_equal(plain.items[0].memory.nr, 0); /* six rounds do not know */
	if (judge_run(&held, &run, NULL, &o, &err))
		fail_msg("%s", err.text);
	assert_true(held.items[0].is_memory_of_floor);
	assert_int_equal(held.items[0].memory.nr, 24);
	assert_int_equal(held.overall, VERDICT_INCONCLUSIVE);
	assert_true(held.items[0].ci90.low < plain.items[0].ci90.low);
	assert_true(held.items[0].needed_n > 6);
	judgement_release(&held);
	/* A floor of too few rounds knows no memory either. */
	again.items[0].memory.nr = MEMORY_ROUNDS_MIN - 1;
	if (judge_run(&held, &run, NULL, &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(held.overall, VERDICT_EQUIVALENT);
	judgement_release(&held);
	judgement_release(&plain);
	result_set_release(&run);
	noise_floor_release(&floor);
	noise_floor_release(&again);
	unlink(path);
	release(&s, &j);
}

/* A run of twenty rounds knows its own. */
static void long_runs_know_their_own_memory(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	judge_itself(&s, &j, 19);
	assert_int_equal(j.items[0].memory.nr, 0);
	release(&s, &j);
	judge_itself(&s, &j, 20);
	assert_int_equal(j.items[0].memory.nr, 20);
	assert_false(j.items[0].is_memory_of_floor);
	assert_true(has_note(&j.items[0], "the intervals are widened for it"));
	release(&s, &j);
}

/* The margin is part of the band, also where logarithms come back beside it. */
static void no_spread_exactly_at_the_margin_is_inside(void **state)
{
	static const double ratios[] = {0.95, 1 / 0.95};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (int level = 1; level <= 40; level++) {
			struct result_set s;
			struct judgement j;

			begin(&s);
			for (int k = 1; k <= 4; k++) {
				known_run_add_one(&s, "metal", k, METRIC_HIGHER, level);
				known_run_add_one(&s, "vm", k, METRIC_HIGHER,
						  level * ratios[i]);
			}
			result_set_sort(&s);
			known_run_judge(&s, &j);
			assert_int_equal(j.overall, VERDICT_EQUIVALENT);
			release(&s, &j);
		}
	}
}

/* The mean of finite values is finite, though their sum is not. */
static void huge_values_have_a_mean(void **state)
{
	const double values[] = {1.7e308, 1.7e308, 1.7e308, 1.7e308, NAN};
	struct result_set s;
	struct judgement j;

	(void)state;
	begin(&s);
	for (int k = 1; k <= 4; k++) {
		known_run_add(&s, "metal", k, "m", METRIC_HIGHER, values);
		known_run_add(&s, "vm", k, "m", METRIC_HIGHER, values);
	}
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_true(j.items[0].has_ratio);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	release(&s, &j);
}

/* margin + (t + z) errors, as a relative loss on the worse side. */
static void the_loss_that_would_have_been_seen_is_told(void **state)
{
	static const enum metric_better directions[] = {METRIC_HIGHER, METRIC_LOWER};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		double logs[6], mean = 0, squares = 0, error, loss;
		struct result_set s;
		struct judgement j;

		begin(&s);
		for (int k = 0; k < 6; k++) {
			known_run_add_one(&s, "metal", k + 1, directions[i], 100);
			known_run_add_one(&s, "vm", k + 1, directions[i],
					  100 * (1 + noise(k)));
			logs[k] = log1p(noise(k));
			mean += logs[k] / 6;
		}
		for (int k = 0; k < 6; k++)
			squares += (logs[k] - mean) * (logs[k] - mean);
		error = sqrt(squares / 5 / 6);
		result_set_sort(&s);
		known_run_judge(&s, &j);
		loss = -log1p(-0.05) +
		       error * (dist_t_quantile(1 - j.items[0].alpha_degraded, 5) +
				1.2815515655446004);
		assert_true(fabs(j.items[0].detectable_loss -
				 (i ? expm1(loss) : -expm1(-loss))) < 1e-9);
		release(&s, &j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_rounds_are_a_loss_and_a_finding),
		cmocka_unit_test(
			slow_rounds_of_the_baseline_are_no_finding_against_the_candidate),
		cmocka_unit_test(it_is_said_which_arm_moves),
		cmocka_unit_test(failed_rounds_gate),
		cmocka_unit_test(without_a_failure_nothing_is_said_of_failures),
		cmocka_unit_test(failures_of_information_are_information),
		cmocka_unit_test(requests_fail_together_so_rounds_must_show_it),
		cmocka_unit_test(requests_without_a_success_are_counted),
		cmocka_unit_test(needed_rounds_allow_for_the_longer_tail),
		cmocka_unit_test(one_round_is_beyond_nothing),
		cmocka_unit_test(the_floors_memory_widens_a_short_run),
		cmocka_unit_test(long_runs_know_their_own_memory),
		cmocka_unit_test(no_spread_exactly_at_the_margin_is_inside),
		cmocka_unit_test(huge_values_have_a_mean),
		cmocka_unit_test(the_loss_that_would_have_been_seen_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
