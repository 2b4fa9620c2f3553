/*
 * The ratio of two quantiles of pooled samples, with its uncertainty from resampling whole
 * rounds: pairs of rounds where is_paired, else each side for itself (Davison and Hinkley,
 * Bootstrap Methods, 1997, 3.8).
 *
 * With few rounds an interval of the resampled ratios' own percentiles is too narrow, for
 * resampling loses a part 1/n of the variance and takes n for infinite. So only the
 * standard deviation is taken from them, times sqrt(n / (n - 1)), and used with Student's
 * t of n - 1 degrees of freedom (as for few clusters: Cameron, Gelbach and Miller, Rev.
 * Econ. Stat. 90, 2008), n being the rounds of the side that has fewer. How often that
 * errs, tests/bench/verdicts shows.
 */
#ifndef TARE_REPORTS_STATISTICS_BOOTSTRAP_H
#define TARE_REPORTS_STATISTICS_BOOTSTRAP_H

#include "reports/statistics/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The samples of one round, in any order; borrowed. */
struct round_samples {
	const double *x;
	size_t nr;
};

struct quantile_side {
	const struct round_samples *rounds;
	size_t nr;
};

#define BOOTSTRAP_ROUNDS_MIN 3 /* a side */

struct bootstrap_spec {
	double q;
	bool is_paired;
	size_t repeats; /* 0: 500 */
	uint64_t seed;  /* same seed, same answer */
};

/*
 * The log of candidate over baseline of the q-quantile of pooled samples, as
 * log_ratio_interval() and the like take it, and the two quantiles (may be NULL). False
 * below BOOTSTRAP_ROUNDS_MIN rounds a side, where a side's samples cannot support the
 * quantile (stats_quantile_min()), where a quantile is not above 0, or where pairs do not
 * match in number.
 */
bool bootstrap_quantile_ratio(const struct quantile_side *baseline,
			      const struct quantile_side *candidate,
			      const struct bootstrap_spec *spec, struct log_ratio *ret,
			      double ret_quantiles[2]);

#endif
