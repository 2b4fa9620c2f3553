#include "gemm/problem.h"

#include "core/base/rng.h"
#include "gemm/environment.h"
#include "gemm/fill.h"
#include "gemm/options.h"
#include "gemm/verify.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct problem square(int64_t n, enum precision p)
{
	return (struct problem){.m = n,
				.n = n,
				.k = n,
				.alpha = 1,
				.beta = 1,
				.seed = 1,
				.arithmetic = arithmetic_find(p, COMPUTE_AUTO)};
}

static void test_sizes(void **state)
{
	struct problem p = square(16384, PRECISION_FP32);

	(void)state;
	/* 2 * 16384^3 = 2^43; 1 GiB a matrix. */
	assert_true(problem_flops(&p) == 0x1p43);
	assert_int_equal(problem_bytes_a(&p), 1 << 30);
	assert_int_equal(problem_bytes(&p), (int64_t)3 << 30);
	p.arithmetic = arithmetic_find(PRECISION_FP8, COMPUTE_AUTO);
	assert_int_equal(problem_bytes_b(&p), 1 << 28);
	assert_int_equal(problem_bytes_c(&p), 1 << 29);
	assert_int_equal(problem_at_a(&p, 3, 5), 3 * 16384 + 5);
	p.arithmetic = arithmetic_find(PRECISION_FP64, COMPUTE_AUTO);
	assert_int_equal(problem_at_a(&p, 3, 5), 5 * 16384 + 3);
}

/* Three different sizes, so that none can stand for another. */
static void test_sizes_of_a_rectangle(void **state)
{
	struct problem p = square(1, PRECISION_FP16);

	(void)state;
	p.m = 5;
	p.n = 7;
	p.k = 11;
	assert_true(problem_flops(&p) == 770);
	assert_int_equal(problem_bytes_a(&p), 110);
	assert_int_equal(problem_bytes_b(&p), 154);
	assert_int_equal(problem_bytes_c(&p), 70);
	assert_int_equal(problem_bytes(&p), 334);
	assert_int_equal(problem_at_a(&p, 2, 3), 17);
	assert_int_equal(problem_at_b(&p, 2, 3), 35);
	assert_int_equal(problem_at_c(&p, 2, 3), 17);
	p.arithmetic = arithmetic_find(PRECISION_INT8, COMPUTE_AUTO);
	assert_int_equal(problem_bytes(&p), 55 + 77 + 140);
	assert_int_equal(problem_at_a(&p, 2, 3), 25);
	p.arithmetic = arithmetic_find(PRECISION_FP64, COMPUTE_AUTO);
	assert_int_equal(problem_bytes_b(&p), 616);
	p.arithmetic = arithmetic_find(PRECISION_FP8, COMPUTE_AUTO);
	assert_int_equal(problem_bytes(&p), 55 + 77 + 70);
	p.arithmetic = arithmetic_find(PRECISION_BF16, COMPUTE_AUTO);
	assert_int_equal(problem_bytes(&p), 334);
	assert_true(problem_seed(&p, MATRIX_A) != problem_seed(&p, MATRIX_B));
	assert_true(problem_seed(&p, MATRIX_B) != problem_seed(&p, MATRIX_C));
}

static void check_refused(struct problem p, int64_t products, const char *word)
{
	struct err err = ERR_INIT;

	assert_int_equal(problem_check(&p, products, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, word));
}

static void test_refused(void **state)
{
	struct problem p = square(100, PRECISION_FP32);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(problem_check(&p, 10, &err), 0);
	p.k = 0;
	check_refused(p, 10, "k is 0");
	p = square(100, PRECISION_FP32);
	p.m = (int64_t)INT32_MAX + 1;
	check_refused(p, 10, "32 bits");
	check_refused(square(INT32_MAX, PRECISION_FP32), 10, "more bytes");
	/* One product of 16384 terms stays under 65504 in fp16, 200 of them do not. */
	p = square(16384, PRECISION_FP16);
	assert_int_equal(problem_check(&p, 10, &err), 0);
	check_refused(p, 200, "outgrow fp16");
	p.beta = 0;
	assert_int_equal(problem_check(&p, 200, &err), 0);
}

