/*
 * One measurement on an engine of this test's own, which writes down what it is asked for
 * and whose C is right for as many products as went through it since it was filled.
 */
#include "gemm/run.h"

#include "gemm/autotune.h"
#include "gemm/fill.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ALGORITHMS = 5, M = 5, N = 4, K = 3 };

struct bench {
	struct engine engine;
	char calls[400];   /* "reset multiply3 sample ..." */
	const char *fails; /* the call that does */
	int64_t products;  /* since C was filled */
	bool is_wrong;     /* C is, by a half */
	double each;       /* seconds that every product takes; 0: as bench_seconds() */
	int chosen;        /* algorithm; -1: the library's */
};

static struct problem problem(void)
{
	return (struct problem){.m = M,
				.n = N,
				.k = K,
				.alpha = 0.5,
				.beta = 2,
				.seed = 3,
				.arithmetic =
					arithmetic_find(PRECISION_FP64, COMPUTE_FP64)};
}

static int note(struct bench *b, const char *call, struct err *err)
{
	size_t len = strlen(b->calls);

	snprintf(b->calls + len, sizeof(b->calls) - len, "%s%s", len ? " " : "", call);
	if (b->fails && strcmp(b->fails, call) == 0)
		return err_set(err, ERR_ENVIRONMENT, "the bench failed");
	return 0;
}

static int bench_reset(struct engine *e, struct err *err)
{
	((struct bench *)e)->products = 0;
	return note((struct bench *)e, "reset", err);
}

/*
 * Product i takes (i + 1) seconds. With a chosen algorithm the second and third take turns
 * around a mean of their own, and the first wakes it up: it takes long with the fastest.
 */
static double bench_seconds(int algorithm, int64_t i)
{
	static const double means[ALGORITHMS] = {5, 1, 1, 2, 3};

	if (algorithm < 0)
		return (double)(i + 1);
	return i == 0 ? 60 / means[algorithm]
		      : means[algorithm] + (i % 2 ? 0.5 : -0.5) * (5 - algorithm);
}

static int bench_multiply(struct engine *e, int64_t nr, double *seconds, double *gaps,
			  struct err *err)
{
	struct bench *b = (struct bench *)e;
	char call[40];

	snprintf(call, sizeof(call), "multiply%d", (int)nr);
	for (int64_t i = 0; i < nr; i++) {
		if (seconds)
			seconds[i] = b->each > 0 ? b->each : bench_seconds(b->chosen, i);
		if (gaps && i + 1 < nr)
			gaps[i] = 0.25 * (double)(i + 1);
	}
	b->products += nr;
	if (b->chosen == 1)
		return err_set(err, ERR_ENVIRONMENT, "algorithm 1 does not run");
	return note(b, call, err);
}

/* By plain loops. Algorithm 2, the fastest, is wrong. */
static int bench_sample(struct engine *e, struct sample *samples, int64_t nr,
			struct err *err)
{
	struct bench *b = (struct bench *)e;
	struct problem p = problem();
	enum element_type t = ELEMENT_F64;

	for (int64_t i = 0; i < nr; i++) {
		struct sample *s = &samples[i];
		uint64_t at_c = (uint64_t)(s->row + s->column * M);
		double c = fill_stored(t, p.fill, problem_seed(&p, MATRIX_C), at_c);

		s->dot = s->squares = s->magnitudes = 0;
		for (int64_t l = 0; l < K; l++) {
			double x = fill_stored(t, p.fill, problem_seed(&p, MATRIX_A),
					       (uint64_t)(s->row + l * M)) *
				   fill_stored(t, p.fill, problem_seed(&p, MATRIX_B),
					       (uint64_t)(l + s->column * K));

			s->dot += x;
			s->squares += x * x;
			s->magnitudes += fabs(x);
		}
		for (int64_t r = 0; r < b->products; r++)
			c = 0.5 * s->dot + 2 * c;
		s->value = c + (b->is_wrong || b->chosen == 2 ? 0.5 : 0);
	}
	return note(b, "sample", err);
}

static int bench_digest(struct engine *e, uint64_t sums[2], struct err *err)
{
	sums[0] = 0x0123456789abcdef;
	sums[1] = 0xf;
	return note((struct bench *)e, "digest", err);
}

static int bench_algorithms(struct engine *e, int *ret_nr, struct err *err)
{
	*ret_nr = ALGORITHMS;
	return note((struct bench *)e, "algorithms", err);
}

static void bench_choose(struct engine *e, int algorithm)
{
	((struct bench *)e)->chosen = algorithm;
}

static const struct engine_ops ops = {
	.name = "bench",
	.wants_steady = true,
	.reset = bench_reset,
	.multiply = bench_multiply,
	.sample = bench_sample,
	.digest = bench_digest,
	.algorithms = bench_algorithms,
	.choose = bench_choose,
};

static struct bench bench(void)
{
	return (struct bench){.engine = {.ops = &ops}, .chosen = -1};
}

static void on_timed(void *ctx, bool begins)
{
	note(ctx, begins ? "begins" : "ends", NULL);
}

static void on_warmup(void *ctx, double done_fraction)
{
	(void)ctx;
	assert_true(done_fraction > 0 && done_fraction <= 1);
}

static int run(struct bench *b, int64_t warmup_ns, struct run_outcome *o, struct err *err)
{
	const struct run_plan plan = {.iterations = 3,
				      .warmup_ns = warmup_ns,
				      .on_warmup = on_warmup,
				      .on_timed = on_timed,
				      .ctx = b};
	struct problem p = problem();

	return run_measure(&b->engine, &p, &plan, o, err);
}

