#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What the authors' splitmix64.c prints from state 1234567. */
static void counter_numbers_are_splitmix64(void **state)
{
	static const uint64_t want[] = {
		UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821),
	};

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_true(rng_at(1234567, i) == want[i]);
	assert_true(rng_at(0, 0) == UINT64_C(0xe220a8397b1dcdaf));
}

/* What the authors' xoshiro256plusplus.c prints from state {1, 2, 3, 4}. */
static void stream_numbers_are_xoshiro256plusplus(void **state)
{
	static const uint64_t want[] = {
		UINT64_C(41943041),
		UINT64_C(58720359),
		UINT64_C(3588806011781223),
		UINT64_C(3591011842654386),
		UINT64_C(9228616714210784205),
		UINT64_C(9973669472204895162),
		UINT64_C(14011001112246962877),
		UINT64_C(12406186145184390807),
		UINT64_C(15849039046786891736),
		UINT64_C(10450023813501588000),
	};
	struct rng r = {{1, 2, 3, 4}};

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(rng_u64(&r) == want[i]);
}

/* The authors' advice: four outputs of SplitMix64 are the state. */
static void seeding_is_splitmix64(void **state)
{
	struct rng r;

	(void)state;
	rng_init(&r, 1234567);
	assert_true(r.s[0] == UINT64_C(6457827717110365317));
	assert_true(r.s[3] == UINT64_C(4593380528125082431));
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
	struct rng a, b, c;
	int differ = 0;

	(void)state;
	rng_init(&a, 42);
	rng_init(&b, 42);
	rng_init(&c, 43);
	for (int i = 0; i < 100; i++) {
		uint64_t x = rng_u64(&a);

		assert_true(x == rng_u64(&b));
		differ += x != rng_u64(&c);
	}
	assert_int_equal(differ, 100);
}

/* 60000 throws of a die: chi-square with 5 degrees, below 20.5 in 99.9 % of all seeds. */
static void below_is_uniform(void **state)
{
	long seen[6] = {0};
	double chi = 0;
	struct rng r;

	(void)state;
	rng_init(&r, 1);
	for (int i = 0; i < 60000; i++) {
		uint64_t x = rng_below(&r, 6);

		assert_true(x < 6);
		seen[x]++;
	}
	for (int i = 0; i < 6; i++)
		chi += (double)((seen[i] - 10000) * (seen[i] - 10000)) / 10000;
	assert_true(chi < 20.5);
	assert_true(rng_below(&r, 1) == 0);
}

/*
 * With a bound of 3 * 2^62 a plain remainder would give 0..2^62 twice as often as the
 * rest: a share of 1/2 below 2^62 instead of 1/3.
 */
static void below_has_no_modulo_bias(void **state)
{
	const uint64_t quarter = UINT64_C(1) << 62;
	int low = 0;
	struct rng r;

	(void)state;
	rng_init(&r, 2);
	for (int i = 0; i < 30000; i++)
		low += rng_below(&r, 3 * quarter) < quarter;
	assert_true(low > 9600 && low < 10400); /* 10000, deviation 82 */
}

static void unit_is_open_at_both_ends(void **state)
{
	/* States whose first output is all zeros and all ones: rotl(s0+s3, 23) + s0. */
	struct rng zero = {{0, 1, 1, 0}}, ones = {{0, 1, 1, UINT64_MAX}};

	(void)state;
	assert_true(rng_unit(&zero) > 0);
	assert_true(rng_unit(&ones) < 1);
}

struct moments {
	double mean, variance, skew;
};

static struct moments measure(double (*draw)(struct rng *), uint64_t seed)
{
	enum { N = 200000 };
	static double x[N];
	struct moments m = {0};
	struct rng r;

	rng_init(&r, seed);
	for (int i = 0; i < N; i++)
		m.mean += (x[i] = draw(&r)) / N;
	for (int i = 0; i < N; i++)
		m.variance += (x[i] - m.mean) * (x[i] - m.mean) / N;
	for (int i = 0; i < N; i++)
		m.skew += pow((x[i] - m.mean) / sqrt(m.variance), 3) / N;
	return m;
}

/* Textbook moments; tolerances are five standard errors at 200000 draws. */
static void distributions_have_their_moments(void **state)
{
	struct moments m;

	(void)state;
	m = measure(rng_unit, 3);
	assert_true(fabs(m.mean - 0.5) < 0.0033);
	assert_true(fabs(m.variance - 1.0 / 12) < 0.0009);
	m = measure(rng_normal, 4);
	assert_true(fabs(m.mean) < 0.0112);
	assert_true(fabs(m.variance - 1) < 0.0158);
	assert_true(fabs(m.skew) < 0.0274);
	m = measure(rng_exponential, 5);
	assert_true(fabs(m.mean - 1) < 0.0112);
	assert_true(fabs(m.variance - 1) < 0.0316);
	assert_true(fabs(m.skew - 2) < 0.25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_numbers_are_splitmix64),
		cmocka_unit_test(stream_numbers_are_xoshiro256plusplus),
		cmocka_unit_test(seeding_is_splitmix64),
		cmocka_unit_test(the_same_seed_gives_the_same_numbers),
		cmocka_unit_test(below_is_uniform),
		cmocka_unit_test(below_has_no_modulo_bias),
		cmocka_unit_test(unit_is_open_at_both_ends),
		cmocka_unit_test(distributions_have_their_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