/* The largest of each kind that fits, and one more. */
static void test_limits(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const zero[] = {"m is 0", "n is 0", "k is 0"};
		struct problem p = square(1, PRECISION_FP32);
		int64_t *const sizes[] = {&p.m, &p.n, &p.k};

		*sizes[i] = INT32_MAX;
		assert_int_equal(problem_check(&p, 1, &err), 0);
		/* (2^31 - 1) * 2^27 * 8 bytes is just below 2^61. */
		*sizes[(i + 1) % 3] = 1 << 27;
		assert_int_equal(problem_check(&p, 1, &err), 0);
		*sizes[(i + 1) % 3] += 1;
		check_refused(p, 1, "more bytes");
		/* 2^29 * 2^29 * 8 bytes are 2^61: the most. */
		*sizes[i] = *sizes[(i + 1) % 3] = 1 << 29;
		assert_int_equal(problem_check(&p, 1, &err), 0);
		*sizes[i] = (int64_t)INT32_MAX + 1;
		check_refused(p, 1, "32 bits");
		*sizes[i] = 0;
		check_refused(p, 1, zero[i]);
	}
}

/* A product of twice the n takes eight times as long: 512 in 31.2 ms is 1024.5 in 250. */
static void test_default_n(void **state)
{
	static const struct {
		enum precision precision;
		double seconds;
		int64_t available, n;
	} cases[] = {
		{PRECISION_FP32, 0.0312, INT64_C(1) << 40, 1024},
		{PRECISION_FP32, 0.0313, INT64_C(1) << 40, 768},
		{PRECISION_FP32, 0.2499, INT64_C(1) << 40, 512},
		{PRECISION_FP32, 10, INT64_C(1) << 40, 256},
		{PRECISION_FP32, 0, INT64_C(1) << 40, 8192},
		/* Three matrices of 1024 x 1024 are a quarter of 48 and 96 MiB. */
		{PRECISION_FP32, 0.001, 48 << 20, 1024},
		{PRECISION_FP32, 0.001, (48 << 20) - 1, 768},
		{PRECISION_FP64, 0.001, 96 << 20, 1024},
		{PRECISION_FP64, 0.001, (96 << 20) - 1, 768},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(problem_default_n(arithmetic_find(cases[i].precision,
								   COMPUTE_AUTO),
						   512, cases[i].seconds,
						   cases[i].available),
				 cases[i].n);
}

/*
 * Six deviations of a sum of 100 products: 60 in normal numbers, 20 in uniform ones (variance
 * 1/3), 61440 where int8 has 32 for a deviation. fp16 ends at 65504, int32 at 2^31 - 1.
 */
static void test_growth(void **state)
{
	static const struct {
		enum precision precision;
		enum element_fill fill;
		double alpha, beta;
		int64_t products;
	} most[] = {
		{PRECISION_FP16, FILL_NORMAL, 1, 1, 1091},
		{PRECISION_FP16, FILL_NORMAL, -2, -1, 545},
		{PRECISION_FP16, FILL_UNIFORM, 1, 1, 3275},
		{PRECISION_FP16, FILL_NORMAL, 1, 2, 10}, /* 60 * (2^10 - 1) = 61380 */
		{PRECISION_INT8, FILL_NORMAL, 1, 1, 34952},
	};
	struct err err = ERR_INIT;
	struct problem p;

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		p = square(100, most[i].precision);
		p.fill = most[i].fill;
		p.alpha = most[i].alpha;
		p.beta = most[i].beta;
		assert_int_equal(problem_check(&p, most[i].products, &err), 0);
		check_refused(p, most[i].products + 1, "outgrow");
	}
	p.fill = FILL_ZEROS;
	assert_int_equal(problem_check(&p, 1000000, &err), 0);
	p = square(100, PRECISION_FP16);
	p.beta = 0.5; /* never twice 60 */
	assert_int_equal(problem_check(&p, 1000000, &err), 0);
	p = square(100, PRECISION_BF16);
	p.beta = 2;
	assert_int_equal(problem_check(&p, 1000, &err), 0);
}

