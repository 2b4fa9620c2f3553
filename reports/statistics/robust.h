/*
 * Statistics that a few wild values cannot move.
 */
#ifndef TARE_REPORTS_STATISTICS_ROBUST_H
#define TARE_REPORTS_STATISTICS_ROBUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/statistics/stats.h"

/* Median of all pairwise averages (Hodges and Lehmann, Ann. Math. Stat. 34, 1963). */
double hodges_lehmann(const double *x, size_t nr);

/*
 * Interval for the centre of a symmetric distribution by Wilcoxon's signed ranks, exact to
 * 50 values (the null distribution by counting), by its normal approximation above. 'tail'
 * is the one-sided error (0.025 for a 95 % interval). False when so few values cannot give
 * an interval of that level: 6 for 0.025, 5 for 0.05.
 */
bool signed_rank_interval(const double *x, size_t nr, double tail, struct interval *ret);

/*
 * Values further than 'limit' scaled median absolute deviations from the median: 'flags'
 * is set for each and the number returned; 0 below 5 values, where nothing can be told.
 * 5 is far enough that a normal sample of 12 has one in less than 1 % of cases.
 */
size_t find_outliers(const double *x, size_t nr, double limit, bool *flags);

/*
 * Slope of log values over their order with its two-sided p value (least squares); false
 * below 5 values, or where a value is not above 0.
 */
struct drift {
	double per_round; /* relative change from one round to the next */
	double p;
};
bool find_drift(const double *x, size_t nr, struct drift *ret);

#endif
