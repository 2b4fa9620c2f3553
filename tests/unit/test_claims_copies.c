/* One measurement given as two, a plan that was changed, and what a result says against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/verdict/copies.h"
#include "reports/verdict/result_flaw.h"
#include "tests/support/staged.h"

enum { rounds = 6, values = 10 };

struct pair {
	struct result results[2][rounds];
	struct workload_side sides[2];
};

static const struct result_set run = {.is_run = true};
static const struct compared_side arms[] = {{&run, "metal", "metal"}, {&run, "vm", "vm"}};

/* A value that no other has, with 'ticks' 0; else one of so many. */
static double value_of(int side, int round, int i, int ticks)
{
	int nr = (side * rounds + round) * values + i;

	return 1 + (ticks ? nr * 7 % ticks : nr) * 1e-3;
}

static void make(struct pair *p, int ticks)
{
	static const struct metric_def flops = {"gemm.flops", "FLOP/s", METRIC_HIGHER,
						true, ""};

	for (int side = 0; side < 2; side++) {
		for (int k = 0; k < rounds; k++) {
			struct result *r = &p->results[side][k];
			struct samples m;

			result_init(r, "test", "gemm", "gemm");
			r->round = k + 1;
			samples_init(&m, &flops);
			for (int i = 0; i < values; i++)
				samples_add(&m, value_of(side, k, i, ticks));
			result_add_metric(r, &m);
		}
		p->sides[side] =
			(struct workload_side){&arms[side], p->results[side], rounds};
	}
}

static void release(struct pair *p)
{
	for (int side = 0; side < 2; side++)
		for (int k = 0; k < rounds; k++)
			result_release(&p->results[side][k]);
}

static void copy_values(const struct result *from, struct result *to, size_t nr)
{
	memcpy(to->metrics[0].values, from->metrics[0].values, nr * sizeof(double));
	to->metrics[0].nr = nr;
}

static void check(struct pair *p, const char *wanted)
{
	char *text = copies_find(p->sides);

	if (!wanted)
		assert_null(text);
	else
		assert_non_null(strstr(text ? text : "", wanted));
	free(text);
	release(p);
}

static void own_measurements_are_none(void **state)
{
	struct pair p;

	(void)state;
	make(&p, 0);
	check(&p, NULL);
	make(&p, 2); /* a clock of two ticks: many lists are equal */
	check(&p, NULL);
	make(&p, 1); /* nothing ever differs */
	check(&p, NULL);
}

static void an_id_given_twice_is_found(void **state)
{
	struct pair p;

	(void)state;
	make(&p, 0);
	free(p.results[1][4].id);
	p.results[1][4].id = x_strdup(p.results[0][1].id);
	check(&p, "have one id");
	make(&p, 0);
	free(p.results[1][4].id);
	p.results[1][4].id = x_strdup(p.results[1][1].id);
	check(&p, "round 5 of vm");
}

static void values_given_twice_are_found(void **state)
{
	struct pair p;

	(void)state;
	make(&p, 0);
	copy_values(&p.results[0][1], &p.results[1][4], values);
	check(&p, "the same values, bit for bit");
	make(&p, 0);
	copy_values(&p.results[1][1], &p.results[1][4], values);
	check(&p, "of vm and round");
	/* One value each: only all of them together say so. */
	make(&p, 0);
	for (int k = 0; k < rounds; k++) {
		p.results[0][k].metrics[0].nr = 1;
		copy_values(&p.results[0][k], &p.results[1][k], 1);
	}
	check(&p, "all 6 results of metal and vm");
	/* The same in another order. */
	make(&p, 0);
	for (int k = 0; k < rounds; k++)
		for (int i = 0; i < values; i++)
			p.results[1][k].metrics[0].values[i] =
				p.results[0][k].metrics[0].values[values - 1 - i];
	check(&p, "all 6 results of metal and vm");
}

/* n = m = k = 2: 16 FLOP a product. */
static void flaw(const char *name, const char *unit, enum metric_better better, bool gate,
		 double value, double seconds, const char *wanted)
{
	const struct metric_def def = {name, unit, better, gate, ""};
	const struct metric_def time = {"gemm.time", "s", METRIC_LOWER, false, ""};
	struct samples m;
	struct result r;
	char *text;

	result_init(&r, "test", "gemm", "gemm");
	result_set_params(&r, honest_json("{\"m\": 2, \"n\": 2, \"k\": 2}"));
	samples_init(&m, &def);
	if (value > 0)
		samples_add(&m, value);
	result_add_metric(&r, &m);
	samples_init(&m, &time);
	samples_add(&m, seconds);
	result_add_metric(&r, &m);
	text = result_flaw(&r);
	if (!text)
		text = metric_flaw(&r, &r.metrics[0]);
	if (!wanted)
		assert_null(text);
	else
		assert_non_null(strstr(text ? text : "", wanted));
	free(text);
	result_release(&r);
}

