/* The kernels of kernels.cu on a GPU. Every launch is ordered in the stream; none waits. */
#ifndef TARE_LINK_KERNELS_H
#define TARE_LINK_KERNELS_H

#include "cuda/device.h"

enum kernel {
	KERNEL_WAIT,
	KERNEL_EMPTY,
	KERNEL_FILL,
	KERNEL_CHECK,
	KERNEL_CHASE,
	KERNEL_PONG,
	NR_KERNELS
};

struct kernels {
	struct device *device; /* borrowed */
	struct cu_module *module;
	struct cu_function *functions[NR_KERNELS];
};

/* Fills 'k' (zeroed); link_kernels_unload() also after a failure. */
int link_kernels_load(struct kernels *k, struct device *d, struct err *err);
void link_kernels_unload(struct kernels *k); /* zeroed is fine */

/* 'blocks' blocks of 'threads' threads in the device's stream. */
int link_kernels_launch(struct kernels *k, enum kernel which, unsigned blocks,
			unsigned threads, void **arguments, struct err *err);

/* The launch alone, as an application makes it: for what times launches. */
static inline cu_result link_kernels_launch_empty(const struct kernels *k)
{
	const struct device *d = k->device;

	return d->cuda.cuLaunchKernel(k->functions[KERNEL_EMPTY], 1, 1, 1, 1, 1, 1, 0,
				      d->stream, NULL, NULL);
}

/* 'bytes' (a multiple of 8) of the pattern (link/pattern.h) into memory this GPU can reach. */
int link_kernels_fill(struct kernels *k, cu_pointer to, int64_t bytes, uint64_t seed,
		      struct err *err);
/* How many words there are not the pattern's, as this GPU reads them; waits for the answer. */
int link_kernels_check(struct kernels *k, cu_pointer from, int64_t bytes, uint64_t seed,
		       int64_t *ret_wrong, struct err *err);

#endif
