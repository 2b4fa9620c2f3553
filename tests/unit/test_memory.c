/* Expected values: tests/support/rare_figures.py, in plain Python with whole matrices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/base/rng.h"
#include "reports/statistics/memory.h"

static void assert_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void widens_by_the_exact_moments(void **state)
{
	static const struct {
		size_t nr;
		double correlation, error, df;
	} cases[] = {
		{6, 0.5, 0.7308816827558576, 3.857142857142857},
		{6, 0.3, 0.5629749345993621, 4.516801592173984},
		{20, 0.8, 0.717032381233736, 5.628548706964182},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct log_ratio r = {.n_baseline = cases[i].nr,
				      .n_candidate = cases[i].nr,
				      .sd = 2,
				      .error = 2 / sqrt((double)cases[i].nr),
				      .df = (double)cases[i].nr - 1,
				      .has_error = true},
				 before = r;

		memory_widen(&r, 0);
		assert_near(r.error, before.error);
		assert_near(r.df, before.df);
		memory_widen(&r, cases[i].correlation);
		assert_near(r.error, 2 * cases[i].error);
		assert_near(r.df, cases[i].df);
		assert_near(r.sd, 2);
	}
}

static void nothing_is_widened_without_an_error(void **state)
{
	struct log_ratio one = {.n_baseline = 1, .n_candidate = 1, .df = 7, .error = 3};

	(void)state;
	memory_widen(&one, 0.5);
	assert_near(one.df, 7);
	assert_near(one.error, 3);
}

static void the_figure_is_free_of_its_bias(void **state)
{
	const double x[] = {0.3, 0.2, -0.1, 0.1, -0.3, -0.25, 0.15, 0.2};
	const double equal[] = {1, 1, 1, 1, 1, 1};
	const double steps[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	const double turns[] = {1, -1, 1, -1, 1, -1, 1, -1};
	struct memory m;

	(void)state;
	assert_true(memory_seen(x, 8, &m));
	assert_int_equal(m.nr, 8);
	assert_near(m.figure, 0.6660777385159009);
	assert_near(m.p, 0.12002722610616351);
	assert_false(memory_seen(x, 5, &m));
	assert_true(memory_seen(x, 6, &m));
	assert_false(memory_seen(equal, 6, &m));
	assert_true(memory_seen(steps, 10, &m) && m.figure == 0.9);
	assert_true(memory_seen(turns, 8, &m) && m.figure == 0 && m.p > 0.99);
}

/* Of rounds with a memory of 0.5 the figure is right on average, to simulation's error. */
static void the_figure_is_that_of_the_noise(void **state)
{
	double sum = 0, x[40];
	struct rng rng;

	(void)state;
	rng_init(&rng, 12);
	for (int i = 0; i < 500; i++) {
		struct memory m;
		double carried = rng_normal(&rng);

		for (int k = 0; k < 40; k++) {
			carried = 0.5 * carried + sqrt(0.75) * rng_normal(&rng);
			x[k] = carried;
		}
		assert_true(memory_seen(x, 40, &m));
		sum += m.figure / 500;
	}
	assert_true(fabs(sum - 0.5) < 0.03);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widens_by_the_exact_moments),
		cmocka_unit_test(nothing_is_widened_without_an_error),
		cmocka_unit_test(the_figure_is_free_of_its_bias),
		cmocka_unit_test(the_figure_is_that_of_the_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
