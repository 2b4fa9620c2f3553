/*
 * Profiles against a made-up server whose throughput is min(c, knee) * 100 token/s and
 * whose requests are good up to a known concurrency; Wilson's interval against the values
 * in Newcombe, Statistics in Medicine 17 (1998), table I.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "inference/load/profile.h"

struct server {
	double knee, good_up_to;
};

static struct stage_result serve(const struct server *s, const struct load_stage *stage)
{
	double c = (double)stage->concurrency;
	struct stage_result r = {.stage = *stage, .judged = 1000};

	r.output_tokens_per_s = 100 * fmin(c, s->knee);
	r.requests_per_s = fmin(c, s->knee);
	r.good = c <= s->good_up_to ? 999 : 500;
	return r;
}

static size_t run(const struct load_options *o, const struct server *s,
		  struct stage_result *done)
{
	struct load_stage stage;
	size_t nr = 0;

	for (; profile_next(o, done, nr, &stage); nr++) {
		assert_true(nr < 40);
		done[nr] = serve(s, &stage);
	}
	return nr;
}

static void test_saturation(void **state)
{
	struct load_options o = {.profile = PROFILE_SATURATION,
				 .max_concurrency = 512,
				 .saturation_gain = 0.05};
	struct stage_result done[PROFILE_STAGES_MAX];

	(void)state;
	for (double knee = 1; knee <= 300; knee = knee * 1.7 + 1) {
		struct server s = {.knee = knee};
		size_t nr = run(&o, &s, done);
		int64_t found = profile_saturation(done, nr, 0.05);

		/* Within an eighth above, and not below 95 % of the knee. */
		assert_true((double)found >= 0.95 * floor(knee));
		assert_true((double)found <= 1.15 * knee + 1);
		assert_true(profile_is_saturated(done, nr, 0.05));
		assert_true(nr <= 16);
	}
}

static void test_saturation_is_bounded(void **state)
{
	struct load_options o = {.profile = PROFILE_SATURATION,
				 .max_concurrency = 48,
				 .saturation_gain = 0.05};
	struct stage_result done[PROFILE_STAGES_MAX];
	struct server s = {.knee = 1e6};
	size_t nr = run(&o, &s, done);

	(void)state;
	assert_int_equal(profile_saturation(done, nr, 0.05), 48);
	assert_false(profile_is_saturated(done, nr, 0.05)); /* it still rises there */
	for (size_t i = 0; i < nr; i++)
		assert_true(done[i].stage.concurrency <= 48);
}

static void test_slo(void **state)
{
	struct load_options o = {
		.profile = PROFILE_SLO, .max_concurrency = 512, .slo_share = 0.99};
	struct stage_result done[PROFILE_STAGES_MAX];

	(void)state;
	for (double limit = 0; limit <= 512; limit = limit * 1.6 + 1) {
		struct server s = {.knee = 64, .good_up_to = limit};
		size_t nr = run(&o, &s, done);
		long best = profile_slo(done, nr, 0.99);

		if (limit < 1) {
			assert_int_equal(best, -1);
			continue;
		}
		assert_true((double)done[best].stage.concurrency <= limit);
		assert_true((double)done[best].stage.concurrency >=
			    floor(limit) * 15 / 17 - 1);
	}
}

static void test_sweep(void **state)
{
	struct load_options o = {.profile = PROFILE_SWEEP,
				 .max_concurrency = 64,
				 .sweep_size = 5,
				 .sweep_pattern = 1};
	struct stage_result done[PROFILE_STAGES_MAX];
	struct server s = {.knee = 33};
	size_t nr = run(&o, &s, done);

	(void)state;
	assert_int_equal(nr, 5);
	assert_int_equal(done[0].stage.concurrency, 1);
	assert_int_equal(done[1].stage.kind, STAGE_THROUGHPUT);
	for (size_t i = 2; i < 5; i++) {
		assert_int_equal(done[i].stage.kind, STAGE_CONSTANT);
		assert_true(fabs(done[i].stage.rate_per_s -
				 (1 + 32 * (double)(i - 1) / 4)) < 1e-9);
	}
}

static void test_fixed(void **state)
{
	int64_t levels[] = {4, 2, 9};
	struct load_options o = {.profile = PROFILE_CONCURRENT,
				 .concurrency = {.items = levels, .nr = 3}};
	struct stage_result done[PROFILE_STAGES_MAX];
	struct server s = {.knee = 5};

	(void)state;
	assert_int_equal(run(&o, &s, done), 3);
	assert_string_equal(done[2].stage.label, "c9");
	assert_true(done[0].stage.seed != done[1].stage.seed);
	assert_int_equal(profile_widest(&o), 9);
	o.profile = PROFILE_POISSON;
	o.rate = 12.5;
	assert_int_equal(run(&o, &s, done), 1);
	assert_string_equal(done[0].stage.label, "r12.5");
}

static void test_wilson(void **state)
{
	double low, high;

	(void)state;
	/* SciPy 1.17.1, binomtest(k, n).proportion_ci(0.95, "wilson"). */
	wilson_interval(81, 263, &low, &high);
	assert_true(fabs(low - 0.2552885198782742) < 1e-12 &&
		    fabs(high - 0.36620957698280004) < 1e-12);
	wilson_interval(0, 20, &low, &high);
	assert_true(low == 0 && fabs(high - 0.16112515805281935) < 1e-12);
	wilson_interval(20, 20, &low, &high);
	assert_true(fabs(low - 0.8388748419471808) < 1e-12 && high == 1);
	wilson_interval(1, 3, &low, &high);
	assert_true(fabs(low - 0.06149194472039626) < 1e-12 &&
		    fabs(high - 0.7923403991979523) < 1e-12);
	wilson_interval(0, 0, &low, &high);
	assert_true(low == 0 && high == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saturation),
		cmocka_unit_test(test_saturation_is_bounded),
		cmocka_unit_test(test_slo),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_wilson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
