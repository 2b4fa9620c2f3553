/*
 * The door to CUDA: the driver API, opened at run time (core/base/library.h), so that one
 * program runs with every driver since CUDA 11 and without any. No CUDA header is needed to
 * build: the few types and numbers used are declared here, and tests/unit/test_cuda_abi.c
 * compares them with the toolkit's own headers where these are installed.
 */
#ifndef TARE_CUDA_CUDA_H
#define TARE_CUDA_CUDA_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int cu_result;
typedef int cu_device;
typedef uint64_t cu_pointer;

struct cu_context;
struct cu_stream;
struct cu_event;
struct cu_module;
struct cu_function;
struct cu_green;
struct cu_resource_desc;

struct cu_uuid {
	char bytes[16];
};

/* CUdevResource of cuda.h: a tagged union of 144 bytes; only multiprocessors are used. */
struct cu_resource {
	int type;
	unsigned char padding[92];
	union {
		struct {
			unsigned count, least, alignment;
		} sm;
		unsigned char space[48];
	} of;
};

/* CUmemAllocationProp and CUmemAccessDesc of cuda.h: memory on a device, read and written. */
struct cu_location {
	int type, id;
};

struct cu_memory_properties {
	int type, handle_types;
	struct cu_location location;
	void *unused;
	unsigned char flags[8];
};

struct cu_memory_access {
	struct cu_location location;
	int flags;
};

enum {
	CU_SUCCESS = 0,
	CU_OUT_OF_MEMORY = 2,
	CU_NO_DEVICE = 100,
	CU_NOT_READY = 600,
	CU_PEER_ACCESS_ALREADY = 704,
	CU_ATTRIBUTE_SM_COUNT = 16,
	CU_ATTRIBUTE_PCI_BUS = 33,
	CU_ATTRIBUTE_PCI_DEVICE = 34,
	CU_ATTRIBUTE_CLOCK_KHZ = 13,
	CU_ATTRIBUTE_L2_BYTES = 38,
	CU_ATTRIBUTE_PCI_DOMAIN = 50,
	CU_ATTRIBUTE_MAJOR = 75,
	CU_ATTRIBUTE_MINOR = 76,
	CU_STREAM_UNBLOCKED = 1,
	CU_EVENT_TIMED = 0,
	CU_HOST_PORTABLE = 1,
	CU_HOST_MAPPED = 2,
	CU_MEMORY_PINNED = 1,
	CU_LOCATION_DEVICE = 1,
	CU_ACCESS_READ_WRITE = 3,
	CU_RESOURCE_SM = 1,
	CU_GREEN_DEFAULT_STREAM = 1
};

