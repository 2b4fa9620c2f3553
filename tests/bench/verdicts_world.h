/*
 * Simulated comparisons whose truth is known, for tests/bench/verdicts.
 *
 * Model of a round's samples: log value = truth + drift * time + round noise + noise of
 * the sample; an outlier is a round (1 in 20) that is 5 round noises slower. The arms
 * take turns as a run does it (A B, B A, ...), so the k-th execution has time k.
 */
#ifndef TARE_TESTS_BENCH_VERDICTS_WORLD_H
#define TARE_TESTS_BENCH_VERDICTS_WORLD_H

#include "core/base/rng.h"
#include "reports/verdict/verdict_rule.h"

#include <stdbool.h>
#include <stdint.h>

enum { comparisons = 20000, rounds_most = 20, iterations = 10 };

#define BENCH_MARGIN 0.03

enum outliers { OUTLIERS_NONE, OUTLIERS_BOTH, OUTLIERS_CANDIDATE };

/* Sizes are in margins. */
struct world {
	const char *name;
	double noise;   /* between rounds, of each arm */
	double within;  /* between iterations of a round */
	double drift;   /* over 12 rounds */
	double warm_up; /* of the first execution, halved by every two more */
	double memory;  /* correlation of the noise of one execution with the next */
	double ratio;   /* of the candidate's noise to the baseline's; 0: 1 */
	enum outliers outliers;
};

struct data {
	double samples[2][rounds_most][iterations];
	double means[2][rounds_most];
};

/* Higher is better: a loss is a log ratio below 0. */
void world_simulate(struct data *d, const struct world *w, int rounds, double log_ratio,
		    struct rng *rng);

/* How rounds are taken: min == max: all of them; else looking after each from min on. */
struct design {
	const char *name;
	int min, max;
	bool is_unpaired;
	int baseline_rounds; /* of an unpaired design, where not as many; 0: max */
};

/* The verdict, and after how many rounds. 'looks' is of the design. */
enum verdict design_judge(const struct design *g, struct data *d,
			  const struct looks *looks, int *rounds);
void design_looks(const struct design *g, struct looks *ret);

/* Two sets of seeds: one that the method was made with, one that nobody looked at before. */
enum { seed_sets = 2 };
struct seeds {
	uint64_t base[seed_sets];
	int nr; /* 1: the first alone, while the method is being changed */
};

/* Prints a line with a share for each set of seeds; false where one is beyond 'bound'. */
bool bench_bounded(const struct seeds *seeds, const char *what, const double *share,
		   double bound, bool is_upper);

bool bench_families(const struct seeds *seeds);
bool bench_quantiles(const struct seeds *seeds);
void bench_gates(const struct seeds *seeds, const struct world *worlds, size_t nr);

#endif
