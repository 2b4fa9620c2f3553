/*
 * A fake CUDA driver: one GPU or several whose memory is the host's, whose stream does
 * everything at once and whose kernels are the host's functions of gemm/element.h.
 *
 * TARE_FAKE_CUDA_FAIL_AT      the call that fails, with "device lost" (CUDA_ERROR_UNKNOWN)
 * TARE_FAKE_CUDA_DEVICES      how many GPUs (1); 0: cuInit() says so
 * TARE_FAKE_CUDA_MEMORY       bytes of memory (1 GiB)
 * TARE_FAKE_CUDA_HANGS        events never finish
 * TARE_FAKE_CUDA_EVENT_MS     events are so far apart on a whole GPU, and the further the
 *                             fewer multiprocessors there are, whatever the clock says
 * TARE_FAKE_CUDA_JITTER       with that: so many per thousand further apart at most, as each
 *                             process happens to draw
 * TARE_FAKE_NVML_STATE        MIG as the fake NVML has it: a GPU in MIG mode is not seen,
 *                             a MIG device in CUDA_VISIBLE_DEVICES is where it exists
 */
#include "gemm/cuda.h"
#include "gemm/element.h"
#include "tests/support/fakes/fake.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

enum { UNKNOWN = 999, INVALID_VALUE = 1, SM_COUNT = 132 };

struct cu_event {
	double ms;
};

struct cu_function {
	char name[32];
};

struct nvml_gpu;

/* What the fake NVML is asked for. */
struct nvml_calls {
	int (*init)(void);
	int (*gpu)(unsigned index, struct nvml_gpu **ret);
	int (*mode)(struct nvml_gpu *g, unsigned *current, unsigned *pending);
	int (*part)(struct nvml_gpu *g, unsigned index, struct nvml_gpu **ret);
	int (*uuid)(struct nvml_gpu *g, char *text, unsigned size);
};

static long calls;
static size_t used_bytes;

#define CALL()                                                    \
	do {                                                      \
		if (fake_fails(&calls, "TARE_FAKE_CUDA_FAIL_AT")) \
			return UNKNOWN;                           \
	} while (0)

/* Parameters that a fake has no use for. */
#define UNUSED(x) ((void)(x))

static size_t memory(void)
{
	return (size_t)fake_number("TARE_FAKE_CUDA_MEMORY", 1L << 30);
}

static int load_nvml(struct nvml_calls *ret)
{
	void *nvml = getenv("TARE_FAKE_NVML_STATE")
			     ? dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)
			     : NULL;

	if (!nvml)
		return -1;
	*(void **)&ret->init = dlsym(nvml, "nvmlInit_v2");
	*(void **)&ret->gpu = dlsym(nvml, "nvmlDeviceGetHandleByIndex_v2");
	*(void **)&ret->mode = dlsym(nvml, "nvmlDeviceGetMigMode");
	*(void **)&ret->part = dlsym(nvml, "nvmlDeviceGetMigDeviceHandleByIndex");
	*(void **)&ret->uuid = dlsym(nvml, "nvmlDeviceGetUUID");
	return ret->init() ? -1 : 0;
}

static const char *visible(void)
{
	const char *uuid = getenv("CUDA_VISIBLE_DEVICES");

	return uuid && strncmp(uuid, "MIG-", 4) == 0 ? uuid : NULL;
}

static int is_there(const struct nvml_calls *nvml, const char *uuid)
{
	struct nvml_gpu *gpu, *part;
	char text[96];

	for (unsigned g = 0; nvml->gpu(g, &gpu) == 0; g++)
		for (unsigned i = 0; i < 7; i++)
			if (nvml->part(gpu, i, &part) == 0 &&
			    nvml->uuid(part, text, sizeof(text)) == 0 &&
			    strcmp(text, uuid) == 0)
				return 1;
	return 0;
}

static int count_devices(void)
{
	unsigned current = 0, pending = 0;
	struct nvml_calls nvml;
	struct nvml_gpu *gpu;

	if (load_nvml(&nvml) != 0)
		return (int)fake_number("TARE_FAKE_CUDA_DEVICES", 1);
	if (visible())
		return is_there(&nvml, visible());
	return nvml.gpu(0, &gpu) == 0 && nvml.mode(gpu, &current, &pending) == 0 &&
	       !current;
}

