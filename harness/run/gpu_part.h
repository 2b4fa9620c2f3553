/*
 * The part of a GPU that a workload ran on, and how its result says so. A result of a
 * part has
 *
 *	details.mig = {route, profile, slices, multiprocessors, gpu_multiprocessors,
 *		       memory_bytes, device, gpu, whole}
 *
 * route      who cut the GPU: "host" (bare metal), "guest" (inside a machine that has all
 *            of it), "opennebula" (a MIG-backed vGPU that the platform gave). Null, like
 *            profile, for the whole GPU in a sweep over its parts.
 * profile    the driver's name, or the platform's
 * whole      the workload whose result of the same arm and round is that of the whole GPU;
 *            null where the arm does not measure it
 *
 * and the metrics mig.sm_ratio and, beside a whole, mig.throughput_share.
 */
#ifndef TARE_HARNESS_RUN_GPU_PART_H
#define TARE_HARNESS_RUN_GPU_PART_H

#include "core/document/result.h"

struct gpu_part {
	char *suffix; /* behind the workload's name: "@1g.18gb"; "" */
	char *device; /* what CUDA is to see, a UUID; NULL: whatever there is */
	struct json_object *facts; /* details.mig without 'whole' */
	bool has_whole;            /* the arm measures the whole GPU too, before */
};

void gpu_part_release(struct gpu_part *p);

/*
 * Puts the part into a result. 'whole' is the path of the whole GPU's result of the same
 * workload, arm and round, which need not be there.
 */
void gpu_part_describe(const struct gpu_part *p, const char *workload, const char *whole,
		       struct result *r);

/*
 * What a lease's facts say of a MIG-backed slice, or false: a whole device, or none.
 * 'ret' is then to be released.
 */
bool gpu_part_of_lease(struct json_object *lease_facts, struct gpu_part *ret);

#endif
