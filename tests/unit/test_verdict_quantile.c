/* Quantiles of a round: when they gate, and the two intervals that they are judged by. */
#include "reports/verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "tests/support/known_run.h"

static void a_quantile_gates_only_where_it_is_named(void **state)
{
	struct margins m;
	struct judge_options o = {.margins = &m};
	struct err err = ERR_INIT;
	struct json_object *own = json_object_new_object();
	struct result_set s;
	struct judgement j;

	(void)state;
	margins_init(&m);
	json_put_real(own, "m:p99", 0.1);
	assert_int_equal(margins_add_json(&m, own, "test", &err), 0);
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	assert_int_equal(judge_run(&j, &s, NULL, &o, &err), 0);
	/* One sample a round: there is no p99, and that is said instead of passing. */
	assert_int_equal(j.nr, 2);
	assert_string_equal(j.items[1].statistic, "p99");
	assert_int_equal(j.items[1].verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(j.items[1].reason, "662"));
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE);
	judgement_release(&j);
	result_set_release(&s);
	json_object_put(own);
	margins_release(&m);
}

/* 'rounds' rounds of 'nr' latencies with a long tail, the candidate's 'ratio' times. */
static void make_latencies(struct result_set *s, double ratio, int rounds, int nr)
{
	double *values = x_calloc((size_t)nr + 1, sizeof(*values));
	struct rng rng;

	rng_init(&rng, 3);
	result_set_init(s, "run");
	s->is_run = true;
	s->baseline = x_strdup("metal");
	for (int i = 0; i < rounds; i++) {
		for (int arm = 0; arm < 2; arm++) {
			double level = (arm ? ratio : 1) * exp(0.002 * rng_normal(&rng));

			for (int k = 0; k < nr; k++)
				values[k] = level * (10 - log((k + 0.5) / nr));
			values[nr] = NAN;
			known_run_add(s, arm ? "vm" : "metal", i + 1, "m", METRIC_LOWER,
				      values);
		}
	}
	result_set_sort(s);
	free(values);
}

static const struct comparison *of_statistic(const struct judgement *j, const char *name)
{
	for (size_t i = 0; i < j->nr; i++)
		if (strcmp(j->items[i].statistic, name) == 0)
			return &j->items[i];
	return NULL;
}

/* Both intervals count: the wider end on either side. */
static void a_quantile_is_judged_by_rounds_and_by_bootstrap(void **state)
{
	struct result_set s;
	struct judgement j;
	const struct comparison *c;
	struct log_ratio t;
	struct interval i, b;

	(void)state;
	make_latencies(&s, 1.2, 6, 200);
	known_run_judge(&s, &j);
	c = of_statistic(&j, "p95");
	assert_non_null(c);
	assert_true(c->has_pooled && !c->is_pooled);
	assert_non_null(strstr(c->method, "bootstrap"));
	assert_int_equal(c->verdict, VERDICT_DEGRADED);
	assert_true(log_ratio_paired(c->baseline_values, c->candidate_values, 6, &t));
	i = log_ratio_interval(&t, 1 - 2 * c->alpha_degraded);
	b = log_ratio_interval(&c->pooled, 1 - 2 * c->alpha_degraded);
	assert_true(c->ci95.low == fmin(i.low, b.low));
	assert_true(c->ci95.high == fmax(i.high, b.high));
	assert_true(i.low != b.low);
	assert_null(of_statistic(&j, "p99")); /* 200 a round, and nobody asked */
	judgement_release(&j);
	result_set_release(&s);
}

/* Six rounds of 120 samples: too few in each for p99, and 720 in all. */
static void scarce_rounds_are_judged_together(void **state)
{
	struct json_object *own = json_object_new_object(), *o;
	struct margins m;
	struct judge_options options = {.margins = &m};
	struct err err = ERR_INIT;
	const struct comparison *c;
	struct result_set s;
	struct judgement j;
	double level;

	(void)state;
	margins_init(&m);
	json_put_real(own, "m:p99", 0.1);
	assert_int_equal(margins_add_json(&m, own, "test", &err), 0);
	make_latencies(&s, 1.3, 6, 120);
	assert_int_equal(judge_run(&j, &s, NULL, &options, &err), 0);
	c = of_statistic(&j, "p99");
	assert_non_null(c);
	assert_true(c->is_pooled && c->gate && c->has_interval);
	assert_int_equal(c->verdict, VERDICT_DEGRADED);
	assert_true(fabs(c->ratio / 1.3 - 1) < 0.01);
	assert_true(comparison_level(c, true, &level) && level == c->pooled_values[1]);
	o = judgement_to_json(&j);
	json_object_put(o);
	judgement_release(&j);
	result_set_release(&s);
	make_latencies(&s, 1.3, 4, 120); /* 480 in all: two rounds more would do */
	assert_int_equal(judge_run(&j, &s, NULL, &options, &err), 0);
	c = of_statistic(&j, "p99");
	assert_int_equal(c->verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(c->needed_n, 6);
	assert_non_null(strstr(c->reason, "662"));
	judgement_release(&j);
	result_set_release(&s);
	json_object_put(own);
	margins_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quantile_gates_only_where_it_is_named),
		cmocka_unit_test(a_quantile_is_judged_by_rounds_and_by_bootstrap),
		cmocka_unit_test(scarce_rounds_are_judged_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
