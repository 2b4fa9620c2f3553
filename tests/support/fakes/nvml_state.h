/*
 * The GPUs of the fake NVML and their MIG state, which its calls share. With
 * TARE_FAKE_NVML_STATE it lies in a file and outlives the process: read by
 * fake_nvml_load() when the library is opened, written by fake_nvml_keep() after every
 * change.
 */
#ifndef TARE_TESTS_FAKE_NVML_STATE_H
#define TARE_TESTS_FAKE_NVML_STATE_H

#include "core/machine/nvml_impl.h"
#include "tests/support/fakes/fake.h"

enum { GPUS_MAX = 4, INSTANCES_MAX = 8, MEMORY_SLICES = 8 };

struct nvml_compute_instance {
	int is_used;
};

struct nvml_gpu_instance {
	int is_used;
	unsigned id, profile, start, gpu;
	struct nvml_compute_instance compute;
};

struct nvml_gpu {
	unsigned index, mode, pending;
	int is_mig; /* a MIG device: 'instance' of 'index' */
	unsigned instance;
	struct nvml_gpu_instance instances[INSTANCES_MAX];
};

struct nvml_gpu *fake_nvml_gpu(unsigned index);
/* The MIG device of GPU 'index' that may be at 'at'. */
struct nvml_gpu *fake_nvml_part(unsigned index, unsigned at);

/* Of a MIG device or a GPU. */
unsigned fake_nvml_multiprocessors(const struct nvml_gpu *g);

void fake_nvml_load(void);
void fake_nvml_keep(void);

/* True when this is the fallible call that TARE_FAKE_NVML_FAIL_AT names. */
bool fake_nvml_fails(void);

/* Writes a text into a caller's buffer as NVML does, and returns what NVML would. */
int fake_nvml_put(char *text, unsigned size, const char *value);

/* At the top of a fallible call, and of one that a GPU need not know. */
#define CALL()                                                              \
	do {                                                                \
		if (fake_nvml_fails())                                      \
			return (int)fake_number("TARE_FAKE_NVML_CODE", 15); \
	} while (0)
#define FACT()                                           \
	do {                                             \
		CALL();                                  \
		if (fake_number("TARE_FAKE_NVML_NA", 0)) \
			return NVML_NOT_SUPPORTED;       \
	} while (0)

#endif
