/*
 * The door to CUDA: the driver API and cuBLAS, opened at run time, so that one program
 * runs with CUDA 11, 12 or 13 and without any. No CUDA header is needed to build: the few
 * types and numbers used are declared here, and tests/unit/test_cuda_abi.c compares them
 * with the toolkit's own headers where these are installed.
 *
 * Sonames tried: libcuda.so.1; libcublas.so.13, .12 and .11 (and libcublasLt likewise).
 * The loader's search applies: LD_LIBRARY_PATH, lib/ beside the program, the system's.
 */
#ifndef TARE_GEMM_CUDA_H
#define TARE_GEMM_CUDA_H

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
struct cublas;
struct cublaslt;
struct lt_desc;
struct lt_layout;
struct lt_preference;

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

enum {
	CU_SUCCESS = 0,
	CU_OUT_OF_MEMORY = 2,
	CU_NO_DEVICE = 100,
	CU_NOT_READY = 600,
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
	CU_RESOURCE_SM = 1,
	CU_GREEN_DEFAULT_STREAM = 1,
	BLAS_OP_N = 0,
	BLAS_OP_T = 1
};

/* X(return type, symbol, parameters): the driver must have all of these. */
#define CUDA_DRIVER(X)                                                                  \
	X(cuInit, (unsigned flags))                                                     \
	X(cuDriverGetVersion, (int *ret))                                               \
	X(cuDeviceGetCount, (int *ret))                                                 \
	X(cuDeviceGet, (cu_device * ret, int ordinal))                                  \
	X(cuDeviceGetName, (char *name, int size, cu_device d))                         \
	X(cuDeviceTotalMem_v2, (size_t * ret, cu_device d))                             \
	X(cuDeviceGetAttribute, (int *ret, int attribute, cu_device d))                 \
	X(cuDeviceGetUuid, (struct cu_uuid * ret, cu_device d))                         \
	X(cuDevicePrimaryCtxRetain, (struct cu_context * *ret, cu_device d))            \
	X(cuDevicePrimaryCtxRelease_v2, (cu_device d))                                  \
	X(cuCtxSetCurrent, (struct cu_context * c))                                     \
	X(cuMemGetInfo_v2, (size_t * available, size_t * total))                        \
	X(cuMemAlloc_v2, (cu_pointer * ret, size_t bytes))                              \
	X(cuMemFree_v2, (cu_pointer p))                                                 \
	X(cuMemcpyDtoH_v2, (void *to, cu_pointer from, size_t bytes))                   \
	X(cuMemcpyHtoD_v2, (cu_pointer to, const void *from, size_t bytes))             \
	X(cuMemsetD8Async,                                                              \
	  (cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s))       \
	X(cuStreamCreate, (struct cu_stream * *ret, unsigned flags))                    \
	X(cuStreamDestroy_v2, (struct cu_stream * s))                                   \
	X(cuStreamSynchronize, (struct cu_stream * s))                                  \
	X(cuEventCreate, (struct cu_event * *ret, unsigned flags))                      \
	X(cuEventDestroy_v2, (struct cu_event * e))                                     \
	X(cuEventRecord, (struct cu_event * e, struct cu_stream * s))                   \
	X(cuEventQuery, (struct cu_event * e))                                          \
	X(cuEventElapsedTime,                                                           \
	  (float *ret_ms, struct cu_event *from, struct cu_event *to))                  \
	X(cuModuleLoadData, (struct cu_module * *ret, const void *image))               \
	X(cuModuleUnload, (struct cu_module * m))                                       \
	X(cuModuleGetFunction,                                                          \
	  (struct cu_function * *ret, struct cu_module * m, const char *name))          \
	X(cuLaunchKernel,                                                               \
	  (struct cu_function * f, unsigned grid_x, unsigned grid_y, unsigned grid_z,   \
	   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes, \
	   struct cu_stream *s, void **arguments, void **extra))                        \
	X(cuGetErrorName, (cu_result code, const char **ret))                           \
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

#define CUDA_BLAS(X)                                                                    \
	X(cublasCreate_v2, (struct cublas * *ret))                                      \
	X(cublasDestroy_v2, (struct cublas * h))                                        \
	X(cublasGetVersion_v2, (struct cublas * h, int *ret))                           \
	X(cublasSetStream_v2, (struct cublas * h, struct cu_stream * s))                \
	X(cublasSetMathMode, (struct cublas * h, int mode))                             \
	X(cublasGemmEx, (struct cublas * h, int op_a, int op_b, int m, int n, int k,    \
			 const void *alpha, const void *a, int type_a, int lda,         \
			 const void *b, int type_b, int ldb, const void *beta, void *c, \
			 int type_c, int ldc, int compute, int algo))

