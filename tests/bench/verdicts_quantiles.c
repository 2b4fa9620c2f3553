/*
 * Quantiles of latency: a round's samples are exp(truth + noise of the round) times
 * (0.2 + exponential), so the tail is long and every quantile has the same true ratio.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/bootstrap.h"
#include "tests/bench/verdicts_world.h"

enum { samples_most = 700, rounds_max = 12 };

struct quantile_case {
	const char *name;
	double q;
	int samples; /* a round */
	int min, max;
	bool is_unpaired;
};

static const struct quantile_case cases[] = {
	{"p50 of 150 samples; 3 rounds", 0.50, 150, 3, 3, false},
	{"p50 of 150 samples; 6 rounds", 0.50, 150, 6, 6, false},
	{"p95 of 150 samples; 3 rounds", 0.95, 150, 3, 3, false},
	{"p95 of 150 samples; 6 rounds", 0.95, 150, 6, 6, false},
	{"p95 of 150 samples; 3 to 12 as needed", 0.95, 150, 3, 12, false},
	{"p99 of 700 samples; 6 rounds", 0.99, 700, 6, 6, false},
	{"p99 of 700 samples; 6 results a side, unpaired", 0.99, 700, 6, 6, true},
	{"p95 of 50 samples, bootstrap alone; 3 rounds", 0.95, 50, 3, 3, false},
	{"p95 of 50 samples, bootstrap alone; 6 rounds", 0.95, 50, 6, 6, false},
	{"p95 of 50 samples, bootstrap alone; 3 to 12", 0.95, 50, 3, 12, false},
	{"p99 of 120 samples, bootstrap alone; 6 rounds", 0.99, 120, 6, 6, false},
	{"p99 of 120 samples, bootstrap alone; 6 a side, unpaired", 0.99, 120, 6, 6,
	 true},
};

struct latencies {
	double x[2][rounds_max][samples_most];
	struct round_samples rounds[2][rounds_max];
};

/* So wide beside the noise that the tests spend all that they may. */
static const double margin = 0.5, noise = 0.05; /* of a round, of each arm */

static void simulate(struct latencies *l, const struct quantile_case *k, double log_ratio,
		     struct rng *rng)
{
	for (int arm = 0; arm < 2; arm++) {
		for (int i = 0; i < k->max; i++) {
			double level =
				exp((arm ? log_ratio : 0) + noise * rng_normal(rng));

			for (int n = 0; n < k->samples; n++)
				l->x[arm][i][n] = level * (0.2 + rng_exponential(rng));
			l->rounds[arm][i] =
				(struct round_samples){l->x[arm][i], (size_t)k->samples};
		}
	}
}

static enum verdict judge(struct latencies *l, const struct quantile_case *k, int rounds,
			  uint64_t seed, const struct looks *looks)
{
	struct bootstrap_spec spec = {
		.q = k->q, .is_paired = !k->is_unpaired, .repeats = 200, .seed = seed};
	struct quantile_side sides[2] = {{l->rounds[0], (size_t)rounds},
					 {l->rounds[1], (size_t)rounds}};
	double values[2][rounds_max], copy[samples_most];
	struct comparison c = {.better = METRIC_LOWER,
			       .gate = true,
			       .is_paired = !k->is_unpaired,
			       .margin = margin,
			       .baseline_values = values[0],
			       .candidate_values = values[1],
			       .n_baseline = (size_t)rounds,
			       .n_candidate = (size_t)rounds};
	enum verdict v;

	c.is_pooled = (size_t)k->samples < stats_quantile_min(k->q);
	c.has_pooled = bootstrap_quantile_ratio(&sides[0], &sides[1], &spec, &c.pooled,
						c.pooled_values);
	if (c.is_pooled && !c.has_pooled)
		return VERDICT_INCONCLUSIVE;
	for (int arm = 0; arm < 2 && !c.is_pooled; arm++) {
		for (int i = 0; i < rounds; i++) {
			for (int n = 0; n < k->samples; n++)
				copy[n] = l->x[arm][i][n];
			values[arm][i] = stats_rank_of(copy, (size_t)k->samples, k->q);
		}
	}
	comparison_decide(&c, looks);
	v = c.verdict;
	free(c.reason);
	free(c.slow.rounds);
	strvec_release(&c.notes);
	return v;
}

static void shares(const struct quantile_case *k, double log_ratio, uint64_t seed,
		   double *ret)
{
	struct latencies *l = x_malloc(sizeof(*l));
	struct looks looks;
	struct rng rng;

	looks_init(&looks, k->min, k->max);
	rng_init(&rng, seed);
	for (int v = 0; v <= VERDICT_INVALID; v++)
		ret[v] = 0;
	for (int i = 0; i < comparisons; i++) {
		enum verdict v = VERDICT_INCONCLUSIVE;

		simulate(l, k, log_ratio, &rng);
		for (int n = k->min; n <= k->max && v == VERDICT_INCONCLUSIVE; n++)
			v = judge(l, k, n, seed + (uint64_t)i, &looks);
		ret[v] += 1.0 / comparisons;
	}
	free(l);
}

bool bench_quantiles(const struct seeds *seeds)
{
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double edge[VERDICT_INVALID + 1], equivalent[seed_sets],
			degraded[seed_sets];
		char what[160];

		for (int s = 0; s < seeds->nr; s++) {
			shares(&cases[i], -log1p(-margin), seeds->base[s] + 7000 + i,
			       edge);
			equivalent[s] = edge[VERDICT_EQUIVALENT];
			degraded[s] = edge[VERDICT_DEGRADED];
		}
		snprintf(what, sizeof(what), "%s: loss = margin, 'equivalent'",
			 cases[i].name);
		ok = bench_bounded(seeds, what, equivalent, 0.05, true) && ok;
		snprintf(what, sizeof(what), "%s: loss = margin, 'degraded'",
			 cases[i].name);
		ok = bench_bounded(seeds, what, degraded, 0.025, true) && ok;
	}
	return ok;
}
