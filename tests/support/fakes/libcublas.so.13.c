/*
 * A fake cuBLAS over the fake driver's memory.
 *
 * TARE_FAKE_CUBLAS_FAIL_AT    the call that fails, with CUBLAS_STATUS_INTERNAL_ERROR
 * TARE_FAKE_CUBLAS_WRONG      every product has one wrong entry, the first
 */
#include "gemm/cublas_api.h"
#include "tests/support/fakes/fake.h"
#include "tests/support/fakes/product.h"

enum { INTERNAL_ERROR = 14 };

static long calls;

#define CALL()                                                      \
	do {                                                        \
		if (fake_fails(&calls, "TARE_FAKE_CUBLAS_FAIL_AT")) \
			return INTERNAL_ERROR;                      \
	} while (0)

int cublasCreate_v2(struct cublas **ret);
int cublasCreate_v2(struct cublas **ret)
{
	CALL();
	*ret = malloc(1);
	return 0;
}

int cublasDestroy_v2(struct cublas *h);
int cublasDestroy_v2(struct cublas *h)
{
	free(h);
	CALL();
	return 0;
}

int cublasGetVersion_v2(struct cublas *h, int *ret);
int cublasGetVersion_v2(struct cublas *h, int *ret)
{
	(void)h;
	CALL();
	*ret = 130000;
	return 0;
}

int cublasSetStream_v2(struct cublas *h, struct cu_stream *s);
int cublasSetStream_v2(struct cublas *h, struct cu_stream *s)
{
	(void)h;
	(void)s;
	CALL();
	return 0;
}

int cublasSetMathMode(struct cublas *h, int mode);
int cublasSetMathMode(struct cublas *h, int mode)
{
	(void)h;
	(void)mode;
	CALL();
	return 0;
}

int cublasSetWorkspace_v2(struct cublas *h, void *workspace, size_t bytes);
int cublasSetWorkspace_v2(struct cublas *h, void *workspace, size_t bytes)
{
	(void)h;
	(void)workspace;
	(void)bytes;
	CALL();
	return 0;
}

const char *cublasGetStatusName(int status);
const char *cublasGetStatusName(int status)
{
	return status == INTERNAL_ERROR ? "CUBLAS_STATUS_INTERNAL_ERROR" : "?";
}

const char *cublasGetStatusString(int status);
const char *cublasGetStatusString(int status)
{
	(void)status;
	return "said by the FAKE cuBLAS";
}

int cublasGemmEx(struct cublas *h, int op_a, int op_b, int m, int n, int k,
		 const void *alpha, const void *a, int type_a, int lda, const void *b,
		 int type_b, int ldb, const void *beta, void *c, int type_c, int ldc,
		 int compute, int algo);
int cublasGemmEx(struct cublas *h, int op_a, int op_b, int m, int n, int k,
		 const void *alpha, const void *a, int type_a, int lda, const void *b,
		 int type_b, int ldb, const void *beta, void *c, int type_c, int ldc,
		 int compute, int algo)
{
	struct fake_product p = {.m = m,
				 .n = n,
				 .k = k,
				 .ldc = ldc,
				 .type_ab = type_a,
				 .type_c = type_c,
				 .a = a,
				 .b = b,
				 .c = c,
				 .alpha = alpha,
				 .beta = beta,
				 .a_is_transposed = op_a == BLAS_OP_T};

	(void)h;
	(void)algo;
	CALL();
	if (op_b != BLAS_OP_N || type_a != type_b || ldb != k ||
	    lda != (op_a == BLAS_OP_T ? k : m))
		return 7;
	p.scale = compute == 70 || compute == 71 ? 1 : compute == 72 ? 10 : 0;
	fake_multiply(&p);
	if (fake_number("TARE_FAKE_CUBLAS_WRONG", 0))
		memset(c, 0x11, 1);
	return 0;
}
