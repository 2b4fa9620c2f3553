/*
 * Runs whose verdict is known by construction: two arms, "metal" (the baseline) and "vm",
 * and one metric, whose unit is "unit/s" and which gates; all results are of workload "gemm",
 * and every claim of theirs is shown (tests/support/honest.h).
 *
 *	known_run_make(&s, 0.94, 6, METRIC_HIGHER);
 *	known_run_judge(&s, &j);
 *	... judgement_release(&j); result_set_release(&s);
 *
 * Or by hand: result_set_init(), s.is_run, known_run_add() for each result, and
 * result_set_sort() before it is judged.
 */
#ifndef TARE_TESTS_SUPPORT_KNOWN_RUN_H
#define TARE_TESTS_SUPPORT_KNOWN_RUN_H

#include "core/document/metric.h"
#include "reports/verdict/verdict.h"

#define KNOWN_RUN_ROUNDS_MAX 6

/* Adds a result of one metric; 'values' are its samples and end with NAN. */
void known_run_add(struct result_set *s, const char *arm, int round, const char *metric,
		   enum metric_better better, const double *values);

/* The same with one sample of the metric "m". */
void known_run_add_one(struct result_set *s, const char *arm, int round,
		       enum metric_better better, double value);

/*
 * A sorted run (result_set_release()) of 'rounds' rounds, at most KNOWN_RUN_ROUNDS_MAX, of
 * the metric "m". Its level drifts by 10 % a round, which pairing must cancel; candidate
 * over baseline is 'ratio' but for fixed errors of at most 0.2 % a round.
 */
void known_run_make(struct result_set *s, double ratio, int rounds,
		    enum metric_better better);

/* Judges with the default options; judgement_release(). An error fails the test. */
void known_run_judge(struct result_set *s, struct judgement *j);

#endif
