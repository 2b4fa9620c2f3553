/* Eight gating metrics judged together: one error rate for all of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict_rule.h"
#include "tests/bench/verdicts_world.h"

enum { metrics = 8 };

/* Log ratios of rounds: noise of which 'shared' is common to the metrics of a round. */
struct family {
	const char *name;
	double noise;  /* of a round's log ratio, in margins */
	double shared; /* correlation between two metrics */
	double first;  /* true loss of the first metric, and of the others, in margins */
	double others;
	enum verdict error; /* which overall verdict is an error, or what is shown */
	double bound;
	bool is_upper;
};

static const struct design designs[] = {{.name = "6 rounds", .min = 6, .max = 6},
					{.name = "3 to 6 as needed", .min = 3, .max = 6}};

static const struct family families[] = {
	{"noise 14 margins, no difference, any 'degraded'", 14, 0, 0, 0, VERDICT_DEGRADED,
	 0.025, true},
	{"all at the margin, independent, any 'degraded'", 0.5, 0, 1, 1, VERDICT_DEGRADED,
	 0.025, true},
	{"all at the margin, correlation 0.9, any 'degraded'", 0.5, 0.9, 1, 1,
	 VERDICT_DEGRADED, 0.025, true},
	{"one at the margin, seven without loss, 'equivalent'", 0.5, 0.5, 1, 0,
	 VERDICT_EQUIVALENT, 0.05, true},
	{"no difference, all 'equivalent'", 0.5, 0.5, 0, 0, VERDICT_EQUIVALENT, 0, false},
	{"one with a loss of 2 margins, 'degraded'", 0.5, 0.5, 2, 0, VERDICT_DEGRADED, 0,
	 false},
	{"all with a loss of 2 margins, 'degraded'", 0.5, 0.5, 2, 2, VERDICT_DEGRADED, 0,
	 false},
};

struct values {
	double baseline[rounds_most], candidate[metrics][rounds_most];
};

static void simulate(struct values *v, const struct family *f, int rounds,
		     struct rng *rng)
{
	for (int i = 0; i < rounds; i++) {
		double common = rng_normal(rng);

		v->baseline[i] = 1;
		for (int m = 0; m < metrics; m++) {
			double own = rng_normal(rng), loss = m ? f->others : f->first;

			v->candidate[m][i] = exp(log1p(-loss * BENCH_MARGIN) +
						 f->noise * BENCH_MARGIN *
							 (sqrt(f->shared) * common +
							  sqrt(1 - f->shared) * own));
		}
	}
}

/* The overall verdict after so many rounds: the worst. */
static enum verdict judge(struct values *v, int rounds, const struct looks *looks)
{
	struct comparison c[metrics] = {{0}};
	enum verdict worst = VERDICT_NONE;

	for (int m = 0; m < metrics; m++) {
		c[m] = (struct comparison){.better = METRIC_HIGHER,
					   .gate = true,
					   .is_paired = true,
					   .margin = BENCH_MARGIN,
					   .baseline_values = v->baseline,
					   .candidate_values = v->candidate[m],
					   .n_baseline = (size_t)rounds,
					   .n_candidate = (size_t)rounds};
		comparison_decide(&c[m], looks);
	}
	family_hold(c, metrics, looks);
	for (int m = 0; m < metrics; m++) {
		worst = c[m].verdict > worst ? c[m].verdict : worst;
		free(c[m].reason);
		free(c[m].slow.rounds);
		strvec_release(&c[m].notes);
	}
	return worst;
}

/*
 * A run stops when nothing is inconclusive; one that ends with a 'degraded' at any look
 * counts as such, which is more than a run that goes on would say.
 */
static enum verdict run(const struct design *g, struct values *v,
			const struct looks *looks)
{
	enum verdict worst = VERDICT_INCONCLUSIVE;

	for (int rounds = g->min; rounds <= g->max; rounds++) {
		worst = judge(v, rounds, looks);
		if (worst != VERDICT_INCONCLUSIVE)
			break;
	}
	return worst;
}

static double share_of(const struct family *f, const struct design *g, uint64_t seed)
{
	struct looks looks;
	struct values v;
	struct rng rng;
	size_t nr = 0;

	design_looks(g, &looks);
	rng_init(&rng, seed);
	for (int i = 0; i < comparisons; i++) {
		simulate(&v, f, g->max, &rng);
		nr += run(g, &v, &looks) == f->error;
	}
	return (double)nr / comparisons;
}

bool bench_families(const struct seeds *seeds)
{
	bool ok = true;

	for (size_t g = 0; g < ARRAY_SIZE(designs); g++) {
		for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
			/* What is only shown is shown once. */
			bool is_shown = families[f].bound <= 0;
			double share[seed_sets];
			char what[160];

			if (g && is_shown)
				continue;
			for (int s = 0; s < seeds->nr; s++)
				share[s] = share_of(&families[f], &designs[g],
						    seeds->base[s] + 6000 + 100 * g + f);
			snprintf(what, sizeof(what), "8 metrics, %s; %s", designs[g].name,
				 families[f].name);
			ok = bench_bounded(seeds, what, share, families[f].bound,
					   families[f].is_upper) &&
			     ok;
		}
	}
	return ok;
}
