/*
 * Does the GPU have the driver that the arm asks for: each one that the plan names for the
 * arm's machine (struct gpu_host), any one where it names none? A run checks it and does
 * not change it: 'tare-probe --bind' does, on the host, where whoever runs it sees
 * what it takes away from whom.
 */
#ifndef TARE_HARNESS_RUN_DRIVER_CHECK_H
#define TARE_HARNESS_RUN_DRIVER_CHECK_H

#include "core/document/json.h"
#include "harness/plan/plan.h"

/*
 * 'facts': tare.machine/1 of the machine that the arm runs on. A leased machine with
 * "vfio" passes: there it is the host's GPU that vfio has, which the lease has proved.
 */
int driver_check(const struct arm *arm, struct json_object *facts, struct err *err);

#endif
