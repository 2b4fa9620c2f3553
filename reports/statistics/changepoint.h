/*
 * Change points of a series by E-divisive (Matteson and James, J. Am. Stat. Assoc. 109,
 * 2014): the split whose two sides differ most in energy distance, accepted when fewer
 * than 'alpha' of the permutations of the segment do as well, and so on in both halves.
 * Sensitive to any change of distribution, not to a trend's slope alone.
 *
 * A series that remembers (reports/statistics/autocorrelation.h) swings by itself, and
 * permutations, which forget, take every swing for a change: with a memory of 0.5 that were
 * 0.3 to 0.6 points a series of 40 to 200 values. So where permutations find any, the memory
 * around the levels found is estimated, and if there is some, all is divided once more against
 * orders that remember as much: the ranks of a Gaussian first-order autoregression, so that
 * the values stay the same and only their order is random (after Theiler et al., Physica D 58,
 * 1992, whose surrogates are adjusted by ranks too). Without memory such an order is a
 * permutation. tests/bench/history-verdicts has the rates.
 */
#ifndef TARE_REPORTS_STATISTICS_CHANGEPOINT_H
#define TARE_REPORTS_STATISTICS_CHANGEPOINT_H

#include <stddef.h>
#include <stdint.h>

struct change_point {
	size_t at;            /* first index of the new level */
	double before, after; /* medians of the segments on both sides */
	double p;
};

struct change_spec {
	size_t segment_min;  /* values a segment has at least; 0: CHANGE_SEGMENT_MIN */
	double alpha;        /* 0: 0.01 */
	size_t permutations; /* 0: 499 */
	uint64_t seed;
};

#define CHANGE_SEGMENT_MIN 5
#define CHANGE_SERIES_MAX 5000 /* longer series: the caller gives the last so many */

/* Change points in order; free(). NULL and 0 where there are none. */
struct change_point *change_points(const double *x, size_t nr,
				   const struct change_spec *spec, size_t *ret_nr);

/* Fills 'before' and 'after' of change points whose 'at' is known. */
void change_levels(const double *x, size_t nr, struct change_point *c, size_t changes);

/* The memory of a series around the levels between its change points. */
double change_memory(const double *x, size_t nr, const struct change_point *c,
		     size_t changes);

#endif
