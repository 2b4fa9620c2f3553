/*
 * Is the device that computes the whole of what was asked for? CUDA takes the first part of a
 * GPU in MIG mode for the GPU, and an MPS server, a vGPU or a container may leave less than
 * there is; none of them says a word. What NVML says of the device is held against what CUDA
 * gives.
 */
#ifndef TARE_CUDA_WHOLE_DEVICE_H
#define TARE_CUDA_WHOLE_DEVICE_H

#include "core/document/result.h"
#include "cuda/device.h"

/* CUDA keeps some of the memory that NVML counts: 0.4 % on an H200, 3 % on the smallest. */
#define WHOLE_MEMORY_MIN 0.95

struct whole_device {
	int64_t multiprocessors, memory_bytes; /* of the device; 0: not told */
	int64_t gpu_multiprocessors; /* of the GPU that a MIG device is part of */
};

/*
 * ERR_ENVIRONMENT when the GPU is in MIG mode and was named as a whole, or is not named and
 * has more parts than one. An only part is what 'd' then is: its UUID becomes d->asked.
 */
int whole_device_read(struct device *d, bool is_named, struct whole_device *ret,
		      struct err *err);

/* The check 'device-is-whole'; none where the driver does not tell. */
void whole_device_report(const struct whole_device *w, const struct device *d,
			 struct result *r);

#endif
