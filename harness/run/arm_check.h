/*
 * What a run would meet on an arm's fixed machine (target local or ssh), before anything
 * is leased: tare-probe's preflight there, and the driver that each GPU has which is to
 * change hands. Only reads, but for tare-probe itself, which is uploaded.
 */
#ifndef TARE_HARNESS_RUN_ARM_CHECK_H
#define TARE_HARNESS_RUN_ARM_CHECK_H

#include "harness/run/session.h"

/*
 * *ret, owned by the caller: {summary, checks: [{name, state, text, why, remedy}],
 * machine: tare.machine/1, preflight: tare.preflight/1} with the states of
 * provisioner_check(); what does not apply to the machine is in 'preflight' alone. -1: the
 * machine could not be asked.
 */
int arm_check(struct session *s, const struct arm *arm, struct json_object **ret,
	      struct err *err);

#endif
