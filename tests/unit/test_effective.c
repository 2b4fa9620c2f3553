/* Requests that are slow together are worth fewer: expected values by hand and by ANOVA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "inference/load/figures/effective.h"

/* Five requests in each of 20 blocks; every fourth block is slower by 'slow'. */
static double number_of(double slow)
{
	struct effective e = {.nr = {0}};

	for (int block = 0; block < 20; block++)
		for (int k = 0; k < 5; k++)
			effective_add(&e, block / 20.0 + 0.01 * k,
				      (block % 4 ? 0 : slow) +
					      (k * 7 + block * 3) % 5 / 2.0);
	return effective_number(&e);
}

static void slow_blocks_are_worth_fewer(void **state)
{
	(void)state;
	/* Every block has the same five values: nothing between them but 'slow'. */
	assert_true(number_of(0) == 100);
	/* Mean squares 8.8816 between and 0.625 within, blocks of 5. */
	if (fabs(number_of(3) - 25.629629629629626) > 1e-9)
		fail_msg("%.17g", number_of(3));
	/* All that differs is the block: 20 blocks are worth 20 requests. */
	assert_true(fabs(number_of(1e6) - 20) < 0.01);
}

static void few_requests_do_not_tell(void **state)
{
	struct effective e = {.nr = {0}};

	(void)state;
	for (int k = 0; k < 39; k++)
		effective_add(&e, k / 39.0, k % 3);
	assert_true(isnan(effective_number(&e)));
	effective_add(&e, 0.5, 1);
	assert_false(isnan(effective_number(&e)));
	/* Outside of the window nothing is counted. */
	effective_add(&e, 1, 1e9);
	effective_add(&e, -0.5, 1e9);
	assert_true(effective_number(&e) > 30);
	/* In nine blocks of twenty alone. */
	e = (struct effective){.nr = {0}};
	for (int k = 0; k < 90; k++)
		effective_add(&e, k % 9 / 20.0, k % 4);
	assert_true(isnan(effective_number(&e)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_blocks_are_worth_fewer),
		cmocka_unit_test(few_requests_do_not_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
