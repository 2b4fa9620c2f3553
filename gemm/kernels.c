#include "gemm/kernels.h"

enum { BLOCK_THREADS = 256 };

/*
 * kernels.ptx inside the program, with a NUL behind it. The driver compiles it for the GPU
 * at hand, so one text serves compute capability 8.0 and all later ones; scripts/ptx makes
 * it from kernels.cu.
 */
extern const char gemm_kernels_ptx[];
__asm__(".section .rodata\n"
	".global gemm_kernels_ptx\n"
	".balign 8\n"
	"gemm_kernels_ptx:\n"
	".incbin \"gemm/kernels.ptx\"\n"
	".byte 0\n"
	".previous\n");

int kernels_load(struct kernels *k, struct device *d, struct err *err)
{
	static const char *const names[] = {"tare_fill", "tare_digest", "tare_sample"};

	k->device = d;
	if (cuda_ok(&d->cuda, d->cuda.cuModuleLoadData(&k->module, gemm_kernels_ptx), err,
		    "load our kernels") != 0)
		return -1;
	for (int i = 0; i < NR_KERNELS; i++)
		if (cuda_ok(&d->cuda,
			    d->cuda.cuModuleGetFunction(&k->functions[i], k->module,
							names[i]),
			    err, "find our kernel %s", names[i]) != 0)
			return -1;
	return 0;
}

void kernels_unload(struct kernels *k)
{
	if (k->module)
		k->device->cuda.cuModuleUnload(k->module);
	*k = (struct kernels){0};
}

int kernels_launch(struct kernels *k, enum kernel which, unsigned blocks,
		   void **arguments, struct err *err)
{
	struct device *d = k->device;

	return cuda_ok(&d->cuda,
		       d->cuda.cuLaunchKernel(k->functions[which], blocks, 1, 1,
					      BLOCK_THREADS, 1, 1, 0, d->stream,
					      arguments, NULL),
		       err, "start a kernel");
}
