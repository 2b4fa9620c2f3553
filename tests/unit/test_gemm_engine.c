/*
 * The call that is timed: what each engine hands to its library, and what then lies in C.
 * cuBLAS and cuBLASLt are the fakes of tests/support/fakes, which keep what they were given
 * and multiply with it; OpenBLAS is the real one. Sizes are all different, so are alpha and
 * beta, so that no two arguments can stand for each other. Every entry of C is compared with
 * plain loops here; numbers of CUDA's types are those of library_types.h and cublas_v2.h.
 */
#include "gemm/engine.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/machine/mig.h"
#include "gemm/fill.h"
#include "tests/support/built.h"
#include "tests/support/fakes/product.h"
#include "tests/support/tree.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What cuBLAS must be told for a precision. */
struct expectation {
	enum precision precision;
	enum compute compute;
	int type_ab, type_c, scale, cublas_compute;
	bool is_lt, a_is_transposed;
	double last_place; /* of an entry of C, relative */
};

static const struct expectation expectations[] = {
	{PRECISION_FP32, COMPUTE_FP32, 0, 0, 0, 68, false, false, 0x1p-24},
	{PRECISION_FP32, COMPUTE_PEDANTIC, 0, 0, 0, 69, false, false, 0x1p-24},
	{PRECISION_FP32, COMPUTE_TF32, 0, 0, 0, 77, false, false, 0x1p-24},
	{PRECISION_FP32, COMPUTE_BF16, 0, 0, 0, 75, false, false, 0x1p-24},
	{PRECISION_FP32, COMPUTE_FP16, 0, 0, 0, 74, false, false, 0x1p-24},
	{PRECISION_TF32, COMPUTE_TF32, 0, 0, 0, 77, false, false, 0x1p-24},
	{PRECISION_BF16, COMPUTE_FP32, 14, 14, 0, 68, false, false, 0x1p-8},
	{PRECISION_FP16, COMPUTE_FP32, 2, 2, 0, 68, false, false, 0x1p-11},
	{PRECISION_FP64, COMPUTE_FP64, 1, 1, 1, 70, false, false, 0x1p-53},
	{PRECISION_FP64, COMPUTE_PEDANTIC, 1, 1, 1, 71, false, false, 0x1p-53},
	{PRECISION_FP8, COMPUTE_FP32, 28, 14, 0, 68, true, true, 0x1p-8},
	{PRECISION_INT8, COMPUTE_INT32, 3, 10, 10, 72, false, true, 0},
};

static struct problem rectangle(enum precision p, enum compute c)
{
	const struct arithmetic *a = arithmetic_find(p, c);
	struct problem r = {.m = 19,
			    .n = 7,
			    .k = 33,
			    .alpha = 2,
			    .beta = -3,
			    .seed = 11,
			    .arithmetic = a};

	if (a->a_is_transposed) { /* multiples of 16 */
		r.m = 48;
		r.n = 16;
		r.k = 80;
	}
	if (a->type_c != ELEMENT_I32) {
		r.alpha = 0.5;
		r.beta = -0.75;
	}
	return r;
}

static struct engine *open_engine(const char *name, const struct engine_request *r)
{
	struct err err = ERR_INIT;
	struct engine *e = NULL;

	if (engine_open(name, r, &e, &err) != 0)
		fail_msg("%s", err.text);
	return e;
}

static struct engine *prepared(const char *name, const struct problem *p, int64_t algo)
{
	const struct engine_request r = {.algo = algo};
	struct engine *e = open_engine(name, &r);
	struct err err = ERR_INIT;

	if (e->ops->check(e, p->arithmetic, &err) != 0 ||
	    e->ops->prepare(e, p, &err) != 0)
		fail_msg("%s", err.text);
	return e;
}

/* A variable of a fake library that the engine has opened; it stays open. */
static const void *of_fake(const char *soname, const char *name)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_NOLOAD);
	const void *at = library ? dlsym(library, name) : NULL;

	if (library)
		dlclose(library);
	return at;
}

