/*
 * One arm's turn in a round: lease -> reach -> probe -> (place, measure)... -> leave ->
 * release. With "mig" the GPU's parts are made and measured one after the other, and what
 * was there is put back before the machine is left. Whatever happens on the way, a machine
 * that was lent is given back.
 */
#ifndef TARE_HARNESS_RUN_ARM_TURN_H
#define TARE_HARNESS_RUN_ARM_TURN_H

#include "harness/run/session.h"

/* The workloads of this turn: 'wanted[i]' for the plan's i-th. */
int arm_turn(struct session *s, int round, const struct arm *arm, const bool *wanted,
	     struct err *err);

#endif
