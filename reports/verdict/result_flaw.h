/*
 * What a result says against itself, whatever it is compared with: it calls itself invalid, or it
 * calls itself sound beside a check that failed, or a rate and a time contradict each other. A
 * comparison with such a result is invalid.
 */
#ifndef TARE_REPORTS_VERDICT_RESULT_FLAW_H
#define TARE_REPORTS_VERDICT_RESULT_FLAW_H

#include "core/document/result.h"

/* The first of it, in a sentence; NULL: nothing. One that failed says nothing. free() */
char *result_flaw(const struct result *r);
/*
 * What is wrong with one of its metrics alone: another unit, direction or part in a verdict than
 * tare's table says. NULL: nothing, or a metric that is not tare's. free()
 */
char *metric_flaw(const struct result *r, const struct samples *s);

#endif
