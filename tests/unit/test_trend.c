/*
 * What a series says. Expected intervals: the textbook t interval of a single new value,
 * exp(log x - m -+ t s sqrt(1 + 1/n)), worked out in Python with t quantiles from tables
 * (7 degrees of freedom: 1.8946 and 2.3646); of two levels and of values that remember, by
 * tests/support/autocorrelation_figures.py (SciPy). Rates: nominal, by simulation with a
 * fixed seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
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
	/* So many new ones that nothing is left to hold them against. */
	assert_int_equal(judge(level, 8, NULL, 0, 0.03, 6).newest.nr, 2);
	assert_int_equal(judge(level, 8, NULL, 0, 0.03, 7).newest.newest, 0);
	assert_int_equal(judge(level, 8, NULL, 0, 0.03, 8).newest.newest, 0);
	assert_int_equal(judge(level, 8, NULL, 0, 0.03, 100).verdict,
			 VERDICT_INCONCLUSIVE);
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
	const double fallen[] = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0};
	const size_t at[] = {6};
	struct trend t;

	(void)state;
	assert_int_equal(judge(zeros, 5, NULL, 0, 0.03, 0).verdict, VERDICT_NONE);
	assert_int_equal(judge(some, 5, NULL, 0, 0.03, 0).verdict, VERDICT_INCONCLUSIVE);
	/* A level of zeros after another: they are equal, and what was before is not excluded. */
	t = judge(fallen, 12, at, 1, 0.03, 0);
	assert_int_equal(t.newest.verdict, VERDICT_NONE);
	assert_int_equal(t.level.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(t.verdict, VERDICT_INCONCLUSIVE);
}

static const size_t every_newest[] = {1, 3, 6, 12};

/* A series of 'nr' around 100 whose last 'lost' values are at 'factor'. */
static void series_with_loss(double *x, size_t nr, size_t lost, double factor,
			     double noise, double memory, struct rng *rng)
{
	double z = rng_normal(rng);

	for (size_t i = 0; i < nr; i++) {
		x[i] = 100 * exp(noise * z) * (i + lost >= nr ? factor : 1);
		z = memory * z + sqrt(1 - memory * memory) * rng_normal(rng);
	}
}

static struct trend judge_found(const double *x, size_t nr, enum metric_better better,
				size_t newest)
{
	struct change_spec find = {.seed = 1};
	struct trend_spec spec = {.better = better, .margin = 0.03, .newest = newest};
	size_t changes;
	struct change_point *c = change_points(x, nr, &find, &changes);
	struct trend t;

	trend_judge(x, nr, c, changes, &spec, &t);
	free(c);
	return t;
}

/* 40 values of 100 with 0.8 % noise, the last six times 0.965: a listed change, undecided. */
static void a_young_loss_is_not_held_against_itself(void **state)
{
	double x[40], inverse[40];
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	series_with_loss(x, 40, 6, 0.965, 0.008, 0, &rng);
	for (size_t i = 0; i < 40; i++)
		inverse[i] = 1e4 / x[i];
	for (size_t k = 0; k < 4; k++) {
		struct trend t = judge_found(x, 40, METRIC_HIGHER, every_newest[k]);
		struct trend i = judge_found(inverse, 40, METRIC_LOWER, every_newest[k]);

		assert_int_equal(t.level_at, 34);
		assert_int_equal(t.verdict, VERDICT_INCONCLUSIVE);
		assert_int_equal(t.level.verdict, VERDICT_INCONCLUSIVE);
		assert_int_equal(t.lost_at, 34);
		/* Where lower is better, the inverse of all says the same. */
		assert_int_equal(i.verdict, t.verdict);
		assert_int_equal(i.level.verdict, t.level.verdict);
		near(i.hidden.ratio, 1 / t.hidden.ratio);
		assert_int_equal(i.hidden.newest, t.hidden.newest);
	}
	/* Six at their level, of which none is left: the level before is what stood. */
	assert_int_equal(judge_found(x, 40, METRIC_HIGHER, 6).newest.at, 0);
	assert_int_equal(judge_found(x, 40, METRIC_HIGHER, 6).newest.nr, 34);
	assert_int_equal(judge_found(x, 40, METRIC_HIGHER, 1).newest.at, 34);
	assert_int_equal(judge_found(x, 40, METRIC_HIGHER, 1).newest.nr, 5);
	assert_int_equal(judge_found(x, 40, METRIC_HIGHER, 2).newest.nr, 34);
}

