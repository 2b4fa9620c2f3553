/*
 * MIG partitions of a GPU of this machine, by NVML. Profiles and their numbers are read
 * from the driver: boards of one model differ ("1g.23gb", "1g.24gb"), and NVML's
 * enumeration is not the number that the driver and nvidia-smi use.
 *
 * These calls change the GPU and need root; nothing that computes may run on it. What was
 * there before is saved with mig_layout_read() and put back with mig_layout_apply(), so
 * that a caller can journal it first and restore it after a crash. Only layouts of whole
 * GPU instances with one compute instance each are made.
 */
#ifndef TARE_CORE_MACHINE_MIG_H
#define TARE_CORE_MACHINE_MIG_H

#include "core/machine/nvml.h"

#define MIG_MAX 16 /* instances of a GPU; hardware has at most 7 or 8 */

struct mig_profile {
	char name[64];  /* the driver's: "1g.18gb", "1g.18gb+me" */
	unsigned id;    /* what creates it; nvidia-smi's number too */
	unsigned index; /* in NVML's enumeration */
	unsigned slices, instances, multiprocessors, copy_engines;
	int64_t memory_bytes;
	unsigned remaining; /* more of these that fit now */
};

struct mig_instance {
	unsigned id, profile_id;
	unsigned start, size; /* placement, in memory slices */
	char profile[64];
	char uuid
		[NVML_UUID_SIZE]; /* of the MIG device: "MIG-..."; "" where it has none */
};

struct mig_layout {
	char gpu_uuid[NVML_UUID_SIZE];
	bool is_enabled, is_pending; /* MIG mode now, and after the next reset */
	struct mig_instance instances[MIG_MAX];
	size_t nr;
};

/* What can be made; up to MIG_MAX * 2 profiles. ERR_USAGE where the GPU has no MIG. */
int mig_profiles(struct nvml *n, struct nvml_gpu *g, struct mig_profile ret[2 * MIG_MAX],
		 size_t *ret_nr, struct err *err);

/*
 * The profile that 'what' means among those: its name, its number of slices ("1", "2g":
 * the plainest of that many: no media extensions, the least memory), or NULL.
 */
const struct mig_profile *mig_profile_find(const struct mig_profile *profiles, size_t nr,
					   const char *what);

/* ERR_USAGE with the names there are when one of those wanted is not among them. */
int mig_profiles_check(const struct mig_profile *profiles, size_t nr_profiles,
		       const char *const *wanted, size_t nr, struct err *err);

int mig_layout_read(struct nvml *n, struct nvml_gpu *g, struct mig_layout *ret,
		    struct err *err);

/*
 * The layout that the instances named by 'wanted' (as mig_profile_find() takes them) would
 * make on this GPU: each at the lowest place that leaves room for the rest, by the places
 * that NVML knows. Changes nothing. ERR_USAGE where they do not fit together. A driver that
 * knows no places leaves 'size' 0, and then it places them itself.
 */
int mig_plan(struct nvml *n, struct nvml_gpu *g, const char *const *wanted, size_t nr,
	     struct mig_layout *ret, struct err *err);

/* Could it be made, were nothing else there? Changes nothing; errors as mig_plan(). */
int mig_layout_check(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *layout,
		     struct err *err);

/*
 * Makes a layout of mig_plan(), or puts back what mig_layout_read() gave: mode, profiles and
 * places. Whether it fits is looked at first. MIG mode is switched on when it is off; where
 * that needs a reset of the GPU, ERR_ENVIRONMENT says so and nothing was changed but the
 * pending mode. When an instance cannot be made, what was there before is put back, and the
 * error says whether it is.
 */
int mig_layout_apply(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *layout,
		     struct err *err);

/* Removes every instance and, with 'mode_off', leaves MIG mode. */
int mig_clear(struct nvml *n, struct nvml_gpu *g, bool mode_off, struct err *err);

/* {gpu, enabled, pending, instances: [{id, profile, profile_id, start, size, uuid}]} */
struct json_object *mig_layout_json(const struct mig_layout *l);
int mig_layout_from_json(struct mig_layout *ret, struct json_object *o, struct err *err);
/* [{name, id, slices, instances, multiprocessors, memory_bytes, copy_engines, remaining}] */
struct json_object *mig_profiles_json(const struct mig_profile *profiles, size_t nr);

#endif