static void test_pairs(void **state)
{
	(void)state;
	assert_int_equal(arithmetic_find(PRECISION_FP32, COMPUTE_AUTO)->compute,
			 COMPUTE_FP32);
	assert_int_equal(arithmetic_find(PRECISION_TF32, COMPUTE_AUTO)->compute,
			 COMPUTE_TF32);
	assert_null(arithmetic_find(PRECISION_FP64, COMPUTE_TF32));
	assert_null(arithmetic_find(PRECISION_FP8, COMPUTE_FP64));
	for (int p = 0; precision_names[p]; p++)
		assert_non_null(arithmetic_find((enum precision)p, COMPUTE_AUTO));
}

/*
 * What decides how far C may be off, and which peak it is held to: powers of two, 0 for none.
 * IEEE 754's unit roundoffs are half a last place (fp32 2^-24, fp64 2^-53, fp16 2^-11, bf16
 * 2^-8); an input that is cut loses a whole one (tf32 and fp16 2^-10, bf16 2^-7, three bf16
 * together 2^-23); a tensor core's sum is two bits short of fp32, and 13 bits for fp8.
 */
static void test_units(void **state)
{
	static const struct {
		enum precision precision;
		enum compute compute;
		enum rate rate;
		int input, sum, store;
	} wanted[] = {
		{PRECISION_FP32, COMPUTE_FP32, RATE_FP32, 0, -24, -24},
		{PRECISION_FP32, COMPUTE_PEDANTIC, RATE_FP32, 0, -24, -24},
		{PRECISION_FP32, COMPUTE_TF32, RATE_TF32, -10, -22, -24},
		{PRECISION_FP32, COMPUTE_BF16, RATE_HALF, -7, -22, -24},
		{PRECISION_FP32, COMPUTE_FP16, RATE_HALF, -10, -22, -24},
		{PRECISION_FP32, COMPUTE_BF16X9, RATE_BF16X9, -23, -22, -24},
		{PRECISION_TF32, COMPUTE_TF32, RATE_TF32, -10, -22, -24},
		{PRECISION_BF16, COMPUTE_FP32, RATE_HALF, 0, -22, -8},
		{PRECISION_FP16, COMPUTE_FP32, RATE_HALF, 0, -22, -11},
		{PRECISION_FP64, COMPUTE_FP64, RATE_FP64, 0, -53, -53},
		{PRECISION_FP64, COMPUTE_PEDANTIC, RATE_FP64, 0, -53, -53},
		{PRECISION_FP8, COMPUTE_FP32, RATE_FP8, 0, -13, -8},
		{PRECISION_INT8, COMPUTE_INT32, RATE_INT8, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct arithmetic *a =
			arithmetic_find(wanted[i].precision, wanted[i].compute);
		const int exponents[] = {wanted[i].input, wanted[i].sum, wanted[i].store};
		const double units[] = {a->unit_input, a->unit_sum, a->unit_store};

		assert_int_equal(a->rate, wanted[i].rate);
		for (int k = 0; k < 3; k++)
			assert_true(units[k] ==
				    (exponents[k] ? ldexp(1, exponents[k]) : 0));
	}
}

/* A product in plain loops: floats summed in floats, inputs cut to 'bits' fraction bits. */
static void multiply(const struct problem *p, struct sample *s, int64_t nr,
		     int64_t products, uint32_t mask)
{
	for (int64_t i = 0; i < nr; i++) {
		struct sample *at = &s[i];
		float sum = 0;
		float c = (float)element_value(
			p->fill, problem_seed(p, MATRIX_C),
			(uint64_t)problem_at_c(p, at->row, at->column));

		for (int64_t l = 0; l < p->k; l++) {
			float a = (float)element_value(
				p->fill, problem_seed(p, MATRIX_A),
				(uint64_t)problem_at_a(p, at->row, l));
			float b = (float)element_value(
				p->fill, problem_seed(p, MATRIX_B),
				(uint64_t)problem_at_b(p, l, at->column));
			double x = (double)a * b;
			uint32_t cut[2];

			at->dot += x;
			at->squares += x * x;
			at->magnitudes += fabs(x);
			memcpy(&cut[0], &a, 4);
			memcpy(&cut[1], &b, 4);
			cut[0] &= mask;
			cut[1] &= mask;
			memcpy(&a, &cut[0], 4);
			memcpy(&b, &cut[1], 4);
			sum += a * b;
		}
		for (int64_t r = 0; r < products; r++)
			c = (float)p->alpha * sum + (float)p->beta * c;
		at->value = c;
	}
}

static struct verdict_of_c judge(struct problem *p, int64_t products, uint32_t mask,
				 double added)
{
	struct sample *s = calloc(VERIFY_SAMPLES, sizeof(*s));
	struct verdict_of_c v;

	verify_choose(p, s, VERIFY_SAMPLES);
	multiply(p, s, VERIFY_SAMPLES, products, mask);
	s[VERIFY_SAMPLES - 1].value += added;
	verify_judge(p, s, VERIFY_SAMPLES, products, &v);
	free(s);
	return v;
}

static void test_right_product_passes(void **state)
{
	struct problem p = square(2048, PRECISION_FP32);
	struct verdict_of_c v = judge(&p, 10, UINT32_MAX, 0);

	(void)state;
	assert_true(v.passed);
	assert_int_equal(v.samples, VERIFY_SAMPLES);
	assert_true(v.worst > 0 && v.worst < 0.5);
}

static void test_wrong_entry_is_found(void **state)
{
	struct problem p = square(512, PRECISION_FP32);
	struct verdict_of_c v = judge(&p, 3, UINT32_MAX, 0.1);

	(void)state;
	assert_false(v.passed);
	assert_int_equal(v.wrong, 1);
	v = judge(&p, 3, UINT32_MAX, NAN);
	assert_false(v.passed);
}

/* Inputs of 10 fraction bits, as TF32 has: refused as FP32, right as TF32. */
static void test_tf32_is_no_fp32(void **state)
{
	const uint32_t ten_bits = 0xffffe000;
	struct problem p = square(2048, PRECISION_FP32);

	(void)state;
	assert_false(judge(&p, 1, ten_bits, 0).passed);
	p.k = 128;
	assert_false(judge(&p, 10, ten_bits, 0).passed);
	p = square(2048, PRECISION_TF32);
	assert_true(judge(&p, 1, ten_bits, 0).passed);
}

/* The dots that a device reports must follow from the seed. */
static void test_wrong_input_is_found(void **state)
{
	struct problem p = square(256, PRECISION_FP32);
	struct sample *s = calloc(VERIFY_SAMPLES, sizeof(*s));
	struct verdict_of_c v;

	(void)state;
	verify_choose(&p, s, VERIFY_SAMPLES);
	p.seed = 2;
	multiply(&p, s, VERIFY_SAMPLES, 1, UINT32_MAX);
	p.seed = 1;
	for (int i = 0; i < VERIFY_SAMPLES; i++) /* alpha and beta are 1 */
		s[i].value = s[i].dot + (float)element_value(
						p.fill, problem_seed(&p, MATRIX_C),
						(uint64_t)(s[i].row + s[i].column * p.m));
	verify_judge(&p, s, VERIFY_SAMPLES, 1, &v);
	assert_int_equal(v.wrong, 0);
	assert_false(v.passed);
	assert_non_null(strstr(v.text, "seed"));
	free(s);
}

/*
 * The bound that verify.h states, once more: TF32's units are 2^-10 of an input (a whole last
 * place), 2^-22 of the sum and 2^-24 of an entry. Errors a hundredth below and above it.
 */
static void test_bound(void **state)
{
	const double input = 0x1p-10, sum = 0x1p-22, store = 0x1p-24;
	struct problem p = square(7, PRECISION_TF32);
	struct sample s = {.row = 6, .column = 2};
	struct verdict_of_c v;
	double c, bound = 0, of_dot;

	(void)state;
	p.alpha = 0.5;
	p.beta = -0.75;
	p.k = 25;
	multiply(&p, &s, 1, 0, UINT32_MAX);
	c = s.value;
	of_dot = 8 * (sum * 5 + 2 * input) * sqrt(s.squares) + 2 * input * fabs(s.dot);
	for (int i = 0; i < 2; i++) {
		double added = 0.5 * s.dot, kept = -0.75 * c;

		c = added + kept;
		bound = 0.75 * bound + 0.5 * of_dot +
			2 * sum * (fabs(added) + fabs(kept)) + store * fabs(c);
	}
	for (int sign = -1; sign <= 1; sign += 2) {
		s.value = c + sign * 0.99 * bound;
		verify_judge(&p, &s, 1, 2, &v);
		assert_true(v.passed && v.wrong == 0);
		assert_true(fabs(v.worst - 0.99) < 1e-4);
		s.value = c + sign * 1.01 * bound;
		verify_judge(&p, &s, 1, 2, &v);
		assert_true(!v.passed && v.wrong == 1 && v.samples == 1);
		assert_true(fabs(v.worst - 1.01) < 1e-4);
		assert_non_null(strstr(v.text, "1 of 1 sampled entries of C are off; the "
					       "worst is at row 6, column 2, 1.01"));
	}
}

/* By plain loops over what is stored, whatever the type. */
static struct sample stored_sample(const struct problem *p, int64_t row, int64_t column)
{
	struct sample s = {.row = row, .column = column};

	for (int64_t l = 0; l < p->k; l++) {
		double x = fill_stored(p->arithmetic->type_ab, p->fill,
				       problem_seed(p, MATRIX_A),
				       (uint64_t)(row + l * p->m)) *
			   fill_stored(p->arithmetic->type_ab, p->fill,
				       problem_seed(p, MATRIX_B),
				       (uint64_t)(l + column * p->k));

		s.dot += x;
		s.squares += x * x;
		s.magnitudes += fabs(x);
	}
	return s;
}

/*
 * An entry of bf16 is rounded by 2^-8 of what may already be off by the bound: the bound grows
 * by as much again, which a type that stores C finely hides.
 */
static void test_bound_of_coarse_entries(void **state)
{
	const double sum = 0x1p-22, store = 0x1p-8;
	struct problem p = square(7, PRECISION_BF16);
	struct sample s;
	struct verdict_of_c v;
	double c, bound = 0;

	(void)state;
	p.k = 25;
	s = stored_sample(&p, 6, 2);
	c = fill_stored(ELEMENT_BF16, p.fill, problem_seed(&p, MATRIX_C), 6 + 2 * 7);
	for (int i = 0; i < 3; i++) {
		bound += 8 * sum * 5 * sqrt(s.squares) +
			 2 * sum * (fabs(s.dot) + fabs(c)) + store * fabs(s.dot + c);
		bound += store * bound;
		c += s.dot;
	}
	s.value = c + 0.999 * bound;
	verify_judge(&p, &s, 1, 3, &v);
	assert_true(v.passed && fabs(v.worst - 0.999) < 1e-6);
	s.value = c - 1.001 * bound;
	verify_judge(&p, &s, 1, 3, &v);
	assert_true(!v.passed && fabs(v.worst - 1.001) < 1e-6);
	/* Nothing is allowed where nothing is rounded: int8. */
	p = square(16, PRECISION_INT8);
	s = (struct sample){.row = 1, .column = 1, .value = 0.5};
	p.fill = FILL_ZEROS;
	verify_judge(&p, &s, 1, 3, &v);
	assert_true(!v.passed && v.wrong == 1 && v.worst == 1e300);
	s.value = 0;
	verify_judge(&p, &s, 1, 3, &v);
	assert_true(v.passed && v.worst == 0);
}

/* Corners first, then places within, the same ones for the same seed. */
static void test_places(void **state)
{
	static const int64_t corners[4][2] = {{0, 0}, {6, 0}, {0, 2}, {6, 2}};
	struct sample s[200], again[200];
	bool is_seen[7][3] = {{false}};
	struct problem p = square(7, PRECISION_FP32);

	(void)state;
	/* What was there before is no place. */
	memset(s, 0x5a, sizeof(s));
	memset(again, 0x33, sizeof(again));
	p.n = 3;
	verify_choose(&p, s, 200);
	verify_choose(&p, again, 200);
	for (int i = 0; i < 200; i++)
		assert_true(s[i].row == again[i].row && s[i].column == again[i].column);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(s[i].row, corners[i][0]);
		assert_int_equal(s[i].column, corners[i][1]);
	}
	for (int i = 0; i < 200; i++) {
		assert_in_range(s[i].row, 0, 6);
		assert_in_range(s[i].column, 0, 2);
		is_seen[s[i].row][s[i].column] = true;
	}
	for (int i = 0; i < 21; i++)
		assert_true(is_seen[i / 3][i % 3]);
	/* Four corners and no more: of a million entries none is drawn by chance. */
	p = square(1000, PRECISION_FP32);
	verify_choose(&p, s, 200);
	for (int i = 4; i < 200; i++)
		assert_false(s[i].row % 999 == 0 && s[i].column % 999 == 0);
}

