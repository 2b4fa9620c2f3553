/*
 * What a series says. Expected intervals: the textbook t interval of a single new value,
 * exp(log x - m -+ t s sqrt(1 + 1/n)), worked out in Python with t quantiles from tables
 * (7 degrees of freedom: 1.8946 and 2.3646).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "reports/history/trend.h"

static void near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9))
		fail_msg("got %.17g, want %.17g", got, want);
}

static const double level[] = {100.2, 99.8, 100.5, 99.9, 100.1, 100.4, 99.6, 100.0};

static struct trend judge(const double *x, size_t nr, const size_t *at, size_t changes,
			  double margin, size_t newest)
{
	struct change_point c[4] = {{0}};
	struct trend_spec spec = {
		.better = METRIC_HIGHER, .margin = margin, .newest = newest};
	struct trend t;

	for (size_t i = 0; i < changes; i++)
		c[i].at = at[i];
	change_levels(x, nr, c, changes);
	trend_judge(x, nr, c, changes, &spec, &t);
	return t;
}

static void a_single_value_is_judged(void **state)
{
	double x[9];
	struct trend t;

	(void)state;
	memcpy(x, level, sizeof(level));
	x[8] = 98.9;
	t = judge(x, 9, NULL, 0, 0.03, 0);
	assert_int_equal(t.newest.nr, 8);
	assert_int_equal(t.newest.newest, 1);
	near(t.newest.ratio, 0.9883862018706494);
	near(t.newest.ci90.low, 0.9824084814285274);
	near(t.newest.ci90.high, 0.9944002953107246);
	near(t.newest.ci95.low, 0.9809310127701316);
	near(t.newest.ci95.high, 0.9958980512702106);
	assert_int_equal(t.verdict, VERDICT_EQUIVALENT);
	assert_int_equal(judge(x, 9, NULL, 0, 0.01, 0).verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(x, 9, NULL, 0, 0.003, 0).verdict, VERDICT_DEGRADED);
	x[8] = 105;
	assert_int_equal(judge(x, 9, NULL, 0, 0.03, 0).verdict, VERDICT_IMPROVED);
}

static void too_few_values_are_inconclusive(void **state)
{
	(void)state;
	assert_int_equal(judge(level, 1, NULL, 0, 0.03, 0).verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(level, 2, NULL, 0, 0.03, 0).verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(level, 3, NULL, 0, 0.03, 0).newest.newest, 1);
	/* So many new ones that nothing of the level would be left. */
	assert_int_equal(judge(level, 8, NULL, 0, 0.03, 100).newest.newest, 4);
}

/* Levels of six values each, with the spread of 'level'. */
static size_t levels(const double *of, size_t nr, double *x, size_t *at)
{
	for (size_t k = 0; k < nr; k++) {
		for (size_t i = 0; i < 6; i++)
			x[6 * k + i] = of[k] * level[i] / 100;
		at[k] = 6 * (k + 1);
	}
	return nr * 6;
}

static void a_loss_stands_until_it_is_made_good(void **state)
{
	const double lost[] = {100, 90}, half[] = {100, 90, 95}, good[] = {100, 90, 100};
	const double steps[] = {100, 98, 96};
	double x[24];
	size_t at[4], nr;
	struct trend t;

	(void)state;
	nr = levels(lost, 2, x, at);
	t = judge(x, nr, at, 1, 0.03, 0);
	assert_int_equal(t.level.verdict, VERDICT_DEGRADED);
	assert_int_equal(t.verdict, VERDICT_DEGRADED);
	assert_int_equal(t.lost_at, 6);
	near(t.level.ratio, 0.9);
	/* Half of it back is still a loss, since the day it began. */
	nr = levels(half, 3, x, at);
	t = judge(x, nr, at, 2, 0.03, 0);
	assert_int_equal(t.verdict, VERDICT_DEGRADED);
	assert_int_equal(t.lost_at, 6);
	assert_int_equal(t.level_at, 12);
	nr = levels(good, 3, x, at);
	t = judge(x, nr, at, 2, 0.03, 0);
	assert_int_equal(t.level.verdict, VERDICT_NONE);
	assert_int_equal(t.verdict, VERDICT_EQUIVALENT);
	/* Two small steps, each within the margin, are together beyond it. */
	nr = levels(steps, 3, x, at);
	t = judge(x, nr, at, 2, 0.03, 0);
	assert_int_equal(t.verdict, VERDICT_DEGRADED);
	assert_int_equal(t.lost_at, 12);
	/* The same levels the other way round are no loss. */
	for (size_t i = 0; i < nr / 2; i++) {
		double swap = x[i];

		x[i] = x[nr - 1 - i];
		x[nr - 1 - i] = swap;
	}
	assert_int_equal(judge(x, nr, at, 2, 0.03, 0).level.verdict, VERDICT_NONE);
}

static void a_direction_decides_what_a_loss_is(void **state)
{
	const double up[] = {100, 110};
	struct change_point c = {.at = 6};
	struct trend_spec spec = {.better = METRIC_LOWER, .margin = 0.03};
	double x[12];
	size_t at[4];
	struct trend t;

	(void)state;
	levels(up, 2, x, at);
	change_levels(x, 12, &c, 1);
	trend_judge(x, 12, &c, 1, &spec, &t);
	assert_int_equal(t.verdict, VERDICT_DEGRADED);
	spec.better = METRIC_NONE;
	trend_judge(x, 12, &c, 1, &spec, &t);
	assert_int_equal(t.verdict, VERDICT_NONE);
}

static void what_has_no_ratio_is_not_claimed(void **state)
{
	const double zeros[] = {0, 0, 0, 0, 0}, some[] = {0, 0, 0, 0, 3};

	(void)state;
	assert_int_equal(judge(zeros, 5, NULL, 0, 0.03, 0).verdict, VERDICT_NONE);
	assert_int_equal(judge(some, 5, NULL, 0, 0.03, 0).verdict, VERDICT_INCONCLUSIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_value_is_judged),
		cmocka_unit_test(too_few_values_are_inconclusive),
		cmocka_unit_test(a_loss_stands_until_it_is_made_good),
		cmocka_unit_test(a_direction_decides_what_a_loss_is),
		cmocka_unit_test(what_has_no_ratio_is_not_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
