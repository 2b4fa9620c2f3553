/*
 * Change points of a series by E-divisive (Matteson and James, J. Am. Stat. Assoc. 109,
 * 2014): the split whose two sides differ most in energy distance, accepted when fewer
 * than 'alpha' of the permutations of the segment do as well, and so on in both halves.
 * Sensitive to any change of distribution, not to a trend's slope alone.
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
	size_t segment_min;  /* values a segment has at least; 0: 5 */
	double alpha;        /* 0: 0.01 */
	size_t permutations; /* 0: 499 */
	uint64_t seed;
};

#define CHANGE_SERIES_MAX 5000 /* longer series: the caller gives the last so many */

/* Change points in order; free(). NULL and 0 where there are none. */
struct change_point *change_points(const double *x, size_t nr,
				   const struct change_spec *spec, size_t *ret_nr);

/* Fills 'before' and 'after' of change points whose 'at' is known. */
void change_levels(const double *x, size_t nr, struct change_point *c, size_t changes);

#endif
