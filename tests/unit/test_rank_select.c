/* The value of a rank, held to the sorted numbers. */
#include "reports/statistics/rank_select.h"

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

typedef double draw(struct rng *rng);

static double times(struct rng *rng)
{
	return 0.01 * exp(0.3 * rng_normal(rng));
}

static double both_signs(struct rng *rng)
{
	return rng_normal(rng);
}

static double few_values(struct rng *rng)
{
	return (double)rng_below(rng, 5) - 2;
}

static double all_the_same(struct rng *rng)
{
	(void)rng;
	return 0.125;
}

/* One value so far away that all others share a bin. */
static double one_far_away(struct rng *rng)
{
	return rng_below(rng, 3000) ? 1 + 1e-9 * rng_unit(rng) : -1e300;
}

static void every_rank_is_as_sorted(void **state)
{
	static draw *const draws[] = {times, both_signs, few_values, all_the_same,
				      one_far_away};
	static const size_t sizes[] = {1, 2, 3, 100, 2047, 2048, 2049, 20000};
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (size_t d = 0; d < ARRAY_SIZE(draws); d++) {
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			size_t nr = sizes[s];
			double *x = x_calloc(nr, sizeof(*x));
			double *sorted = x_calloc(nr, sizeof(*x));

			for (size_t i = 0; i < nr; i++)
				x[i] = sorted[i] = draws[d](&rng);
			qsort(sorted, nr, sizeof(*sorted), by_value);
			for (size_t i = 0; i < 40; i++) {
				size_t k = i < 2 ? i * (nr - 1)
						 : (size_t)rng_below(&rng, nr);

				assert_true(select_rank(x, nr, k) == sorted[k]);
			}
			free(x);
			free(sorted);
		}
	}
}

static void the_numbers_stay_as_they_were(void **state)
{
	double x[3000], before[3000];

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		x[i] = before[i] = (double)(i * 7919 % 3000);
	assert_true(select_rank(x, 3000, 1234) == 1234);
	assert_memory_equal(x, before, sizeof(x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rank_is_as_sorted),
		cmocka_unit_test(the_numbers_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
