/* The rule of reports/verdict/verdict.h for one comparison; for reports/verdict/verdict.c. */
#ifndef TARE_REPORTS_VERDICT_VERDICT_RULE_H
#define TARE_REPORTS_VERDICT_VERDICT_RULE_H

#include "reports/statistics/sequential.h"
#include "reports/verdict/verdict.h"

/*
 * Judges the round values that 'c' holds: fills ratio, intervals, verdict, needed_n and
 * reason. 'looks' gives the levels.
 */
void comparison_decide(struct comparison *c, const struct looks *looks);

/*
 * Of 'claim' (VERDICT_DEGRADED or VERDICT_IMPROVED), whether it stands when it may err in
 * 'alpha' of cases only; with any other verdict false. Where not, *needed_n is set to the
 * rounds that would decide at that error (0: unknown).
 */
bool comparison_stands(const struct comparison *c, const struct looks *looks,
		       enum verdict claim, double alpha, size_t *needed_n);

/* The rule itself, of two intervals of candidate over baseline; NONE without a direction. */
enum verdict ratio_verdict(const struct interval *ci90, const struct interval *ci95,
			   double margin, enum metric_better better);

/* Marks it invalid; 'fmt' is the reason. What can be shown stays shown. */
void comparison_invalidate(struct comparison *c, const char *fmt, ...) ERR_PRINTF(2, 3);

/* "0.9987", "0.0478", "21.3": as many digits as say something; returns 'text'. */
const char *ratio_text(double ratio, char *text, size_t size);
/* "1 %", "0.5 %": returns 'text'. */
const char *percent_text(double fraction, char *text, size_t size);

#endif
