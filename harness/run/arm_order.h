/*
 * Which arm is measured when. In each round every arm has its turn; with 'abba' every
 * other round goes through them backwards, so that a drift that is linear in time falls
 * on all arms alike (A B B A). With 'random-blocks' two rounds are a block: the first has
 * an order drawn by the plan's seed, the second the same backwards. A drift cancels within
 * a block as with 'abba', and what the machine does in a rhythm of its own does not fall on
 * one arm every time. The order follows from seed and round alone, so a run that is
 * continued goes on with it.
 */
#ifndef TARE_HARNESS_RUN_ARM_ORDER_H
#define TARE_HARNESS_RUN_ARM_ORDER_H

#include "harness/plan/plan.h"

#include <stdio.h>

/* The index of the arm whose turn is 'turn' (from 0) in 'round' (from 1). */
size_t rounds_arm(const struct plan *p, int round, size_t turn);

/*
 * Prints the steps of the first rounds and how long they, and the whole run, should take:
 * what --dry-run shows. 'past' is a run directory of the same plan whose journal tells
 * how long its steps took, or NULL: then the times are guesses and are said to be.
 */
int rounds_print(const struct plan *p, const char *past, FILE *to, struct err *err);

/* "3 to 12 rounds", "1 round"; 'text' is returned. */
const char *rounds_text(const struct plan *p, char *text, size_t size);

/* What a round should take, by the same reckoning. */
int64_t rounds_one_ns(const struct plan *p);

#endif
