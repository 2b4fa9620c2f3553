/*
 * Simulated comparisons whose truth is known, for tests/bench/verdicts.
 *
 * Model of a round's samples: log value = truth + drift * time + round noise + noise of
 * the sample; an outlier is a round (1 in 20) that is 5 round noises slower. Where the
 * candidate alone has slow rounds or skewed noise, its truth is moved so that its mean is
 * what the case says. The arms take turns as a run does it (A B, B A, ...), so the k-th
 * execution has time k.
 */
#ifndef TARE_TESTS_BENCH_VERDICTS_WORLD_H
#define TARE_TESTS_BENCH_VERDICTS_WORLD_H

#include "core/base/rng.h"
#include "reports/verdict/verdict_rule.h"

#include <stdbool.h>
#include <stdint.h>

/* A case; fewer while something is being changed (-DBENCH_COMPARISONS=2000). */
#ifndef BENCH_COMPARISONS
#define BENCH_COMPARISONS 20000
#endif

enum { comparisons = BENCH_COMPARISONS, rounds_most = 40, iterations = 10 };

#define BENCH_MARGIN 0.03

enum outliers { OUTLIERS_NONE, OUTLIERS_BOTH, OUTLIERS_CANDIDATE };

/* Sizes are in margins. */
struct world {
	const char *name;
	double noise;      /* between rounds, of each arm */
	double within;     /* between iterations of a round */
	double drift;      /* over 12 rounds */
	double warm_up;    /* of the first execution, halved by every two more */
	double memory;     /* correlation of the noise of one execution with the next */
	double arm_memory; /* correlation of an arm's noise of one round with the next */
	double rare;       /* share of the candidate's rounds that are slow */
	double severity;   /* by so much */
	bool is_skewed;    /* the candidate's noise is exponential and only slows */
	double ratio;      /* of the candidate's noise to the baseline's; 0: 1 */
	enum outliers outliers;
};

struct data {
	double samples[2][rounds_most][iterations];
	double means[2][rounds_most];
	struct memory memory; /* what 'tare aa' saw in this world; nr 0: not asked */
};

/* Higher is better: a loss is a log ratio below 0. */
void world_simulate(struct data *d, const struct world *w, int rounds, double log_ratio,
		    struct rng *rng);

/* The memory that so many rounds of two arms without a difference show. */
void world_floor(struct data *d, const struct world *w, int rounds, struct rng *rng);

/* How rounds are taken: min == max: all of them; else looking after each from min on. */
struct design {
	const char *name;
	int min, max;
	bool is_unpaired;
	int floor_rounds;    /* of a 'tare aa' before; 0: memory is not known */
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
bool bench_losses(const struct seeds *seeds);
bool bench_quantiles(const struct seeds *seeds);
void bench_gates(const struct seeds *seeds, const struct world *worlds, size_t nr);

/* Shares of verdicts over all comparisons, and the mean number of rounds. */
struct tally {
	double of[VERDICT_INVALID + 1];
	double by_six[VERDICT_INVALID + 1]; /* reached within six rounds */
	double rounds;
};
struct tally tally_of(const struct world *w, const struct design *g, double log_ratio,
		      uint64_t seed);

#endif
