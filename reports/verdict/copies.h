/*
 * One measurement that is given as two: the same result twice, by its id, or another that has
 * its values bit for bit. Such a comparison has nothing of its own to say, and its interval is
 * too narrow.
 *
 * Equal values are held against a comparison only where chance does not make them: a clock of
 * few ticks may, and then many lists of them are equal.
 */
#ifndef TARE_REPORTS_VERDICT_COPIES_H
#define TARE_REPORTS_VERDICT_COPIES_H

#include "reports/verdict/claims.h"

/* The sentence that names both; NULL: every result is a measurement of its own. free() */
char *copies_find(const struct workload_side sides[2]);

#endif