static const struct fake_product *last_call(bool is_lt)
{
	const struct fake_product *p =
		is_lt ? of_fake("libcublasLt.so.13", "fake_cublaslt_last")
		      : of_fake("libcublas.so.13", "fake_cublas_last");

	assert_non_null(p);
	return p;
}

/* Everything is given back, whether or not the libraries were ever opened. */
static void close_engine(struct engine *e)
{
	static const char *const counts[][2] = {
		{"libcuda.so.1", "fake_cuda_live"},
		{"libcublas.so.13", "fake_cublas_live"},
		{"libcublasLt.so.13", "fake_cublaslt_live"}};

	e->ops->close(e);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		const long *live = of_fake(counts[i][0], counts[i][1]);

		if (live)
			assert_int_equal(*live, 0);
	}
}

static void multiply(struct engine *e, int64_t nr, double *seconds, double *gaps)
{
	struct err err = ERR_INIT;

	if (e->ops->multiply(e, nr, seconds, gaps, &err) != 0)
		fail_msg("%s", err.text);
}

/* ---- what must lie in C, by plain loops ---- */

static double element(const struct problem *p, enum element_type type, enum matrix which,
		      int64_t at)
{
	return fill_stored(type, p->fill, problem_seed(p, which), (uint64_t)at);
}

/* Element (row, l) of A where the library finds it: column-major, or its transpose so. */
static double of_a(const struct problem *p, int64_t row, int64_t l)
{
	int64_t at = p->arithmetic->a_is_transposed ? l + row * p->k : row + l * p->m;

	return element(p, p->arithmetic->type_ab, MATRIX_A, at);
}

static double of_b(const struct problem *p, int64_t l, int64_t column)
{
	return element(p, p->arithmetic->type_ab, MATRIX_B, l + column * p->k);
}

/* Entry after 'products' products, and how far stored entries may be from it. */
static double expected(const struct problem *p, int64_t row, int64_t column,
		       int64_t products, double last_place, double *ret_tolerance)
{
	double c = element(p, p->arithmetic->type_c, MATRIX_C, row + column * p->m);
	double dot = 0, sizes = 0;

	for (int64_t l = 0; l < p->k; l++) {
		dot += of_a(p, row, l) * of_b(p, l, column);
		sizes += fabs(of_a(p, row, l) * of_b(p, l, column));
	}
	sizes = fabs(c) + (double)products * sizes * fabs(p->alpha);
	for (int64_t i = 0; i < products; i++)
		c = p->alpha * dot + p->beta * c;
	*ret_tolerance = 8 * last_place * sizes;
	return c;
}

/* Every entry of C, as the engine samples it. */
static void check_c(struct engine *e, const struct problem *p, int64_t products,
		    double last_place)
{
	int64_t nr = p->m * p->n;
	struct sample *s = x_calloc((size_t)nr, sizeof(*s));
	struct err err = ERR_INIT;

	for (int64_t i = 0; i < nr; i++) {
		s[i].row = i % p->m;
		s[i].column = i / p->m;
	}
	if (e->ops->sample(e, s, nr, &err) != 0)
		fail_msg("%s", err.text);
	for (int64_t i = 0; i < nr; i++) {
		double dot = 0, squares = 0, magnitudes = 0, tolerance;
		double want = expected(p, s[i].row, s[i].column, products, last_place,
				       &tolerance);

		for (int64_t l = 0; l < p->k; l++) {
			double x = of_a(p, s[i].row, l) * of_b(p, l, s[i].column);

			dot += x;
			squares += x * x;
			magnitudes += fabs(x);
		}
		if (fabs(s[i].value - want) > tolerance)
			fail_msg("%s: C(%d, %d) is %.17g, not %.17g +- %g",
				 precision_names[p->arithmetic->precision], (int)s[i].row,
				 (int)s[i].column, s[i].value, want, tolerance);
		assert_true(fabs(s[i].dot - dot) <= 1e-13 * magnitudes);
		assert_true(fabs(s[i].squares - squares) <= 1e-13 * squares);
		assert_true(fabs(s[i].magnitudes - magnitudes) <= 1e-13 * magnitudes);
	}
	free(s);
}

