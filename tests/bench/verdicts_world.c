#include "tests/bench/verdicts_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"

static double level_of(const struct world *w, int arm, double turn, double *carried,
		       struct rng *rng)
{
	double noise = w->noise * (arm && w->ratio > 0 ? w->ratio : 1);
	double level = w->drift * turn / 24 - w->warm_up * exp2(-turn / 2);

	*carried =
		w->memory * *carried + sqrt(1 - w->memory * w->memory) * rng_normal(rng);
	level += noise * *carried;
	if ((w->outliers == OUTLIERS_BOTH || (w->outliers && arm)) &&
	    rng_below(rng, 20) == 0)
		level -= 5 * noise;
	return level * BENCH_MARGIN;
}

void world_simulate(struct data *d, const struct world *w, int rounds, double log_ratio,
		    struct rng *rng)
{
	double carried = rng_normal(rng);

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
	comparison_decide(&c, looks);
	v = c.verdict;
	free(c.reason);
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
