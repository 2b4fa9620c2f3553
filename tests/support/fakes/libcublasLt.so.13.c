/*
 * A fake cuBLASLt with three algorithms, the second of which is wrong.
 *
 * TARE_FAKE_CUBLASLT_FAIL_AT    the call that fails, with CUBLAS_STATUS_INTERNAL_ERROR
 */
#include "gemm/cublas_api.h"
#include "tests/support/fakes/fake.h"
#include "tests/support/fakes/product.h"

enum { INTERNAL_ERROR = 14, ALGORITHMS = 3, WRONG_ALGORITHM = 1 };

struct lt_desc {
	int scale, a_is_transposed;
};

struct lt_layout {
	int type;
	uint64_t rows, columns;
};

static long calls;

#define CALL()                                                        \
	do {                                                          \
		if (fake_fails(&calls, "TARE_FAKE_CUBLASLT_FAIL_AT")) \
			return INTERNAL_ERROR;                        \
	} while (0)

int cublasLtCreate(struct cublaslt **ret);
int cublasLtCreate(struct cublaslt **ret)
{
	CALL();
	*ret = malloc(1);
	return 0;
}

int cublasLtDestroy(struct cublaslt *h);
int cublasLtDestroy(struct cublaslt *h)
{
	free(h);
	return 0;
}

int cublasLtMatmulDescCreate(struct lt_desc **ret, int compute, int scale);
int cublasLtMatmulDescCreate(struct lt_desc **ret, int compute, int scale)
{
	(void)compute;
	CALL();
	*ret = calloc(1, sizeof(**ret));
	(*ret)->scale = scale;
	return 0;
}

int cublasLtMatmulDescDestroy(struct lt_desc *d);
int cublasLtMatmulDescDestroy(struct lt_desc *d)
{
	free(d);
	return 0;
}

int cublasLtMatmulDescSetAttribute(struct lt_desc *d, int attribute, const void *value,
				   size_t bytes);
int cublasLtMatmulDescSetAttribute(struct lt_desc *d, int attribute, const void *value,
				   size_t bytes)
{
	CALL();
	if (attribute == 3 && bytes == 4)
		d->a_is_transposed = *(const int *)value == BLAS_OP_T;
	return 0;
}

int cublasLtMatrixLayoutCreate(struct lt_layout **ret, int type, uint64_t rows,
			       uint64_t columns, int64_t ld);
int cublasLtMatrixLayoutCreate(struct lt_layout **ret, int type, uint64_t rows,
			       uint64_t columns, int64_t ld)
{
	CALL();
	if ((uint64_t)ld != rows)
		return 7;
	*ret = calloc(1, sizeof(**ret));
	**ret = (struct lt_layout){type, rows, columns};
	return 0;
}

int cublasLtMatrixLayoutDestroy(struct lt_layout *l);
int cublasLtMatrixLayoutDestroy(struct lt_layout *l)
{
	free(l);
	return 0;
}

int cublasLtMatmulPreferenceCreate(struct lt_preference **ret);
int cublasLtMatmulPreferenceCreate(struct lt_preference **ret)
{
	CALL();
	*ret = malloc(1);
	return 0;
}

int cublasLtMatmulPreferenceDestroy(struct lt_preference *p);
int cublasLtMatmulPreferenceDestroy(struct lt_preference *p)
{
	free(p);
	return 0;
}

int cublasLtMatmulPreferenceSetAttribute(struct lt_preference *p, int attribute,
					 const void *value, size_t bytes);
int cublasLtMatmulPreferenceSetAttribute(struct lt_preference *p, int attribute,
					 const void *value, size_t bytes)
{
	(void)p;
	(void)attribute;
	(void)value;
	(void)bytes;
	CALL();
	return 0;
}

int cublasLtMatmulAlgoGetHeuristic(struct cublaslt *h, struct lt_desc *d,
				   struct lt_layout *a, struct lt_layout *b,
				   struct lt_layout *c, struct lt_layout *result,
				   struct lt_preference *p, int most,
				   struct lt_heuristic *ret, int *nr);
int cublasLtMatmulAlgoGetHeuristic(struct cublaslt *h, struct lt_desc *d,
				   struct lt_layout *a, struct lt_layout *b,
				   struct lt_layout *c, struct lt_layout *result,
				   struct lt_preference *p, int most,
				   struct lt_heuristic *ret, int *nr)
{
	(void)h;
	(void)d;
	(void)a;
	(void)b;
	(void)c;
	(void)result;
	(void)p;
	CALL();
	*nr = most < ALGORITHMS ? most : ALGORITHMS;
	for (int i = 0; i < *nr; i++)
		ret[i] = (struct lt_heuristic){.algo = {{(uint64_t)i}}};
	return 0;
}

int cublasLtMatmul(struct cublaslt *h, struct lt_desc *d, const void *alpha,
		   const void *a, struct lt_layout *la, const void *b,
		   struct lt_layout *lb, const void *beta, const void *c,
		   struct lt_layout *lc, void *result, struct lt_layout *lr,
		   const struct lt_algo *algo, void *workspace, size_t workspace_bytes,
		   struct cu_stream *s);
int cublasLtMatmul(struct cublaslt *h, struct lt_desc *d, const void *alpha,
		   const void *a, struct lt_layout *la, const void *b,
		   struct lt_layout *lb, const void *beta, const void *c,
		   struct lt_layout *lc, void *result, struct lt_layout *lr,
		   const struct lt_algo *algo, void *workspace, size_t workspace_bytes,
		   struct cu_stream *s)
{
	struct fake_product p = {.m = (int)lc->rows,
				 .n = (int)lc->columns,
				 .k = (int)lb->rows,
				 .ldc = (int)lc->rows,
				 .type_ab = la->type,
				 .type_c = lc->type,
				 .scale = d->scale,
				 .a = a,
				 .b = b,
				 .c = result,
				 .alpha = alpha,
				 .beta = beta,
				 .a_is_transposed = d->a_is_transposed};

	(void)h;
	(void)lr;
	(void)workspace;
	(void)workspace_bytes;
	(void)s;
	CALL();
	if (c != result)
		return 7;
	fake_multiply(&p);
	if (algo->data[0] == WRONG_ALGORITHM)
		memset(result, 0x22, 4);
	return 0;
}