static void a_metric_is_what_its_name_says(void **state)
{
	(void)state;
	flaw("gemm.flops", "FLOP/s", METRIC_HIGHER, true, 8, 2, NULL);
	flaw("gemm.flops", "FLOP/s", METRIC_HIGHER, true, 8.05, 2, NULL);
	flaw("gemm.flops", "FLOP/s", METRIC_HIGHER, true, 10.4, 2, "work: ");
	flaw("gemm.flops", "FLOP/s", METRIC_HIGHER, true, 8e6, 2, "work: ");
	flaw("gemm.flops", "FLOP/s", METRIC_HIGHER, true, 0, 2, "no-values");
	flaw("gemm.flops", "s", METRIC_HIGHER, true, 8, 2, "is in FLOP/s");
	flaw("gemm.flops", "FLOP/s", METRIC_LOWER, true, 8, 2, "higher is better");
	flaw("gemm.gap", "s", METRIC_LOWER, true, 8, 2, "takes no part");
	flaw("link.h2d.gpu0", "byte/s", METRIC_LOWER, true, 8, 2, "higher is better");
	flaw("gemm.flopsy", "s", METRIC_LOWER, true, 8, 2, NULL); /* another's own */
}

static const struct staged lies[] = {
	{"another n under the old digest",
	 HONEST_GPU,
	 {{PARAMS_ONLY, VM, 0, "n", "4096"}},
	 "not those that its digest is of"},
	{"another n under the old digest on both",
	 HONEST_GPU,
	 {{PARAMS_ONLY, BOTH, 0, "n", "4096"}},
	 "not those that its digest is of"},
	{"no parameters at all",
	 HONEST_CPU,
	 {{PARAMS, BOTH, 0, "backend", NULL}},
	 "what the work was is not known"},
	{"no digest of C on either side",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "digest_c", NULL}},
	 "the digest of C is not known"},
	{"the plan was changed after the run",
	 HONEST_GPU,
	 {{PLAN_ONLY, 0, 0, "margins", "{\"gemm.flops\": 0.9}"}},
	 "plan-changed"},
	{"one id in two rounds of an arm",
	 HONEST_GPU,
	 {{ID, VM, 3, "", "r1"}, {ID, VM, 1, "", "r1"}},
	 "given twice"},
	{"a round of one arm was taken away",
	 HONEST_GPU,
	 {{LOST, VM, 2, "", NULL}},
	 "rounds-lost: round 2 of vm"},
	{"the last round of one arm was, and the journal has it",
	 HONEST_GPU,
	 {{LOST, VM, 4, "", NULL}},
	 "rounds-lost: round 4 of vm"},
	{"a round of both arms was",
	 HONEST_CPU,
	 {{LOST, BOTH, 3, "", NULL}},
	 "rounds-lost: round 3 of metal"},
	{"another size than the plan's",
	 HONEST_GPU,
	 {{PLAN, 0, 0, "workloads", "[{\"name\": \"gemm\", \"gemm\": {\"n\": 16384}}]"},
	  {PARAMS, BOTH, 0, "n", "2048"}},
	 "the plan has n = 16384, and the result 2048"},
	/* what a result says against itself */
	{"sound beside a check that failed",
	 HONEST_GPU,
	 {{CHECKS, VM, 2, "0",
	   "{\"name\": \"below-peak\", \"passed\": false, \"detail\": \"2 of 1\"}"}},
	 "below-peak (2 of 1)"},
	{"sound beside a reason why not",
	 HONEST_GPU,
	 {{REASON, VM, 1, "", "c-is-right: 3 entries are off"}},
	 "c-is-right: 3 entries"},
	{"sound with wrong entries of C",
	 HONEST_GPU,
	 {{DETAILS, VM, 0, "c", "{\"wrong\": 200}"}},
	 "200 wrong entries"},
	{"facts of a schema to come",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "schema", "\"tare.machine/2\""}},
	 "tare.machine/2"},
	{"a round that is none",
	 HONEST_GPU,
	 {{ROUND, VM, 1, "", "-1"}},
	 "counts its rounds from 1"},
};

/* One run each, all of whose claims are shown but for the edit. */
static void no_lie_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		char *reason;

		assert_int_equal(staged_judge(&lies[i], &reason), VERDICT_INVALID);
		if (!strstr(reason, lies[i].reason))
			fail_msg("%s: %s", lies[i].name, reason);
		free(reason);
	}
}

/* A workload that the plan has, and what gates in it. */
static void what_the_plan_has_is_not_left_out(void **state)
{
	static const struct edit plan = {PLAN, 0, 0, "workloads",
					 "[{\"name\": \"gemm\"}, {\"name\": \"slow\"}]"};
	static const struct edit shown = {
		PLAN, 0, 0, "workloads",
		"[{\"name\": \"gemm\"}, {\"name\": \"slow\", \"gate\": false}]"};
	static const struct edit ungated = {UNGATED, BOTH, 0, "", NULL};
	struct result_set s;
	struct judgement j;

	(void)state;
	for (int i = 0; i < 3; i++) {
		staged_make(&s, HONEST_GPU);
		staged_apply(&s, i == 1 ? &shown : &plan);
		if (i == 2)
			staged_apply(&s, &ungated);
		known_run_judge(&s, &j);
		assert_int_equal(j.overall,
				 i == 1 ? VERDICT_EQUIVALENT : VERDICT_INVALID);
		if (i != 1)
			assert_non_null(strstr(j.reason, "'slow' has no result"));
		if (i == 2)
			assert_non_null(strstr(j.items[0].reason, "no plan says so"));
		judgement_release(&j);
		result_set_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_measurements_are_none),
		cmocka_unit_test(an_id_given_twice_is_found),
		cmocka_unit_test(values_given_twice_are_found),
		cmocka_unit_test(a_metric_is_what_its_name_says),
		cmocka_unit_test(no_lie_is_believed),
		cmocka_unit_test(what_the_plan_has_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
