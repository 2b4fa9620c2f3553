/*
 * Failure is a difference too: rounds whose result is 'failed' and requests that did not end
 * well, compared between baseline and candidate as shares. They gate beside the workload's
 * metrics, as "failures.rounds" and "failures.requests".
 *
 * The margin is what the candidate may fail beyond the baseline's share, as a difference
 * ("failures": 0.01 in the margins; 0 unless given):
 *   not judged    the candidate's share is not beyond the baseline's and the margin
 *   degraded      it is, and by more than chance (reports/statistics/proportions.h)
 *   inconclusive  it is, and chance may have done it; with the rounds that would decide
 * No number of attempts proves that two shares are alike to a margin of 0, so nothing is
 * ever claimed 'equivalent' here: failures can only take a green verdict away.
 *
 * Requests of one round fail together, so theirs must be beyond chance twice: all requests
 * taken as independent, and between rounds (Student's t of the rounds' shares, with the
 * degrees of freedom of the side that has fewer).
 */
#ifndef TARE_REPORTS_VERDICT_FAILURES_H
#define TARE_REPORTS_VERDICT_FAILURES_H

#include "reports/statistics/sequential.h"
#include "reports/verdict/judgement.h"
#include "reports/verdict/margins.h"
#include "reports/verdict/claims.h"

/* Appends to 'j' a comparison for each kind of which either side has a failure. */
void failures_gather(struct judgement *j, const struct workload_side sides[2],
		     const char *workload);

double failures_margin(const struct margins *m, const struct comparison *c);

/* Fills verdict, reason, needed_n and p_beyond of one of these. */
void failures_decide(struct comparison *c, const struct looks *looks);

#endif