#define CUDA_BLAS_OPTIONAL(X)                                                        \
	X(cublasSetWorkspace_v2, (struct cublas * h, void *workspace, size_t bytes)) \
	X(cublasSetSmCountTarget, (struct cublas * h, int nr))

#define CUDA_BLASLT(X)                                                                   \
	X(cublasLtCreate, (struct cublaslt * *ret))                                      \
	X(cublasLtDestroy, (struct cublaslt * h))                                        \
	X(cublasLtMatmulDescCreate, (struct lt_desc * *ret, int compute, int scale))     \
	X(cublasLtMatmulDescDestroy, (struct lt_desc * d))                               \
	X(cublasLtMatmulDescSetAttribute,                                                \
	  (struct lt_desc * d, int attribute, const void *value, size_t bytes))          \
	X(cublasLtMatrixLayoutCreate, (struct lt_layout * *ret, int type, uint64_t rows, \
				       uint64_t columns, int64_t ld))                    \
	X(cublasLtMatrixLayoutDestroy, (struct lt_layout * l))                           \
	X(cublasLtMatmulPreferenceCreate, (struct lt_preference * *ret))                 \
	X(cublasLtMatmulPreferenceDestroy, (struct lt_preference * p))                   \
	X(cublasLtMatmulPreferenceSetAttribute,                                          \
	  (struct lt_preference * p, int attribute, const void *value, size_t bytes))    \
	X(cublasLtMatmulAlgoGetHeuristic,                                                \
	  (struct cublaslt * h, struct lt_desc * d, struct lt_layout * a,                \
	   struct lt_layout * b, struct lt_layout * c, struct lt_layout * result,        \
	   struct lt_preference * p, int most, struct lt_heuristic *ret, int *nr))       \
	X(cublasLtMatmul,                                                                \
	  (struct cublaslt * h, struct lt_desc * d, const void *alpha, const void *a,    \
	   struct lt_layout *la, const void *b, struct lt_layout *lb, const void *beta,  \
	   const void *c, struct lt_layout *lc, void *result, struct lt_layout *lr,      \
	   const struct lt_algo *algo, void *workspace, size_t workspace_bytes,          \
	   struct cu_stream *s))

/* cublasLtMatmulAlgo_t and cublasLtMatmulHeuristicResult_t of cublasLt.h. */
struct lt_algo {
	uint64_t data[8];
};

struct lt_heuristic {
	struct lt_algo algo;
	size_t workspace_bytes;
	int status;
	float waves;
	int reserved[4];
};

#define CUDA_POINTER(symbol, parameters) int(*symbol) parameters;

struct cuda {
	void *driver, *blas, *blaslt;
	const char *blas_name; /* the soname that opened; NULL before */
	const char *(*cublasGetStatusName)(int status);   /* 11.4; may be NULL */
	const char *(*cublasGetStatusString)(int status); /* 11.4; may be NULL */
	CUDA_DRIVER(CUDA_POINTER)
	CUDA_DRIVER_OPTIONAL(CUDA_POINTER)
	CUDA_BLAS(CUDA_POINTER)
	CUDA_BLAS_OPTIONAL(CUDA_POINTER)
	CUDA_BLASLT(CUDA_POINTER)
};

#undef CUDA_POINTER

/*
 * Fills 'c' (zeroed) with the driver's functions and calls cuInit(). ret_none: the machine
 * has no driver or no device at all, as against one that fails.
 */
int cuda_open(struct cuda *c, bool *ret_none, struct err *err);
int cuda_open_blas(struct cuda *c, struct err *err);
int cuda_open_blaslt(struct cuda *c, struct err *err); /* after cuda_open_blas() */

/* 0, or a sentence with 'what' was tried and the library's own code, name and words. */
int cuda_ok(const struct cuda *c, cu_result code, struct err *err, const char *fmt, ...)
	ERR_PRINTF(4, 5);
int cublas_ok(const struct cuda *c, int status, struct err *err, const char *fmt, ...)
	ERR_PRINTF(4, 5);

#endif
