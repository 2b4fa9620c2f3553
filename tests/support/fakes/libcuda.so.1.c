/*
 * A fake CUDA driver: one GPU or several whose memory is the host's, whose stream does
 * everything at once and whose kernels are the host's functions of gemm/element.h. Here
 * are the library itself and which GPUs there are; cuda_*.c beside it is the rest.
 *
 * TARE_FAKE_CUDA_FAIL_AT      the call that fails, with "device lost" (CUDA_ERROR_UNKNOWN)
 * TARE_FAKE_CUDA_DEVICES      how many GPUs (1); 0: cuInit() says so
 * TARE_FAKE_CUDA_MEMORY       bytes of memory to be had (1 GiB)
 * TARE_FAKE_CUDA_TOTAL        bytes of memory that the GPU has (as NVML says)
 * TARE_FAKE_CUDA_SMS          multiprocessors (as NVML says)
 * TARE_FAKE_CUDA_CAPABILITY   90 for 9.0
 * TARE_FAKE_CUDA_HANGS        events never finish
 * TARE_FAKE_CUDA_SLOW         how often an event is asked for in vain before it is over
 * TARE_FAKE_CUDA_EVENT_MS     events are so far apart on a whole GPU, and the further the
 *                             fewer multiprocessors there are, whatever the clock says
 * TARE_FAKE_CUDA_JITTER       with that: so many per thousand further apart at most, as each
 *                             process happens to draw
 * TARE_FAKE_NVML_STATE        MIG as the fake NVML has it: of a GPU in MIG mode the first
 *                             MIG device is seen, or that in CUDA_VISIBLE_DEVICES where
 *                             it exists
 */
#include "tests/support/fakes/cuda_state.h"

#include <stdio.h>

int cuInit(unsigned flags);
int cuInit(unsigned flags)
{
	UNUSED(flags);
	CALL();
	return fake_cuda_devices() == 0 ? CU_NO_DEVICE : 0;
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
	*ret = fake_cuda_devices();
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
	snprintf(name, (size_t)size, "FAKE GPU %d%s", d,
		 fake_cuda_visible() ? " MIG" : "");
	return 0;
}

int cuDeviceTotalMem_v2(size_t *ret, cu_device d);
int cuDeviceTotalMem_v2(size_t *ret, cu_device d)
{
	UNUSED(d);
	CALL();
	*ret = fake_cuda_total();
	return 0;
}

int cuDeviceGetAttribute(int *ret, int attribute, cu_device d);
int cuDeviceGetAttribute(int *ret, int attribute, cu_device d)
{
	CALL();
	switch (attribute) {
	case CU_ATTRIBUTE_SM_COUNT:
		*ret = fake_cuda_multiprocessors();
		break;
	case CU_ATTRIBUTE_MAJOR:
		*ret = (int)fake_number("TARE_FAKE_CUDA_CAPABILITY", 90) / 10;
		break;
	case CU_ATTRIBUTE_MINOR:
		*ret = (int)fake_number("TARE_FAKE_CUDA_CAPABILITY", 90) % 10;
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
	fake_cuda_live++;
	return 0;
}

int cuDevicePrimaryCtxRelease_v2(cu_device d);
int cuDevicePrimaryCtxRelease_v2(cu_device d)
{
	UNUSED(d);
	fake_cuda_live--;
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
