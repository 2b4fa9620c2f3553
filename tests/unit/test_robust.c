/* Expected values: SciPy and NumPy, printed by tests/support/robust_figures.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "reports/statistics/changepoint.h"
#include "reports/statistics/robust.h"

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.17g, want %.17g", got, want);
}

static const double x[] = {0.31, -0.12, 0.05, 0.44, 0.28, 0.17, -0.03, 0.90};

static void the_centre_is_that_of_brute_force(void **state)
{
	(void)state;
	assert_near(hodges_lehmann(x, 8), 0.215, 1e-12);
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

/* Statistic, split and p value by definition, the p value over all 252 divisions. */
static void change_points_are_those_of_brute_force(void **state)
{
	const double ten[] = {10.1, 9.7, 10.4, 9.9, 11.3, 10.9, 10.2, 11.6, 11.1, 10.8};
	const double fifteen[] = {5.2, 4.9, 5.1, 5.4, 4.8, 5.0, 5.3, 6.1,
				  6.4, 5.9, 6.3, 6.0, 6.2, 6.5, 5.8};
	struct change_spec spec = {.permutations = 19999, .alpha = 0.9, .seed = 9};
	struct change_point *c;
	size_t nr;

	(void)state;
	c = change_points(ten, 10, &spec, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(c[0].at, 5);
	/* Three deviations of 19,999 permutations. */
	assert_near(c[0].p, 0.14285714285714285, 0.0075);
	assert_near(c[0].before, 10.1, 1e-12);
	assert_near(c[0].after, 10.9, 1e-12);
	free(c);
	spec = (struct change_spec){.segment_min = 3, .seed = 9};
	c = change_points(fifteen, 15, &spec, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(c[0].at, 7);
	free(c);
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

/* Change points a series of 60 with that memory, with a step of 'step' deviations at 40. */
static double points_a_series(double memory, double step, int *ret_found)
{
	struct change_spec spec = {.seed = 3};
	double series[60], points = 0;
	struct rng rng;

	*ret_found = 0;
	rng_init(&rng, 21);
	for (int k = 0; k < 200; k++) {
		double z = rng_normal(&rng);
		size_t nr;

		for (int i = 0; i < 60; i++) {
			series[i] = 100 + z + (i >= 40 ? step : 0);
			z = memory * z + sqrt(1 - memory * memory) * rng_normal(&rng);
		}
		free(change_points(series, 60, &spec, &nr));
		points += (double)nr;
		*ret_found += nr > 0;
	}
	return points / 200;
}

/* At most 0.1 points a series with a memory of 0.5 (plus chance); a step of 2 sd is found. */
static void memory_is_no_change(void **state)
{
	int found;

	(void)state;
	assert_true(points_a_series(0.5, 0, &found) <= 0.1);
	points_a_series(0, 2, &found);
	assert_in_range(found, 190, 200);
	/* With memory a step of five is as plain. */
	points_a_series(0.5, 5, &found);
	assert_in_range(found, 195, 200);
}

/* Two constant levels have no spread in each and a change between them. */
static void a_step_between_constants_is_found(void **state)
{
	struct change_spec spec = {.seed = 3};
	struct change_point *c;
	double series[60];
	size_t nr;

	(void)state;
	for (int i = 0; i < 60; i++)
		series[i] = i < 40 ? 7 : 8;
	c = change_points(series, 60, &spec, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(c[0].at, 40);
	free(c);
}

/* Four values at an end are fewer than a segment has: the split leaves five there. */
static void a_segment_has_its_least_at_both_ends(void **state)
{
	struct change_spec spec = {.seed = 3, .segment_min = 5};
	double first[40], last[40];
	struct change_point *c;
	struct rng rng;
	size_t nr;

	(void)state;
	rng_init(&rng, 31);
	for (int i = 0; i < 40; i++) {
		double noise = 0.1 * rng_normal(&rng);

		first[i] = noise + (i < 4 ? 10 : 0);
		last[i] = noise + (i >= 36 ? 10 : 0);
	}
	c = change_points(first, 40, &spec, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(c[0].at, 5);
	free(c);
	c = change_points(last, 40, &spec, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(c[0].at, 35);
	free(c);
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
		cmocka_unit_test(the_centre_is_that_of_brute_force),
		cmocka_unit_test(outliers_are_found_and_a_plain_sample_has_none),
		cmocka_unit_test(drift_is_scipys),
		cmocka_unit_test(change_points_are_those_of_brute_force),
		cmocka_unit_test(a_step_is_found_where_it_is),
		cmocka_unit_test(noise_alone_shows_no_change),
		cmocka_unit_test(memory_is_no_change),
		cmocka_unit_test(a_segment_has_its_least_at_both_ends),
		cmocka_unit_test(a_step_between_constants_is_found),
		cmocka_unit_test(the_split_is_the_one_of_the_definition),
		cmocka_unit_test(values_without_spread_do_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
