/* Where an arm's commands run: this machine, a machine over SSH, or one on loan. */
#ifndef TARE_HARNESS_RUN_ARM_TARGET_H
#define TARE_HARNESS_RUN_ARM_TARGET_H

#include "harness/plan/plan.h"
#include "harness/provision/provisioner.h"
#include "harness/target/target.h"

/*
 * 'lease' is what the arm's machine says of itself (NULL: the arm has a fixed machine):
 * what it knows wins over what the plan says, and the plan fills the rest.
 */
struct target *arm_target_open(const struct arm *arm, const struct lease_info *lease,
			       struct err *err);

#endif
