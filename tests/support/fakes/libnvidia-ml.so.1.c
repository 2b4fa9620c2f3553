/*
 * A fake NVML: the state of one or more GPUs, MIG included, in the shapes of real boards.
 * Here are the library itself and which GPUs there are; nvml_*.c beside it is the rest.
 *
 * TARE_FAKE_NVML_SHAPE      h200 (default), a100, or gb200: an NVL4 board's four GPUs
 * TARE_FAKE_NVML_FAIL_AT    the fallible call that fails, with TARE_FAKE_NVML_CODE (15,
 *                           GPU lost); 4 is no permission, 19 in use
 * TARE_FAKE_NVML_LOST       every fallible call fails, with that code
 * TARE_FAKE_NVML_UNLISTED   no process is listed, not even ours
 * TARE_FAKE_NVML_NA         optional facts answer "not supported", as on a vGPU
 * TARE_FAKE_NVML_BUSY       destroying an instance answers "in use"
 * TARE_FAKE_NVML_OTHERS     how many processes besides ours compute on each device
 * TARE_FAKE_NVML_NEIGHBOURS how many more compute on a GPU, on other parts than ours
 * TARE_FAKE_NVML_NO_PROFILES  the driver names no MIG profile
 * TARE_FAKE_NVML_PENDING    MIG mode changes only with a reset, as on Ampere
 * TARE_FAKE_NVML_PLACELESS  where MIG instances may lie is not told
 * TARE_FAKE_NVML_BRAKE      the hardware power brake was on while anybody looked
 * TARE_FAKE_NVML_GPUS       how many GPUs there are, when not as many as the board has
 * TARE_FAKE_NVML_INIT       what nvmlInit_v2() answers: 18 driver and library differ
 * TARE_FAKE_NVML_UNREADABLE number of the GPU that cannot be opened (15, GPU lost)
 * TARE_FAKE_NVML_SET        settings of every GPU: "ecc=0 mps=2", see nvml_settings.c
 * TARE_FAKE_NVML_STATE      a file in which the GPUs' MIG state outlives the process
 */
#include "tests/support/fakes/nvml_shapes.h"
#include "tests/support/fakes/nvml_state.h"

#include <stdio.h>

int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
	CALL();
	fake_nvml_load();
	return (int)fake_number("TARE_FAKE_NVML_INIT", 0);
}

int nvmlShutdown(void);
int nvmlShutdown(void)
{
	return 0;
}

const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code)
{
	(void)code;
	return "said by the FAKE NVML";
}

int nvmlSystemGetDriverVersion(char *text, unsigned size);
int nvmlSystemGetDriverVersion(char *text, unsigned size)
{
	CALL();
	return fake_nvml_put(text, size, "999.99.FAKE");
}

int nvmlDeviceGetCount_v2(unsigned *ret);
int nvmlDeviceGetCount_v2(unsigned *ret)
{
	CALL();
	*ret = (unsigned)fake_number("TARE_FAKE_NVML_GPUS", fake_nvml_shape()->gpus);
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct nvml_gpu **ret);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct nvml_gpu **ret)
{
	CALL();
	if (index >= fake_nvml_shape()->gpus)
		return NVML_INVALID_ARGUMENT;
	if (fake_number("TARE_FAKE_NVML_UNREADABLE", -1) == (long)index)
		return NVML_GPU_IS_LOST;
	*ret = fake_nvml_gpu(index);
	return 0;
}

/* The fake CUDA driver reads the multiprocessors out of a MIG device's UUID. */
int nvmlDeviceGetUUID(struct nvml_gpu *g, char *text, unsigned size);
int nvmlDeviceGetUUID(struct nvml_gpu *g, char *text, unsigned size)
{
	char uuid[64];

	CALL();
	if (g->is_mig)
		snprintf(uuid, sizeof(uuid), "MIG-fafafafa-fafa-fafa-%04x-%04xfafafa%02x",
			 g->instance, fake_nvml_multiprocessors(g), g->index);
	else
		snprintf(uuid, sizeof(uuid), "GPU-fafafafa-fafa-fafa-fafa-fafafafafa%02x",
			 g->index);
	return fake_nvml_put(text, size, uuid);
}

int nvmlDeviceGetName(struct nvml_gpu *g, char *text, unsigned size);
int nvmlDeviceGetName(struct nvml_gpu *g, char *text, unsigned size)
{
	(void)g;
	CALL();
	return fake_nvml_put(text, size, fake_nvml_shape()->name);
}

/* As the fake driver numbers them: bus 0x17 and on; an NVL4 board's by domain. */
int nvmlDeviceGetPciInfo_v3(struct nvml_gpu *g, struct nvml_pci *ret);
int nvmlDeviceGetPciInfo_v3(struct nvml_gpu *g, struct nvml_pci *ret)
{
	CALL();
	memset(ret, 0, sizeof(*ret));
	ret->domain = 8 * fake_nvml_shape()->domain_step * (g->index + 1);
	ret->bus = fake_nvml_shape()->domain_step ? 1 : 0x17 + g->index;
	ret->id = 0x233510de;
	return 0;
}
