/* The product that both fake BLAS libraries compute: plain loops, summed in doubles. */
#ifndef TARE_TESTS_FAKE_PRODUCT_H
#define TARE_TESTS_FAKE_PRODUCT_H

#include "gemm/element.h"

#include <math.h>

/* One call of a BLAS library, all that it was given: kept as fake_cublas_last and
 * fake_cublaslt_last, which a test in the same process finds by dlsym(). */
struct fake_product {
	int m, n, k, lda, ldb, ldc;
	int type_ab, type_c, scale; /* cudaDataType */
	int compute, algo, math_mode;
	int a_is_transposed;
	const void *a, *b, *alpha, *beta;
	double alpha_value, beta_value;
	void *c;
	const void *stream, *workspace;
	size_t workspace_bytes;
};

enum { FAKE_INVALID_VALUE = 7 };

static inline int fake_element(int cuda_type)
{
	switch (cuda_type) {
	case 1:
		return ELEMENT_F64;
	case 2:
		return ELEMENT_F16;
	case 3:
		return ELEMENT_I8;
	case 10:
		return ELEMENT_I32;
	case 14:
		return ELEMENT_BF16;
	case 28:
		return ELEMENT_E4M3;
	default:
		return ELEMENT_F32;
	}
}

static inline double fake_scale(int cuda_type, const void *at)
{
	return cuda_type == 1    ? *(const double *)at
	       : cuda_type == 10 ? *(const int *)at
				 : (double)*(const float *)at;
}

static inline size_t fake_bytes(int type)
{
	return type == ELEMENT_F64                           ? 8
	       : type == ELEMENT_F32 || type == ELEMENT_I32  ? 4
	       : type == ELEMENT_F16 || type == ELEMENT_BF16 ? 2
							     : 1;
}

/* The fake driver keeps a block's size in front of it (cuda_memory.c). */
static inline int fake_fits(const void *at, int type, int rows, int columns, int ld)
{
	size_t bytes = *(const size_t *)(const void *)((const char *)at - 64);
	size_t needed = (size_t)ld * (size_t)(columns - 1) + (size_t)rows;

	return ld >= rows && needed * fake_bytes(type) <= bytes;
}

/* With the leading dimensions as given; the libraries' own error where they cannot be. */
static inline int fake_multiply(struct fake_product *p)
{
	int ab = fake_element(p->type_ab), type_c = fake_element(p->type_c);
	int rows_a = p->a_is_transposed ? p->k : p->m;
	uint64_t row_step = p->a_is_transposed ? (uint64_t)p->lda : 1;
	uint64_t l_step = p->a_is_transposed ? 1 : (uint64_t)p->lda;
	double alpha = fake_scale(p->scale, p->alpha),
	       beta = fake_scale(p->scale, p->beta);

	if (!fake_fits(p->a, ab, rows_a, p->m + p->k - rows_a, p->lda) ||
	    !fake_fits(p->b, ab, p->k, p->n, p->ldb) ||
	    !fake_fits(p->c, type_c, p->m, p->n, p->ldc))
		return FAKE_INVALID_VALUE;
	p->alpha_value = alpha;
	p->beta_value = beta;
	for (int j = 0; j < p->n; j++) {
		for (int i = 0; i < p->m; i++) {
			uint64_t at = (uint64_t)i + (uint64_t)j * (uint64_t)p->ldc;
			double sum = 0, c = element_load(type_c, p->c, at);

			for (int l = 0; l < p->k; l++)
				sum += element_load(ab, p->a,
						    (uint64_t)i * row_step +
							    (uint64_t)l * l_step) *
				       element_load(ab, p->b,
						    (uint64_t)l +
							    (uint64_t)j *
								    (uint64_t)p->ldb);
			c = alpha * sum + beta * c;
			if (type_c == ELEMENT_I32)
				((int32_t *)p->c)[at] = (int32_t)rint(c);
			else
				element_store(type_c, p->c, at, FILL_UNIFORM, c);
		}
	}
	return 0;
}

#endif
