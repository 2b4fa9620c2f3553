/* Levels for looking at rounds one after the other, and what they do to intervals. */
#include "reports/statistics/sequential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "reports/statistics/distributions.h"
#include "reports/verdict/verdict.h"
#include "tests/support/known_run.h"

/*
 * Spending as reports/statistics/sequential.h has it, looks at 3 to 6 rounds, one-sided
 * 0.025. The first two levels by SciPy's quadrature of the t process, the others
 * simulated with 40 million paths, by tests/support/statistics_figures.py.
 */
static void levels_are_those_of_an_independent_computation(void **state)
{
	static const double level[] = {0.0006836, 0.0023398, 0.0069647, 0.0176171};
	static const double tolerance[] = {1e-7, 3e-6, 2e-5, 2e-5};
	double equivalence, degraded;
	struct looks l;

	(void)state;
	looks_init(&l, 3, 6);
	assert_int_equal(l.nr, 4);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(l.degraded[i] - level[i]) < tolerance[i]);
	for (int64_t n = 2; n < 8; n++) {
		looks_levels(&l, n, &equivalence, &degraded);
		assert_true(fabs(looks_level(&l, n, ALPHA_DEGRADED) / degraded - 1) <
			    1e-12);
		assert_true(looks_level(&l, n, ALPHA_DEGRADED / 8) < degraded);
	}
	looks_init(&l, 4, 4);
	assert_true(fabs(l.equivalence[0] - 0.04375) < 1e-15);
	assert_true(fabs(l.degraded[0] - 0.021875) < 1e-15);
	assert_true(fabs(looks_level(&l, 4, 0.01) - 0.00875) < 1e-15);
	looks_init(&l, 2, 2000);
	assert_int_equal(l.nr, LOOKS_MAX);
}

/* A run of up to sixty rounds keeps what it may spend: simulated, one-sided 0.025. */
static void long_runs_spend_no_more(void **state)
{
	enum { runs = 4000, rounds = 60 };
	static struct looks l;
	double cut[rounds + 1];
	struct rng rng;
	int crossed = 0;

	(void)state;
	looks_init(&l, 3, rounds);
	for (int n = 3; n <= rounds; n++)
		cut[n] = dist_t_quantile(1 - l.degraded[n - 3], n - 1);
	rng_init(&rng, 77);
	for (int i = 0; i < runs; i++) {
		double sum = 0, squares = 0;

		for (int n = 1; n <= rounds; n++) {
			double x = rng_normal(&rng), t;

			sum += x;
			squares += x * x;
			t = sum / n / sqrt((squares - sum * sum / n) / (n - 1) / n);
			if (n >= 3 && t > cut[n]) {
				crossed++;
				break;
			}
		}
	}
	/* 2.1875 % of 4000 and three deviations of chance either way. */
	assert_in_range(crossed, 60, 116);
}

static void looking_often_widens_the_intervals(void **state)
{
	static const char plan[] =
		"{\"schedule\": {\"rounds\": {\"min\": 3, \"max\": 12}}}";
	struct judge_options o = {0};
	struct err err = ERR_INIT;
	struct judgement a, b;
	struct result_set s;
	char *waits;

	(void)state;
	known_run_make(&s, 0.955, 5, METRIC_HIGHER);
	assert_int_equal(judge_run(&a, &s, NULL, &o, &err), 0);
	json_object_put(s.plan);
	s.plan = json_parse(plan, strlen(plan), "plan", &err);
	assert_non_null(s.plan);
	assert_int_equal(judge_run(&b, &s, NULL, &o, &err), 0);
	assert_true(b.items[0].ci90.low < a.items[0].ci90.low);
	assert_true(b.items[0].ci95.high > a.items[0].ci95.high);
	assert_int_equal(b.looks_max, 12);
	waits = judgement_waits_for(&b);
	assert_true(judgement_is_decided(&b) == (*waits == '\0'));
	free(waits);
	judgement_release(&a);
	judgement_release(&b);
	result_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_those_of_an_independent_computation),
		cmocka_unit_test(long_runs_spend_no_more),
		cmocka_unit_test(looking_often_widens_the_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
