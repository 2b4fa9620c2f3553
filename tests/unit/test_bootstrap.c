/*
 * Quantiles of pooled samples and their uncertainty. Expected values: NumPy through every
 * one of the resamples, by tests/support/robust_figures.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "reports/statistics/bootstrap.h"

static void assert_near(double got, double want, double relative)
{
	if (!(fabs(got - want) <= relative * fabs(want)))
		fail_msg("got %.17g, want %.17g", got, want);
}

enum { rounds = 4, samples = 40 };

struct sides {
	double x[2][rounds][samples];
	struct round_samples of[2][rounds];
	struct quantile_side side[2];
};

static void make_sides(struct sides *s)
{
	static const double level[2][rounds] = {{1.00, 1.03, 0.98, 1.05},
						{1.10, 1.09, 1.13, 1.06}};

	for (int a = 0; a < 2; a++) {
		for (int r = 0; r < rounds; r++) {
			for (int k = 0; k < samples; k++) {
				double v = 1 + (37 * k + 11 * r) % 41 / 41.0;

				s->x[a][r][k] = level[a][r] * v * v;
			}
			s->of[a][r] = (struct round_samples){s->x[a][r], samples};
		}
		s->side[a] = (struct quantile_side){s->of[a], rounds};
	}
}

static void the_error_is_that_of_every_resample(void **state)
{
	static const struct {
		double q, quantile[2], error;
		bool is_paired;
	} cases[] = {
		{0.50,
		 {2.2409994051160025, 2.4199881023200476},
		 0.028541585719944057,
		 true},
		{0.50,
		 {2.2409994051160025, 2.4199881023200476},
		 0.02539579828050567,
		 false},
		{0.95,
		 {3.8072575847709693, 4.0897798929208795},
		 0.030666756120500592,
		 true},
		{0.95,
		 {3.8072575847709693, 4.0897798929208795},
		 0.022930723826290838,
		 false},
	};
	struct sides s;

	(void)state;
	make_sides(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bootstrap_spec spec = {.q = cases[i].q,
					      .is_paired = cases[i].is_paired,
					      .repeats = 40000,
					      .seed = 5};
		struct log_ratio r;
		double v[2];

		assert_true(
			bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, v));
		assert_near(v[0], cases[i].quantile[0], 1e-14);
		assert_near(v[1], cases[i].quantile[1], 1e-14);
		assert_near(r.mean, log(v[1] / v[0]), 1e-12);
		/* A deviation from 40,000 resamples is within 1.5 % with room. */
		assert_near(r.error, cases[i].error, 0.015);
		assert_true(r.df == 3 && r.has_error);
		assert_int_equal(r.is_paired, cases[i].is_paired);
	}
}

static void what_cannot_be_supported_is_absent(void **state)
{
	struct bootstrap_spec spec = {.q = 0.95, .seed = 5};
	struct log_ratio r, again;
	struct sides s;

	(void)state;
	make_sides(&s);
	assert_true(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
	assert_true(
		bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &again, NULL));
	assert_true(r.error == again.error); /* same seed */
	spec.q = 0.99;                       /* 160 samples have no p99 */
	assert_false(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
	spec.q = 0.5;
	s.side[1].nr = 2; /* rounds */
	assert_false(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
	s.side[1].nr = 3;
	assert_true(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
	assert_true(r.df == 2);
	spec.is_paired = true;
	assert_false(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
	spec.is_paired = false;
	for (int k = 0; k < samples; k++)
		for (int i = 0; i < 3; i++)
			s.x[1][i][k] = 0; /* has no log */
	assert_false(bootstrap_quantile_ratio(&s.side[0], &s.side[1], &spec, &r, NULL));
}

/* Rounds of any size; every value the same; and a true ratio inside the interval. */
static void unequal_rounds_and_ties(void **state)
{
	double x[2][6][300];
	struct round_samples of[2][6];
	struct quantile_side side[2] = {{of[0], 6}, {of[1], 6}};
	struct bootstrap_spec spec = {.q = 0.95, .is_paired = true, .seed = 7};
	struct log_ratio r;
	struct interval i;
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int s = 0; s < 2; s++) {
		for (int k = 0; k < 6; k++) {
			double level = (s ? 1.2 : 1) * exp(0.01 * rng_normal(&rng));

			for (int n = 0; n < 300; n++)
				x[s][k][n] = level * (1 + rng_exponential(&rng));
			of[s][k] = (struct round_samples){x[s][k], (size_t)(50 * k + 50)};
		}
	}
	assert_true(bootstrap_quantile_ratio(&side[0], &side[1], &spec, &r, NULL));
	i = log_ratio_interval(&r, 0.95);
	assert_true(i.low < 1.2 && 1.2 < i.high && i.high - i.low < 0.6);
	for (int s = 0; s < 2; s++)
		for (int k = 0; k < 6; k++)
			for (int n = 0; n < 300; n++)
				x[s][k][n] = 2;
	assert_true(bootstrap_quantile_ratio(&side[0], &side[1], &spec, &r, NULL));
	assert_true(r.mean == 0 && r.error == 0);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* More samples than are counted at a time, and far below 1: the quantile by sorting. */
static void quantiles_of_many_small_samples_are_those_of_sorting(void **state)
{
	enum { many = 1500 };
	static double x[3][many], all[3 * many];
	struct round_samples of[3];
	struct quantile_side side = {of, 3};
	struct log_ratio r;
	struct rng rng;
	double v[2];

	(void)state;
	rng_init(&rng, 4);
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < many; i++) {
			x[k][i] = 0.01 * exp(0.3 * rng_normal(&rng) + 0.2 * k);
			all[k * many + i] = x[k][i];
		}
		of[k] = (struct round_samples){x[k], many};
	}
	qsort(all, 3 * many, sizeof(*all), by_value);
	for (int p = 50; p <= 99; p += 7) {
		struct bootstrap_spec spec = {.q = p / 100.0, .is_paired = true};

		assert_true(bootstrap_quantile_ratio(&side, &side, &spec, &r, v));
		assert_near(v[0], all[(3 * many * p + 99) / 100 - 1], 1e-15);
		assert_near(v[1], v[0], 1e-15);
		assert_true(fabs(r.mean) < 1e-15);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_is_that_of_every_resample),
		cmocka_unit_test(what_cannot_be_supported_is_absent),
		cmocka_unit_test(unequal_rounds_and_ties),
		cmocka_unit_test(quantiles_of_many_small_samples_are_those_of_sorting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
