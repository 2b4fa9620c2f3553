/*
 * Other gates on the same numbers. A threshold, a t-test and Mann-Whitney take every
 * iteration for an independent sample; TOST is two one-sided t-tests at 5 % of the rounds'
 * paired log ratios; Otava is its algorithm with its defaults on the rounds' means, the
 * candidate's after the baseline's: the split of greatest energy (E-divisive: Matteson and
 * James, J. Am. Stat. Assoc. 109, 2014) where a t-test of both parts has p < 0.001
 * (Apache Otava, formerly Hunter: Fleming and others, ICPE 2023).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "tests/bench/verdicts_world.h"

enum { gate_rounds_most = 30, pool_most = gate_rounds_most * iterations };

/* What a gate makes of a comparison; a test for a difference has no OPEN. */
enum says { PASSES, ALARMS, OPEN };

static double pooled(const struct data *d, int rounds, int arm, double *values)
{
	double sum = 0;

	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < iterations; k++) {
			values[i * iterations + k] = d->samples[arm][i][k];
			sum += d->samples[arm][i][k];
		}
	}
	return sum / (rounds * iterations);
}

static enum says threshold(struct data *d, int rounds)
{
	double b[pool_most] = {0}, c[pool_most] = {0};

	return pooled(d, rounds, 1, c) < 0.95 * pooled(d, rounds, 0, b) ? ALARMS : PASSES;
}

static enum says t_test(struct data *d, int rounds)
{
	double b[pool_most] = {0}, c[pool_most] = {0};
	double mb = pooled(d, rounds, 0, b), mc = pooled(d, rounds, 1, c), sb = 0, sc = 0;
	size_t nr = (size_t)(rounds * iterations);
	bool alarms;

	stats_sd(b, nr, &sb);
	stats_sd(c, nr, &sc);
	alarms = mc < mb && (mb - mc) / sqrt((sb * sb + sc * sc) / (double)nr) >
				    dist_t_quantile(0.975, 2 * (double)nr - 2);
	return alarms ? ALARMS : PASSES;
}

/* Normal approximation without ties: values are continuous. */
static enum says mann_whitney(struct data *d, int rounds)
{
	double b[pool_most] = {0}, c[pool_most] = {0}, u = 0, nr = rounds * iterations;
	double mean = nr * nr / 2, sd = sqrt(nr * nr * (2 * nr + 1) / 12);

	pooled(d, rounds, 0, b);
	pooled(d, rounds, 1, c);
	for (int i = 0; i < rounds * iterations; i++)
		for (int k = 0; k < rounds * iterations; k++)
			u += c[i] < b[k];
	return (u - mean) / sd > 1.959963984540054 ? ALARMS : PASSES;
}

/* Distances from x to the values of a part, in sum. */
static double distances(const double *values, int from, int to, double x)
{
	double sum = 0;

	for (int i = from; i < to; i++)
		sum += fabs(values[i] - x);
	return sum;
}

/* The split of greatest energy, by moving one value after the other to the left part. */
static int best_split(const double *x, int nr)
{
	double left = 0, right = 0, across = 0, best = -1;
	int at = 0;

	for (int i = 0; i < nr; i++)
		right += distances(x, i + 1, nr, x[i]);
	for (int k = 0; k < nr - 1; k++) {
		double to_left = distances(x, 0, k, x[k]);
		double to_right = distances(x, k + 1, nr, x[k]);
		double n = k + 1, m = nr - n, q;

		left += to_left;
		right -= to_right;
		across += to_right - to_left;
		if (n < 2 || m < 2)
			continue;
		q = n * m / (n + m) *
		    (2 * across / (n * m) - 2 * left / (n * (n - 1)) -
		     2 * right / (m * (m - 1)));
		if (q > best) {
			best = q;
			at = k + 1;
		}
	}
	return at;
}

static enum says otava(struct data *d, int rounds)
{
	double x[2 * gate_rounds_most], mean[2], sd[2], t, error;
	int nr = 2 * rounds, at;
	size_t n[2];

	for (int i = 0; i < nr; i++)
		x[i] = d->means[i / rounds][i % rounds];
	at = best_split(x, nr);
	n[0] = (size_t)at;
	n[1] = (size_t)(nr - at);
	for (int s = 0; s < 2; s++) {
		mean[s] = stats_mean(x + (s ? at : 0), n[s]);
		stats_sd(x + (s ? at : 0), n[s], &sd[s]);
	}
	error = sqrt(((double)(n[0] - 1) * sd[0] * sd[0] +
		      (double)(n[1] - 1) * sd[1] * sd[1]) /
		     (nr - 2) * (1 / (double)n[0] + 1 / (double)n[1]));
	t = (mean[0] - mean[1]) / error;
	return t > 0 && 2 * dist_t_cdf(-t, nr - 2) < 0.001 ? ALARMS : PASSES;
}

