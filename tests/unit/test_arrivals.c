/*
 * Arrivals against the distributions' own formulas: Kolmogorov and Smirnov's statistic
 * with its asymptotic 1 % point, 1.628 / sqrt(n) (Smirnov, 1948), and chi-squared counts.
 * The seed is fixed, so a pass is a pass for ever.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "inference/load/engine/arrivals.h"

enum { N = 20000 };

static void draw(enum stage_kind kind, uint64_t lane, uint64_t lanes, size_t nr,
		 int64_t *at, uint64_t *index)
{
	struct load_stage stage = {.kind = kind, .rate_per_s = 1000, .seed = 42};
	struct arrivals s;

	arrivals_init(&s, &stage, NULL, 1, (struct arrivals_lane){lane, lanes});
	for (size_t i = 0; i < nr; i++)
		assert_true(arrivals_next(&s, &index[i], &at[i]));
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The largest distance between the gaps' distribution and 1 - exp(-rate t). */
static double ks_exponential(const int64_t *at, size_t nr, double rate)
{
	double *gaps = x_calloc(nr, sizeof(*gaps)), d = 0;

	for (size_t i = 1; i < nr; i++)
		gaps[i - 1] = (double)(at[i] - at[i - 1]) * 1e-9;
	nr--;
	qsort(gaps, nr, sizeof(*gaps), order);
	for (size_t i = 0; i < nr; i++) {
		double f = 1 - exp(-rate * gaps[i]);

		d = fmax(d, fmax(fabs(f - (double)i / (double)nr),
				 fabs(f - (double)(i + 1) / (double)nr)));
	}
	free(gaps);
	return d;
}

static void test_poisson(void **state)
{
	int64_t *at = x_calloc(N, sizeof(*at));
	uint64_t *index = x_calloc(N, sizeof(*index));
	double correlation = 0, mean, chi = 0;
	int bins[20] = {0};

	(void)state;
	draw(STAGE_POISSON, 0, 1, N, at, index);
	assert_true(ks_exponential(at, N, 1000) < 1.628 / sqrt(N));
	/* Gaps know nothing of each other, as they would if drawn from one seed twice. */
	mean = (double)(at[N - 1] - at[0]) / (N - 1);
	for (size_t i = 2; i < N; i++)
		correlation += ((double)(at[i] - at[i - 1]) / mean - 1) *
			       ((double)(at[i - 1] - at[i - 2]) / mean - 1);
	assert_true(fabs(correlation / N) < 2.6 / sqrt(N));
	/* Arrivals lie uniformly in time: 19 degrees of freedom, 1 % point 36.19. */
	for (size_t i = 0; i < N; i++)
		bins[(size_t)((double)at[i] / ((double)at[N - 1] + 1) * 20)]++;
	for (int b = 0; b < 20; b++)
		chi += (bins[b] - N / 20.0) * (bins[b] - N / 20.0) / (N / 20.0);
	assert_true(chi < 36.19);
	free(at);
	free(index);
}

/* Dealt out to any number of lanes, the arrivals are the same ones. */
static void test_lanes(void **state)
{
	static const enum stage_kind kinds[] = {STAGE_POISSON, STAGE_CONSTANT};
	int64_t *all = x_calloc(N, sizeof(*all)), *own = x_calloc(N, sizeof(*own));
	uint64_t *index = x_calloc(N, sizeof(*index));

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		draw(kinds[k], 0, 1, N, all, index);
		for (uint64_t lanes = 2; lanes <= 7; lanes += 5) {
			for (uint64_t lane = 0; lane < lanes; lane++) {
				draw(kinds[k], lane, lanes, 1000, own, index);
				for (size_t i = 0; i < 1000; i++) {
					assert_int_equal(index[i], i * lanes + lane);
					assert_int_equal(own[i], all[index[i]]);
				}
			}
		}
	}
	free(all);
	free(own);
	free(index);
}

static void test_constant(void **state)
{
	int64_t at[3000];
	uint64_t index[3000];

	(void)state;
	draw(STAGE_CONSTANT, 0, 1, 3000, at, index);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(at[i], i * INT64_C(1000000));
}

