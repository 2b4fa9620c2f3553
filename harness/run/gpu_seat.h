/*
 * One machine, while the drivers of its GPUs are looked at or changed: tare-probe there,
 * and the platform that places machines on it.
 *
 *	struct gpu_seat seat = {.s = s, .host = arm->gpu_host, .at = {.arm = arm->name}};
 *
 *	gpu_seat_open(&seat, err); ... gpu_seat_look() ... gpu_seat_close(&seat);
 */
#ifndef TARE_HARNESS_RUN_GPU_SEAT_H
#define TARE_HARNESS_RUN_GPU_SEAT_H

#include "harness/run/session.h"

struct gpu_seat {
	struct session *s;
	const struct gpu_host *host;
	struct step_at at;
	struct target *target; /* NULL until gpu_seat_open() */
};

int gpu_seat_open(struct gpu_seat *b, struct err *err);
void gpu_seat_close(struct gpu_seat *b);

/*
 * tare-probe with these options (NULL ends them) and devices ([{address}]); *ret is its
 * document, tare.binding/1.
 */
int gpu_seat_probe(struct gpu_seat *b, const char *const *options,
		   struct json_object *devices, struct json_object **ret,
		   struct err *err);
/* The devices as they are now: [{address, driver, override}]; NULL on failure. */
struct json_object *gpu_seat_look(struct gpu_seat *b, struct json_object *devices,
				  struct err *err);

/* What places machines on this host, where host->name is one; NULL on failure. */
struct provisioner *gpu_seat_platform(struct gpu_seat *b, struct err *err);

/* {action, host_arm}: what every journalled change of a host begins with. */
struct json_object *gpu_change_json(const char *action, const struct gpu_host *h);

#endif
