/*
 * From results to comparisons: which rounds count, each round's value, and what makes a
 * comparison invalid before any figure is looked at (reports/verdict/claims.h).
 */
#ifndef TARE_REPORTS_VERDICT_GATHER_H
#define TARE_REPORTS_VERDICT_GATHER_H

#include "reports/verdict/judgement.h"
#include "reports/verdict/margins.h"
#include "reports/verdict/claims.h"

/*
 * Appends to 'j' a comparison for each workload and metric of the two sides, with round
 * values, and for each workload what was shown of it; 'trust' (may be NULL) names the claims
 * that the user takes on trust. One that is decided before any figure is looked at has its
 * verdict and reason already: invalid, for a result that failed a check, for a claim or for
 * units that differ, and degraded where the candidate collapsed (throughput 0, or no sample
 * of a latency was completed).
 *
 * Besides the mean, p50, p95 and p99 of the samples of a round are compared where every
 * round has enough samples; they gate only where the margins name them ("metric:p99"). One
 * that gates is compared also where only all rounds together have enough.
 */
void gather_comparisons(struct judgement *j, const struct compared_side *b,
			const struct compared_side *c, const struct margins *margins,
			const struct strvec *trust);

#endif
