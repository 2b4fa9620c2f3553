#include "gemm/warmup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static void test_lasts_as_asked(void **state)
{
	const struct warmup restless = {.is_steady = false}, steady = {.is_steady = true};

	(void)state;
	assert_true(warmup_is_over(&restless, true, 0, 0));
	assert_false(warmup_is_over(&steady, false, 100 * MS - 1, 100 * MS));
	assert_false(warmup_is_over(&steady, true, 100 * MS - 1, 100 * MS));
	assert_true(warmup_is_over(&restless, false, 100 * MS, 100 * MS));
	assert_true(warmup_is_over(&steady, true, 100 * MS, 100 * MS));
	/* What never settles ends after three times what was asked for. */
	assert_false(warmup_is_over(&restless, true, 100 * MS, 100 * MS));
	assert_false(warmup_is_over(&restless, true, 300 * MS - 1, 100 * MS));
	assert_true(warmup_is_over(&restless, true, 300 * MS, 100 * MS));
}

/* Stretches of 10 products; 0.2 % of 0.05 s is 0.1 ms a product, 1 ms a stretch. */
static void test_steady(void **state)
{
	struct warmup w = {0};

	(void)state;
	warmup_add(&w, 0.5, 10);
	assert_false(w.is_steady);
	assert_int_equal(w.products, 0);
	warmup_add(&w, 0.5012, 10); /* 0.24 % slower */
	assert_false(w.is_steady);
	warmup_add(&w, 0.5012 * 0.9979, 10); /* 0.21 % faster */
	assert_false(w.is_steady);
	warmup_add(&w, 0.501, 10);
	assert_true(w.is_steady);
	warmup_add(&w, 0.3, 10); /* not a stretch yet */
	assert_true(w.is_steady);
	warmup_add(&w, 0.3, 10); /* 40 % faster */
	assert_false(w.is_steady);
	warmup_add(&w, 0.6, 20);
	assert_true(w.is_steady);
}

static void test_batch(void **state)
{
	(void)state;
	assert_int_equal(warmup_batch(2), 1);
	assert_int_equal(warmup_batch(0.1), 1);
	assert_int_equal(warmup_batch(0.03), 3);
	assert_int_equal(warmup_batch(0.0021), 47);
	assert_int_equal(warmup_batch(0.0001), 64);
	assert_int_equal(warmup_batch(0), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lasts_as_asked),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
