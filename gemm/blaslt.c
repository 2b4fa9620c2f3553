#include "gemm/blaslt.h"

#include <string.h>

/* Attributes of cublasLt.h: fixed numbers of its ABI. */
enum { DESC_TRANSPOSE_A = 3, PREFERENCE_WORKSPACE_BYTES = 1, R_64F = 1, R_32I = 10 };

union scale scale_of(const struct arithmetic *a, double value)
{
	union scale s = {0};

	if (a->cuda_scale == R_64F)
		s.d = value;
	else if (a->cuda_scale == R_32I)
		s.i = (int32_t)value;
	else
		s.f = (float)value;
	return s;
}

static int layout(struct blaslt *lt, struct lt_layout **ret, int type, int64_t rows,
		  int64_t columns, struct err *err)
{
	const struct cublas_api *c = lt->api;

	return cublas_ok(c,
			 c->cublasLtMatrixLayoutCreate(ret, type, (uint64_t)rows,
						       (uint64_t)columns, rows),
			 err, "describe a matrix to cuBLASLt");
}

static int describe(struct blaslt *lt, struct err *err)
{
	const struct cublas_api *c = lt->api;
	const struct problem *p = lt->problem;
	const struct arithmetic *a = p->arithmetic;
	int32_t op_a = a->a_is_transposed ? BLAS_OP_T : BLAS_OP_N;
	uint64_t bytes = lt->workspace_bytes;

	if (cublas_ok(c, c->cublasLtCreate(&lt->handle), err, "start cuBLASLt") != 0 ||
	    cublas_ok(c,
		      c->cublasLtMatmulDescCreate(&lt->desc, a->cublas_compute,
						  a->cuda_scale),
		      err, "describe the product to cuBLASLt") != 0 ||
	    cublas_ok(c,
		      c->cublasLtMatmulDescSetAttribute(lt->desc, DESC_TRANSPOSE_A, &op_a,
							sizeof(op_a)),
		      err, "describe the product to cuBLASLt") != 0 ||
	    layout(lt, &lt->a, a->cuda_ab, a->a_is_transposed ? p->k : p->m,
		   a->a_is_transposed ? p->m : p->k, err) != 0 ||
	    layout(lt, &lt->b, a->cuda_ab, p->k, p->n, err) != 0 ||
	    layout(lt, &lt->c, a->cuda_c, p->m, p->n, err) != 0 ||
	    cublas_ok(c, c->cublasLtMatmulPreferenceCreate(&lt->preference), err,
		      "describe the search to cuBLASLt") != 0)
		return -1;
	return cublas_ok(c,
			 c->cublasLtMatmulPreferenceSetAttribute(
				 lt->preference, PREFERENCE_WORKSPACE_BYTES, &bytes,
				 sizeof(bytes)),
			 err, "describe the search to cuBLASLt");
}

static int search(struct blaslt *lt, struct err *err)
{
	const struct cublas_api *c = lt->api;

	if (cublas_ok(c,
		      c->cublasLtMatmulAlgoGetHeuristic(
			      lt->handle, lt->desc, lt->a, lt->b, lt->c, lt->c,
			      lt->preference, BLASLT_CANDIDATES, lt->candidates,
			      &lt->nr_candidates),
		      err, "ask cuBLASLt for algorithms") != 0)
		return -1;
	if (lt->nr_candidates == 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "cuBLASLt has no algorithm for %s on this GPU",
			       precision_names[lt->problem->arithmetic->precision]);
	return 0;
}

int blaslt_open(struct blaslt *lt, struct device *d, struct cublas_api *api,
		const struct problem *p, cu_pointer workspace, size_t workspace_bytes,
		struct err *err)
{
	*lt = (struct blaslt){.device = d,
			      .api = api,
			      .problem = p,
			      .workspace = workspace,
			      .workspace_bytes = workspace_bytes};
	if (cublas_api_open_lt(api, err) != 0 || describe(lt, err) != 0 ||
	    search(lt, err) != 0) {
		blaslt_close(lt);
		return -1;
	}
	return 0;
}

void blaslt_close(struct blaslt *lt)
{
	const struct cublas_api *c = lt->api;

	if (!c)
		return;
	if (lt->preference)
		c->cublasLtMatmulPreferenceDestroy(lt->preference);
	if (lt->c)
		c->cublasLtMatrixLayoutDestroy(lt->c);
	if (lt->b)
		c->cublasLtMatrixLayoutDestroy(lt->b);
	if (lt->a)
		c->cublasLtMatrixLayoutDestroy(lt->a);
	if (lt->desc)
		c->cublasLtMatmulDescDestroy(lt->desc);
	if (lt->handle)
		c->cublasLtDestroy(lt->handle);
	memset(lt, 0, sizeof(*lt));
}

int blaslt_multiply(struct blaslt *lt, cu_pointer a, cu_pointer b, cu_pointer c,
		    struct err *err)
{
	union scale alpha = scale_of(lt->problem->arithmetic, lt->problem->alpha);
	union scale beta = scale_of(lt->problem->arithmetic, lt->problem->beta);
	void *at_c = (void *)(uintptr_t)c;
	int status = lt->api->cublasLtMatmul(
		lt->handle, lt->desc, &alpha, (const void *)(uintptr_t)a, lt->a,
		(const void *)(uintptr_t)b, lt->b, &beta, at_c, lt->c, at_c, lt->c,
		&lt->candidates[lt->chosen].algo, (void *)(uintptr_t)lt->workspace,
		lt->workspace_bytes, lt->device->stream);

	return cublas_ok(lt->api, status, err,
			 "multiply with cuBLASLt (algorithm %d of %d)", lt->chosen + 1,
			 lt->nr_candidates);
}
