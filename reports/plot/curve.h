/*
 * Percentile curves for drawing: a few dozen quantiles of one execution's samples, and what
 * the rounds of an arm have in common.
 *
 * A quantile is there only where enough samples support it (reports/statistics/stats.h),
 * in the lower tail as in the upper. Of very many samples it is read off a histogram
 * whose bins are
 * 0.1 % wide, which no drawing shows; tables of verdicts use exact ones.
 */
#ifndef TARE_REPORTS_PLOT_CURVE_H
#define TARE_REPORTS_PLOT_CURVE_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURVE_POINTS = 21 };

extern const double curve_points[CURVE_POINTS]; /* ascending, 0.01 to 0.9999 */

/* Quantiles by curve_points; NaN: not supported by the samples, or not told. */
struct curve {
	double at[CURVE_POINTS];
	double mean;
	uint64_t nr; /* samples */
};

void curve_of_samples(struct curve *ret, const double *x, size_t nr);
/* {n, mean_s, p50_s, p99.9_s ...}, as a stage of load has them. False: there is none. */
bool curve_of_json(struct curve *ret, struct json_object *distribution);

/* Over rounds: mean, least and most of each quantile that every round has. */
struct curves {
	double mean[CURVE_POINTS], low[CURVE_POINTS], high[CURVE_POINTS];
	double average; /* of the rounds' means */
	size_t rounds;
	uint64_t nr; /* samples in all */
};

void curves_add(struct curves *c, const struct curve *round);
/* The mean over rounds of a quantile that is one of curve_points; NaN: none. */
double curves_at(const struct curves *c, double p);

#endif
