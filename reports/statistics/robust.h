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
 * Values further than 'limit' scaled median absolute deviations from the median: 'flags'
 * is set for each and the number returned; 0 below 5 values, where nothing can be told.
 * 5 is far enough that a normal sample of 12 has one in less than 1 % of cases.
 */
#define OUTLIER_LIMIT 5
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
