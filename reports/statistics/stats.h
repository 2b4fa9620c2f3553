/*
 * Descriptive statistics and intervals of a ratio. One definition of each, used by every
 * table, plot and verdict. What the samples cannot support is absent (false), never a
 * number by another name.
 *
 * Quantile: nearest rank, the smallest x with at least q of the samples at or below it
 * (definition 1 of Hyndman and Fan, Am. Stat. 50, 1996), and only where at 99 %
 * confidence two or more samples lie beyond the true quantile, so that it has an upper
 * bound which is not the maximum: P(Binomial(n, 1 - q) <= 1) <= 0.01. For p99 that is 662
 * samples.
 */
#ifndef TARE_REPORTS_STATISTICS_STATS_H
#define TARE_REPORTS_STATISTICS_STATS_H

#include <stdbool.h>
#include <stddef.h>

double stats_mean(const double *x, size_t nr);          /* nr >= 1; pairwise sums */
bool stats_sd(const double *x, size_t nr, double *ret); /* n-1 form; needs 2 */
bool stats_median(const double *x, size_t nr,
		  double *ret); /* needs 1; mean of the middle two */
/* Median absolute deviation, times 1.4826 (consistent for the normal); needs 2. */
bool stats_mad(const double *x, size_t nr, double *ret);

/* Samples that the q-quantile needs before it is shown: p50 11, p95 130, p99 662. */
size_t stats_quantile_min(double q);
void stats_sort(double *x, size_t nr); /* ascending */
/* 0 < q < 1, of samples in any order; false below stats_quantile_min(). */
bool stats_quantile_of(const double *x, size_t nr, double q, double *ret);
/* Index of that rank in order of size, and the value there, however few they are (>= 1). */
size_t stats_rank(size_t nr, double q);
double stats_rank_of(const double *x, size_t nr, double q);

struct interval {
	double low, high;
};

/*
 * An estimate of log(candidate / baseline): mean, standard error, degrees of freedom.
 * 'has_error' is false with one round: then there is a ratio and no interval.
 */
struct log_ratio {
	double mean, error, df;
	double sd; /* of one round's log ratio (paired), or of one round (unpaired,
		      pooled) */
	double cautious_df; /* unpaired: see log_ratio_unpaired() */
	/* Unpaired, degrees of freedom of n rounds a side over n - 1: 2 where both spread
	 * alike, near 1 where one side's noise is all there is; 0: not known, taken for
	 * 2. */
	double df_share;
	size_t n_baseline, n_candidate;
	bool is_paired, has_error;
};

/* Values pair by index; all must be > 0 and nr >= 1, else false. */
bool log_ratio_paired(const double *baseline, const double *candidate, size_t nr,
		      struct log_ratio *ret);
/*
 * Welch on the logs, Satterthwaite's degrees of freedom. Those are too many where a side
 * with few results happens to show little of its spread: 3 results against 12 err in 3.1 %
 * instead of 2.2 % (simulated). 'cautious_df' is the quotient at its least where either
 * side's variance is up to four times what was seen, and 1 with two results on a side.
 */
bool log_ratio_unpaired(const double *baseline, size_t nr_baseline,
			const double *candidate, size_t nr_candidate,
			struct log_ratio *ret);

/*
 * Two-sided interval of the ratio at 'level' (0.90, 0.95): exp(mean -+ t * error). Needs
 * has_error. With a ratio of exactly equal rounds the interval has no width.
 */
struct interval log_ratio_interval(const struct log_ratio *r, double level);

/* The margin as bounds of the ratio: [1 - margin, 1 / (1 - margin)], symmetric in logs.
 */
struct interval margin_band(double margin);

/* What a verdict on n rounds would ask of the intervals: see stats_needed_n(). */
struct needed_spec {
	double margin;
	double alpha_equivalence; /* one-sided, 0.05 */
	double alpha_degraded;    /* one-sided, 0.025 */
	double power;             /* 0.9 */
};

/*
 * Rounds a side that would decide with the given power if the true ratio is the one
 * observed and the spread stays: inside the band the two one-sided tests (Phillips, J.
 * Pharmacokinet. Biopharm. 18, 1990; power by the normal approximation, t quantiles for
 * small n), outside the one-sided test beyond it. 0 when no number up to 1000 would do.
 */
size_t stats_needed_n(const struct log_ratio *r, const struct needed_spec *spec);

/*
 * The loss, as a distance of logs, that the rounds at hand would call beyond the margin
 * with that power: margin + (t + z) * error. Needs has_error.
 */
double stats_detectable(const struct log_ratio *r, const struct needed_spec *spec);

/*
 * The other way round: the smallest margin that the rounds at hand would confirm with
 * that power if there were no difference; 'margin' of the spec is not read. Needs
 * has_error; 0 where the rounds have no spread.
 */
double stats_smallest_margin(const struct log_ratio *r, const struct needed_spec *spec);

#endif
