#include "tests/support/fakes/nvml_state.h"
#include "tests/support/fakes/nvml_shapes.h"

#include <stdio.h>

static long calls;
static struct nvml_gpu gpus[GPUS_MAX], parts[GPUS_MAX * INSTANCES_MAX];

struct nvml_gpu *fake_nvml_gpu(unsigned index)
{
	return &gpus[index];
}

struct nvml_gpu *fake_nvml_part(unsigned index, unsigned at)
{
	return &parts[index * INSTANCES_MAX + at];
}

unsigned fake_nvml_multiprocessors(const struct nvml_gpu *g)
{
	if (!g->is_mig)
		return fake_nvml_shape()->multiprocessors;
	return fake_nvml_profile(gpus[g->index].instances[g->instance - 1].profile)
		->multiprocessors;
}

/* The state's file, or NULL: there is none, or none was asked for. */
static FILE *open_state(const char *mode)
{
	const char *path = getenv("TARE_FAKE_NVML_STATE");

	return path ? fopen(path, mode) : NULL;
}

void fake_nvml_load(void)
{
	FILE *f = open_state("rb");

	if (f) {
		if (fread(gpus, sizeof(gpus), 1, f) != 1)
			memset(gpus, 0, sizeof(gpus));
		fclose(f);
	}
	for (unsigned i = 0; i < GPUS_MAX; i++)
		gpus[i].index = i;
}

void fake_nvml_keep(void)
{
	FILE *f = open_state("wb");

	if (!f)
		return;
	fwrite(gpus, sizeof(gpus), 1, f);
	fclose(f);
}

bool fake_nvml_fails(void)
{
	return fake_fails(&calls, "TARE_FAKE_NVML_FAIL_AT") ||
	       fake_number("TARE_FAKE_NVML_LOST", 0);
}

int fake_nvml_put(char *text, unsigned size, const char *value)
{
	return snprintf(text, size, "%s", value) < (int)size ? 0 : NVML_INSUFFICIENT_SIZE;
}