/* Where no change point tells of it, one may still stand at the end. */
static void a_loss_may_hide_at_the_end(void **state)
{
	double x[18];
	struct rng rng;
	struct trend t;

	(void)state;
	rng_init(&rng, 8);
	series_with_loss(x, 18, 6, 0.99, 0.001, 0, &rng);
	x[17] = 99.5; /* the newest is nearly as ever */
	t = judge(x, 18, NULL, 0, 0.03, 1);
	assert_int_equal(t.newest.verdict, VERDICT_EQUIVALENT);
	assert_int_equal(t.hidden.verdict, VERDICT_NONE);
	assert_int_equal(t.verdict, VERDICT_EQUIVALENT);
	series_with_loss(x, 18, 6, 0.967, 0.001, 0, &rng);
	x[17] = 99;
	t = judge(x, 18, NULL, 0, 0.03, 1);
	assert_int_equal(t.newest.verdict, VERDICT_EQUIVALENT);
	assert_int_equal(t.hidden.verdict, VERDICT_INCONCLUSIVE);
	assert_in_range(t.hidden.newest, 2, 6);
	assert_int_equal(t.hidden.nr, 18 - t.hidden.newest);
	assert_int_equal(t.verdict, VERDICT_INCONCLUSIVE);
	/* Who asks for twelve asks for what is lost in the last of them too. */
	assert_in_range(judge(x, 18, NULL, 0, 0.03, 12).hidden.newest, 5, 12);
}

