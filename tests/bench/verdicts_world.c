#include "tests/bench/verdicts_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"

/* What is carried from one execution to the next, and in each arm from round to round. */
struct carried {
	double all, arm[2];
};

static double round_noise(const struct world *w, int arm, struct carried *c,
			  struct rng *rng)
{
	double *from = w->arm_memory > 0 ? &c->arm[arm] : &c->all;
	double memory = w->arm_memory > 0 ? w->arm_memory : w->memory;

	if (w->is_skewed && arm)
		return 1 - rng_exponential(rng);
	*from = memory * *from + sqrt(1 - memory * memory) * rng_normal(rng);
	return *from;
}

static double level_of(const struct world *w, int arm, double turn, struct carried *c,
		       struct rng *rng)
{
	double noise = w->noise * (arm && w->ratio > 0 ? w->ratio : 1);
	double level = w->drift * turn / 24 - w->warm_up * exp2(-turn / 2);

	level += noise * round_noise(w, arm, c, rng);
	if ((w->outliers == OUTLIERS_BOTH || (w->outliers && arm)) &&
	    rng_below(rng, 20) == 0)
		level -= 5 * noise;
	if (w->rare > 0 && arm)
		level += w->severity * (w->rare - (rng_unit(rng) < w->rare));
	return level * BENCH_MARGIN;
}

void world_simulate(struct data *d, const struct world *w, int rounds, double log_ratio,
		    struct rng *rng)
{
	struct carried carried = {.all = rng_normal(rng)};

	for (int arm = 0; arm < 2 && w->arm_memory > 0; arm++)
		carried.arm[arm] = rng_normal(rng);
	d->memory = (struct memory){.nr = 0};
	for (int i = 0; i < rounds; i++) {
		for (int turn = 0; turn < 2; turn++) {
			int arm = (turn + i) % 2;
			double level = (arm ? log_ratio : 0) +
				       level_of(w, arm, 2 * i + turn, &carried, rng);

			d->means[arm][i] = 0;
			for (int k = 0; k < iterations; k++) {
				double v = exp(level + w->within * BENCH_MARGIN *
							       rng_normal(rng));

				d->samples[arm][i][k] = v;
				d->means[arm][i] += v / iterations;
			}
		}
	}
}

void world_floor(struct data *d, const struct world *w, int rounds, struct rng *rng)
{
	double logs[rounds_most];
	struct data aa;

	world_simulate(&aa, w, rounds, 0, rng);
	for (int i = 0; i < rounds; i++)
		logs[i] = log(aa.means[1][i] / aa.means[0][i]);
	memory_seen(logs, (size_t)rounds, &d->memory);
}

static enum verdict judge(const struct design *g, struct data *d, int rounds,
			  const struct looks *looks)
{
	struct comparison c = {.better = METRIC_HIGHER,
			       .gate = true,
			       .is_paired = !g->is_unpaired,
			       .margin = BENCH_MARGIN};
	enum verdict v;

	c.baseline_values = d->means[0];
	c.candidate_values = d->means[1];
	c.n_baseline = c.n_candidate = (size_t)rounds;
	if (g->baseline_rounds)
		c.n_baseline = (size_t)g->baseline_rounds;
	c.memory = d->memory;
	comparison_decide(&c, looks);
	v = c.verdict;
	free(c.reason);
	free(c.slow.rounds);
	strvec_release(&c.notes);
	return v;
}

enum verdict design_judge(const struct design *g, struct data *d,
			  const struct looks *looks, int *rounds)
{
	enum verdict v = VERDICT_INCONCLUSIVE;

	for (*rounds = g->min; *rounds <= g->max; (*rounds)++) {
		v = judge(g, d, *rounds, looks);
		if (v != VERDICT_INCONCLUSIVE)
			return v;
	}
	*rounds = g->max;
	return v;
}

void design_looks(const struct design *g, struct looks *ret)
{
	looks_init(ret, g->min, g->max);
}

struct tally tally_of(const struct world *w, const struct design *g, double log_ratio,
		      uint64_t seed)
{
	struct tally t = {.rounds = 0};
	struct looks looks;
	struct rng rng;
	struct data d;

	design_looks(g, &looks);
	rng_init(&rng, seed);
	for (int i = 0; i < comparisons; i++) {
		enum verdict v;
		int rounds;

		world_simulate(&d, w, g->max, log_ratio, &rng);
		if (g->floor_rounds)
			world_floor(&d, w, g->floor_rounds, &rng);
		v = design_judge(g, &d, &looks, &rounds);
		t.of[v] += 1.0 / comparisons;
		if (rounds <= 6)
			t.by_six[v] += 1.0 / comparisons;
		t.rounds += (double)rounds / comparisons;
	}
	return t;
}

bool bench_bounded(const struct seeds *seeds, const char *what, const double *share,
		   double bound, bool is_upper)
{
	bool ok = true;

	printf("| %s |", what);
	for (int s = 0; s < seeds->nr; s++) {
		printf(" %.2f %% |", 100 * share[s]);
		ok = ok && (is_upper ? share[s] <= bound : share[s] >= bound);
	}
	if (bound > 0)
		printf(" at %s %.1f %% | %s |\n", is_upper ? "most" : "least",
		       100 * bound, ok ? "ok" : "over");
	else
		printf(" shown | |\n");
	fflush(stdout);
	return ok || bound <= 0;
}
