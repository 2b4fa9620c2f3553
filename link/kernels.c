#include "link/kernels.h"

#include "core/base/clock.h"

enum { BLOCKS = 1024, BLOCK_THREADS = 256 };
static const int64_t check_timeout_ns = 60 * NS_PER_S;

/* kernels.ptx inside the program, as gemm/kernels.c has its own; scripts/ptx makes it. */
extern const char link_kernels_ptx[];
__asm__(".section .rodata\n"
	".global link_kernels_ptx\n"
	".balign 8\n"
	"link_kernels_ptx:\n"
	".incbin \"link/kernels.ptx\"\n"
	".byte 0\n"
	".previous\n");

int link_kernels_load(struct kernels *k, struct device *d, struct err *err)
{
	static const char *const names[NR_KERNELS] = {
		[KERNEL_WAIT] = "link_wait",   [KERNEL_EMPTY] = "link_empty",
		[KERNEL_FILL] = "link_fill",   [KERNEL_CHECK] = "link_check",
		[KERNEL_CHASE] = "link_chase", [KERNEL_PONG] = "link_pong",
	};

	k->device = d;
	if (cuda_ok(&d->cuda, d->cuda.cuModuleLoadData(&k->module, link_kernels_ptx), err,
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

void link_kernels_unload(struct kernels *k)
{
	if (k->module)
		k->device->cuda.cuModuleUnload(k->module);
	*k = (struct kernels){0};
}

int link_kernels_launch(struct kernels *k, enum kernel which, unsigned blocks,
			unsigned threads, void **arguments, struct err *err)
{
	struct device *d = k->device;

	return cuda_ok(&d->cuda,
		       d->cuda.cuLaunchKernel(k->functions[which], blocks, 1, 1, threads,
					      1, 1, 0, d->stream, arguments, NULL),
		       err, "start a kernel");
}

int link_kernels_fill(struct kernels *k, cu_pointer to, int64_t bytes, uint64_t seed,
		      struct err *err)
{
	uint64_t words = (uint64_t)bytes / 8;
	void *arguments[] = {&to, &words, &seed};

	return link_kernels_launch(k, KERNEL_FILL, BLOCKS, BLOCK_THREADS, arguments, err);
}

static int check_into(struct kernels *k, cu_pointer from, uint64_t words, uint64_t seed,
		      cu_pointer count, uint64_t *ret, struct err *err)
{
	struct device *d = k->device;
	void *arguments[] = {&from, &words, &seed, &count};

	if (cuda_ok(&d->cuda, d->cuda.cuMemsetD8Async(count, 0, 8, d->stream), err,
		    "clear a count") != 0 ||
	    link_kernels_launch(k, KERNEL_CHECK, BLOCKS, BLOCK_THREADS, arguments, err) !=
		    0 ||
	    device_wait(d, check_timeout_ns, "check a buffer", err) != 0)
		return -1;
	return cuda_ok(&d->cuda, d->cuda.cuMemcpyDtoH_v2(ret, count, 8), err,
		       "copy a count from the GPU");
}

int link_kernels_check(struct kernels *k, cu_pointer from, int64_t bytes, uint64_t seed,
		       int64_t *ret_wrong, struct err *err)
{
	cu_pointer count = 0;
	uint64_t wrong = 0;
	int rc;

	if (device_alloc(k->device, &count, 8, "a count", err) != 0)
		return -1;
	rc = check_into(k, from, (uint64_t)bytes / 8, seed, count, &wrong, err);
	device_free(k->device, count);
	*ret_wrong = (int64_t)wrong;
	return rc;
}
