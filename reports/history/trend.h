/*
 * What a series of values over time says, by the rule of reports/verdict/verdict.h: do
 * the newest values fit the level that has stood since the last change point, and is
 * that level a loss against a better one before it?
 *
 * The newest values against the level: a t interval of the difference of the logs, with the
 * spread of the level for both sides, so that a single value can be judged. The level
 * against the best one before it: Welch on the logs, and only a loss is claimed, for the
 * levels were chosen by what they show.
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
	enum verdict verdict;
};

struct trend {
	size_t level_at;           /* where the present level begins */
	struct trend_claim newest; /* against the level; INCONCLUSIVE with too few */
	struct trend_claim level;  /* against the best before it; NONE: no loss shown */
	size_t lost_at; /* with a loss: since then every level has been beyond the margin */
	enum verdict verdict; /* the worse of both */
};

/* 'c' are the change points of 'x' in order. */
void trend_judge(const double *x, size_t nr, const struct change_point *c, size_t changes,
		 const struct trend_spec *spec, struct trend *ret);

#endif