/* C's digest, over the elements where the library left them. */
static void check_digest(struct engine *e, const struct problem *p, const void *c)
{
	uint64_t sums[2], want[2] = {0};
	struct err err = ERR_INIT;
	int bytes = (int)element_bytes(p->arithmetic->type_c);

	for (uint64_t i = 0; i < (uint64_t)(p->m * p->n); i++)
		for (uint64_t lane = 0; lane < 2; lane++)
			want[lane] += element_digest(element_word(bytes, c, i), i, lane);
	assert_int_equal(e->ops->digest(e, sums, &err), 0);
	assert_true(sums[0] == want[0] && sums[1] == want[1]);
}

/* ---- cuBLAS ---- */

static void check_call(const struct fake_product *call, const struct problem *p,
		       const struct expectation *x)
{
	assert_int_equal(call->m, p->m);
	assert_int_equal(call->n, p->n);
	assert_int_equal(call->k, p->k);
	assert_int_equal(call->lda, x->a_is_transposed ? p->k : p->m);
	assert_int_equal(call->ldb, p->k);
	assert_int_equal(call->ldc, p->m);
	assert_int_equal(call->a_is_transposed, x->a_is_transposed);
	assert_true(call->alpha_value == p->alpha);
	assert_true(call->beta_value == p->beta);
	assert_int_equal(call->type_ab, x->type_ab);
	assert_int_equal(call->type_c, x->type_c);
	assert_int_equal(call->scale, x->scale);
	assert_int_equal(call->compute, x->cublas_compute);
	assert_non_null(call->stream);
	assert_non_null(call->workspace);
	assert_int_equal(call->workspace_bytes, 32 << 20);
}

static void test_cublas_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *x = &expectations[i];
		struct problem p = rectangle(x->precision, x->compute);
		struct engine *e = prepared("cublas", &p, 5);

		multiply(e, 1, NULL, NULL);
		check_call(last_call(x->is_lt), &p, x);
		if (!x->is_lt)
			assert_int_equal(last_call(false)->algo, 5);
		assert_int_equal(last_call(false)->math_mode, 0);
		check_c(e, &p, 1, x->last_place);
		close_engine(e);
	}
}

/* From a fresh C once more: as many products as were asked for, no more and no fewer. */
static void test_cublas_values(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *x = &expectations[i];
		struct problem p = rectangle(x->precision, x->compute);
		struct engine *e = prepared("cublas", &p, -1);

		multiply(e, 4, NULL, NULL);
		assert_int_equal(e->ops->reset(e, &err), 0);
		check_c(e, &p, 0, x->last_place);
		multiply(e, 3, NULL, NULL);
		check_c(e, &p, 3, x->last_place);
		check_digest(e, &p, last_call(x->is_lt)->c);
		close_engine(e);
	}
}

/* Algorithm 2 of three (the fake's second is wrong), then the library's own choice. */
static void test_cublaslt_choice(void **state)
{
	struct problem p = rectangle(PRECISION_FP32, COMPUTE_FP32);
	struct engine *e = prepared("cublas", &p, -1);
	struct err err = ERR_INIT;
	int nr = 0;

	(void)state;
	assert_int_equal(e->ops->algorithms(e, &nr, &err), 0);
	assert_int_equal(nr, 3);
	e->ops->choose(e, 2);
	multiply(e, 2, NULL, NULL);
	check_call(last_call(true), &p, &expectations[0]);
	assert_int_equal(last_call(true)->algo, 2);
	check_c(e, &p, 2, 0x1p-24);
	e->ops->choose(e, -1);
	assert_int_equal(e->ops->reset(e, &err), 0);
	multiply(e, 1, NULL, NULL);
	assert_int_equal(last_call(true)->algo, 2);
	check_c(e, &p, 1, 0x1p-24);
	close_engine(e);
}

/*
 * The fake's events are 2 ms apart, whatever the clock says, and its L2 cache has 1024 bytes:
 * what has four times that needs no flush between products, and gaps are known.
 */
