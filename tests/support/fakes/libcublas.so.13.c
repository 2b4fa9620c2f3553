/*
 * A fake cuBLAS over the fake driver's memory.
 *
 * TARE_FAKE_CUBLAS_FAIL_AT    the call that fails, with CUBLAS_STATUS_INTERNAL_ERROR
 * TARE_FAKE_CUBLAS_VERSION    13.0.0 as 130000
 * TARE_FAKE_CUBLAS_WRONG      every product has one wrong entry, the first
 */
#include "gemm/cublas_api.h"
#include "tests/support/fakes/fake.h"
#include "tests/support/fakes/product.h"

enum { INTERNAL_ERROR = 14 };

/* The last product, and handles not given back. */
extern struct fake_product fake_cublas_last;
extern long fake_cublas_live;
long fake_cublas_live;
struct fake_product fake_cublas_last;

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
	fake_cublas_live++;
	return 0;
}

int cublasDestroy_v2(struct cublas *h);
int cublasDestroy_v2(struct cublas *h)
{
	free(h);
	fake_cublas_live--;
	CALL();
	return 0;
}

int cublasGetVersion_v2(struct cublas *h, int *ret);
int cublasGetVersion_v2(struct cublas *h, int *ret)
{
	(void)h;
	CALL();
	*ret = (int)fake_number("TARE_FAKE_CUBLAS_VERSION", 130000);
	return 0;
}

int cublasSetStream_v2(struct cublas *h, struct cu_stream *s);
int cublasSetStream_v2(struct cublas *h, struct cu_stream *s)
{
	(void)h;
	CALL();
	fake_cublas_last.stream = s;
	fake_cublas_last.workspace = NULL; /* cublasSetStream() resets it */
	return 0;
}

int cublasSetMathMode(struct cublas *h, int mode);
int cublasSetMathMode(struct cublas *h, int mode)
{
	(void)h;
	CALL();
	fake_cublas_last.math_mode = mode;
	return 0;
}

int cublasSetWorkspace_v2(struct cublas *h, void *workspace, size_t bytes);
int cublasSetWorkspace_v2(struct cublas *h, void *workspace, size_t bytes)
{
	(void)h;
	CALL();
	fake_cublas_last.workspace = workspace;
	fake_cublas_last.workspace_bytes = bytes;
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
	struct fake_product *p = &fake_cublas_last;
	int status;

	(void)h;
	CALL();
	if (op_b != BLAS_OP_N || type_a != type_b)
		return FAKE_INVALID_VALUE;
	p->m = m;
	p->n = n;
	p->k = k;
	p->lda = lda;
	p->ldb = ldb;
	p->ldc = ldc;
	p->type_ab = type_a;
	p->type_c = type_c;
	p->a = a;
	p->b = b;
	p->c = c;
	p->alpha = alpha;
	p->beta = beta;
	p->a_is_transposed = op_a == BLAS_OP_T;
	p->compute = compute;
	p->algo = algo;
	p->scale = compute == 70 || compute == 71 ? 1 : compute == 72 ? 10 : 0;
	status = fake_multiply(p);
	if (fake_number("TARE_FAKE_CUBLAS_WRONG", 0))
		memset(c, 0x11, 1);
	return status;
}
