/*
 * Percentile curves, held to quantiles of the sorted samples; what too few samples cannot
 * support is absent.
 */
#include "reports/plot/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/mem.h"
#include "core/base/rng.h"

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double *lognormal(size_t nr, double shift)
{
	double *x = x_calloc(nr, sizeof(*x));
	struct rng rng;

	rng_init(&rng, 11);
	for (size_t i = 0; i < nr; i++)
		x[i] = 0.02 * exp(0.4 * rng_normal(&rng)) + shift;
	return x;
}

/* The histogram's bins are 0.1 % wide: nothing may be further off. */
static void many_samples_are_as_sorted(void **state)
{
	size_t nr = 300000;
	double *x = lognormal(nr, 0);
	struct curve c;

	(void)state;
	curve_of_samples(&c, x, nr);
	qsort(x, nr, sizeof(*x), by_value);
	assert_int_equal(c.nr, nr);
	for (size_t k = 0; k < CURVE_POINTS; k++) {
		double want = x[(size_t)ceil(curve_points[k] * (double)nr) - 1];

		if (!(fabs(c.at[k] / want - 1) < 0.0015))
			fail_msg("p%g: %g, expected %g", 100 * curve_points[k], c.at[k],
				 want);
	}
	free(x);
}

/* Values that have no place in the histogram are sorted. */
static void negative_samples_are_sorted(void **state)
{
	size_t nr = 50000;
	double *x = lognormal(nr, -0.02);
	struct curve c;

	(void)state;
	curve_of_samples(&c, x, nr);
	qsort(x, nr, sizeof(*x), by_value);
	for (size_t k = 0; k < CURVE_POINTS; k++)
		if (isfinite(c.at[k]))
			assert_true(c.at[k] ==
				    x[(size_t)ceil(curve_points[k] * (double)nr) - 1]);
	free(x);
}

static double at(const struct curve *c, double p)
{
	for (size_t k = 0; k < CURVE_POINTS; k++)
		if (curve_points[k] == p)
			return c->at[k];
	fail_msg("no point %g", p);
	return NAN;
}

/* 662 samples for p99 (docs/metrics.md), and the lower tail as the upper. */
static void few_samples_have_no_tails(void **state)
{
	double *x = lognormal(662, 0);
	struct curve c;

	(void)state;
	curve_of_samples(&c, x, 661);
	assert_true(isnan(at(&c, 0.99)) && isnan(at(&c, 0.01)));
	assert_true(isfinite(at(&c, 0.95)) && isfinite(at(&c, 0.05)));
	curve_of_samples(&c, x, 662);
	assert_true(isfinite(at(&c, 0.99)) && isfinite(at(&c, 0.01)));
	assert_true(isnan(at(&c, 0.999)));
	curve_of_samples(&c, x, 0);
	assert_true(isnan(at(&c, 0.5)));
	free(x);
}

static void a_stage_tells_its_own_quantiles(void **state)
{
	const char *text = "{\"n\": 700, \"mean_s\": 2, \"p50_s\": 1.5, \"p99_s\": 9, "
			   "\"p99.9_s\": 11, \"p95_s\": null}";
	struct json_object *o = json_parse(text, strlen(text), "d", NULL);
	struct curve c;

	(void)state;
	assert_true(curve_of_json(&c, o));
	assert_true(at(&c, 0.5) == 1.5 && at(&c, 0.99) == 9 && c.mean == 2);
	assert_true(isnan(at(&c, 0.95)));
	assert_true(isnan(at(&c, 0.999))); /* told, and not supported by 700 */
	assert_false(curve_of_json(&c, NULL));
	json_object_put(o);
}

static void rounds_have_a_mean_and_a_band(void **state)
{
	struct curves all = {0};
	struct curve c = {.mean = 1, .nr = 10};

	(void)state;
	for (int round = 1; round <= 3; round++) {
		for (size_t k = 0; k < CURVE_POINTS; k++)
			c.at[k] = round;
		if (round == 2)
			c.at[0] = NAN; /* one round lacks it */
		curves_add(&all, &c);
	}
	assert_int_equal(all.rounds, 3);
	assert_int_equal(all.nr, 30);
	assert_true(curves_at(&all, 0.5) == 2);
	assert_true(all.low[5] == 1 && all.high[5] == 3);
	assert_true(isnan(all.mean[0]) && isnan(all.low[0]) && isnan(all.high[0]));
	assert_true(isnan(curves_at(&all, 0.123)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_samples_are_as_sorted),
		cmocka_unit_test(negative_samples_are_sorted),
		cmocka_unit_test(few_samples_have_no_tails),
		cmocka_unit_test(a_stage_tells_its_own_quantiles),
		cmocka_unit_test(rounds_have_a_mean_and_a_band),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
