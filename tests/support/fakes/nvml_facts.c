/* What a GPU of the fake NVML says of itself: facts, readings, counters, processes. */
#include "tests/support/fakes/nvml_shapes.h"
#include "tests/support/fakes/nvml_state.h"

#include <unistd.h>

int nvmlDeviceGetCudaComputeCapability(struct nvml_gpu *g, int *major, int *minor);
int nvmlDeviceGetCudaComputeCapability(struct nvml_gpu *g, int *major, int *minor)
{
	(void)g;
	FACT();
	*major = (int)fake_nvml_shape()->major;
	*minor = (int)fake_nvml_shape()->minor;
	return 0;
}

int nvmlDeviceGetNumGpuCores(struct nvml_gpu *g, unsigned *ret);
int nvmlDeviceGetNumGpuCores(struct nvml_gpu *g, unsigned *ret)
{
	(void)g;
	FACT();
	*ret = fake_nvml_shape()->multiprocessors *
	       (fake_nvml_shape()->major == 8 ? 64 : 128);
	return 0;
}

int nvmlDeviceGetMemoryInfo(struct nvml_gpu *g, struct nvml_memory *ret);
int nvmlDeviceGetMemoryInfo(struct nvml_gpu *g, struct nvml_memory *ret)
{
	unsigned long long all = fake_nvml_memory(fake_nvml_multiprocessors(g));

	CALL();
	*ret = (struct nvml_memory){all, all, 0};
	return 0;
}

int nvmlDeviceGetAttributes_v2(struct nvml_gpu *g, struct nvml_attributes *ret);
int nvmlDeviceGetAttributes_v2(struct nvml_gpu *g, struct nvml_attributes *ret)
{
	CALL();
	if (!g->is_mig)
		return NVML_NOT_SUPPORTED;
	*ret = (struct nvml_attributes){.multiprocessors = fake_nvml_multiprocessors(g)};
	return 0;
}

int nvmlDeviceGetEnforcedPowerLimit(struct nvml_gpu *g, unsigned *ret_mw);
int nvmlDeviceGetEnforcedPowerLimit(struct nvml_gpu *g, unsigned *ret_mw)
{
	(void)g;
	FACT();
	*ret_mw = fake_nvml_shape()->power_w * 1000;
	return 0;
}

int nvmlDeviceGetMaxClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz);
int nvmlDeviceGetMaxClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz)
{
	(void)g;
	FACT();
	*ret_mhz = clock == NVML_CLOCK_SM ? fake_nvml_shape()->clock_mhz : 3201;
	return 0;
}

int nvmlDeviceGetClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz);
int nvmlDeviceGetClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz)
{
	return nvmlDeviceGetMaxClockInfo(g, clock, ret_mhz);
}

int nvmlDeviceGetPowerUsage(struct nvml_gpu *g, unsigned *ret_mw);
int nvmlDeviceGetPowerUsage(struct nvml_gpu *g, unsigned *ret_mw)
{
	(void)g;
	FACT();
	*ret_mw = 432000;
	return 0;
}

int nvmlDeviceGetTemperature(struct nvml_gpu *g, int sensor, unsigned *ret_c);
int nvmlDeviceGetTemperature(struct nvml_gpu *g, int sensor, unsigned *ret_c)
{
	(void)g;
	(void)sensor;
	FACT();
	*ret_c = 51;
	return 0;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(struct nvml_gpu *g,
					      unsigned long long *ret);
int nvmlDeviceGetCurrentClocksThrottleReasons(struct nvml_gpu *g, unsigned long long *ret)
{
	(void)g;
	FACT();
	*ret = 0x4;
	return 0;
}

int nvmlDeviceGetTotalEccErrors(struct nvml_gpu *g, int kind, int counter,
				unsigned long long *ret);
int nvmlDeviceGetTotalEccErrors(struct nvml_gpu *g, int kind, int counter,
				unsigned long long *ret)
{
	(void)g;
	FACT();
	*ret = counter == NVML_ECC_AGGREGATE ? 3 - (unsigned)kind : 0;
	return 0;
}

/* Accumulators grow with every look: 5 ms of power cap, 2 J; the brake when asked for. */
int nvmlDeviceGetFieldValues(struct nvml_gpu *g, int nr, struct nvml_field *values);
int nvmlDeviceGetFieldValues(struct nvml_gpu *g, int nr, struct nvml_field *values)
{
	static unsigned long long looks;

	(void)g;
	FACT();
	looks++;
	for (int i = 0; i < nr; i++) {
		values[i].type = 3;
		values[i].result = NVML_SUCCESS;
		switch (values[i].field) {
		case NVML_FIELD_SW_POWER_CAP_NS:
			values[i].value.ull = looks * 5000000;
			break;
		case NVML_FIELD_ENERGY_MJ:
			values[i].value.ull = looks * 2000;
			break;
		case NVML_FIELD_HW_POWER_BRAKE_NS:
			values[i].value.ull = fake_number("TARE_FAKE_NVML_BRAKE", 0)
						      ? looks * 9000000
						      : 0;
			break;
		case NVML_FIELD_C2C_LINKS:
			values[i].value.ull = fake_nvml_shape()->c2c_links;
			break;
		case NVML_FIELD_REMAPPED_CORRECTABLE:
		case NVML_FIELD_HW_THERMAL_NS:
		case NVML_FIELD_SW_THERMAL_NS:
			values[i].value.ull = 0;
			break;
		default: /* as real boards do for what they lack */
			values[i].result = NVML_NOT_SUPPORTED;
		}
	}
	return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					    struct nvml_process *ret);
int nvmlDeviceGetComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					    struct nvml_process *ret)
{
	unsigned there = 1 + (unsigned)fake_number("TARE_FAKE_NVML_OTHERS", 0);

	FACT();
	if (fake_number("TARE_FAKE_NVML_UNLISTED", 0))
		there = 0;
	else if (!g->is_mig)
		there += (unsigned)fake_number("TARE_FAKE_NVML_NEIGHBOURS", 0);
	if (*nr < there) {
		*nr = there;
		return NVML_INSUFFICIENT_SIZE;
	}
	*nr = there;
	for (unsigned i = 0; i < there; i++)
		ret[i] = (struct nvml_process){.pid = i ? i : (unsigned)getpid()};
	return 0;
}

/* Eighteen, all up but the one that TARE_FAKE_NVML_LOST_LINK names. */
int nvmlDeviceGetNvLinkState(struct nvml_gpu *g, unsigned link, int *ret);
int nvmlDeviceGetNvLinkState(struct nvml_gpu *g, unsigned link, int *ret)
{
	(void)g;
	FACT();
	if (link >= 18)
		return NVML_INVALID_ARGUMENT;
	*ret = (long)link != fake_number("TARE_FAKE_NVML_LOST_LINK", -1);
	return 0;
}

/* As in a guest: what TARE_FAKE_NVML_P2P says of every pair, 1 for a chipset in the way. */
int nvmlDeviceGetP2PStatus(struct nvml_gpu *a, struct nvml_gpu *b, int what, int *ret);
int nvmlDeviceGetP2PStatus(struct nvml_gpu *a, struct nvml_gpu *b, int what, int *ret)
{
	FACT();
	if (a == b || what > NVML_P2P_ATOMICS)
		return NVML_INVALID_ARGUMENT;
	*ret = (int)fake_number("TARE_FAKE_NVML_P2P", 0);
	return 0;
}