static const char *fake_name, *fake_value;

static char *fake_getenv(const char *name)
{
	return fake_name && strcmp(name, fake_name) == 0 ? (char *)(uintptr_t)fake_value
							 : NULL;
}

static void check_environment(const char *name, const char *value, enum precision p,
			      enum compute c, int expected)
{
	struct err err = ERR_INIT;
	struct json_object *o;

	fake_name = name;
	fake_value = value;
	assert_int_equal(environment_check(arithmetic_find(p, c), fake_getenv, &err),
			 expected);
	assert_int_equal(err.kind, expected == 0 ? ERR_NONE : ERR_INVALID);
	o = environment_json(fake_getenv);
	assert_string_equal(json_get_text(o, name, ""), value);
	json_object_put(o);
	fake_name = NULL;
}

static void test_environment(void **state)
{
	(void)state;
	check_environment("NVIDIA_TF32_OVERRIDE", "1", PRECISION_FP32, COMPUTE_AUTO, -1);
	check_environment("NVIDIA_TF32_OVERRIDE", "1", PRECISION_TF32, COMPUTE_AUTO, 0);
	check_environment("NVIDIA_TF32_OVERRIDE", "0", PRECISION_TF32, COMPUTE_AUTO, -1);
	check_environment("NVIDIA_TF32_OVERRIDE", "0", PRECISION_FP32, COMPUTE_AUTO, 0);
	check_environment("NVIDIA_TF32_OVERRIDE", "1", PRECISION_FP64, COMPUTE_AUTO, 0);
	check_environment("CUBLAS_EMULATE_SINGLE_PRECISION", "1", PRECISION_FP32,
			  COMPUTE_AUTO, -1);
	check_environment("CUBLAS_EMULATE_SINGLE_PRECISION", "1", PRECISION_FP32,
			  COMPUTE_BF16X9, 0);
	check_environment("CUBLAS_EMULATE_SINGLE_PRECISION", "0", PRECISION_FP32,
			  COMPUTE_AUTO, 0);
	check_environment("CUBLAS_EMULATE_DOUBLE_PRECISION", "1", PRECISION_FP64,
			  COMPUTE_AUTO, -1);
	check_environment("CUBLAS_WORKSPACE_CONFIG", ":16:8", PRECISION_FP32,
			  COMPUTE_AUTO, 0);
}

