/*
 * Verdicts: the rule, and its use on a run or on two sets of results. 'No overhead' is an
 * equivalence claim: the absence of a significant difference proves nothing.
 *
 * The unit of evidence is the round: a round's value is the mean over the iterations of
 * its result, and uncertainty is taken between rounds only. Rounds of one run directory
 * pair by number; results of two runs are compared unpaired (Welch on logs, with fewer
 * degrees of freedom than his where one side has few results: log_ratio_unpaired()).
 *
 * Per metric, on r = candidate / baseline with margin m and band [1-m, 1/(1-m)]:
 *   invalid       a result failed a check, or a claim that the verdict rests on is
 *                 contradicted, or needed and not shown (reports/verdict/claims.h)
 *   equivalent    the 90 % interval of r lies inside the band
 *   degraded      the 95 % interval lies wholly beyond the band on the bad side
 *   improved      ... on the good side
 *   inconclusive  otherwise, with the rounds that would decide
 * The mean is judged, for users pay it, and not a centre that is robust against the rounds
 * that are slow (Hodges and Lehmann's is shown, as robust_ratio). It is the mean of the
 * logarithms of the rounds' ratios: it lies between what the mean of rates and the mean of
 * times would say, and a ratio of 2 and one of 1/2 cancel. Where some rounds take very much
 * longer their logarithm says too little of it; then the end of the interval on the
 * candidate's worse side is that of the mean time (reports/statistics/tails.h, which also
 * has the correction for lopsided noise). Rounds that stand out (five or more rounds,
 * further than 5 scaled median deviations) are named, never dropped, and on the worse side a
 * finding with what they share (reports/verdict/slow_rounds.h).
 *
 * Rounds are taken as independent unless their memory is known: from the noise floor of
 * MEMORY_ROUNDS_MIN rounds or more, else from the run itself where it is as long. Then the
 * interval is widened by it (reports/statistics/memory.h).
 *
 * Rounds and requests that fail are compared beside the metrics, and can only take a green
 * verdict away (reports/verdict/failures.h).
 *
 * Of a quantile (p50, p95, p99 of the samples of a round) two intervals are taken: the one
 * above, of the rounds' own quantiles, and a bootstrap over rounds of the pooled samples
 * (reports/statistics/bootstrap.h); the wider end of the two holds on either side. Where
 * a round has too few samples for the quantile (stats_quantile_min()) and all of them
 * together have enough, the bootstrap alone decides.
 *
 * Several gating metrics are held to one error rate: a 'degraded' must also stand when all
 * of them together may err in 2.5 % of cases, and so must an 'improved' (Holm's step-down
 * procedure, each step with the levels of the looks for its part of the error: Maurer and
 * Bretz, Stat. Biopharm. Res. 5, 2013). Equivalence needs no correction, since all must
 * pass (intersection and union: Berger, Technometrics 24, 1982).
 *
 * Where rounds are added until something is decided, both intervals are repeated
 * confidence intervals that keep their level over all looks. With any number of looks they
 * are a little wider than their names say, so that the errors stay below 5 % and 2.5 % also
 * where data are not quite normal (reports/statistics/sequential.h); alpha_equivalence and
 * alpha_degraded are the levels used.
 */
#ifndef TARE_REPORTS_VERDICT_VERDICT_H
#define TARE_REPORTS_VERDICT_VERDICT_H

#include "reports/results/result_set.h"
#include "reports/verdict/judgement.h"
#include "reports/verdict/margins.h"
#include "reports/verdict/noise_floor.h"

#include <stdint.h>

struct judge_options {
	const struct margins *margins;   /* NULL: the built-in table */
	const struct noise_floor *floor; /* NULL: not measured */
	const struct strvec *trust; /* claims taken on trust beside the plan's, or NULL */
};

/* One run: every arm against its baseline arm (NULL: the plan's, else the first). */
int judge_run(struct judgement *ret, const struct result_set *run, const char *baseline,
	      const struct judge_options *o, struct err *err);
/* Two sets: the arms of the same name, or the only arm of each. Unpaired. */
int judge_sets(struct judgement *ret, const struct result_set *baseline,
	       const struct result_set *candidate, const struct judge_options *o,
	       struct err *err);

#endif