static void test_cublas_times(void **state)
{
	struct problem small = rectangle(PRECISION_FP32, COMPUTE_FP32), large = small;
	double seconds[3], gaps[3];

	(void)state;
	large.m = 40; /* (40*33 + 33*7 + 40*7) * 4 bytes */
	setenv("TARE_FAKE_CUDA_EVENT_MS", "2", 1);
	for (int i = 0; i < 2; i++) {
		struct engine *e = prepared("cublas", i ? &large : &small, -1);

		memset(seconds, 0, sizeof(seconds));
		gaps[0] = gaps[1] = gaps[2] = -1;
		multiply(e, 3, seconds, gaps);
		for (int k = 0; k < 3; k++)
			assert_true(fabs(seconds[k] - 0.002) < 1e-6);
		for (int k = 0; k < 2; k++)
			assert_true(i ? fabs(gaps[k] - 0.002) < 1e-6 : isnan(gaps[k]));
		assert_true(gaps[2] == -1);
		close_engine(e);
	}
	unsetenv("TARE_FAKE_CUDA_EVENT_MS");
}

/* A GPU that is not done at once is waited for. */
static void test_cublas_waits(void **state)
{
	struct problem p = rectangle(PRECISION_FP32, COMPUTE_FP32);
	struct engine *e;

	(void)state;
	setenv("TARE_FAKE_CUDA_SLOW", "3", 1);
	e = prepared("cublas", &p, -1);
	multiply(e, 2, NULL, NULL);
	check_c(e, &p, 2, 0x1p-24);
	unsetenv("TARE_FAKE_CUDA_SLOW");
	close_engine(e);
}

static struct json_object *described(struct engine *e)
{
	struct json_object *o = json_object_new_object();

	e->ops->describe(e, o);
	return o;
}

/* The boundary of the flush: 4 * 1024 bytes of matrices, and the twice 1024 that it writes. */
static void test_cublas_flush(void **state)
{
	struct problem p = rectangle(PRECISION_FP32, COMPUTE_FP32);
	static const struct {
		int64_t m, n, k, bytes;
	} sizes[] = {{16, 16, 24, 0}, {16, 16, 23, 2048}}; /* 4096 and 3968 bytes */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct json_object *o;
		struct engine *e;

		p.m = sizes[i].m;
		p.n = sizes[i].n;
		p.k = sizes[i].k;
		e = prepared("cublas", &p, -1);
		o = described(e);
		assert_int_equal(json_get_int(o, "l2_flush_bytes", -1), sizes[i].bytes);
		json_object_put(o);
		close_engine(e);
	}
}

static void test_cublas_describes(void **state)
{
	struct problem p = rectangle(PRECISION_FP8, COMPUTE_FP32);
	struct engine *e = prepared("cublas", &p, 7);
	struct json_object *o = described(e);
	struct err err = ERR_INIT;
	int64_t n;

	(void)state;
	assert_string_equal(json_get_text(json_at(o, "library"), "name", ""), "cuBLASLt");
	assert_string_equal(json_get_text(json_at(o, "library"), "file", ""),
			    "libcublas.so.13");
	assert_int_equal(json_get_int(json_at(o, "library"), "version", 0), 130000);
	assert_int_equal(json_get_int(json_at(o, "library"), "workspace_bytes", 0),
			 32 << 20);
	assert_int_equal(json_get_int(json_at(o, "algo"), "asked", 0), 7);
	assert_true(json_get_bool(json_at(o, "algo"), "is_ignored", false));
	assert_non_null(json_at(o, "gpu/uuid"));
	json_object_put(o);
	assert_int_equal(e->ops->default_n(e, p.arithmetic, &n, &err), 0);
	assert_int_equal(n, 16384);
	assert_true(e->ops->wants_steady);
	close_engine(e);
}