static char *write_trace(const char *text)
{
	char *path = x_strdup("/tmp/tare-trace-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), 0);
	return path;
}

static void test_trace(void **state)
{
	struct load_stage stage = {.kind = STAGE_TRACE};
	struct trace t;
	struct arrivals s;
	struct err err = ERR_INIT;
	uint64_t index;
	int64_t at;
	char *path = write_trace("{\"at_s\":0,\"prompt_tokens\":5,\"output_tokens\":6}\n"
				 "{\"timestamp\":1500,\"input_length\":7,"
				 "\"output_length\":8}\n\n");

	(void)state;
	assert_int_equal(trace_read(path, true, &t, &err), 0);
	assert_int_equal(t.nr, 2);
	assert_int_equal(t.entries[1].prompt_tokens, 7);
	arrivals_init(&s, &stage, &t, 2, (struct arrivals_lane){0, 1});
	assert_true(arrivals_next(&s, &index, &at) && at == 0);
	assert_true(arrivals_next(&s, &index, &at) && at == INT64_C(3000000000));
	assert_false(arrivals_next(&s, &index, &at));
	trace_release(&t);
	unlink(path);
	free(path);
}

/* Drawn out past what an int64_t of nanoseconds holds, a time is far off, not in the past. */
static void test_far_off(void **state)
{
	struct trace_entry entry = {.at_ns = INT64_C(9000000) * 1000000000};
	struct trace t = {.entries = &entry, .nr = 1};
	struct load_stage stage = {.kind = STAGE_TRACE};
	struct arrivals s;
	int64_t at;
	uint64_t index;

	(void)state;
	arrivals_init(&s, &stage, &t, 1e6, (struct arrivals_lane){0, 1});
	assert_true(arrivals_next(&s, &index, &at));
	assert_true(at > INT64_C(50) * 365 * 86400 * 1000000000);
}

static void test_bad_traces(void **state)
{
	static const char *const bad[] = {
		"",
		"{}\n",
		"not json\n",
		"{\"at_s\":1,\"prompt_tokens\":0,\"output_tokens\":6}\n",
		"{\"prompt_tokens\":1,\"output_tokens\":6}\n",
		("{\"at_s\":1,\"prompt_tokens\":1,\"output_tokens\":6}\n"
		 "{\"at_s\":0.5,\"prompt_tokens\":1,\"output_tokens\":6}\n"),
		"{\"at_s\":-1,\"prompt_tokens\":1,\"output_tokens\":6}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;
		struct trace t;
		char *path = write_trace(bad[i]);

		assert_int_equal(trace_read(path, true, &t, &err), -1);
		assert_non_null(strstr(err.text, path));
		unlink(path);
		free(path);
	}
}

static void test_lengths(void **state)
{
	struct length_rule fixed = {.mean = 9};
	struct length_rule uniform = {.kind = LENGTH_UNIFORM, .min = 3, .max = 6};
	struct length_rule normal = {.kind = LENGTH_NORMAL,
				     .mean = 100,
				     .deviation = 10,
				     .min = 80,
				     .max = 200};
	int seen[4] = {0};
	double sum = 0, squares = 0;
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	assert_int_equal(length_draw(&fixed, &rng), 9);
	for (int i = 0; i < 4000; i++)
		seen[length_draw(&uniform, &rng) - 3]++;
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 880, 1120);
	for (int i = 0; i < N; i++) {
		int32_t n = length_draw(&normal, &rng);

		assert_in_range(n, 80, 200);
		sum += n;
		squares += (double)n * n;
	}
	/* Z = max(N(0,1), -2): E Z = phi(2) - 2 Phi(-2) = 0.00849, sd Z = 0.9799. */
	assert_true(fabs(sum / N - 100.085) < 0.3);
	assert_true(fabs(sqrt(squares / N - sum / N * sum / N) - 9.80) < 0.2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poisson),  cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_constant), cmocka_unit_test(test_trace),
		cmocka_unit_test(test_far_off),  cmocka_unit_test(test_bad_traces),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
