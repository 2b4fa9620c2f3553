/*
 * From results to comparisons: which rounds count, each round's value, and what makes a
 * comparison invalid before any figure is looked at (reports/verdict/validity.h).
 */
#ifndef TARE_REPORTS_VERDICT_GATHER_H
#define TARE_REPORTS_VERDICT_GATHER_H

#include "reports/verdict/judgement.h"
#include "reports/verdict/margins.h"
#include "reports/verdict/validity.h"

/*
 * Appends to 'j' a comparison for each workload and metric of the two sides, with round
 * values. One that cannot be valid has that verdict and its reason already. Units that
 * differ are ERR_INVALID.
 *
 * Besides the mean, p50, p95 and p99 of the samples of a round are compared where every
 * round has enough samples; they gate only where the margins name them ("metric:p99"). One
 * that gates is compared also where only all rounds together have enough.
 */
int gather_comparisons(struct judgement *j, const struct compared_side *b,
		       const struct compared_side *c, const struct margins *margins,
		       struct err *err);

#endif