/* Tensor cores take eight-bit types in sixteens: each dimension is looked at. */
static void test_cublas_refuses(void **state)
{
	const struct engine_request plain = {.algo = -1}, threads = {.threads = 1};
	struct engine *e = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(engine_open("cublas", &threads, &e, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	for (int i = 0; i < 3; i++) {
		struct problem p = rectangle(PRECISION_INT8, COMPUTE_INT32);
		int64_t *const dimensions[] = {&p.m, &p.n, &p.k};

		*dimensions[i] += 8;
		e = open_engine("cublas", &plain);
		err = (struct err)ERR_INIT;
		assert_int_equal(e->ops->prepare(e, &p, &err), -1);
		assert_non_null(strstr(err.text, "multiples of 16"));
		close_engine(e);
	}
}

/* The least compute capability: tensor cores of the types that they multiply. */
static void test_cublas_capability(void **state)
{
	static const struct {
		enum precision precision;
		enum compute compute;
		const char *enough, *less, *words;
	} cases[] = {
		{PRECISION_FP32, COMPUTE_FP32, "80", "79", "capability 8.0"},
		{PRECISION_FP8, COMPUTE_FP32, "89", "88", "capability 8.9"},
		{PRECISION_FP32, COMPUTE_BF16X9, "100", "99", "capability 10.0"},
	};
	const struct engine_request plain = {.algo = -1};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const struct arithmetic *a =
			arithmetic_find(cases[i / 2].precision, cases[i / 2].compute);
		bool is_enough = i % 2;
		struct err err = ERR_INIT;
		struct engine *e;

		setenv("TARE_FAKE_CUDA_CAPABILITY",
		       is_enough ? cases[i / 2].enough : cases[i / 2].less, 1);
		e = open_engine("cublas", &plain);
		assert_int_equal(e->ops->check(e, a, &err), is_enough ? 0 : -1);
		if (!is_enough)
			assert_non_null(strstr(err.text, cases[i / 2].words));
		close_engine(e);
	}
	unsetenv("TARE_FAKE_CUDA_CAPABILITY");
}

/* BF16x9 came with cuBLAS 12.9; what was asked of it for FP32 goes with any. */
static void test_cublas_version(void **state)
{
	static const struct {
		enum compute compute;
		const char *version;
		int rc;
	} cases[] = {{COMPUTE_BF16X9, "120900", 0},
		     {COMPUTE_BF16X9, "120899", -1},
		     {COMPUTE_FP32, "110000", 0}};
	const struct engine_request plain = {.algo = -1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct problem p = rectangle(PRECISION_FP32, cases[i].compute);
		struct engine *e = open_engine("cublas", &plain);
		struct err err = ERR_INIT;

		setenv("TARE_FAKE_CUBLAS_VERSION", cases[i].version, 1);
		assert_int_equal(e->ops->prepare(e, &p, &err), cases[i].rc);
		if (cases[i].rc)
			assert_non_null(strstr(err.text, "12.9, and this is 12.8;"));
		close_engine(e);
	}
	unsetenv("TARE_FAKE_CUBLAS_VERSION");
}

/* A GPU with just the memory that is needed, and with a byte less. */
static void test_cublas_memory(void **state)
{
	const struct engine_request r = {.algo = -1};
	struct problem p = rectangle(PRECISION_FP64, COMPUTE_FP64);
	int64_t need = (p.m * p.k + p.k * p.n + p.m * p.n) * 8 + (32 << 20);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *memory = x_asprintf("%lld", (long long)(need - i));
		struct engine *e;

		setenv("TARE_FAKE_CUDA_MEMORY", memory, 1);
		e = open_engine("cublas", &r);
		assert_int_equal(e->ops->prepare(e, &p, &err), -i);
		close_engine(e);
		free(memory);
	}
	assert_non_null(strstr(err.text, "out of memory on the GPU: the matrices need"));
	unsetenv("TARE_FAKE_CUDA_MEMORY");
}

/* ---- OpenBLAS ---- */

static void test_openblas_values(void **state)
{
	static const struct expectation types[] = {
		{PRECISION_FP32, COMPUTE_FP32, .last_place = 0x1p-24},
		{PRECISION_FP64, COMPUTE_FP64, .last_place = 0x1p-53}};
	double seconds[3], gaps[3];
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct problem p = rectangle(types[i].precision, types[i].compute);
		struct engine *e = prepared("openblas", &p, -1);
		int64_t begin, end;

		multiply(e, 4, NULL, NULL);
		assert_int_equal(e->ops->reset(e, &err), 0);
		check_c(e, &p, 0, types[i].last_place);
		gaps[2] = -1;
		memset(seconds, 0, sizeof(seconds));
		begin = clock_mono_ns();
		multiply(e, 3, seconds, gaps);
		end = clock_mono_ns();
		check_c(e, &p, 3, types[i].last_place);
		/* The parts of the span are all there and make no more than the whole. */
		for (int k = 0; k < 3; k++)
			assert_true(seconds[k] > 0);
		assert_true(gaps[0] >= 0 && gaps[1] >= 0 && gaps[2] == -1);
		assert_true(seconds[0] + seconds[1] + seconds[2] + gaps[0] + gaps[1] <=
			    (double)(end - begin) / 1e9 + 1e-12);
		assert_null(e->ops->device(e));
		assert_false(e->ops->wants_steady);
		close_engine(e);
	}
}