static enum says tost(struct data *d, int rounds)
{
	struct log_ratio r;
	struct interval i;

	if (!log_ratio_paired(d->means[0], d->means[1], (size_t)rounds, &r))
		return OPEN;
	i = log_ratio_interval(&r, 0.90);
	return i.low >= 1 - BENCH_MARGIN && i.high <= 1 / (1 - BENCH_MARGIN) ? PASSES
									     : OPEN;
}

static enum says ours(struct data *d, int rounds)
{
	struct design g = {.min = rounds, .max = rounds};
	struct looks looks;
	enum verdict v;
	int ignored;

	design_looks(&g, &looks);
	v = design_judge(&g, d, &looks, &ignored);
	return v == VERDICT_DEGRADED ? ALARMS : v == VERDICT_EQUIVALENT ? PASSES : OPEN;
}

static const struct {
	const char *name;
	enum says (*says)(struct data *d, int rounds);
} gates[] = {{"fixed threshold, 5 %", threshold},
	     {"t-test of all iterations, 5 %", t_test},
	     {"Mann-Whitney of all iterations, 5 %", mann_whitney},
	     {"Otava's algorithm, p < 0.001", otava},
	     {"plain TOST of rounds, margin 3 %", tost},
	     {"tare, margin 3 %", ours}};

/* tare knows the memory of the machine where a world has one: it asks 'tare aa'. */
static const struct world hiding[] = {
	{.name = "1 candidate round in 10 slower by 10 margins",
	 .noise = 1.0 / 3,
	 .within = 1.0 / 3,
	 .rare = 0.1,
	 .severity = 10},
	{.name = "candidate's noise exponential",
	 .noise = 1.0 / 3,
	 .within = 1.0 / 3,
	 .is_skewed = true},
	{.name = "memory 0.5 in each arm",
	 .noise = 1.0 / 3,
	 .within = 1.0 / 3,
	 .arm_memory = 0.5},
};
static const int hiding_rounds[] = {30, 6, 6};

static const double losses[] = {0, 0.5, 1, 2};

static void one_world(const struct world *w, int rounds, uint64_t seed)
{
	size_t nr[ARRAY_SIZE(gates)][ARRAY_SIZE(losses)][OPEN + 1] = {{{0}}};

	for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
		struct rng rng;
		struct data d;

		rng_init(&rng, seed + l);
		for (int i = 0; i < comparisons; i++) {
			world_simulate(&d, w, rounds, log1p(-losses[l] * BENCH_MARGIN),
				       &rng);
			if (w->arm_memory > 0)
				world_floor(&d, w, rounds_most, &rng);
			for (size_t g = 0; g < ARRAY_SIZE(gates); g++)
				nr[g][l][gates[g].says(&d, rounds)]++;
		}
	}
	for (size_t g = 0; g < ARRAY_SIZE(gates); g++)
		printf("| %s; %d rounds | %s | %.2f %% | %.2f %% | %.2f %% | %.2f %% | "
		       "%.2f %% |\n",
		       w->name, rounds, gates[g].name,
		       100.0 * (double)nr[g][0][ALARMS] / comparisons,
		       100.0 * (double)nr[g][1][ALARMS] / comparisons,
		       100.0 * (double)nr[g][2][PASSES] / comparisons,
		       100.0 * (double)nr[g][3][PASSES] / comparisons,
		       100.0 * (double)nr[g][3][ALARMS] / comparisons);
	fflush(stdout);
}

void bench_gates(const struct seeds *seeds, const struct world *worlds, size_t nr)
{
	uint64_t base = seeds->base[seeds->nr - 1] + 5000;

	printf("\nSeeds from %llu.\n\n| world | gate | alarms at no loss | alarms at half "
	       "a margin | passes a loss of one margin | passes a loss of two margins | "
	       "alarms at two margins |\n|---|---|---:|---:|---:|---:|---:|\n",
	       (unsigned long long)base);
	for (size_t w = 0; w < nr; w++)
		one_world(&worlds[w], 6, base + w * 10);
	for (size_t w = 0; w < ARRAY_SIZE(hiding); w++)
		one_world(&hiding[w], hiding_rounds[w], base + 100 + w * 10);
}
