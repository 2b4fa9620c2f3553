/* Several gating comparisons held to one error rate; for reports/verdict/verdict.c. */
#ifndef TARE_REPORTS_VERDICT_VERDICT_FAMILY_H
#define TARE_REPORTS_VERDICT_VERDICT_FAMILY_H

#include "reports/statistics/sequential.h"
#include "reports/verdict/verdict.h"

/*
 * Of the decided 'items', turns into inconclusive each 'degraded' of a gating metric that
 * does not stand when all gating metrics together may err in ALPHA_DEGRADED of cases
 * (Holm, Scand. J. Stat. 6, 1979), and likewise each 'improved'. Whatever depends on
 * whatever, that holds.
 */
void family_hold(struct comparison *items, size_t nr, const struct looks *looks);

#endif
