/* The kernels of kernels.cu on a GPU: matrices filled, sampled and digested in its memory. */
#ifndef TARE_GEMM_KERNELS_H
#define TARE_GEMM_KERNELS_H

#include "cuda/device.h"

enum kernel { KERNEL_FILL, KERNEL_DIGEST, KERNEL_SAMPLE, NR_KERNELS };

struct kernels {
	struct device *device; /* borrowed */
	struct cu_module *module;
	struct cu_function *functions[NR_KERNELS];
};

/* Fills 'k' (zeroed); kernels_unload() also after a failure. */
int kernels_load(struct kernels *k, struct device *d, struct err *err);
void kernels_unload(struct kernels *k); /* zeroed is fine */

/* 'blocks' blocks of 256 threads, ordered in the device's stream; no waiting. */
int kernels_launch(struct kernels *k, enum kernel which, unsigned blocks,
		   void **arguments, struct err *err);

#endif