static void test_order(void **state)
{
	struct bench b = bench();
	struct err err = ERR_INIT;
	struct run_outcome o;

	(void)state;
	assert_int_equal(run(&b, 0, &o, &err), 0);
	assert_string_equal(b.calls, "reset begins multiply3 ends sample digest");
	assert_int_equal(o.nr, 3);
	for (int i = 0; i < 3; i++)
		assert_true(o.seconds[i] == i + 1);
	assert_true(o.gaps[0] == 0.25 && o.gaps[1] == 0.5);
	assert_int_equal(o.warmup_products, 0);
	assert_true(o.started_ns > 0 && o.wall_ns > 0);
	assert_true(o.verdict.passed);
	assert_int_equal(o.verdict.samples, VERIFY_SAMPLES);
	assert_string_equal(o.digest, "0123456789abcdef000000000000000f");
	run_outcome_release(&o);
	assert_null(o.seconds);
}

/* Products of a second each stay alone in their batch: every one is a stretch. */
static void test_warms_up(void **state)
{
	struct bench b = bench();
	struct err err = ERR_INIT;
	struct run_outcome o;

	(void)state;
	assert_int_equal(run(&b, 1000, &o, &err), 0);
	assert_non_null(strstr(b.calls, "multiply1 "));
	assert_null(strstr(b.calls, "sample multiply"));
	assert_true(o.warmup_products > 0);
	assert_true(o.warmup_ns >= 1000);
	assert_true(o.verdict.passed); /* the warm-up's products do not count */
	run_outcome_release(&o);
}

static void note_least(void *ctx, double done_fraction)
{
	double *least = ctx;

	*least = fmin(*least, done_fraction);
}

/*
 * Of products of 10 ms a batch of a tenth of a second has ten, once it is known how long one
 * takes; two stretches of the same mean are steady.
 */
static void test_batches(void **state)
{
	double least = 1;
	const struct run_plan plan = {.iterations = 3,
				      .warmup_ns = 100000000,
				      .on_warmup = note_least,
				      .ctx = &least};
	struct problem p = problem();
	struct bench b = bench();
	struct err err = ERR_INIT;
	struct run_outcome o;

	(void)state;
	b.each = 0.01;
	assert_int_equal(run_measure(&b.engine, &p, &plan, &o, &err), 0);
	assert_memory_equal(b.calls, "multiply1 multiply10 multiply10 ", 32);
	assert_int_equal(o.warmup_products % 10, 1);
	assert_true(o.was_steady);
	assert_true(least < 0.9);
	run_outcome_release(&o);
}

static void test_wrong_c(void **state)
{
	struct bench b = bench();
	struct err err = ERR_INIT;
	struct run_outcome o;

	(void)state;
	b.is_wrong = true;
	assert_int_equal(run(&b, 0, &o, &err), 0);
	assert_false(o.verdict.passed);
	run_outcome_release(&o);
}

/* Whatever fails ends it, and the end of the timed span is told all the same. */
static void test_failures(void **state)
{
	static const struct {
		const char *fails, *calls;
	} cases[] = {
		{"reset", "reset"},
		{"multiply3", "reset begins multiply3 ends"},
		{"sample", "reset begins multiply3 ends sample"},
		{"digest", "reset begins multiply3 ends sample digest"},
	};
	struct run_outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b = bench();
		struct err err = ERR_INIT;

		b.fails = cases[i].fails;
		assert_int_equal(run(&b, 0, &o, &err), -1);
		assert_string_equal(b.calls, cases[i].calls);
		assert_string_equal(err.text, "the bench failed");
	}
}

static void check_tuned(struct bench *b, int winner, int64_t wrong, int64_t failed)
{
	struct problem p = problem();
	struct err err = ERR_INIT;
	struct autotune a;

	assert_int_equal(autotune_measure(&b->engine, &p, 4, &a, &err), 0);
	assert_int_equal(a.candidates, ALGORITHMS);
	assert_int_equal(a.winner, winner);
	assert_int_equal(a.wrong, wrong);
	assert_int_equal(a.failed, failed);
	assert_int_equal(b->chosen, -1);
	if (winner >= 0) {
		assert_int_equal(a.nr, 4);
		for (int i = 0; i < 4; i++)
			assert_true(a.seconds[i] == bench_seconds(winner, i));
	}
	autotune_release(&a);
	assert_int_equal(a.winner, -1);
}

/* 1 fails, 2 is the fastest and wrong, 3 is the fastest that is right. */
static void test_autotune(void **state)
{
	struct engine_ops without = ops;
	struct problem p = problem();
	struct bench b = bench();
	struct err err = ERR_INIT;
	struct autotune a;

	(void)state;
	check_tuned(&b, 3, 1, 1);
	assert_null(strstr(b.calls, "multiply3 multiply")); /* always from a fresh C */
	b = bench();
	b.is_wrong = true;
	check_tuned(&b, -1, 4, 1);
	b = bench();
	b.fails = "multiply4"; /* the winner's measurement */
	assert_int_equal(autotune_measure(&b.engine, &p, 4, &a, &err), -1);
	assert_int_equal(b.chosen, -1);
	b = bench();
	b.fails = "algorithms";
	assert_int_equal(autotune_measure(&b.engine, &p, 4, &a, &err), -1);
	without.algorithms = NULL;
	b.engine.ops = &without;
	err = (struct err)ERR_INIT;
	assert_int_equal(autotune_measure(&b.engine, &p, 4, &a, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),    cmocka_unit_test(test_warms_up),
		cmocka_unit_test(test_batches),  cmocka_unit_test(test_wrong_c),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_autotune),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
