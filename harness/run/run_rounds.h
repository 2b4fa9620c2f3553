/*
 * One plan from its first round to its report. Rounds are measured in alternating order;
 * after each, from the least number on, the verdicts so far decide whether another is
 * needed. Results that are there already (from the process that was killed before this
 * one) are not measured again.
 */
#ifndef TARE_HARNESS_RUN_RUN_ROUNDS_H
#define TARE_HARNESS_RUN_RUN_ROUNDS_H

#include "harness/run/session.h"

struct run_filter {
	const struct strvec *arms, *workloads; /* empty: all */
};

/* Names that the plan does not have are ERR_USAGE. */
int run_filter_check(const struct run_filter *f, const struct plan *p, struct err *err);

/* Measures; every result is in the run directory when this returns 0. */
int run_rounds(struct session *s, const struct run_filter *f, struct err *err);

#endif