static void parse(int argc, const char **argv, struct gemm_options *o)
{
	struct strvec rest = {0};
	struct err err = ERR_INIT;

	assert_int_equal(
		opt_parse(&gemm_command, argc, (char **)(uintptr_t)argv, o, &rest, &err),
		OPT_RUN);
	strvec_release(&rest);
}

static void test_options(void **state)
{
	const char *bare[] = {"tare-gemm", NULL};
	const char *full[] = {"tare-gemm",   "--n=300", "--m", "200",
			      "--precision", "bf16",    NULL};
	const char *odd[] = {"tare-gemm", "--k", "5", NULL};
	struct gemm_options o = {0};
	struct err err = ERR_INIT;
	struct problem p;

	(void)state;
	parse(1, bare, &o);
	assert_int_equal(options_problem(&o, &p, &err), 0);
	assert_int_equal(o.iterations, 10);
	assert_true(p.alpha == 1 && p.beta == 1 && p.n == 0 && o.algo == -1);
	fields_release(gemm_command.fields, &o);
	o = (struct gemm_options){0};
	parse(6, full, &o);
	assert_int_equal(options_problem(&o, &p, &err), 0);
	assert_true(p.m == 200 && p.n == 300 && p.k == 300);
	assert_int_equal(p.arithmetic->type_ab, ELEMENT_BF16);
	fields_release(gemm_command.fields, &o);
	o = (struct gemm_options){0};
	parse(3, odd, &o);
	assert_int_equal(options_problem(&o, &p, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	fields_release(gemm_command.fields, &o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_sizes_of_a_rectangle),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_default_n),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_bound_of_coarse_entries),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_right_product_passes),
		cmocka_unit_test(test_wrong_entry_is_found),
		cmocka_unit_test(test_tf32_is_no_fp32),
		cmocka_unit_test(test_wrong_input_is_found),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