static void a_listed_loss_and_equivalent_exclude_each_other(void **state)
{
	/* Means 1 % apart, medians 4 %: what is listed is beyond the margin. */
	const double before[] = {100, 100, 100, 100, 100, 100, 100, 91, 91, 91},
		     after[] = {96, 96, 96, 96, 96, 96, 96, 96.1, 96, 96};
	const size_t at[] = {300};
	double x[600];
	struct trend t;

	(void)state;
	for (size_t i = 0; i < 600; i++)
		x[i] = i < 300 ? before[i * 7 % 10] : after[i % 10];
	t = judge(x, 600, at, 1, 0.03, 1);
	assert_true(t.level.ci90.low > 0.97);
	assert_int_equal(t.level.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(t.verdict, VERDICT_INCONCLUSIVE);
	t = judge(x, 600, at, 1, 0.05, 1);
	assert_int_equal(t.level.verdict, VERDICT_NONE);
	assert_int_equal(t.lost_at, 300);
}

static void two_levels_are_welchs(void **state)
{
	const double low[] = {98.9, 98.1, 98.6, 98.8, 98.3, 98.5};
	const size_t at[] = {8};
	double x[14];
	struct trend t;

	(void)state;
	memcpy(x, level, sizeof(level));
	memcpy(x + 8, low, sizeof(low));
	t = judge(x, 14, at, 1, 0.03, 1);
	near(t.level.ci90.low, 0.9818145117077092);
	near(t.level.ci90.high, 0.9876300299881925);
	near(t.level.ci95.low, 0.9811592090987485);
	near(t.level.ci95.high, 0.9882896543685553);
	near(t.level.claim_level, 0.975);
	near(t.level.claim_interval.low, 0.9805246055960894);
	near(t.level.claim_interval.high, 0.9889292834739593);
	assert_int_equal(t.level.verdict, VERDICT_NONE);
	near(t.memory, 0);
	/* Beyond by the 95 % interval alone: chosen by what it shows, that is not enough. */
	assert_int_equal(judge(x, 14, at, 1, 0.0114, 1).level.verdict,
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(judge(x, 14, at, 1, 0.011, 1).level.verdict, VERDICT_DEGRADED);
}

static void memory_widens(void **state)
{
	const double swings[] = {100.5, 100.3, 100.3, 100.1, 100.3, 100.0, 99.6,  99.7,
				 100.0, 99.4,  99.9,  99.9,  100.3, 100.1, 100.5, 100.4,
				 100.5, 100.0, 99.7,  99.9,  99.7,  100.2, 100.0, 100.2};
	struct trend t;

	(void)state;
	t = judge(swings, 24, NULL, 0, 0.03, 2);
	near(t.memory, 0.5572450805008896);
	near(t.newest.ci90.low, 0.9949619375583709);
	near(t.newest.ci90.high, 1.0058940496804667);
	near(t.newest.claim_level, 0.95);
	near(t.newest.ci95.low, 0.9937373179619823);
	near(t.newest.ci95.high, 1.0071336504712025);
	t = judge(swings, 24, NULL, 0, 0.03, 6);
	near(t.newest.ci90.low, 0.9942758453976923);
	near(t.newest.ci90.high, 1.0027505296905663);
	near(t.newest.ci95.low, 0.9932002168467825);
	near(t.newest.ci95.high, 1.003836501160246);
}

/* A loss of the margin: equivalent in at most 5 % of cases, whatever is called newest. */
static void a_loss_at_the_margin_is_seldom_equivalent(void **state)
{
	static const struct {
		size_t nr, lost;
		double memory;
	} worlds[] = {{40, 6, 0}, {40, 6, 0.5}, {60, 20, 0}, {60, 20, 0.5}};
	enum { series = 120 };

	(void)state;
	for (size_t w = 0; w < 4; w++) {
		int equivalent[4] = {0}, degraded[4] = {0};
		struct rng rng;

		rng_init(&rng, 12 + w);
		for (int i = 0; i < series; i++) {
			double x[60];

			series_with_loss(x, worlds[w].nr, worlds[w].lost, 0.97, 0.01,
					 worlds[w].memory, &rng);
			for (size_t k = 0; k < 4; k++) {
				enum verdict v =
					judge_found(x, worlds[w].nr, METRIC_HIGHER,
						    every_newest[k])
						.verdict;

				equivalent[k] += v == VERDICT_EQUIVALENT;
				degraded[k] += v == VERDICT_DEGRADED;
			}
		}
		for (size_t k = 0; k < 4; k++) {
			/* Three standard errors above 5 %: 13. */
			assert_in_range(equivalent[k], 0, 13);
			assert_in_range(degraded[k], 0, 13);
		}
	}
}

/* What has no loss is still found to have none. */
static void what_stays_is_equivalent(void **state)
{
	int equivalent[4] = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 200; i++) {
		double x[40];

		series_with_loss(x, 40, 0, 1, 0.005, 0, &rng);
		for (size_t k = 0; k < 4; k++)
			equivalent[k] +=
				judge_found(x, 40, METRIC_HIGHER, every_newest[k])
					.verdict == VERDICT_EQUIVALENT;
	}
	for (size_t k = 0; k < 4; k++)
		assert_in_range(equivalent[k], 190, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_value_is_judged),
		cmocka_unit_test(too_few_values_are_inconclusive),
		cmocka_unit_test(a_loss_stands_until_it_is_made_good),
		cmocka_unit_test(a_direction_decides_what_a_loss_is),
		cmocka_unit_test(what_has_no_ratio_is_not_claimed),
		cmocka_unit_test(a_young_loss_is_not_held_against_itself),
		cmocka_unit_test(a_loss_may_hide_at_the_end),
		cmocka_unit_test(a_listed_loss_and_equivalent_exclude_each_other),
		cmocka_unit_test(two_levels_are_welchs),
		cmocka_unit_test(memory_widens),
		cmocka_unit_test(a_loss_at_the_margin_is_seldom_equivalent),
		cmocka_unit_test(what_stays_is_equivalent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
