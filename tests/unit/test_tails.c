/* Expected values: tests/support/rare_figures.py, in plain Python. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "reports/statistics/tails.h"

static void assert_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9))
		fail_msg("got %.17g, want %.17g", got, want);
}

/* Seven of them, or all eight: the last one makes the correction the larger one. */
static const double x[] = {0.01, -0.03, 0.02, -0.11, 0.015, 0.0, 0.005, 0.012};

static void the_end_on_the_longer_tail_moves_outwards(void **state)
{
	static const struct {
		size_t nr;
		double plain, skewness, below;
	} cases[] = {
		{7, 0.033647328459705486, -1.255297551506604, 0.04535704758390963},
		{8, 0.029014083351074298, -1.4645882943893669, 0.04522842692222742},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		double plain = cases[i].plain, mirrored[8];
		struct tails t;

		tails_init(&t, x, cases[i].nr);
		assert_near(t.skewness, cases[i].skewness);
		assert_near(tails_half(&t, false, plain, 0.05), cases[i].below);
		assert_near(tails_half(&t, true, plain, 0.05), plain);
		for (size_t k = 0; k < 8; k++)
			mirrored[k] = -x[k];
		tails_init(&t, mirrored, cases[i].nr);
		assert_near(tails_half(&t, true, plain, 0.05), cases[i].below);
		assert_near(tails_half(&t, false, plain, 0.05), plain);
	}
}

/* Two slow rounds of twenty, which may be one in ten or one in four. */
static void values_apart_are_a_share_that_is_badly_known(void **state)
{
	double twenty[20], plain = 0.030944860817582076;
	struct tails t;

	(void)state;
	for (int i = 0; i < 20; i++)
		twenty[i] = (7 * i % 19 - 9) / 1000.0;
	twenty[4] = -0.25;
	twenty[13] = -0.27;
	tails_init(&t, twenty, 20);
	assert_int_equal(t.apart[0], 2);
	assert_int_equal(t.apart[1], 0);
	assert_near(t.severity[0], 0.29591455481946227);
	assert_near(tails_half(&t, false, plain, 0.05), 0.054458918808246555);
	assert_near(tails_half(&t, true, plain, 0.05), plain);
	/* The same on the other side. */
	for (int i = 0; i < 20; i++)
		twenty[i] = -twenty[i];
	tails_init(&t, twenty, 20);
	assert_int_equal(t.apart[1], 2);
	assert_near(tails_half(&t, true, plain, 0.05), 0.054458918808246555);
	/* With one round fewer the correction would only cost power. */
	tails_init(&t, twenty + 1, 19);
	assert_int_equal(t.apart[1], 0);
}

static void without_spread_nothing_moves(void **state)
{
	const double equal[] = {0.5, 0.5, 0.5, 0.5};
	struct tails t;

	(void)state;
	tails_init(&t, equal, 4);
	assert_near(tails_half(&t, false, 0, 0.05), 0);
	assert_near(tails_half(&t, true, 0, 0.05), 0);
}

/* 1 - 0.05^(1/n): what never showed among so many in 5 % of cases. */
static void what_never_showed_may_still_be_there(void **state)
{
	(void)state;
	assert_near(pow(1 - tails_unseen(12), 12), 0.05);
	assert_near(tails_unseen(1), 0.95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_on_the_longer_tail_moves_outwards),
		cmocka_unit_test(values_apart_are_a_share_that_is_badly_known),
		cmocka_unit_test(without_spread_nothing_moves),
		cmocka_unit_test(what_never_showed_may_still_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
