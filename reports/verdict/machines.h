/*
 * The machines of two sides, round by round: a pool may lend another GPU in any of them,
 * and a driver may be updated between two.
 */
#ifndef TARE_REPORTS_VERDICT_MACHINES_H
#define TARE_REPORTS_VERDICT_MACHINES_H

#include "core/document/likeness.h"
#include "reports/verdict/verdict_gather.h"

/*
 * Compares the facts of both sides (core/document/likeness.h). Of one run: those of the
 * same round, and 'ret' is the first round that breaks likeness, else the first round;
 * *ret_round is its number. Of two sets: all facts of either side with the baseline's
 * first; *ret_round is 0. 'ret' must be released.
 */
void machines_compare(struct likeness *ret, const struct gather_side *b,
		      const struct gather_side *c, int64_t *ret_round);

#endif
