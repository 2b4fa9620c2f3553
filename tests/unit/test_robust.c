/* Expected values: SciPy and NumPy, printed by tests/support/robust_figures.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "reports/changepoint.h"
#include "reports/robust.h"

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.17g, want %.17g", got, want);
}

static const double x[] = {0.31, -0.12, 0.05, 0.44, 0.28, 0.17, -0.03, 0.90};

static void ranks_are_those_of_brute_force(void **state)
{
	struct interval i;

	(void)state;
	assert_near(hodges_lehmann(x, 8), 0.215, 1e-12);
	assert_true(signed_rank_interval(x, 8, 0.05, &i));
	assert_near(i.low, 0.025, 1e-12);
	assert_near(i.high, 0.475, 1e-12);
	assert_true(signed_rank_interval(x, 8, 0.025, &i));
	assert_near(i.low, -0.03, 1e-12);
	assert_near(i.high, 0.59, 1e-12);
	assert_true(signed_rank_interval(x, 6, 0.025, &i));
	assert_near(i.low, -0.12, 1e-12); /* six: from the least to the greatest */
	assert_near(i.high, 0.44, 1e-12);
	assert_false(signed_rank_interval(x, 5, 0.025, &i));
	assert_false(signed_rank_interval(x, 4, 0.05, &i));
}

static void outliers_are_found_and_a_plain_sample_has_none(void **state)
{
	const double wild[] = {1.0, 1.1, 0.9, 1.05, 9.0, 0.95};
	const double equal[] = {1, 1, 1, 1, 1};
	bool flags[6];

	(void)state;
	assert_int_equal(find_outliers(wild, 6, 5, flags), 1);
	assert_true(flags[4]);
	assert_int_equal(find_outliers(wild, 4, 5, flags), 0);
	assert_int_equal(find_outliers(equal, 5, 5, flags), 0);
}

static void drift_is_scipys(void **state)
{
	const double y[] = {100.0, 101.2, 102.1, 102.9, 104.6, 105.1};
	struct drift d;

	(void)state;
	assert_true(find_drift(y, 6, &d));
	assert_near(d.per_round, 0.010213224316381917, 1e-10);
	assert_near(d.p, 6.819397841908532e-05, 1e-10);
	assert_false(find_drift(y, 4, &d));
}

static void bootstrap_covers_a_known_ratio(void **state)
{
	double values[2][6][200], ratio;
	struct round_samples sides[2][6];
	struct bootstrap_spec spec = {
		.q = 0.95, .level = 0.95, .is_paired = true, .repeats = 999, .seed = 7};
	struct interval i, again;
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int s = 0; s < 2; s++) {
		for (int r = 0; r < 6; r++) {
			double level = (s ? 1.2 : 1) * exp(0.01 * rng_normal(&rng));

			for (int k = 0; k < 200; k++)
				values[s][r][k] = level * (1 + rng_exponential(&rng));
			sides[s][r] = (struct round_samples){values[s][r], 200};
		}
	}
	assert_true(
		bootstrap_quantile_ratio(sides[0], 6, sides[1], 6, &spec, &ratio, &i));
	assert_true(i.low < ratio && ratio < i.high);
	assert_true(i.low < 1.2 && 1.2 < i.high && i.high - i.low < 0.5);
	assert_true(bootstrap_quantile_ratio(sides[0], 6, sides[1], 6, &spec, &ratio,
					     &again));
	assert_true(i.low == again.low && i.high == again.high);
	assert_false(
		bootstrap_quantile_ratio(sides[0], 2, sides[1], 2, &spec, &ratio, &i));
	spec.q = 0.999; /* 1200 samples have no such quantile */
	assert_false(
		bootstrap_quantile_ratio(sides[0], 6, sides[1], 6, &spec, &ratio, &i));
}

static void a_step_is_found_where_it_is(void **state)
{
	struct change_spec spec = {.seed = 3};
	struct change_point *c;
	double series[120];
	struct rng rng;
	size_t nr;

	(void)state;
	rng_init(&rng, 5);
	for (int i = 0; i < 120; i++)
		series[i] = (i < 50 ? 100 : i < 90 ? 97 : 103) + 0.5 * rng_normal(&rng);
	c = change_points(series, 120, &spec, &nr);
	assert_int_equal(nr, 2);
	assert_in_range(c[0].at, 49, 51);
	assert_in_range(c[1].at, 89, 91);
	assert_near(c[0].before, 100, 0.5);
	assert_near(c[0].after, 97, 0.5);
	assert_true(c[0].p <= 0.01);
	free(c);
}

/* Of 200 series without a change fewer than 1 % plus chance may show one. */
static void noise_alone_shows_no_change(void **state)
{
	struct change_spec spec = {.seed = 3};
	double series[40];
	struct rng rng;
	int found = 0;

	(void)state;
	rng_init(&rng, 6);
	for (int k = 0; k < 200; k++) {
		struct change_point *c;
		size_t nr;

		for (int i = 0; i < 40; i++)
			series[i] = 100 + rng_normal(&rng);
		c = change_points(series, 40, &spec, &nr);
		found += nr > 0;
		free(c);
	}
	assert_in_range(found, 0, 6);
}

/* The statistic as its definition has it: every pair, for every split. */
static size_t split_by_definition(const double *series, size_t nr, size_t least)
{
	double best = -1;
	size_t best_at = 0;

	for (size_t at = least; at + least <= nr; at++) {
		double across = 0, left = 0, right = 0;
		double n = (double)at, m = (double)(nr - at), q;

		for (size_t i = 0; i < nr; i++)
			for (size_t k = i + 1; k < nr; k++)
				*(k < at    ? &left
				  : i >= at ? &right
					    : &across) += fabs(series[i] - series[k]);
		q = n * m / (n + m) *
		    (2 * across / (n * m) - 2 * left / (n * (n - 1)) -
		     2 * right / (m * (m - 1)));
		if (q > best) {
			best = q;
			best_at = at;
		}
	}
	return best_at;
}

static void the_split_is_the_one_of_the_definition(void **state)
{
	/* Every permutation counts as no better, so the first split is always taken. */
	struct change_spec spec = {.seed = 3, .segment_min = 17, .alpha = 1};
	double series[40];
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int repeat = 0; repeat < 50; repeat++) {
		struct change_point *c;
		size_t nr;

		for (int i = 0; i < 40; i++) {
			series[i] = 5e13 * (1 + 0.001 * rng_unit(&rng) +
					    (i >= 20 + repeat % 4 ? 0.0005 : 0));
			if (repeat % 5 == 0) /* many of the same value */
				series[i] = floor(series[i] / 2e10);
		}
		c = change_points(series, 40, &spec, &nr);
		assert_int_equal(nr, 1);
		assert_int_equal(c[0].at, split_by_definition(series, 40, 17));
		free(c);
	}
}

static void values_without_spread_do_not_change(void **state)
{
	struct change_spec spec = {.seed = 3};
	double series[60];
	size_t nr;

	(void)state;
	for (int i = 0; i < 60; i++)
		series[i] = 0.1;
	free(change_points(series, 60, &spec, &nr));
	assert_int_equal(nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_are_those_of_brute_force),
		cmocka_unit_test(outliers_are_found_and_a_plain_sample_has_none),
		cmocka_unit_test(drift_is_scipys),
		cmocka_unit_test(bootstrap_covers_a_known_ratio),
		cmocka_unit_test(a_step_is_found_where_it_is),
		cmocka_unit_test(noise_alone_shows_no_change),
		cmocka_unit_test(the_split_is_the_one_of_the_definition),
		cmocka_unit_test(values_without_spread_do_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
