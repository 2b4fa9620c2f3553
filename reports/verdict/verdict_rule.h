/*
 * The rule that reports/verdict/verdict.h states: of one comparison, of a ratio's intervals,
 * and of several gating comparisons that are held to one error rate.
 */
#ifndef TARE_REPORTS_VERDICT_VERDICT_RULE_H
#define TARE_REPORTS_VERDICT_VERDICT_RULE_H

#include "reports/statistics/sequential.h"
#include "reports/verdict/judgement.h"

/*
 * Judges the round values that 'c' holds: fills ratio, intervals, verdict, needed_n and
 * reason. 'looks' gives the levels.
 */
void comparison_decide(struct comparison *c, const struct looks *looks);

/* The rule itself, of two intervals of candidate over baseline; NONE without a direction. */
enum verdict ratio_verdict(const struct interval *ci90, const struct interval *ci95,
			   double margin, enum metric_better better);

/*
 * Of the decided 'items', turns into inconclusive each 'degraded' of a gating metric that
 * does not stand when all gating metrics together may err in ALPHA_DEGRADED of cases
 * (Holm, Scand. J. Stat. 6, 1979), and likewise each 'improved'. The
 * procedure holds however the metrics depend on each other.
 */
void family_hold(struct comparison *items, size_t nr, const struct looks *looks);

#endif
