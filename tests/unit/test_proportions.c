/* Expected values: tests/support/rare_figures.py, by exact fractions over every table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "reports/statistics/proportions.h"

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void few_attempts_are_compared_exactly(void **state)
{
	static const struct {
		struct proportion b, c;
		double margin, p;
	} cases[] = {
		{{0, 6}, {4, 6}, 0, 0.010503124127939705},
		{{0, 6}, {1, 6}, 0, 0.25899846336687915},
		{{0, 9}, {6, 9}, 0, 0.001339102888722432},
		{{2, 5}, {4, 7}, 0, 0.33256806494881336},
		{{0, 3}, {3, 3}, 0, 0.015625},
		{{0, 6}, {4, 6}, 0.2, 0.05085262396542026},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_near(proportions_p(&cases[i].b, &cases[i].c, cases[i].margin),
			    cases[i].p, 1e-9);
}

/* 8 of 9 failures of 1,000 requests a side are the candidate's: (9 + 1) / 2^9. */
static void many_attempts_are_compared_as_rare_counts(void **state)
{
	const struct proportion b = {1, 1000}, c = {8, 1000}, more = {60, 1000};

	(void)state;
	assert_near(proportions_p(&b, &c, 0), 0.01953125, 1e-12);
	/* Within the margin, on it, and far beyond it. */
	assert_true(proportions_p(&b, &c, 0.05) > 0.99);
	assert_near(proportions_p(&b, &more, 0.059), 0.5, 1e-9);
	assert_true(proportions_p(&b, &more, 0.01) < 1e-6);
	/* One side alone has many: the same test. */
	assert_near(proportions_p(&(struct proportion){0, 1000},
				  &(struct proportion){1, 10}, 0),
		    10.0 / 1010, 1e-12);
}

static void needed_attempts_tell_shares_apart(void **state)
{
	const struct proportion none = {0, 6}, one = {1, 6}, two = {2, 6};
	size_t n = proportions_needed(&none, &one, 0, 0.025);

	(void)state;
	/* A sixth of n against none: the first n that is beyond 2.5 %. */
	assert_in_range(n, 20, 32);
	assert_true(proportions_p(&(struct proportion){0, n},
				  &(struct proportion){(size_t)lround((double)n / 6), n},
				  0) <= 0.025);
	assert_true(proportions_needed(&none, &two, 0, 0.025) < n);
	assert_int_equal(proportions_needed(&none, &none, 0, 0.025), 0);
	assert_int_equal(proportions_needed(&none, &one, 0.2, 0.025), 0);
	assert_int_equal(proportions_needed(&(struct proportion){0, 1000},
					    &(struct proportion){1, 1000}, 0, 0.025),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_attempts_are_compared_exactly),
		cmocka_unit_test(many_attempts_are_compared_as_rare_counts),
		cmocka_unit_test(needed_attempts_tell_shares_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
