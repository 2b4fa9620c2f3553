/*
 * Why are some rounds slow? Where rounds of a comparison stand apart on its worse side
 * (struct slow_rounds), the results tell which arm's own values moved there, and what those
 * rounds share and the others do not: a GPU, a host, the place in the order, a machine that
 * had just booted. A note says it, and the document (tare.verdict/1, 'slow_rounds').
 */
#ifndef TARE_REPORTS_VERDICT_SLOW_ROUNDS_H
#define TARE_REPORTS_VERDICT_SLOW_ROUNDS_H

#include "reports/verdict/judgement.h"
#include "reports/verdict/claims.h"

/* Fills 'arm' and 'shared' of the comparisons from index 'from' on, of one run. */
void slow_rounds_explain(struct judgement *j, size_t from, const struct compared_side *b,
			 const struct compared_side *c);

#endif
