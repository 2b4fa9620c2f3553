/*
 * Exact quantiles, mean and deviation of any number of durations in bounded memory, by
 * looking at the data more than once: a pass counts values in buckets, the next divides
 * only the buckets that hold a wanted rank, until each is one nanosecond wide. Two passes
 * are enough for quantiles below 33 ms, three below 2 min.
 *
 *	distribution_init(&d);
 *	do {
 *		distribution_pass(&d);
 *		for (each value) distribution_add(&d, value_ns, weight);
 *	} while (distribution_more(&d));
 *	... distribution_quantile_ns(&d, 0.95) ...
 *	distribution_release(&d);
 *
 * A pass may go over several distributions at once; one that needs no more ignores what
 * it is given. Every pass must give the same values. A value counts 'weight' times.
 *
 * Quantiles interpolate linearly between order statistics (Hyndman and Fan, 1996, type 7,
 * what numpy does by default).
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_DISTRIBUTION_H
#define TARE_INFERENCE_LOAD_FIGURES_DISTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

/* What can be asked for: 0.5, 0.9, 0.95, 0.99, 0.999 and those for drawing. */
extern const double distribution_points[];
enum { DISTRIBUTION_POINTS = 9, DISTRIBUTION_RANKS = 2 * DISTRIBUTION_POINTS };

struct distribution_span {
	uint64_t low, width; /* values low .. low + width - 1 */
	uint64_t before;     /* values below 'low' */
	unsigned shift;      /* sub-bucket = (value - low) >> shift */
	uint64_t *counts;
};

struct distribution {
	uint64_t nr;
	double mean, deviation; /* population */
	int64_t min, max;
	int pass;
	double m2;
	uint64_t *buckets;
	uint8_t *span_of; /* by bucket: 1 + its first span; 0: none */
	struct distribution_span spans[DISTRIBUTION_RANKS];
	unsigned spans_nr;
	uint64_t ranks[DISTRIBUTION_RANKS];
	int64_t values[DISTRIBUTION_RANKS]; /* the answers; -1 while unknown */
};

void distribution_init(struct distribution *d);
void distribution_release(struct distribution *d);
void distribution_pass(struct distribution *d);
/* Negative values count as 0. */
void distribution_add(struct distribution *d, int64_t ns, uint32_t weight);
bool distribution_more(struct distribution *d);

/* 'p' is one of distribution_points. False when there are no values. */
bool distribution_quantile_ns(const struct distribution *d, double p, double *ret);

/*
 * The fewest values from which a quantile above the median may be stated: at 99 %
 * confidence at least two of them lie beyond it (MLPerf's early-stopping rule: 64 for
 * p90, 662 for p99). 1 for the median and below.
 */
uint64_t distribution_floor(double p);

#endif