/* The fake NVML writes them into a MIG device's UUID. */
static int multiprocessors(void)
{
	const char *uuid = visible();
	char hex[5] = "";

	if (!uuid || strlen(uuid) != 40)
		return SM_COUNT;
	memcpy(hex, uuid + 28, 4);
	return (int)strtol(hex, NULL, 16);
}

int cuInit(unsigned flags);
int cuInit(unsigned flags)
{
	UNUSED(flags);
	CALL();
	return count_devices() == 0 ? CU_NO_DEVICE : 0;
}

int cuDriverGetVersion(int *ret);
int cuDriverGetVersion(int *ret)
{
	CALL();
	*ret = 13000;
	return 0;
}

int cuDeviceGetCount(int *ret);
int cuDeviceGetCount(int *ret)
{
	CALL();
	*ret = count_devices();
	return 0;
}

int cuDeviceGet(cu_device *ret, int ordinal);
int cuDeviceGet(cu_device *ret, int ordinal)
{
	CALL();
	*ret = ordinal;
	return 0;
}

int cuDeviceGetName(char *name, int size, cu_device d);
int cuDeviceGetName(char *name, int size, cu_device d)
{
	CALL();
	snprintf(name, (size_t)size, "FAKE GPU %d%s", d, visible() ? " MIG" : "");
	return 0;
}

int cuDeviceTotalMem_v2(size_t *ret, cu_device d);
int cuDeviceTotalMem_v2(size_t *ret, cu_device d)
{
	UNUSED(d);
	CALL();
	*ret = memory();
	return 0;
}

int cuDeviceGetAttribute(int *ret, int attribute, cu_device d);
int cuDeviceGetAttribute(int *ret, int attribute, cu_device d)
{
	CALL();
	switch (attribute) {
	case CU_ATTRIBUTE_SM_COUNT:
		*ret = multiprocessors();
		break;
	case CU_ATTRIBUTE_MAJOR:
		*ret = 9;
		break;
	case CU_ATTRIBUTE_L2_BYTES:
		*ret = 1024;
		break;
	case CU_ATTRIBUTE_CLOCK_KHZ:
		*ret = 1980000;
		break;
	case CU_ATTRIBUTE_PCI_BUS:
		*ret = 0x17 + d;
		break;
	default:
		*ret = 0;
	}
	return 0;
}

int cuDeviceGetUuid(struct cu_uuid *ret, cu_device d);
int cuDeviceGetUuid(struct cu_uuid *ret, cu_device d)
{
	CALL();
	memset(ret->bytes, 0xfa, sizeof(ret->bytes));
	ret->bytes[15] = (char)d;
	return 0;
}

int cuDevicePrimaryCtxRetain(struct cu_context **ret, cu_device d);
int cuDevicePrimaryCtxRetain(struct cu_context **ret, cu_device d)
{
	static char context;

	UNUSED(d);
	CALL();
	*ret = (struct cu_context *)&context;
	return 0;
}

int cuDevicePrimaryCtxRelease_v2(cu_device d);
int cuDevicePrimaryCtxRelease_v2(cu_device d)
{
	UNUSED(d);
	CALL();
	return 0;
}

int cuCtxSetCurrent(struct cu_context *c);
int cuCtxSetCurrent(struct cu_context *c)
{
	UNUSED(c);
	CALL();
	return 0;
}

int cuMemGetInfo_v2(size_t *available, size_t *total);
int cuMemGetInfo_v2(size_t *available, size_t *total)
{
	CALL();
	*total = memory();
	*available = memory() - used_bytes;
	return 0;
}

/* The size stands in front of what the caller gets. */
int cuMemAlloc_v2(cu_pointer *ret, size_t bytes);
int cuMemAlloc_v2(cu_pointer *ret, size_t bytes)
{
	size_t *at;

	CALL();
	if (used_bytes + bytes > memory())
		return CU_OUT_OF_MEMORY;
	at = malloc(bytes + 64);
	if (!at)
		return CU_OUT_OF_MEMORY;
	*at = bytes;
	used_bytes += bytes;
	*ret = (cu_pointer)(uintptr_t)at + 64;
	return 0;
}

int cuMemFree_v2(cu_pointer p);
int cuMemFree_v2(cu_pointer p)
{
	size_t *at = (size_t *)(uintptr_t)(p - 64);

	used_bytes -= *at;
	free(at);
	CALL();
	return 0;
}

int cuMemcpyDtoH_v2(void *to, cu_pointer from, size_t bytes);
int cuMemcpyDtoH_v2(void *to, cu_pointer from, size_t bytes)
{
	CALL();
	memcpy(to, (void *)(uintptr_t)from, bytes);
	return 0;
}

int cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t bytes);
int cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t bytes)
{
	CALL();
	memcpy((void *)(uintptr_t)to, from, bytes);
	return 0;
}

int cuMemsetD8Async(cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s);
int cuMemsetD8Async(cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s)
{
	UNUSED(s);
	CALL();
	memset((void *)(uintptr_t)p, value, bytes);
	return 0;
}

int cuStreamCreate(struct cu_stream **ret, unsigned flags);
int cuStreamCreate(struct cu_stream **ret, unsigned flags)
{
	UNUSED(flags);
	CALL();
	*ret = malloc(1);
	return 0;
}

int cuStreamDestroy_v2(struct cu_stream *s);
int cuStreamDestroy_v2(struct cu_stream *s)
{
	free(s);
	CALL();
	return 0;
}

int cuStreamSynchronize(struct cu_stream *s);
int cuStreamSynchronize(struct cu_stream *s)
{
	UNUSED(s);
	CALL();
	return 0;
}

int cuEventCreate(struct cu_event **ret, unsigned flags);
int cuEventCreate(struct cu_event **ret, unsigned flags)
{
	UNUSED(flags);
	CALL();
	*ret = calloc(1, sizeof(**ret));
	return 0;
}

int cuEventDestroy_v2(struct cu_event *e);
int cuEventDestroy_v2(struct cu_event *e)
{
	free(e);
	CALL();
	return 0;
}

int cuEventRecord(struct cu_event *e, struct cu_stream *s);
int cuEventRecord(struct cu_event *e, struct cu_stream *s)
{
	static double steady_ms, stretch;
	struct timespec t;

	UNUSED(s);
	CALL();
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (fake_number("TARE_FAKE_CUDA_EVENT_MS", 0)) {
		if (stretch == 0)
			stretch = 1 +
				  1e-6 * (double)fake_number("TARE_FAKE_CUDA_JITTER", 0) *
					  (double)(t.tv_nsec % 1000);
		steady_ms += (double)fake_number("TARE_FAKE_CUDA_EVENT_MS", 0) * stretch *
			     SM_COUNT / multiprocessors();
		e->ms = steady_ms;
		return 0;
	}
	e->ms = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
	return 0;
}

int cuEventQuery(struct cu_event *e);
int cuEventQuery(struct cu_event *e)
{
	UNUSED(e);
	CALL();
	return fake_number("TARE_FAKE_CUDA_HANGS", 0) ? CU_NOT_READY : 0;
}

int cuEventElapsedTime(float *ret_ms, struct cu_event *from, struct cu_event *to);
int cuEventElapsedTime(float *ret_ms, struct cu_event *from, struct cu_event *to)
{
	CALL();
	*ret_ms = (float)(to->ms - from->ms);
	return 0;
}

int cuModuleLoadData(struct cu_module **ret, const void *image);
int cuModuleLoadData(struct cu_module **ret, const void *image)
{
	CALL();
	if (!strstr(image, ".entry tare_fill"))
		return INVALID_VALUE;
	*ret = calloc(3, sizeof(struct cu_function));
	return 0;
}

int cuModuleUnload(struct cu_module *m);
int cuModuleUnload(struct cu_module *m)
{
	free(m);
	CALL();
	return 0;
}

int cuModuleGetFunction(struct cu_function **ret, struct cu_module *m, const char *name);
int cuModuleGetFunction(struct cu_function **ret, struct cu_module *m, const char *name)
{
	struct cu_function *f = (struct cu_function *)m;

	CALL();
	while (f->name[0] && strcmp(f->name, name) != 0)
		f++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	*ret = f;
	return 0;
}

#define ARGUMENT(type, i) (*(type *)arguments[i])
#define MATRIX(i) ((void *)(uintptr_t)ARGUMENT(cu_pointer, i))

static void fake_fill(void **arguments)
{
	int type = ARGUMENT(int, 2), fill = ARGUMENT(int, 3);

	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++)
		element_store(type, MATRIX(0), i, fill,
			      element_value(fill, ARGUMENT(uint64_t, 4), i));
}

static void fake_digest(void **arguments)
{
	uint64_t *sums = MATRIX(3);

	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++) {
		uint64_t word = element_word(ARGUMENT(int, 2), MATRIX(0), i);

		sums[0] += element_digest(word, i, 0);
		sums[1] += element_digest(word, i, 1);
	}
}

