/*
 * The door to NVML, the library that every NVIDIA driver brings: which GPUs there are and
 * what state they are in. libnvidia-ml.so.1 is opened at run time, so that a machine
 * without one only gets an error. Nothing here changes a GPU's settings;
 * core/machine/mig.h does.
 *
 * A GPU is named by UUID ("GPU-..."), PCI address ("0008:01:00.0", any case, with or
 * without leading zeros of the domain) or number; only UUIDs mean the same everywhere.
 */
#ifndef TARE_CORE_MACHINE_NVML_H
#define TARE_CORE_MACHINE_NVML_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stdint.h>

struct nvml;
struct nvml_gpu; /* NVML's own handle: borrowed, valid until nvml_close() */

#define NVML_UUID_SIZE 96

/* NULL, with ERR_ENVIRONMENT: no library, no driver, or one that does not start. */
struct nvml *nvml_open(struct err *err);
void nvml_close(struct nvml *n); /* NULL is fine */

int nvml_count(struct nvml *n, unsigned *ret, struct err *err);
int nvml_gpu_at(struct nvml *n, unsigned index, struct nvml_gpu **ret, struct err *err);
int nvml_gpu_find(struct nvml *n, const char *which, struct nvml_gpu **ret,
		  struct err *err);
int nvml_gpu_uuid(struct nvml *n, struct nvml_gpu *g, char uuid[NVML_UUID_SIZE],
		  struct err *err);

/*
 * One GPU's identity and settings: {name, uuid, pci{address, id, subsystem}, vbios, board,
 * compute_capability, memory_bytes, ecc, persistence, compute_mode, virtualization, mig,
 * power_limit_w, default_power_limit_w, max_sm_clock_hz, max_memory_clock_hz, pcie{...},
 * nvlinks, c2c_links, multiprocessors, mig_profiles[{name, id, slices, instances,
 * multiprocessors, memory_bytes, copy_engines}], serial, ecc_pending, remap{...},
 * retired_pages{...}, fabric{...}, cc_mode, mps, vgpu_type, ...}; configs/schema/machine.json
 * has them all. What the GPU does not tell is null. Owned by the caller.
 */
struct json_object *nvml_gpu_json(struct nvml *n, struct nvml_gpu *g);

/* Of each NVLink that the GPU has, in order, whether it is up; NULL where that is not told. */
struct json_object *nvml_links_json(struct nvml *n, struct nvml_gpu *g);
/*
 * What the driver says that two GPUs may do with each other: {read, write, nvlink, atomics},
 * each "ok" or why not ("chipset-not-supported": in a guest without a peer clique), null where
 * it is not told. What is so said need not be true (link/peers.h). Owned by the caller.
 */
struct json_object *nvml_pair_json(struct nvml *n, struct nvml_gpu *a,
				   struct nvml_gpu *b);

/*
 * How many multiprocessors the whole GPU has, MIG or not: its cores over the FP32 cores of
 * one (CUDA C++ Programming Guide, "Compute Capabilities"); 0 where it is not told.
 */
unsigned nvml_multiprocessors(struct nvml *n, struct nvml_gpu *g);
/* Those of a MIG device; 0 where it is not told. */
unsigned nvml_mig_multiprocessors(struct nvml *n, struct nvml_gpu *mig);
/* All memory of a GPU or a MIG device; 0 where it is not told. */
int64_t nvml_memory_bytes(struct nvml *n, struct nvml_gpu *g);

/*
 * The MIG device of that UUID ("MIG-...") and the GPU it is a part of. ERR_ENVIRONMENT
 * where there is none.
 */
int nvml_mig_find(struct nvml *n, const char *uuid, struct nvml_gpu **ret_gpu,
		  struct nvml_gpu **ret_mig, struct err *err);

/* MIG mode now, its MIG devices and the first one's UUID; off, 0 and "" where not told. */
struct nvml_mig_state {
	bool is_on;
	unsigned devices;
	char first[NVML_UUID_SIZE];
};
void nvml_mig_state(struct nvml *n, struct nvml_gpu *g, struct nvml_mig_state *ret);

/*
 * How many processes compute on it and the first few's ids, as NVML sees them: on a MIG
 * device its own, on a GPU those of all of its parts.
 */
int nvml_processes(struct nvml *n, struct nvml_gpu *g, unsigned pids[], unsigned most,
		   unsigned *ret_nr, struct err *err);

/*
 * For core/machine/machine_gpu.c: {driver, nvml, cuda, gpus: [...], unreadable: [index]} of
 * this machine, or NULL where NVML does not start or does not count. A GPU that cannot be
 * opened keeps its place, with 'error' alone. Owned by the caller.
 */
struct json_object *nvml_machine_json(struct err *err);

#endif
