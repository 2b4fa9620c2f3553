#include "gemm/problem.h"

#include "core/base/mem.h"
#include "core/base/rng.h"

#include <inttypes.h>
#include <math.h>

const char *const precision_names[] = {"fp32", "tf32", "bf16", "fp16",
				       "fp64", "fp8",  "int8", NULL};
const char *const compute_names[] = {"auto", "fp32",   "pedantic", "tf32",  "bf16",
				     "fp16", "bf16x9", "fp64",     "int32", NULL};
const char *const fill_names[] = {"normal", "uniform", "zeros", NULL};

/* cudaDataType_t and cublasComputeType_t, fixed by CUDA's ABI (library_types.h). */
enum {
	R_32F = 0,
	R_64F = 1,
	R_16F = 2,
	R_8I = 3,
	R_32I = 10,
	R_16BF = 14,
	R_8F_E4M3 = 28
};
enum {
	C_32F = 68,
	C_32F_PEDANTIC = 69,
	C_64F = 70,
	C_64F_PEDANTIC = 71,
	C_32I = 72,
	C_32F_FAST_16F = 74,
	C_32F_FAST_16BF = 75,
	C_32F_FAST_TF32 = 77,
	C_32F_EMULATED_16BFX9 = 78
};

#define F32_TYPES                                                        \
	.type_ab = ELEMENT_F32, .type_c = ELEMENT_F32, .cuda_ab = R_32F, \
	.cuda_c = R_32F, .cuda_scale = R_32F, .unit_store = 0x1p-24

/*
 * Tensor cores add products with a truncated alignment, at worst two bits short of the
 * type they sum in (Fasi, Higham, Mikaitis, Pranesh, "Numerical behavior of NVIDIA tensor
 * cores", PeerJ CS 2021); FP8 sums keep 13 bits. Inputs cut to a narrower type may be
 * truncated, so their unit is a whole last place.
 */
static const struct arithmetic arithmetics[] = {
	{PRECISION_FP32, COMPUTE_FP32, F32_TYPES, .cublas_compute = C_32F,
	 .rate = RATE_FP32, .unit_sum = 0x1p-24},
	{PRECISION_FP32, COMPUTE_PEDANTIC, F32_TYPES, .cublas_compute = C_32F_PEDANTIC,
	 .rate = RATE_FP32, .unit_sum = 0x1p-24},
	{PRECISION_FP32, COMPUTE_TF32, F32_TYPES, .cublas_compute = C_32F_FAST_TF32,
	 .rate = RATE_TF32, .unit_input = 0x1p-10, .unit_sum = 0x1p-22},
	{PRECISION_FP32, COMPUTE_BF16, F32_TYPES, .cublas_compute = C_32F_FAST_16BF,
	 .rate = RATE_HALF, .unit_input = 0x1p-7, .unit_sum = 0x1p-22},
	{PRECISION_FP32, COMPUTE_FP16, F32_TYPES, .cublas_compute = C_32F_FAST_16F,
	 .rate = RATE_HALF, .unit_input = 0x1p-10, .unit_sum = 0x1p-22},
	{PRECISION_FP32, COMPUTE_BF16X9, F32_TYPES,
	 .cublas_compute = C_32F_EMULATED_16BFX9, .rate = RATE_BF16X9,
	 .unit_input = 0x1p-23, .unit_sum = 0x1p-22},
	{PRECISION_TF32, COMPUTE_TF32, F32_TYPES, .cublas_compute = C_32F_FAST_TF32,
	 .rate = RATE_TF32, .unit_input = 0x1p-10, .unit_sum = 0x1p-22},
	{PRECISION_BF16, COMPUTE_FP32, .type_ab = ELEMENT_BF16, .type_c = ELEMENT_BF16,
	 .cuda_ab = R_16BF, .cuda_c = R_16BF, .cuda_scale = R_32F,
	 .cublas_compute = C_32F, .rate = RATE_HALF, .unit_sum = 0x1p-22,
	 .unit_store = 0x1p-8},
	{PRECISION_FP16, COMPUTE_FP32, .type_ab = ELEMENT_F16, .type_c = ELEMENT_F16,
	 .cuda_ab = R_16F, .cuda_c = R_16F, .cuda_scale = R_32F, .cublas_compute = C_32F,
	 .rate = RATE_HALF, .unit_sum = 0x1p-22, .unit_store = 0x1p-11},
	{PRECISION_FP64, COMPUTE_FP64, .type_ab = ELEMENT_F64, .type_c = ELEMENT_F64,
	 .cuda_ab = R_64F, .cuda_c = R_64F, .cuda_scale = R_64F, .cublas_compute = C_64F,
	 .rate = RATE_FP64, .unit_sum = 0x1p-53, .unit_store = 0x1p-53},
	{PRECISION_FP64, COMPUTE_PEDANTIC, .type_ab = ELEMENT_F64, .type_c = ELEMENT_F64,
	 .cuda_ab = R_64F, .cuda_c = R_64F, .cuda_scale = R_64F,
	 .cublas_compute = C_64F_PEDANTIC, .rate = RATE_FP64, .unit_sum = 0x1p-53,
	 .unit_store = 0x1p-53},
	{PRECISION_FP8, COMPUTE_FP32, .type_ab = ELEMENT_E4M3, .type_c = ELEMENT_BF16,
	 .a_is_transposed = true, .cuda_ab = R_8F_E4M3, .cuda_c = R_16BF,
	 .cuda_scale = R_32F, .cublas_compute = C_32F, .rate = RATE_FP8,
	 .unit_sum = 0x1p-13, .unit_store = 0x1p-8},
	{PRECISION_INT8, COMPUTE_INT32, .type_ab = ELEMENT_I8, .type_c = ELEMENT_I32,
	 .a_is_transposed = true, .cuda_ab = R_8I, .cuda_c = R_32I, .cuda_scale = R_32I,
	 .cublas_compute = C_32I, .rate = RATE_INT8},
};