static void fake_sample(void **arguments, unsigned s)
{
	const uint64_t *where = MATRIX(10);
	double *out = (double *)MATRIX(11) + 4 * (size_t)s;
	uint64_t row = where[2 * s], column = where[2 * s + 1];

	memset(out, 0, 3 * sizeof(*out));
	for (uint64_t l = 0; l < ARGUMENT(uint64_t, 5); l++) {
		double p = element_load(ARGUMENT(int, 3), MATRIX(0),
					row * ARGUMENT(uint64_t, 6) +
						l * ARGUMENT(uint64_t, 7)) *
			   element_load(ARGUMENT(int, 3), MATRIX(1),
					column * ARGUMENT(uint64_t, 8) + l);

		out[0] += p;
		out[1] += p * p;
		out[2] += fabs(p);
	}
	out[3] = element_load(ARGUMENT(int, 4), MATRIX(2),
			      column * ARGUMENT(uint64_t, 9) + row);
}

int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra);
int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra)
{
	UNUSED(s);
	CALL();
	if (grid_y * grid_z * block_y * block_z != 1 || block_x != 256 || shared_bytes ||
	    extra)
		return INVALID_VALUE;
	if (strcmp(f->name, "tare_fill") == 0)
		fake_fill(arguments);
	else if (strcmp(f->name, "tare_digest") == 0)
		fake_digest(arguments);
	else
		for (unsigned i = 0; i < grid_x; i++)
			fake_sample(arguments, i);
	return 0;
}

int cuGetErrorName(cu_result code, const char **ret);
int cuGetErrorName(cu_result code, const char **ret)
{
	*ret = code == CU_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
	       : code == CU_NO_DEVICE   ? "CUDA_ERROR_NO_DEVICE"
					: "CUDA_ERROR_UNKNOWN";
	return 0;
}

int cuGetErrorString(cu_result code, const char **ret);
int cuGetErrorString(cu_result code, const char **ret)
{
	UNUSED(code);
	*ret = "said by the FAKE driver";
	return 0;
}

int cuDeviceGetDevResource(cu_device d, struct cu_resource *ret, int type);
int cuDeviceGetDevResource(cu_device d, struct cu_resource *ret, int type)
{
	UNUSED(d);
	CALL();
	ret->type = type;
	ret->of.sm.count = (unsigned)multiprocessors();
	return 0;
}

/* In groups of eight, as Hopper's. */
int cuDevSmResourceSplitByCount(struct cu_resource *parts, unsigned *nr,
				const struct cu_resource *whole, struct cu_resource *rest,
				unsigned flags, unsigned least);
int cuDevSmResourceSplitByCount(struct cu_resource *parts, unsigned *nr,
				const struct cu_resource *whole, struct cu_resource *rest,
				unsigned flags, unsigned least)
{
	UNUSED(flags);
	CALL();
	*nr = 1;
	*parts = *rest = *whole;
	parts->of.sm.count = (least + 7) / 8 * 8;
	if (parts->of.sm.count > whole->of.sm.count)
		parts->of.sm.count = whole->of.sm.count;
	return 0;
}

int cuDevResourceGenerateDesc(struct cu_resource_desc **ret, struct cu_resource *parts,
			      unsigned nr);
int cuDevResourceGenerateDesc(struct cu_resource_desc **ret, struct cu_resource *parts,
			      unsigned nr)
{
	UNUSED(nr);
	CALL();
	*ret = (struct cu_resource_desc *)parts;
	return 0;
}

int cuGreenCtxCreate(struct cu_green **ret, struct cu_resource_desc *desc, cu_device d,
		     unsigned flags);
int cuGreenCtxCreate(struct cu_green **ret, struct cu_resource_desc *desc, cu_device d,
		     unsigned flags)
{
	UNUSED(desc);
	UNUSED(d);
	CALL();
	if (flags != CU_GREEN_DEFAULT_STREAM)
		return INVALID_VALUE;
	*ret = malloc(1);
	return 0;
}

int cuGreenCtxDestroy(struct cu_green *g);
int cuGreenCtxDestroy(struct cu_green *g)
{
	free(g);
	CALL();
	return 0;
}

int cuCtxFromGreenCtx(struct cu_context **ret, struct cu_green *g);
int cuCtxFromGreenCtx(struct cu_context **ret, struct cu_green *g)
{
	CALL();
	*ret = (struct cu_context *)g;
	return 0;
}
