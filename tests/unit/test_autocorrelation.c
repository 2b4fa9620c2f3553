/* Memory of a series, held to the figures of tests/support/autocorrelation_figures.py (NumPy). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "reports/statistics/autocorrelation.h"

static void near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12))
		fail_msg("got %.17g, want %.17g", got, want);
}

static const double swings[] = {100.5, 100.3, 100.3, 100.1, 100.3, 100.0, 99.6,  99.7,
				100.0, 99.4,  99.9,  99.9,  100.3, 100.1, 100.5, 100.4,
				100.5, 100.0, 99.7,  99.9,  99.7,  100.2, 100.0, 100.2};

static void lag_is_that_of_the_definition(void **state)
{
	const size_t one[] = {24}, two[] = {12, 24};

	(void)state;
	near(autocorrelation_around(swings, one, 1), 0.5572450805008896);
	near(autocorrelation_around(swings, two, 2), 0.7462546816479337);
}

/* A step is no memory: around its levels nothing of it is left. */
static void levels_are_not_memory(void **state)
{
	const size_t one[] = {40}, two[] = {20, 40};
	double x[40];

	(void)state;
	for (int i = 0; i < 40; i++)
		x[i] = (i < 20 ? 100 : 90) + (i % 2 ? 0.1 : -0.1);
	near(autocorrelation_around(x, two, 2), 0);
	near(autocorrelation_around(x, one, 1), 0.95);
}

static void what_cannot_be_known_is_none(void **state)
{
	const size_t few[] = {19}, enough[] = {20}, all[] = {24};
	double same[24], rare[25] = {0};
	const size_t end[] = {25};

	(void)state;
	near(autocorrelation_around(swings, few, 1), 0);
	assert_true(autocorrelation_around(swings, enough, 1) > 0.4);
	for (int i = 0; i < 24; i++)
		same[i] = 7;
	near(autocorrelation_around(same, all, 1), 0);
	near(autocorrelation_around(swings, NULL, 0), 0);
	/* Within 1/sqrt(25) = 0.2 of none: two of three ones touch, r1 = 0.24, then 0.21. */
	rare[3] = rare[4] = 1;
	rare[12] = -1;
	rare[14] = 1;
	near(autocorrelation_around(rare, end, 1) > 0 ? 1 : 0, 1);
	rare[4] = 0;
	near(autocorrelation_around(rare, end, 1), 0);
}

static void means_are_worth_less(void **state)
{
	static const struct {
		double lag1;
		size_t n, m;
		double variance, covariance;
	} rows[] = {
		{0.5, 1, 1, 1.0, 0.5},
		{0.5, 6, 4, 0.390625, 0.076904296875},
		{0.9, 30, 5, 0.4418115649883766, 0.2352902380648298},
		{0.25, 40, 12, 0.04111111111111111, 0.0009259258707364397},
		{0, 5, 3, 0.2, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		near(autocorrelation_mean_variance(rows[i].lag1, rows[i].n),
		     rows[i].variance);
		near(autocorrelation_mean_covariance(rows[i].lag1, rows[i].n, rows[i].m),
		     rows[i].covariance);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_that_of_the_definition),
		cmocka_unit_test(levels_are_not_memory),
		cmocka_unit_test(what_cannot_be_known_is_none),
		cmocka_unit_test(means_are_worth_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