const struct arithmetic *arithmetic_find(enum precision p, enum compute c)
{
	for (size_t i = 0; i < ARRAY_SIZE(arithmetics); i++)
		if (arithmetics[i].precision == p &&
		    (c == COMPUTE_AUTO || arithmetics[i].compute == c))
			return &arithmetics[i];
	return NULL;
}

size_t element_bytes(enum element_type t)
{
	static const size_t bytes[] = {
		[ELEMENT_F64] = 8,  [ELEMENT_F32] = 4,  [ELEMENT_F16] = 2,
		[ELEMENT_BF16] = 2, [ELEMENT_E4M3] = 1, [ELEMENT_I8] = 1,
		[ELEMENT_I32] = 4,
	};

	return bytes[t];
}

double problem_flops(const struct problem *p)
{
	return 2.0 * (double)p->m * (double)p->n * (double)p->k;
}

/* No overflow once problem_check() passed. */
int64_t problem_bytes_a(const struct problem *p)
{
	return p->m * p->k * (int64_t)element_bytes(p->arithmetic->type_ab);
}

int64_t problem_bytes_b(const struct problem *p)
{
	return p->k * p->n * (int64_t)element_bytes(p->arithmetic->type_ab);
}

int64_t problem_bytes_c(const struct problem *p)
{
	return p->m * p->n * (int64_t)element_bytes(p->arithmetic->type_c);
}

int64_t problem_bytes(const struct problem *p)
{
	return problem_bytes_a(p) + problem_bytes_b(p) + problem_bytes_c(p);
}

static int check_dimension(const char *name, int64_t value, struct err *err)
{
	if (value <= 0)
		return err_set(err, ERR_USAGE,
			       "%s is %" PRId64
			       ": a matrix needs at least one row and column",
			       name, value);
	if (value > INT32_MAX)
		return err_set(err, ERR_USAGE,
			       "%s is %" PRId64 ": BLAS libraries count in 32 bits, at "
			       "most %d; use a smaller one",
			       name, value, INT32_MAX);
	return 0;
}

/* The largest finite value, or 0 where a sum of any length of ours fits. */
static double type_max(enum element_type t)
{
	return t == ELEMENT_F16 ? 65504 : t == ELEMENT_I32 ? INT32_MAX : 0;
}

/*
 * How large entries of C become: six deviations of a sum of k products of independent
 * numbers, growing by alpha*A*B with every product while beta keeps what was there.
 */
static double expected_growth(const struct problem *p, int64_t products)
{
	double deviation = p->fill == FILL_NORMAL ? 1 : 1 / sqrt(3), largest, sum = 0;

	if (p->fill == FILL_ZEROS)
		return 0;
	if (p->arithmetic->type_ab == ELEMENT_I8)
		deviation *=
			p->fill == FILL_NORMAL ? ELEMENT_I8_NORMAL : ELEMENT_I8_UNIFORM;
	largest = 6 * deviation * deviation * sqrt((double)p->k) * fabs(p->alpha);
	for (int64_t i = 0; i < products && sum < 1e300; i++)
		sum = sum * fabs(p->beta) + largest;
	return sum;
}

int problem_check(const struct problem *p, int64_t products, struct err *err)
{
	double most = (double)INT64_MAX / 4;
	double limit = type_max(p->arithmetic->type_c);

	if (check_dimension("m", p->m, err) != 0 ||
	    check_dimension("n", p->n, err) != 0 || check_dimension("k", p->k, err) != 0)
		return -1;
	if ((double)p->m * (double)p->k * 8 > most ||
	    (double)p->k * (double)p->n * 8 > most ||
	    (double)p->m * (double)p->n * 8 > most)
		return err_set(
			err, ERR_USAGE,
			"a matrix of this size has more bytes than can be counted; "
			"use smaller dimensions");
	if (limit > 0 && expected_growth(p, products) > limit)
		return err_set(
			err, ERR_USAGE,
			"C would outgrow %s (%.0f) within %" PRId64
			" products with beta %g; use --beta 0 or fewer --iterations",
			precision_names[p->arithmetic->precision], limit, products,
			p->beta);
	return 0;
}

int64_t problem_default_n(const struct arithmetic *a, int64_t probe_n, double seconds,
			  int64_t available_bytes)
{
	enum { STEP = 256, MOST = 8192 };
	double bytes = 3.0 * (double)element_bytes(a->type_ab);
	double n = (double)probe_n * cbrt(0.25 / fmax(seconds, 1e-6));

	n = fmin(fmin(n, sqrt((double)available_bytes / 4 / bytes)), MOST);
	return n < STEP ? STEP : (int64_t)n / STEP * STEP;
}

uint64_t problem_seed(const struct problem *p, enum matrix which)
{
	return rng_at(p->seed, which);
}

int64_t problem_at_a(const struct problem *p, int64_t row, int64_t l)
{
	return p->arithmetic->a_is_transposed ? l + row * p->k : row + l * p->m;
}

int64_t problem_at_b(const struct problem *p, int64_t l, int64_t column)
{
	return l + column * p->k;
}

int64_t problem_at_c(const struct problem *p, int64_t row, int64_t column)
{
	return row + column * p->m;
}
