/* Other gates on the same numbers: all take every iteration for an independent sample. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "tests/bench/verdicts_world.h"

enum { rounds = 6, pool = rounds * iterations };

static double pooled(const struct data *d, int arm, double *values)
{
	double sum = 0;

	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < iterations; k++) {
			values[i * iterations + k] = d->samples[arm][i][k];
			sum += d->samples[arm][i][k];
		}
	}
	return sum / pool;
}

static bool threshold_alarms(struct data *d)
{
	double b[pool], c[pool];

	return pooled(d, 1, c) < 0.95 * pooled(d, 0, b);
}

static bool t_test_alarms(struct data *d)
{
	double b[pool], c[pool], mb = pooled(d, 0, b), mc = pooled(d, 1, c);
	double sb = 0, sc = 0;

	stats_sd(b, pool, &sb);
	stats_sd(c, pool, &sc);
	return mc < mb && (mb - mc) / sqrt((sb * sb + sc * sc) / pool) >
				  dist_t_quantile(0.975, 2 * pool - 2);
}

/* Normal approximation without ties: values are continuous. */
static bool mann_whitney_alarms(struct data *d)
{
	double b[pool], c[pool], u = 0, mean = pool * pool / 2.0;
	double sd = sqrt(pool * (double)pool * (2 * pool + 1) / 12);

	pooled(d, 0, b);
	pooled(d, 1, c);
	for (int i = 0; i < pool; i++)
		for (int k = 0; k < pool; k++)
			u += c[i] < b[k];
	return (u - mean) / sd > 1.959963984540054;
}

static bool ours_alarms(struct data *d)
{
	static const struct design six = {.min = rounds, .max = rounds};
	struct looks looks;
	int ignored;

	design_looks(&six, &looks);
	return design_judge(&six, d, &looks, &ignored) == VERDICT_DEGRADED;
}

static const struct {
	const char *name;
	bool (*alarms)(struct data *d);
} gates[] = {{"fixed threshold, 5 %", threshold_alarms},
	     {"t-test of all iterations, 5 %", t_test_alarms},
	     {"Mann-Whitney of all iterations, 5 %", mann_whitney_alarms},
	     {"tare, margin 3 %", ours_alarms}};

static const double losses[] = {0, 0.5, 2};

static void one_world(const struct world *w, uint64_t seed)
{
	size_t nr[ARRAY_SIZE(gates)][ARRAY_SIZE(losses)] = {{0}};

	for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
		struct rng rng;
		struct data d;

		rng_init(&rng, seed + l);
		for (int i = 0; i < comparisons; i++) {
			world_simulate(&d, w, rounds, log1p(-losses[l] * BENCH_MARGIN),
				       &rng);
			for (size_t g = 0; g < ARRAY_SIZE(gates); g++)
				nr[g][l] += gates[g].alarms(&d);
		}
	}
	for (size_t g = 0; g < ARRAY_SIZE(gates); g++)
		printf("| %s | %s | %.2f %% | %.2f %% | %.2f %% |\n", w->name,
		       gates[g].name, 100.0 * (double)nr[g][0] / comparisons,
		       100.0 * (double)nr[g][1] / comparisons,
		       100.0 - 100.0 * (double)nr[g][2] / comparisons);
}

void bench_gates(const struct seeds *seeds, const struct world *worlds, size_t nr)
{
	uint64_t base = seeds->base[seeds->nr - 1];

	printf("\nSeeds from %llu.\n\n| world | gate | alarms at no loss | alarms at "
	       "half "
	       "a margin | misses at two margins |\n|---|---|---:|---:|---:|\n",
	       (unsigned long long)base + 5000);
	for (size_t w = 0; w < nr; w++)
		one_world(&worlds[w], base + 5000 + w * 10);
}
