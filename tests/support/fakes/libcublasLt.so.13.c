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
	int compute, scale, a_is_transposed;
};

struct lt_layout {
	int type;
	uint64_t rows, columns;
	int64_t ld;
};

struct lt_preference {
	uint64_t workspace_bytes;
};

/* The last product, and handles and descriptors not given back. */
extern struct fake_product fake_cublaslt_last;
extern long fake_cublaslt_live;
long fake_cublaslt_live;
struct fake_product fake_cublaslt_last;

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
	fake_cublaslt_live++;
	return 0;
}

int cublasLtDestroy(struct cublaslt *h);
int cublasLtDestroy(struct cublaslt *h)
{
	free(h);
	fake_cublaslt_live--;
	return 0;
}

int cublasLtMatmulDescCreate(struct lt_desc **ret, int compute, int scale);
int cublasLtMatmulDescCreate(struct lt_desc **ret, int compute, int scale)
{
	CALL();
	*ret = calloc(1, sizeof(**ret));
	fake_cublaslt_live++;
	(*ret)->compute = compute;
	(*ret)->scale = scale;
	return 0;
}

int cublasLtMatmulDescDestroy(struct lt_desc *d);
int cublasLtMatmulDescDestroy(struct lt_desc *d)
{
	free(d);
	fake_cublaslt_live--;
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
	if (ld < (int64_t)rows)
		return FAKE_INVALID_VALUE;
	*ret = calloc(1, sizeof(**ret));
	fake_cublaslt_live++;
	**ret = (struct lt_layout){type, rows, columns, ld};
	return 0;
}

int cublasLtMatrixLayoutDestroy(struct lt_layout *l);
int cublasLtMatrixLayoutDestroy(struct lt_layout *l)
{
	free(l);
	fake_cublaslt_live--;
	return 0;
}

int cublasLtMatmulPreferenceCreate(struct lt_preference **ret);
int cublasLtMatmulPreferenceCreate(struct lt_preference **ret)
{
	CALL();
	*ret = calloc(1, sizeof(**ret));
	fake_cublaslt_live++;
	return 0;
}

int cublasLtMatmulPreferenceDestroy(struct lt_preference *p);
int cublasLtMatmulPreferenceDestroy(struct lt_preference *p)
{
	free(p);
	fake_cublaslt_live--;
	return 0;
}

int cublasLtMatmulPreferenceSetAttribute(struct lt_preference *p, int attribute,
					 const void *value, size_t bytes);
int cublasLtMatmulPreferenceSetAttribute(struct lt_preference *p, int attribute,
					 const void *value, size_t bytes)
{
	CALL();
	if (attribute != 1 || bytes != sizeof(p->workspace_bytes))
		return FAKE_INVALID_VALUE;
	memcpy(&p->workspace_bytes, value, bytes);
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
	CALL();
	if (!a || !b || c != result || !p->workspace_bytes)
		return FAKE_INVALID_VALUE;
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
	struct fake_product *p = &fake_cublaslt_last;
	int status;

	(void)h;
	CALL();
	*p = (struct fake_product){.m = (int)lc->rows,
				   .n = (int)lc->columns,
				   .k = (int)lb->rows,
				   .lda = (int)la->ld,
				   .ldb = (int)lb->ld,
				   .ldc = (int)lc->ld,
				   .type_ab = la->type,
				   .type_c = lc->type,
				   .scale = d->scale,
				   .compute = d->compute,
				   .algo = (int)algo->data[0],
				   .a = a,
				   .b = b,
				   .c = result,
				   .alpha = alpha,
				   .beta = beta,
				   .a_is_transposed = d->a_is_transposed,
				   .stream = s,
				   .workspace = workspace,
				   .workspace_bytes = workspace_bytes};
	if (c != result || lr != lc || la->type != lb->type ||
	    lb->columns != lc->columns ||
	    la->rows != (uint64_t)(d->a_is_transposed ? p->k : p->m) ||
	    la->columns != (uint64_t)(d->a_is_transposed ? p->m : p->k))
		return FAKE_INVALID_VALUE;
	status = fake_multiply(p);
	if (algo->data[0] == WRONG_ALGORITHM)
		memset(result, 0x22, 4);
	return status;
}
