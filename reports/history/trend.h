/*
 * What a series of values over time says, by the rule of reports/verdict/verdict.h: do
 * the newest values fit the level that stood before them, and is the present level a loss
 * against a better one before it?
 *
 * What is compared. The newest values are held against the level that stood before them:
 * the present one, or where that has fewer than CHANGE_SEGMENT_MIN values before them, the
 * one before it, so that no level is compared with itself. The present level as a whole is
 * held against the best one that ever stood, for small steps add up; whoever accepts a loss
 * leaves the values before it out.
 *
 * What an undecided claim means. 'equivalent' says that no loss beyond the margin hides
 * here, so everything in which one could hide must exclude it at the level of 5 %, and
 * one that cannot makes the series inconclusive (an intersection-union test: Berger,
 * Technometrics 24, 1982; its error is the largest of its parts', whatever the number).
 * These parts are the two claims and every run of values at the end that may be a state of
 * its own: from the newest ones (or CHANGE_SEGMENT_MIN, where these are more) up to half of
 * the level, against the rest of it, or up to all of the level, against the best one.
 * Beside a listed change whose medians differ by more than the margin a series is never
 * equivalent while the loss stands.
 *
 * Intervals: t intervals of the difference of the means of the logs, by the spread of each
 * side (Welch); fewer than CHANGE_SEGMENT_MIN values have none that could be trusted and take
 * that of what they are held against, so that a single value can be judged. Where there are
 * change points, what is compared was chosen by what it shows, and two claims are made: a loss
 * or a gain then needs the 97.5 % interval beyond the margin instead of the 95 % one.
 *
 * Values that remember each other count for as many as they are worth by the memory of the
 * series around its levels (reports/statistics/autocorrelation.h): the variance of each mean, the
 * covariance of two that touch, the spread, which memory makes too small by the variance of
 * the mean, and the degrees of freedom, which are those of a variance,
 * (n - 1) (1 - lag1^2) / (1 + lag1^2) (Bayley and Hammersley there).
 */
#ifndef TARE_REPORTS_HISTORY_TREND_H
#define TARE_REPORTS_HISTORY_TREND_H

#include "core/document/metric.h"
#include "reports/statistics/changepoint.h"
#include "reports/verdict/judgement.h"

struct trend_spec {
	enum metric_better better;
	double margin;
	size_t newest; /* values at the end that are judged; 0: 1 */
};

struct trend_claim {
	size_t at, nr; /* the values that it is held against: index and number */
	size_t newest; /* values on the other side, which are the last of the series */
	bool has_interval;
	double ratio;
	struct interval ci90, ci95;
	double claim_level; /* what a loss or a gain needs beyond the margin: this interval */
	struct interval claim_interval;
	enum verdict verdict;
};

struct trend {
	size_t level_at; /* where the present level begins */
	double memory;   /* correlation of a value with the one before it; 0: none */
	struct trend_claim
		newest; /* INCONCLUSIVE with too few: then newest.newest is 0 */
	/* Against the best before it: NONE: no loss beyond the margin, INCONCLUSIVE: one is
	 * not excluded. */
	struct trend_claim level;
	/* The run at the end that excludes a loss the least: NONE: it does, INCONCLUSIVE. */
	struct trend_claim hidden;
	size_t lost_at; /* with a loss: since then every level has been beyond the margin */
	enum verdict verdict; /* the worst of the three */
};

/* 'c' are the change points of 'x' in order. */
void trend_judge(const double *x, size_t nr, const struct change_point *c, size_t changes,
		 const struct trend_spec *spec, struct trend *ret);

#endif
