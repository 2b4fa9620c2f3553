#include "tests/support/fakes/cuda_state.h"
#include "tests/support/fakes/nvml_shapes.h"

#include <dlfcn.h>
#include <stdio.h>

struct nvml_gpu;

/* What the fake NVML is asked for. */
struct nvml_calls {
	int (*init)(void);
	int (*gpu)(unsigned index, struct nvml_gpu **ret);
	int (*mode)(struct nvml_gpu *g, unsigned *current, unsigned *pending);
	int (*part)(struct nvml_gpu *g, unsigned index, struct nvml_gpu **ret);
	int (*uuid)(struct nvml_gpu *g, char *text, unsigned size);
};

long fake_cuda_live;

int fake_cuda_current;

static long calls;

bool fake_cuda_fails(void)
{
	return fake_fails(&calls, "TARE_FAKE_CUDA_FAIL_AT");
}

size_t fake_cuda_memory(void)
{
	return (size_t)fake_number("TARE_FAKE_CUDA_MEMORY", 1L << 30);
}

bool fake_cuda_is_pair(const char *variable, int a, int b)
{
	const char *text = getenv(variable);
	int x, y;

	return text && sscanf(text, "%d-%d", &x, &y) == 2 &&
	       ((x == a && y == b) || (x == b && y == a));
}

static void *nvml_library(void)
{
	return dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
}

static int load_nvml(struct nvml_calls *ret)
{
	void *nvml = getenv("TARE_FAKE_NVML_STATE") ? nvml_library() : NULL;

	if (!nvml)
		return -1;
	*(void **)&ret->init = dlsym(nvml, "nvmlInit_v2");
	*(void **)&ret->gpu = dlsym(nvml, "nvmlDeviceGetHandleByIndex_v2");
	*(void **)&ret->mode = dlsym(nvml, "nvmlDeviceGetMigMode");
	*(void **)&ret->part = dlsym(nvml, "nvmlDeviceGetMigDeviceHandleByIndex");
	*(void **)&ret->uuid = dlsym(nvml, "nvmlDeviceGetUUID");
	return ret->init() ? -1 : 0;
}

/* The first MIG device of the first GPU, as CUDA takes it where none is named. */
static const char *first_part(void)
{
	static char uuid[96];
	struct nvml_calls nvml;
	struct nvml_gpu *gpu, *part;

	if (load_nvml(&nvml) != 0 || nvml.gpu(0, &gpu) != 0)
		return NULL;
	for (unsigned i = 0; i < 7; i++)
		if (nvml.part(gpu, i, &part) == 0 &&
		    nvml.uuid(part, uuid, sizeof(uuid)) == 0)
			return uuid;
	return NULL;
}

const char *fake_cuda_visible(void)
{
	const char *uuid = getenv("CUDA_VISIBLE_DEVICES");

	return uuid && strncmp(uuid, "MIG-", 4) == 0 ? uuid : first_part();
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

int fake_cuda_devices(void)
{
	unsigned current = 0, pending = 0;
	struct nvml_calls nvml;
	struct nvml_gpu *gpu;

	if (load_nvml(&nvml) != 0)
		return (int)fake_number("TARE_FAKE_CUDA_DEVICES", 1);
	if (fake_cuda_visible())
		return is_there(&nvml, fake_cuda_visible());
	return nvml.gpu(0, &gpu) == 0 && nvml.mode(gpu, &current, &pending) == 0 &&
	       !current;
}

/* The fake NVML writes them into a MIG device's UUID. */
int fake_cuda_multiprocessors(void)
{
	const char *uuid = fake_cuda_visible();
	const struct shape *(*shape)(void);
	char hex[5] = "";

	*(void **)&shape = dlsym(nvml_library(), "fake_nvml_shape");
	if (!uuid || strlen(uuid) != 40)
		return (int)fake_number("TARE_FAKE_CUDA_SMS",
					(long)shape()->multiprocessors);
	memcpy(hex, uuid + 28, 4);
	return (int)strtol(hex, NULL, 16);
}

size_t fake_cuda_total(void)
{
	unsigned long long (*memory)(unsigned multiprocessors);

	*(void **)&memory = dlsym(nvml_library(), "fake_nvml_memory");
	return (size_t)fake_number("TARE_FAKE_CUDA_TOTAL",
				   (long)memory((unsigned)fake_cuda_multiprocessors()));
}