/* 24 TiB: more than there is, and what there is lies within what this machine has. */
static void test_openblas_memory(void **state)
{
	const double gib =
		(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 0x1p30;
	const struct engine_request r = {.algo = -1};
	struct problem p = rectangle(PRECISION_FP64, COMPUTE_FP64);
	struct engine *e = open_engine("openblas", &r);
	struct err err = ERR_INIT;
	double need = 0, available = 0;

	(void)state;
	p.m = p.n = p.k = 1 << 20;
	assert_int_equal(e->ops->prepare(e, &p, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_int_equal(sscanf(err.text,
				"out of memory: three matrices need %lf GiB and %lf GiB",
				&need, &available),
			 2);
	assert_true(need == 24576);
	assert_true(available > 0 && available <= gib + 0.1);
	close_engine(e);
}

static void test_openblas_refuses(void **state)
{
	static const struct {
		struct engine_request r;
		const char *word;
	} requests[] = {
		{{.device = "0", .algo = -1}, "--device names a GPU"},
		{{.sms = 1, .algo = -1}, "--sms needs a GPU"},
		{{.wants_autotune = true, .algo = -1}, "--autotune needs a GPU"},
		{{.algo = 0}, "--algo needs a GPU"},
	};
	const struct engine_request one = {.threads = 1, .algo = -1};
	struct err none = ERR_INIT;
	struct json_object *o;
	struct engine *e = NULL;
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(engine_open("openblas", &requests[i].r, &e, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, requests[i].word));
	}
	e = open_engine("openblas", &one);
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *x = &expectations[i];
		bool can =
			(x->precision == PRECISION_FP32 && x->compute == COMPUTE_FP32) ||
			(x->precision == PRECISION_FP64 && x->compute == COMPUTE_FP64);
		struct err err = ERR_INIT;

		assert_int_equal(
			e->ops->check(e, arithmetic_find(x->precision, x->compute), &err),
			can ? 0 : -1);
	}
	assert_int_equal(e->ops->default_n(e,
					   arithmetic_find(PRECISION_FP64, COMPUTE_FP64),
					   &n, &none),
			 0);
	assert_true(n >= 256 && n <= 8192 && n % 256 == 0);
	o = described(e);
	assert_int_equal(json_get_int(o, "threads", 0), 1);
	assert_string_equal(json_get_text(json_at(o, "library"), "name", ""), "OpenBLAS");
	json_object_put(o);
	close_engine(e);
}

static void test_no_such_engine(void **state)
{
	char *root = x_strdup("/tmp/tare-test-XXXXXX");
	const struct engine_request r = {.algo = -1, .root = mkdtemp(root)};
	struct err err = ERR_INIT;
	struct engine *e = NULL;

	(void)state;
	assert_int_equal(engine_open("abacus", &r, &e, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	setenv("TARE_FAKE_CUDA_DEVICES", "0", 1);
	e = open_engine("auto", &r);
	assert_string_equal(e->ops->name, "openblas");
	close_engine(e);
	err = (struct err)ERR_INIT;
	assert_int_equal(engine_open("cublas", &r, &e, &err), -1);
	assert_non_null(strstr(err.text, "openblas needs no GPU"));
	/* A GPU that the kernel shows is one, whoever has it. */
	tree_put(root, "/sys/bus/pci/devices/0000:17:00.0/vendor", "0x10de");
	tree_put(root, "/sys/bus/pci/devices/0000:17:00.0/class", "0x030200");
	tree_link(root, "/sys/bus/pci/devices/0000:17:00.0/driver", "drivers/vfio-pci");
	err = (struct err)ERR_INIT;
	assert_int_equal(engine_open("auto", &r, &e, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "CUDA_ERROR_NO_DEVICE (100)"));
	assert_non_null(strstr(err.text, "PCI device 0000:17:00.0 (driver vfio-pci)"));
	assert_non_null(strstr(err.text, "give it back to the driver nvidia"));
	e = open_engine("openblas", &r);
	close_engine(e);
	unsetenv("TARE_FAKE_CUDA_DEVICES");
	tree_remove(root);
}

static void cut(struct nvml *n, struct nvml_gpu *g, const char *const *profiles,
		size_t nr)
{
	struct mig_layout layout;
	struct err err = ERR_INIT;

	if (mig_plan(n, g, profiles, nr, &layout, &err) != 0 ||
	    mig_layout_apply(n, g, &layout, &err) != 0)
		fail_msg("%s", err.text);
}

static void check_refused(const struct engine_request *r, const char *words)
{
	struct err err = ERR_INIT;
	struct engine *e;

	assert_int_equal(engine_open("auto", r, &e, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
}

/*
 * CUDA gives a GPU in MIG mode as its first part, without a word: who asked for the whole
 * gets none, and the only part is called by its name.
 */
static void test_mig_is_no_whole(void **state)
{
	static const char *const parts[] = {"3g.71gb", "1g.18gb"};
	const struct engine_request first = {.algo = -1},
				    whole = {.algo = -1, .device = "0"};
	char path[] = "/tmp/tare-test-XXXXXX";
	int file = mkstemp(path);
	struct json_object *o;
	struct nvml_gpu *g;
	struct nvml *n;
	struct engine *e;

	(void)state;
	assert_true(file >= 0);
	close(file);
	setenv("TARE_FAKE_NVML_STATE", path, 1);
	n = nvml_open(NULL);
	assert_non_null(n);
	assert_int_equal(nvml_gpu_at(n, 0, &g, NULL), 0);
	cut(n, g, parts, 2);
	check_refused(&whole,
		      "is in MIG mode, where CUDA has one of its MIG devices, and "
		      "--device names the whole");
	/* CUDA's name says it where NVML does not. */
	setenv("TARE_FAKE_NVML_GPUS", "0", 1);
	check_refused(&first, "and none was named");
	unsetenv("TARE_FAKE_NVML_GPUS");
	check_refused(&first, "and none was named");
	cut(n, g, parts, 1);
	check_refused(&whole, "--device names the whole");
	e = open_engine("auto", &first);
	o = described(e);
	assert_int_equal(json_get_int(json_at(o, "gpu"), "multiprocessors", 0), 60);
	assert_memory_equal(json_get_text(json_at(o, "gpu"), "asked", ""), "MIG-", 4);
	json_object_put(o);
	close_engine(e);
	assert_int_equal(mig_clear(n, g, false, NULL), 0);
	check_refused(&whole, "MIG mode is on and it has no MIG device");
	check_refused(&first, "MIG mode is on and it has no MIG device");
	nvml_close(n);
	unlink(path);
	unsetenv("TARE_FAKE_NVML_STATE");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cublas_call),
		cmocka_unit_test(test_cublas_values),
		cmocka_unit_test(test_cublaslt_choice),
		cmocka_unit_test(test_cublas_times),
		cmocka_unit_test(test_cublas_waits),
		cmocka_unit_test(test_cublas_flush),
		cmocka_unit_test(test_cublas_describes),
		cmocka_unit_test(test_cublas_refuses),
		cmocka_unit_test(test_cublas_capability),
		cmocka_unit_test(test_cublas_version),
		cmocka_unit_test(test_cublas_memory),
		cmocka_unit_test(test_openblas_values),
		cmocka_unit_test(test_openblas_memory),
		cmocka_unit_test(test_openblas_refuses),
		cmocka_unit_test(test_no_such_engine),
		cmocka_unit_test(test_mig_is_no_whole),
	};

	(void)argc;
	if (built_start_on_fakes(argv) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
