/*
 * Rounds that remember: where a round resembles the one before it, n rounds say less than n
 * independent ones, and their spread looks smaller than it is. With a correlation of 0.5
 * from round to round, six rounds are worth two and a half.
 *
 * Few rounds cannot show their own memory: with six, its estimate is off by 0.4. So it
 * comes from elsewhere, from two arms that are the same, measured for MEMORY_ROUNDS_MIN
 * rounds or more ('tare aa'), or from the run itself where it has as many.
 */
#ifndef TARE_REPORTS_STATISTICS_MEMORY_H
#define TARE_REPORTS_STATISTICS_MEMORY_H

#include "reports/statistics/stats.h"

#define MEMORY_ROUNDS_MIN 20 /* fewer give a figure, and no ground to widen by */

struct memory {
	size_t nr;     /* values that it was seen in; 0: unknown */
	double figure; /* correlation of neighbours, free of its bias; 0 .. 0.9 */
	double p;      /* that independent values show so much, one-sided */
};

/*
 * Of values in the order in which they were measured. The figure is the first
 * autocorrelation r, corrected for its bias: (n r + 1) / (n - 4) (Kendall, Biometrika 41,
 * 1954); p by its moments under independence (Dufour and Roy, J. Econometrics 27, 1985).
 * False below 6 values, or without spread.
 */
bool memory_seen(const double *x, size_t nr, struct memory *ret);

/*
 * Widens the estimate of paired rounds whose noise is a first-order autoregression with
 * that correlation: the exact variance of their mean, the exact expectation of their
 * sample variance, and Satterthwaite's degrees of freedom for it.
 */
void memory_widen(struct log_ratio *r, double correlation);

#endif