/* X(return type, symbol, parameters): the driver must have all of these. */
#define CUDA_DRIVER(X)                                                                   \
	X(cuInit, (unsigned flags))                                                      \
	X(cuDriverGetVersion, (int *ret))                                                \
	X(cuDeviceGetCount, (int *ret))                                                  \
	X(cuDeviceGet, (cu_device * ret, int ordinal))                                   \
	X(cuDeviceGetName, (char *name, int size, cu_device d))                          \
	X(cuDeviceTotalMem_v2, (size_t * ret, cu_device d))                              \
	X(cuDeviceGetAttribute, (int *ret, int attribute, cu_device d))                  \
	X(cuDeviceGetUuid, (struct cu_uuid * ret, cu_device d))                          \
	X(cuDevicePrimaryCtxRetain, (struct cu_context * *ret, cu_device d))             \
	X(cuDevicePrimaryCtxRelease_v2, (cu_device d))                                   \
	X(cuCtxSetCurrent, (struct cu_context * c))                                      \
	X(cuMemGetInfo_v2, (size_t * available, size_t * total))                         \
	X(cuMemAlloc_v2, (cu_pointer * ret, size_t bytes))                               \
	X(cuMemFree_v2, (cu_pointer p))                                                  \
	X(cuMemcpyDtoH_v2, (void *to, cu_pointer from, size_t bytes))                    \
	X(cuMemcpyHtoD_v2, (cu_pointer to, const void *from, size_t bytes))              \
	X(cuMemcpyAsync,                                                                 \
	  (cu_pointer to, cu_pointer from, size_t bytes, struct cu_stream * s))          \
	X(cuMemHostAlloc, (void **ret, size_t bytes, unsigned flags))                    \
	X(cuMemFreeHost, (void *p))                                                      \
	X(cuMemHostRegister_v2, (void *p, size_t bytes, unsigned flags))                 \
	X(cuMemHostUnregister, (void *p))                                                \
	X(cuMemHostGetDevicePointer_v2, (cu_pointer * ret, void *p, unsigned flags))     \
	X(cuMemCreate, (uint64_t * ret, size_t bytes,                                    \
			const struct cu_memory_properties *p, unsigned long long flags)) \
	X(cuMemRelease, (uint64_t memory))                                               \
	X(cuMemAddressReserve, (cu_pointer * ret, size_t bytes, size_t alignment,        \
				cu_pointer wanted, unsigned long long flags))            \
	X(cuMemAddressFree, (cu_pointer p, size_t bytes))                                \
	X(cuMemMap, (cu_pointer p, size_t bytes, size_t offset, uint64_t memory,         \
		     unsigned long long flags))                                          \
	X(cuMemUnmap, (cu_pointer p, size_t bytes))                                      \
	X(cuMemSetAccess, (cu_pointer p, size_t bytes,                                   \
			   const struct cu_memory_access *access, size_t nr))            \
	X(cuDeviceCanAccessPeer, (int *ret, cu_device d, cu_device peer))                \
	X(cuCtxEnablePeerAccess, (struct cu_context * peer, unsigned flags))             \
	X(cuCtxCreate_v2, (struct cu_context * *ret, unsigned flags, cu_device d))       \
	X(cuCtxDestroy_v2, (struct cu_context * c))                                      \
	X(cuMemsetD8Async,                                                               \
	  (cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s))        \
	X(cuStreamCreate, (struct cu_stream * *ret, unsigned flags))                     \
	X(cuStreamDestroy_v2, (struct cu_stream * s))                                    \
	X(cuStreamSynchronize, (struct cu_stream * s))                                   \
	X(cuStreamWaitEvent,                                                             \
	  (struct cu_stream * s, struct cu_event * e, unsigned flags))                   \
	X(cuEventCreate, (struct cu_event * *ret, unsigned flags))                       \
	X(cuEventDestroy_v2, (struct cu_event * e))                                      \
	X(cuEventRecord, (struct cu_event * e, struct cu_stream * s))                    \
	X(cuEventQuery, (struct cu_event * e))                                           \
	X(cuEventSynchronize, (struct cu_event * e))                                     \
	X(cuEventElapsedTime,                                                            \
	  (float *ret_ms, struct cu_event *from, struct cu_event *to))                   \
	X(cuModuleLoadData, (struct cu_module * *ret, const void *image))                \
	X(cuModuleUnload, (struct cu_module * m))                                        \
	X(cuModuleGetFunction,                                                           \
	  (struct cu_function * *ret, struct cu_module * m, const char *name))           \
	X(cuLaunchKernel,                                                                \
	  (struct cu_function * f, unsigned grid_x, unsigned grid_y, unsigned grid_z,    \
	   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,  \
	   struct cu_stream *s, void **arguments, void **extra))                         \
	X(cuGetErrorName, (cu_result code, const char **ret))                            \
	X(cuGetErrorString, (cu_result code, const char **ret))

/* Newer drivers only (12.4): green contexts. NULL where absent. */
#define CUDA_DRIVER_OPTIONAL(X)                                                       \
	X(cuDeviceGetDevResource, (cu_device d, struct cu_resource * ret, int type))  \
	X(cuDevSmResourceSplitByCount,                                                \
	  (struct cu_resource * parts, unsigned *nr, const struct cu_resource *whole, \
	   struct cu_resource *rest, unsigned flags, unsigned least))                 \
	X(cuDevResourceGenerateDesc,                                                  \
	  (struct cu_resource_desc * *ret, struct cu_resource * parts, unsigned nr))  \
	X(cuGreenCtxCreate, (struct cu_green * *ret, struct cu_resource_desc * desc,  \
			     cu_device d, unsigned flags))                            \
	X(cuGreenCtxDestroy, (struct cu_green * g))                                   \
	X(cuCtxFromGreenCtx, (struct cu_context * *ret, struct cu_green * g))

#define CUDA_POINTER(symbol, parameters) int(*symbol) parameters;

struct cuda {
	void *library;
	CUDA_DRIVER(CUDA_POINTER)
	CUDA_DRIVER_OPTIONAL(CUDA_POINTER)
};

#undef CUDA_POINTER

/*
 * Fills 'c' (zeroed) with the driver's functions and calls cuInit(). ret_none: the machine
 * has no driver or no device at all, as against one that fails.
 */
int cuda_open(struct cuda *c, bool *ret_none, struct err *err);

/* 0, or a sentence with 'what' was tried and the library's own code, name and words. */
int cuda_ok(const struct cuda *c, cu_result code, struct err *err, const char *fmt, ...)
	ERR_PRINTF(4, 5);

#endif
