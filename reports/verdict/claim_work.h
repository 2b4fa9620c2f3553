/*
 * Claims about what was done: the same work by the same software, in an order that the clocks of
 * both sides agree with.
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_WORK_H
#define TARE_REPORTS_VERDICT_CLAIM_WORK_H

#include "reports/verdict/claim_facts.h"

/* NTP slews by 500 ppm at most (Linux adjtimex(2)), and a label has whole milliseconds. */
#define WALL_STEP_S 0.1
#define WALL_STEP_SHARE 0.001

/*
 * The clock of a machine against the harness's, over the rounds: a workload's end and the end of
 * its turn are apart by the stop of a server, which may take so long.
 */
#define CLOCK_APART_S 30
#define CLOCK_APART_SHARE 0.002

/* parameters, digest of C, the model served */
void check_same_work(struct weighing *w, const struct claim_pair *p);
/* driver, libraries, server, tare itself */
void check_same_software(struct weighing *w, const struct claim_pair *p);
/* sane clocks, rounds in order */
void check_time(struct weighing *w, const struct claim_pair *p);

#endif
