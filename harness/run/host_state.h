/*
 * A host's GPUs and scheduling, as they were before a run changed them: what the end of
 * the run, or a later process, puts back. The journal holds it as the "take" that
 * gpu_driver.h describes; this is the door between the two.
 */
#ifndef TARE_HARNESS_RUN_HOST_STATE_H
#define TARE_HARNESS_RUN_HOST_STATE_H

#include "core/document/json.h"
#include "harness/plan/plan.h"

#include <stdbool.h>
#include <stddef.h>

struct gpu_state {
	char *address;
	char *driver, *override; /* "none": none; override: sysfs's driver_override */
};

struct stop_leaves;

struct host_state {
	char *host_arm; /* the arm that is the machine itself */
	struct gpu_state *gpus;
	size_t gpus_nr;
	struct stop_leaves *leaves; /* while it is not so (core/base/stop.h), or NULL */
	char *scheduling; /* "enabled", "disabled"; NULL: no platform places machines there */
};

void host_state_release(struct host_state *h);

/* Its 'gpus' out of [{address, driver, override}], which tare-probe prints too. */
void host_state_read_gpus(struct host_state *ret, struct json_object *devices);
/* A "take" of the journal, which an earlier version may have written. */
void host_state_read(struct host_state *ret, struct json_object *take);
/* The "take"; 'host' is the same host as the plan has it. */
struct json_object *host_state_to_json(const struct host_state *h,
				       const struct gpu_host *host);

/* Has it the same driver and the same override? */
bool gpu_state_is_same(const struct gpu_state *a, const struct gpu_state *b);

#endif
