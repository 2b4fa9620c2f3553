/*
 * Exact quantiles against sorting the same values; the expected interpolation is numpy's
 * documented 'linear' rule, worked out by hand for the small case.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "inference/load/figures/distribution.h"
#include "inference/load/engine/lag.h"

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void run(struct distribution *d, const int64_t *v, size_t nr)
{
	distribution_init(d);
	do {
		distribution_pass(d);
		for (size_t i = 0; i < nr; i++)
			distribution_add(d, v[i], 1);
	} while (distribution_more(d));
}

static void check_against_sort(int64_t *v, size_t nr)
{
	struct distribution d;

	run(&d, v, nr);
	qsort(v, nr, sizeof(*v), order);
	assert_int_equal(d.nr, nr);
	assert_int_equal(d.min, v[0]);
	assert_int_equal(d.max, v[nr - 1]);
	for (int i = 0; i < DISTRIBUTION_POINTS; i++) {
		double h = distribution_points[i] * (double)(nr - 1), got;
		size_t low = (size_t)h, high = low + 1 < nr ? low + 1 : low;
		double expected =
			(double)v[low] + (h - (double)low) * (double)(v[high] - v[low]);

		assert_true(distribution_quantile_ns(&d, distribution_points[i], &got));
		assert_true(fabs(got - expected) <= 1e-6 * expected + 1e-9);
	}
	distribution_release(&d);
}

static void test_equal_to_sorting(void **state)
{
	static const double scales[] = {1e2, 1e4, 1e7, 1e9, 1e12};
	enum { N = 20011 };
	int64_t *v = x_malloc(N * sizeof(*v));
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (size_t s = 0; s < ARRAY_SIZE(scales); s++) {
		for (int i = 0; i < N; i++)
			v[i] = (int64_t)(rng_exponential(&rng) * scales[s]);
		check_against_sort(v, N);
	}
	for (int i = 0; i < N; i++)
		v[i] = 20000000 + (int64_t)rng_below(&rng, 3);
	check_against_sort(v, N);
	for (size_t n = 1; n < 40; n++) {
		for (size_t i = 0; i < n; i++)
			v[i] = (int64_t)rng_below(&rng, UINT64_C(1) << 40);
		check_against_sort(v, n);
	}
	free(v);
}

/* 1..10: mean 5.5, population variance 8.25; p90 lies 0.1 of the way from 9 to 10. */
static void test_by_hand(void **state)
{
	int64_t v[10];
	struct distribution d;
	double q;

	(void)state;
	for (int i = 0; i < 10; i++)
		v[i] = i + 1;
	run(&d, v, 10);
	assert_true(fabs(d.mean - 5.5) < 1e-12);
	assert_true(fabs(d.deviation - sqrt(8.25)) < 1e-12);
	assert_true(distribution_quantile_ns(&d, 0.9, &q));
	assert_true(fabs(q - 9.1) < 1e-9);
	distribution_release(&d);
	run(&d, v, 0);
	assert_false(distribution_quantile_ns(&d, 0.5, &q));
	distribution_release(&d);
}

/* A value with weight 3 is the value three times. */
static void test_weights(void **state)
{
	struct distribution d;
	double q;

	(void)state;
	distribution_init(&d);
	do {
		distribution_pass(&d);
		distribution_add(&d, 1000000000, 3);
		distribution_add(&d, 5, 1);
		distribution_add(&d, 7, 0);
	} while (distribution_more(&d));
	assert_int_equal(d.nr, 4);
	assert_true(distribution_quantile_ns(&d, 0.5, &q));
	assert_true(q == 1e9);
	assert_true(fabs(d.mean - 750000001.25) < 1e-3);
	distribution_release(&d);
}

/* MLPerf's published floors for 99 % confidence. */
static void test_floor(void **state)
{
	(void)state;
	assert_int_equal(distribution_floor(0.9), 64);
	assert_int_equal(distribution_floor(0.99), 662);
	assert_int_equal(distribution_floor(0.5), 1);
}

/* Longer than what has a bucket of its own (2^40 ns): said in full, not as the bucket's. */
static void test_lag_of_hours(void **state)
{
	static const int64_t hour_ns = 3600000000000;
	struct lag *l = x_calloc(1, sizeof(*l));

	(void)state;
	lag_add(l, 2 * hour_ns);
	assert_int_equal(lag_quantile_ns(l, 0.5), 2 * hour_ns);
	lag_add(l, (INT64_C(1) << 40) - 1); /* the last that has one */
	lag_add(l, (INT64_C(1) << 40) - 1);
	assert_int_equal(lag_quantile_ns(l, 0.5), (INT64_C(1) << 40) - 1);
	free(l);
}

static void test_lag(void **state)
{
	struct lag *l = x_calloc(2, sizeof(*l));

	(void)state;
	assert_int_equal(lag_quantile_ns(l, 0.5), -1);
	for (int i = 1; i <= 1000; i++)
		lag_add(l, i * 1000);
	lag_add(&l[1], 50000000);
	lag_add(&l[1], -3);
	assert_true(llabs(lag_quantile_ns(l, 0.5) - 500000) <= 500000 / 64 + 1);
	assert_true(llabs(lag_quantile_ns(l, 0.99) - 990000) <= 990000 / 64 + 1);
	lag_merge(l, &l[1]);
	assert_int_equal(l->max, 50000000);
	assert_int_equal(l->nr, 1002);
	assert_int_equal(l->negative, 1);
	assert_int_equal(lag_quantile_ns(l, 1), 50000000);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_to_sorting),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_lag),
		cmocka_unit_test(test_lag_of_hours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
