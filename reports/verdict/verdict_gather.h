/*
 * From results to comparisons: which rounds count, each round's value, and what makes a
 * comparison invalid before any figure is looked at. For reports/verdict/verdict.c.
 */
#ifndef TARE_REPORTS_VERDICT_VERDICT_GATHER_H
#define TARE_REPORTS_VERDICT_VERDICT_GATHER_H

#include "reports/verdict/verdict.h"

/* One arm of a set; 'label' is what the verdict calls it. Texts are borrowed. */
struct gather_side {
	const struct result_set *set;
	const char *arm, *label;
};

/*
 * Appends to 'j' a comparison for each workload and metric of the two sides, with round
 * values. One that cannot be valid has that verdict and its reason already. Units that
 * differ are ERR_INVALID.
 *
 * Besides the mean, p50, p95 and p99 of the samples of a round are compared where every
 * round has enough samples; they gate only where the margins name them ("metric:p99"). One
 * that gates is compared also where only all rounds together have enough.
 */
int gather_comparisons(struct judgement *j, const struct gather_side *b,
		       const struct gather_side *c, const struct judge_options *o,
		       struct err *err);

#endif
