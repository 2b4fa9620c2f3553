/* The machine of an arm with target vm, as journalled steps: taken, and given back. */
#ifndef TARE_HARNESS_RUN_ARM_LEASE_H
#define TARE_HARNESS_RUN_ARM_LEASE_H

#include "harness/run/session.h"

/* 'label' is unique within the run: "r001-vm". Shows progress while it comes up. */
int arm_lease_take(struct session *s, const struct step_at *at, const struct arm *arm,
		   const char *label, struct lease **ret, struct err *err);
/* Frees the lease whatever comes back; NULL is fine. */
int arm_lease_give_back(struct session *s, const struct step_at *at,
			const struct arm *arm, struct lease *lease, struct err *err);

/* {id, name, address, port, user, key_file, host_key_sha256, boot_s, facts} */
struct json_object *arm_lease_json(const struct lease_info *info);

#endif
