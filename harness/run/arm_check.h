/*
 * What an arm's machine is, against what the arm needs: before anything is leased, on a
 * fixed machine (target local or ssh), tare-probe's preflight and the driver of each GPU
 * that is to change hands; in a turn, on any machine, the driver. Only reads, but for
 * tare-probe itself, which is uploaded.
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

/*
 * Does the GPU have the driver that the arm asks for: each one that the plan names for the
 * arm's machine (struct gpu_host), any one where it names none? 'facts': tare.machine/1 of
 * the machine that the arm runs on. A leased machine with "vfio" passes: there it is the
 * host's GPU that vfio has, which the lease has proved.
 */
int arm_check_driver(const struct arm *arm, struct json_object *facts, struct err *err);

#endif
