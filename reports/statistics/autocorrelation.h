/*
 * Memory of a series: how far a value resembles the one before it. Values that remember
 * say less than as many that do not, so what is concluded from them must be widened.
 *
 * Model: a first-order autoregression around levels, correlation lag1^k at distance k
 * (what drifts slowly, such as a temperature, looks like it). With correlation the mean of
 * n values has the variance
 *
 *	s^2 / n * (1 + 2 sum_{k=1}^{n-1} (1 - k/n) lag1^k)
 *
 * as if of fewer values (Bayley and Hammersley, "The 'effective' number of independent
 * observations in an autocorrelated time series", Suppl. J. R. Stat. Soc. 8, 1946).
 * The estimate around means is too low by (1 + 4 lag1) / n a level (Marriott and Pope,
 * Biometrika 41, 1954), which is put right. Its standard error without memory is 1/sqrt(n)
 * (Bartlett, Suppl. J. R. Stat. Soc. 8, 1946); an estimate within that counts as none, so
 * that values which do not remember seldom pay for it. tests/bench/history-verdicts shows
 * what that is worth.
 */
#ifndef TARE_REPORTS_STATISTICS_AUTOCORRELATION_H
#define TARE_REPORTS_STATISTICS_AUTOCORRELATION_H

#include <stddef.h>

/* Fewer values cannot say: independence is then assumed, for a guess would cost all power. */
#define AUTOCORRELATION_VALUES_MIN 20

/*
 * Of 'x', whose level k ends before index ends[k], the last with the values: 0 to 0.95.
 * 0 for too few values, for those without spread, and for what swings instead of drifting.
 */
double autocorrelation_around(const double *x, const size_t *ends, size_t levels);

/* Variance of the mean of nr >= 1 values, in variances of one: 1/nr without memory. */
double autocorrelation_mean_variance(double lag1, size_t nr);
/* Covariance of the means of n values and of the m that follow them, in the same unit. */
double autocorrelation_mean_covariance(double lag1, size_t n, size_t m);

#endif
