/*
 * What is multiplied: C = alpha * A * B + beta * C, column-major, A m x k, B k x n,
 * C m x n, with the types that a precision means and the arithmetic that is asked of the
 * library by name. Everything about the work that does not depend on who does it.
 *
 * Layout: column-major, leading dimensions without padding. The types that tensor cores
 * take only "TN" (fp8, int8) keep A transposed: element (i, l) of A at l + i*k instead of
 * i + l*m; the product is the same.
 *
 * Work is counted the usual way, 2*m*n*k operations a product (LAPACK Working Note 41,
 * appendix C), whatever the library does inside.
 */
#ifndef TARE_GEMM_PROBLEM_H
#define TARE_GEMM_PROBLEM_H

#include "core/base/err.h"
#include "gemm/element.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of a GPU's peak rates bounds it (gemm/peak.h). */
enum rate {
	RATE_FP64,
	RATE_FP32,
	RATE_TF32,
	RATE_HALF,
	RATE_FP8,
	RATE_INT8,
	RATE_BF16X9
};

enum precision {
	PRECISION_FP32,
	PRECISION_TF32,
	PRECISION_BF16,
	PRECISION_FP16,
	PRECISION_FP64,
	PRECISION_FP8,
	PRECISION_INT8
};

enum compute {
	COMPUTE_AUTO,
	COMPUTE_FP32,
	COMPUTE_PEDANTIC,
	COMPUTE_TF32,
	COMPUTE_BF16,
	COMPUTE_FP16,
	COMPUTE_BF16X9,
	COMPUTE_FP64,
	COMPUTE_INT32
};

/* NULL-terminated, in the order of the enums: choices of the command line. */
extern const char *const precision_names[], *const compute_names[], *const fill_names[];

/*
 * A pair of precision and compute that exists. Roundings are unit roundoffs: how much an
 * operand loses before it is multiplied, one step of the sum, and storing an entry of C.
 */
struct arithmetic {
	enum precision precision;
	enum compute compute;
	enum element_type type_ab, type_c;
	bool a_is_transposed;
	int cublas_compute, cuda_ab, cuda_c,
		cuda_scale; /* cublasComputeType_t, cudaDataType */
	enum rate rate;
	double unit_input, unit_sum, unit_store;
};

struct problem {
	int64_t m, n, k;
	double alpha, beta;
	uint64_t seed;
	enum element_fill fill;
	const struct arithmetic *arithmetic; /* static */
};

/* The pair, or NULL when it does not exist. COMPUTE_AUTO is the precision's first. */
const struct arithmetic *arithmetic_find(enum precision p, enum compute c);

size_t element_bytes(enum element_type t);
double problem_flops(const struct problem *p); /* of one product */
int64_t problem_bytes_a(const struct problem *p);
int64_t problem_bytes_b(const struct problem *p);
int64_t problem_bytes_c(const struct problem *p);
int64_t problem_bytes(const struct problem *p); /* all three */

/*
 * ERR_USAGE when a dimension is not positive, exceeds the 32-bit index that BLAS
 * libraries take, makes a matrix of more bytes than an address can count, or lets C
 * outgrow its type within 'products' products.
 */
int problem_check(const struct problem *p, int64_t products, struct err *err);

/*
 * The n of a square problem where the user names none: of about a quarter of a second, where
 * one of 'probe_n' takes 'seconds', in at most a quarter of the memory; a multiple of 256 from
 * 256 to 8192.
 */
int64_t problem_default_n(const struct arithmetic *a, int64_t probe_n, double seconds,
			  int64_t available_bytes);

/* Seeds of the three matrices: independent sequences of the problem's own. */
enum matrix { MATRIX_A, MATRIX_B, MATRIX_C };
uint64_t problem_seed(const struct problem *p, enum matrix which);

/* Where element (row, column) lies, counted in elements. */
int64_t problem_at_a(const struct problem *p, int64_t row, int64_t l);
int64_t problem_at_b(const struct problem *p, int64_t l, int64_t column);
int64_t problem_at_c(const struct problem *p, int64_t row, int64_t column);

#endif
