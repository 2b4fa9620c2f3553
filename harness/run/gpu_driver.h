/*
 * Both sides of one GPU. An arm with a "driver" finds its GPU bound to it: before bare
 * metal is measured the host is taken out of its platform's scheduling and the GPU bound
 * to the host's own driver; before the VM it is bound to vfio and the host is scheduled
 * again. tare-probe does the binding, on the host itself (struct gpu_host).
 *
 * The journal has what was there before anything changes, as a note of the step 'bind':
 *
 *	{"action": "take", "host_arm": "metal", "scheduling": {"provisioner": "cloud",
 *	 "host": "gpu-7", "was": "enabled"} or null,
 *	 "devices": [{"address": "0008:01:00.0", "driver": "nvidia", "override": null}]}
 *
 * and then begin and end of each change: "reserve", "bind", "enable", and at last
 * "restore". A process that was killed in between leaves a take without a restore.
 */
#ifndef TARE_HARNESS_RUN_GPU_DRIVER_H
#define TARE_HARNESS_RUN_GPU_DRIVER_H

#include "harness/run/session.h"

/* Does nothing for an arm that changes no driver. */
int gpu_driver_prepare(struct session *s, int round, const struct arm *arm,
		       struct err *err);

/*
 * Puts back every driver, and then every host's scheduling, that this session changed,
 * in reverse order. A failure does not keep the others from being put back; the first is
 * in *err. A host with a GPU that is not as before, in its driver or cut by MIG still
 * (session.cut), stays out of scheduling, and its error names it, the GPU and 'tare clean'.
 * *ret_nr (may be NULL): how many hosts are as they were.
 */
int gpu_driver_restore(struct session *s, size_t *ret_nr, struct err *err);

/* What an earlier process changed and did not put back counts as this session's. */
int gpu_driver_recall(struct session *s, struct err *err);

#endif
