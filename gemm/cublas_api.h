/*
 * cuBLAS and cuBLASLt, opened at run time, of CUDA 11, 12 or 13. No header of theirs is
 * needed to build; tests/unit/test_cuda_abi.c compares with them where they are installed.
 */
#ifndef TARE_GEMM_CUBLAS_API_H
#define TARE_GEMM_CUBLAS_API_H

#include "cuda/cuda.h"

struct cublas;
struct cublaslt;
struct lt_desc;
struct lt_layout;
struct lt_preference;

enum { BLAS_OP_N = 0, BLAS_OP_T = 1 };

/* X(symbol, parameters): the library must have all of these. */
#define CUBLAS(X)                                                                       \
	X(cublasCreate_v2, (struct cublas * *ret))                                      \
	X(cublasDestroy_v2, (struct cublas * h))                                        \
	X(cublasGetVersion_v2, (struct cublas * h, int *ret))                           \
	X(cublasSetStream_v2, (struct cublas * h, struct cu_stream * s))                \
	X(cublasSetMathMode, (struct cublas * h, int mode))                             \
	X(cublasGemmEx, (struct cublas * h, int op_a, int op_b, int m, int n, int k,    \
			 const void *alpha, const void *a, int type_a, int lda,         \
			 const void *b, int type_b, int ldb, const void *beta, void *c, \
			 int type_c, int ldc, int compute, int algo))

#define CUBLAS_OPTIONAL(X) \
	X(cublasSetWorkspace_v2, (struct cublas * h, void *workspace, size_t bytes))

#define CUBLASLT(X)                                                                      \
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

#define CUBLAS_POINTER(symbol, parameters) int(*symbol) parameters;

struct cublas_api {
	void *library, *lt_library;
	const char *name;                                 /* the soname that opened */
	const char *(*cublasGetStatusName)(int status);   /* 11.4; may be NULL */
	const char *(*cublasGetStatusString)(int status); /* 11.4; may be NULL */
	CUBLAS(CUBLAS_POINTER)
	CUBLAS_OPTIONAL(CUBLAS_POINTER)
	CUBLASLT(CUBLAS_POINTER)
};

#undef CUBLAS_POINTER

/* Fills 'api' (zeroed): ERR_ENVIRONMENT without the library. It stays open. */
int cublas_api_open(struct cublas_api *api, struct err *err);
/* cuBLASLt of the same release, where it is not open yet; after cublas_api_open(). */
int cublas_api_open_lt(struct cublas_api *api, struct err *err);

/* 0, or a sentence with 'what' was tried and the library's own code, name and words. */
int cublas_ok(const struct cublas_api *api, int status, struct err *err, const char *fmt,
	      ...) ERR_PRINTF(4, 5);

#endif
