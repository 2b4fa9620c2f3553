/* The rule of reports/verdict/verdict.h on figures whose verdict is known by construction. */
#include "reports/verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "tests/support/known_run.h"

/* The margin of an unknown metric is 5 %: the band is [0.95, 1.0526]. */
static void rule_on_known_ratios(void **state)
{
	static const struct {
		double ratio;
		enum metric_better better;
		enum verdict want;
		int exit_status;
	} cases[] = {
		{1.00, METRIC_HIGHER, VERDICT_EQUIVALENT, EXIT_PASS},
		{0.96, METRIC_HIGHER, VERDICT_EQUIVALENT, EXIT_PASS},
		{0.95, METRIC_HIGHER, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE},
		{0.94, METRIC_HIGHER, VERDICT_DEGRADED, EXIT_DEGRADED},
		{0.05, METRIC_HIGHER, VERDICT_DEGRADED, EXIT_DEGRADED},
		{1.07, METRIC_HIGHER, VERDICT_IMPROVED, EXIT_PASS},
		{0.94, METRIC_LOWER, VERDICT_IMPROVED, EXIT_PASS},
		{1.07, METRIC_LOWER, VERDICT_DEGRADED, EXIT_DEGRADED},
		{20.0, METRIC_LOWER, VERDICT_DEGRADED, EXIT_DEGRADED},
		{0.50, METRIC_NONE, VERDICT_NONE, EXIT_INCONCLUSIVE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result_set s;
		struct judgement j;

		known_run_make(&s, cases[i].ratio, 6, cases[i].better);
		known_run_judge(&s, &j);
		assert_int_equal(j.nr, 1);
		assert_int_equal(j.items[0].verdict, cases[i].want);
		assert_int_equal(verdict_exit_status(j.overall), cases[i].exit_status);
		assert_true(fabs(j.items[0].ratio / cases[i].ratio - 1) < 0.001);
		assert_int_equal(j.items[0].n_baseline, 6);
		judgement_release(&j);
		result_set_release(&s);
	}
}

static void one_round_is_inconclusive_without_an_interval(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 0.5, 1, METRIC_HIGHER);
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE);
	assert_true(j.items[0].has_ratio);
	assert_false(j.items[0].has_interval);
	assert_int_equal(j.items[0].needed_n, 3);
	assert_false(judgement_is_decided(&j));
	judgement_release(&j);
	result_set_release(&s);
}

/* Iterations inside a round are no evidence: a thousand of them move nothing. */
static void uncertainty_is_between_rounds_only(void **state)
{
	double values[1001];
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	s.is_run = true;
	for (int i = 0; i < 1000; i++)
		values[i] = 100;
	values[1000] = NAN;
	known_run_add(&s, "metal", 1, "m", METRIC_HIGHER, values);
	known_run_add(&s, "vm", 1, "m", METRIC_HIGHER, values);
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE);
	assert_int_equal(j.items[0].n_baseline, 1);
	judgement_release(&j);
	result_set_release(&s);
}

static void rounds_without_a_partner_are_left_out(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	known_run_add_one(&s, "metal", 6, METRIC_HIGHER, 1e9);
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].n_baseline, 5);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	judgement_release(&j);
	result_set_release(&s);
}

static void failed_rounds_are_named_and_left_out(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	result_worsen(&s.results[s.nr - 1], RESULT_FAILED, "out-of-memory: no 3 GiB");
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].n_candidate, 4);
	assert_int_equal(j.items[0].notes.nr, 1);
	assert_non_null(strstr(j.items[0].notes.items[0], "no 3 GiB"));
	assert_int_equal(j.items[0].verdict, VERDICT_EQUIVALENT);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE); /* for one round of 5 failed */
	judgement_release(&j);
	result_set_release(&s);
}

static void zeros_have_no_ratio(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 0, 3, METRIC_LOWER);
	known_run_judge(&s, &j);
	assert_false(j.items[0].has_ratio);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE);
	judgement_release(&j);
	result_set_release(&s);
}

static void information_never_gates(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 0.5, 5, METRIC_HIGHER);
	for (size_t i = 0; i < s.nr; i++)
		s.results[i].metrics[0].def.gate = false;
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].verdict, VERDICT_DEGRADED);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE); /* nothing gates */
	judgement_release(&j);
	result_set_release(&s);
}

static void two_sets_compare_unpaired(void **state)
{
	static const double level[] = {100, 100.3, 99.8, 100.1};
	struct judge_options o = {0};
	struct result_set b, c;
	struct err err = ERR_INIT;
	struct judgement j;

	(void)state;
	result_set_init(&b, "yesterday");
	result_set_init(&c, "today");
	for (int i = 0; i < 4; i++) {
		known_run_add_one(&b, "metal", i + 1, METRIC_HIGHER, level[i]);
		known_run_add_one(&c, "metal", i + 11, METRIC_HIGHER, 0.9 * level[3 - i]);
	}
	result_set_sort(&b);
	result_set_sort(&c);
	assert_int_equal(judge_sets(&j, &b, &c, &o, &err), 0);
	assert_false(j.items[0].is_paired);
	assert_int_equal(j.items[0].verdict, VERDICT_DEGRADED);
	assert_string_equal(j.items[0].baseline, "yesterday");
	assert_int_equal(j.items[0].n_candidate, 4);
	judgement_release(&j);
	result_set_release(&b);
	result_set_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_on_known_ratios),
		cmocka_unit_test(one_round_is_inconclusive_without_an_interval),
		cmocka_unit_test(uncertainty_is_between_rounds_only),
		cmocka_unit_test(rounds_without_a_partner_are_left_out),
		cmocka_unit_test(failed_rounds_are_named_and_left_out),
		cmocka_unit_test(zeros_have_no_ratio),
		cmocka_unit_test(information_never_gates),
		cmocka_unit_test(two_sets_compare_unpaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
