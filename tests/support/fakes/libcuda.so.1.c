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
 * TARE_FAKE_CUDA_COPY_MB_S    copies between host and GPU take time by this rate, in the GPU
 *                             and between two GPUs by ten times it, and events say so,
 *                             whatever the clock says; a kernel takes 2 us, a load 0.2
 *                             or, of the host's memory, 1 us
 * TARE_FAKE_CUDA_SLOW_PAIR    "2-5": copies between these GPUs are ten times slower
 * TARE_FAKE_CUDA_FALSE_PEER   "0-1": these may reach each other's memory, and what one stores
 *                             there only it sees
 * TARE_FAKE_CUDA_HANG_PAIR    "0-1": what one stores in the other's memory never ends
 * TARE_FAKE_CUDA_NO_PEER      "0-1": these may not
 * TARE_FAKE_CUDA_CORRUPT      the copy in a stream, counted from 1, from which on each
 *                             changes a bit
 * TARE_FAKE_NVML_STATE        MIG as the fake NVML has it: of a GPU in MIG mode the first
 *                             MIG device is seen, or that in CUDA_VISIBLE_DEVICES where
 *                             it exists
 */
#include "tests/support/fakes/cuda_state.h"

#include <stdio.h>

enum { DEVICES_MAX = 128 };

static char contexts[DEVICES_MAX];

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
	CALL();
	*ret = (struct cu_context *)&contexts[d];
	fake_cuda_live++;
	return 0;
}

int fake_cuda_device_of(const struct cu_context *c)
{
	const char *at = (const char *)c;

	return at >= contexts && at < contexts + DEVICES_MAX ? (int)(at - contexts)
							     : fake_cuda_current;
}

int cuCtxCreate_v2(struct cu_context **ret, unsigned flags, cu_device d);
int cuCtxCreate_v2(struct cu_context **ret, unsigned flags, cu_device d)
{
	UNUSED(flags);
	UNUSED(d);
	CALL();
	*ret = malloc(1);
	fake_cuda_live++;
	return 0;
}

int cuCtxDestroy_v2(struct cu_context *c);
int cuCtxDestroy_v2(struct cu_context *c)
{
	free(c);
	fake_cuda_live--;
	CALL();
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
	CALL();
	fake_cuda_current = fake_cuda_device_of(c);
	return 0;
}

int cuDeviceCanAccessPeer(int *ret, cu_device d, cu_device peer);
int cuDeviceCanAccessPeer(int *ret, cu_device d, cu_device peer)
{
	CALL();
	*ret = d != peer && !fake_cuda_is_pair("TARE_FAKE_CUDA_NO_PEER", d, peer);
	return 0;
}

int cuCtxEnablePeerAccess(struct cu_context *peer, unsigned flags);
int cuCtxEnablePeerAccess(struct cu_context *peer, unsigned flags)
{
	UNUSED(peer);
	CALL();
	return flags ? INVALID_VALUE : 0;
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
