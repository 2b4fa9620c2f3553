/*
 * The engine for a machine without a GPU: OpenBLAS, opened at run time so that the
 * program starts where it is not installed. The library's 32-bit interface (LP64) is
 * used, whose prototypes are those of the reference CBLAS.
 */
#include "gemm/engine.h"

#include "core/base/clock.h"
#include "core/base/library.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "gemm/fill.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const library_names[] = {"libopenblas.so.0", "libopenblas.so",
					    "libopenblasp.so.0", NULL};

enum { CBLAS_COLUMN_MAJOR = 102, CBLAS_NO_TRANSPOSE = 111 };

struct openblas {
	struct engine engine;
	void *library;
	const char *library_name;
	void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
		      float alpha, const float *a, int lda, const float *b, int ldb,
		      float beta, float *c, int ldc);
	void (*dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
		      double alpha, const double *a, int lda, const double *b, int ldb,
		      double beta, double *c, int ldc);
	int (*get_num_threads)(void);
	void (*set_num_threads)(int nr);
	char *(*get_config)(void);
	char *(*get_corename)(void);
	const struct problem *problem;
	void *a, *b, *c;
	char library_text[64];
};

static const struct library_symbol symbols[] = {
	{"cblas_sgemm", offsetof(struct openblas, sgemm), false},
	{"cblas_dgemm", offsetof(struct openblas, dgemm), false},
	{"openblas_get_num_threads", offsetof(struct openblas, get_num_threads), true},
	{"openblas_set_num_threads", offsetof(struct openblas, set_num_threads), true},
	{"openblas_get_config", offsetof(struct openblas, get_config), true},
	{"openblas_get_corename", offsetof(struct openblas, get_corename), true},
	{0},
};

static struct openblas *of(struct engine *e)
{
	return (struct openblas *)e;
}

static void openblas_close(struct engine *e)
{
	if (!e)
		return;
	free(of(e)->a);
	free(of(e)->b);
	free(of(e)->c);
	/* The library stays: its threads outlive dlclose(). */
	free(e);
}

static int open_library(struct openblas *o, struct err *err)
{
	char why[LIBRARY_WHY_MAX];
	const char *missing;

	o->library = library_open(library_names, &o->library_name, why);
	if (!o->library)
		return err_set(
			err, ERR_ENVIRONMENT,
			"OpenBLAS could not be opened: %s; install libopenblas0 or "
			"put the library into lib/ beside the program",
			why);
	missing = library_find(o->library, symbols, o);
	return missing ? err_set(err, ERR_ENVIRONMENT,
				 "%s has no %s: it was built without CBLAS; install "
				 "libopenblas0",
				 o->library_name, missing)
		       : 0;
}

static int openblas_open(const struct engine_request *r, struct engine **ret,
			 struct err *err)
{
	struct openblas *o;

	if (r->device)
		return err_set(
			err, ERR_USAGE,
			"--device names a GPU, and OpenBLAS runs on the processor; "
			"use --backend cublas");
	if (r->sms > 0 || r->wants_autotune || r->algo >= 0)
		return err_set(err, ERR_USAGE,
			       "%s needs a GPU; OpenBLAS has no such thing",
			       r->sms > 0          ? "--sms"
			       : r->wants_autotune ? "--autotune"
						   : "--algo");
	o = x_calloc(1, sizeof(*o));
	o->engine.ops = &openblas_engine;
	if (open_library(o, err) != 0) {
		openblas_close(&o->engine);
		return -1;
	}
	if (r->threads > 0 && !o->set_num_threads) {
		err_set(err, ERR_ENVIRONMENT,
			"%s has no openblas_set_num_threads, so that --threads cannot "
			"be had; install libopenblas0, or set OMP_NUM_THREADS",
			o->library_name);
		openblas_close(&o->engine);
		return -1;
	}
	if (r->threads > 0)
		o->set_num_threads((int)r->threads);
	*ret = &o->engine;
	return 0;
}

static int openblas_check(struct engine *e, const struct arithmetic *a, struct err *err)
{
	(void)e;
	if ((a->precision == PRECISION_FP32 && a->compute == COMPUTE_FP32) ||
	    (a->precision == PRECISION_FP64 && a->compute == COMPUTE_FP64))
		return 0;
	return err_set(
		err, ERR_USAGE,
		"OpenBLAS multiplies in fp32 and fp64 only, not in %s with compute %s; "
		"choose one of these or a machine with a GPU",
		precision_names[a->precision], compute_names[a->compute]);
}

static int threads_of(struct openblas *o)
{
	return o->get_num_threads ? o->get_num_threads() : 1;
}

static void multiply_once(struct openblas *o)
{
	const struct problem *p = o->problem;
	int m = (int)p->m, n = (int)p->n, k = (int)p->k;

	if (p->arithmetic->type_ab == ELEMENT_F64)
		o->dgemm(CBLAS_COLUMN_MAJOR, CBLAS_NO_TRANSPOSE, CBLAS_NO_TRANSPOSE, m, n,
			 k, p->alpha, o->a, m, o->b, k, p->beta, o->c, m);
	else
		o->sgemm(CBLAS_COLUMN_MAJOR, CBLAS_NO_TRANSPOSE, CBLAS_NO_TRANSPOSE, m, n,
			 k, (float)p->alpha, o->a, m, o->b, k, (float)p->beta, o->c, m);
}

/* MemAvailable of /proc/meminfo, or INT64_MAX where there is none. */
static int64_t memory_available_bytes(void)
{
	int64_t kib = INT64_MAX / 1024;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNd64, &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* The kernel grants more than there is and kills later, so what is there is asked first. */
static int allocate(struct openblas *o, struct err *err)
{
	const struct problem *p = o->problem;
	int64_t bytes[] = {problem_bytes_a(p), problem_bytes_b(p), problem_bytes_c(p)};
	void **matrices[] = {&o->a, &o->b, &o->c};
	int64_t available = memory_available_bytes();

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		int failure = 0;

		if (problem_bytes(p) <= available)
			failure = posix_memalign(matrices[i], 4096, (size_t)bytes[i]);
		if (problem_bytes(p) > available || failure != 0) {
			*matrices[i] = NULL;
			return err_set_code(
				err, ERR_ENVIRONMENT, "errno", ENOMEM,
				"out of memory: three matrices need %.1f GiB and "
				"%.1f GiB are available; use a smaller --n",
				(double)problem_bytes(p) / 0x1p30,
				(double)available / 0x1p30);
		}
	}
	return 0;
}

static int openblas_reset(struct engine *e, struct err *err)
{
	struct openblas *o = of(e);
	const struct problem *p = o->problem;

	fill_matrix(o->c, p->m * p->n, p->arithmetic->type_c, p->fill,
		    problem_seed(p, MATRIX_C), threads_of(o));
	return stop_check(err);
}

static int openblas_prepare(struct engine *e, const struct problem *p, struct err *err)
{
	struct openblas *o = of(e);
	int threads = threads_of(o);

	o->problem = p;
	if (allocate(o, err) != 0)
		return -1;
	fill_matrix(o->a, p->m * p->k, p->arithmetic->type_ab, p->fill,
		    problem_seed(p, MATRIX_A), threads);
	fill_matrix(o->b, p->k * p->n, p->arithmetic->type_ab, p->fill,
		    problem_seed(p, MATRIX_B), threads);
	return openblas_reset(e, err);
}

static int openblas_multiply(struct engine *e, int64_t nr, double *seconds, double *gaps,
			     struct err *err)
{
	int64_t end = 0;

	for (int64_t i = 0; i < nr; i++) {
		int64_t start = clock_mono_ns();

		if (gaps && i > 0)
			gaps[i - 1] = (double)(start - end) / 1e9;
		multiply_once(of(e));
		end = clock_mono_ns();
		if (seconds)
			seconds[i] = (double)(end - start) / 1e9;
		if (stop_requested())
			return stop_check(err);
	}
	return 0;
}

static int openblas_default_n(struct engine *e, const struct arithmetic *a, int64_t *ret,
			      struct err *err)
{
	enum { PROBE_N = 512 };
	struct openblas *o = of(e);
	struct problem probe = {
		.m = PROBE_N, .n = PROBE_N, .k = PROBE_N, .alpha = 1, .arithmetic = a};
	int64_t available = memory_available_bytes();
	double seconds[3];

	if (openblas_prepare(e, &probe, err) != 0 ||
	    openblas_multiply(e, 3, seconds, NULL, err) != 0)
		return -1;
	free(o->a);
	free(o->b);
	free(o->c);
	o->a = o->b = o->c = NULL;
	*ret = problem_default_n(a, PROBE_N, seconds[2], available);
	return 0;
}

static int openblas_sample(struct engine *e, struct sample *samples, int64_t nr,
			   struct err *err)
{
	struct openblas *o = of(e);
	const struct problem *p = o->problem;
	enum element_type type = p->arithmetic->type_ab;

	(void)err;
	for (int64_t i = 0; i < nr; i++) {
		struct sample *s = &samples[i];

		s->dot = s->squares = s->magnitudes = 0;
		for (int64_t l = 0; l < p->k; l++) {
			double x = element_load(type, o->a,
						(uint64_t)problem_at_a(p, s->row, l)) *
				   element_load(type, o->b,
						(uint64_t)problem_at_b(p, l, s->column));

			s->dot += x;
			s->squares += x * x;
			s->magnitudes += fabs(x);
		}
		s->value = element_load(p->arithmetic->type_c, o->c,
					(uint64_t)problem_at_c(p, s->row, s->column));
	}
	return 0;
}

static int openblas_digest(struct engine *e, uint64_t sums[2], struct err *err)
{
	struct openblas *o = of(e);

	(void)err;
	fill_digest(o->c, o->problem->m * o->problem->n, o->problem->arithmetic->type_c,
		    threads_of(o), sums);
	return 0;
}

static const struct device *openblas_device(struct engine *e)
{
	(void)e;
	return NULL;
}

/* Its build's text begins "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...". */
static void openblas_computed(struct engine *e, struct evidence_computed *ret)
{
	struct openblas *o = of(e);
	char version[40] = "";

	if (!o->get_config || sscanf(o->get_config(), "OpenBLAS %39s", version) != 1)
		version[0] = '\0';
	snprintf(o->library_text, sizeof(o->library_text), "OpenBLAS%s%s",
		 version[0] ? " " : "", version);
	*ret = (struct evidence_computed){
		.kind = EVIDENCE_CPU,
		.backend = "openblas",
		.library = o->library_text,
		.kernels = o->get_corename ? o->get_corename() : NULL,
	};
}

static void openblas_describe(struct engine *e, struct json_object *details)
{
	struct openblas *o = of(e);
	struct json_object *library = json_object_new_object();

	json_put_text(library, "name", "OpenBLAS");
	json_put_text(library, "file", o->library_name);
	json_put_text(library, "config", o->get_config ? o->get_config() : NULL);
	json_put_text(library, "kernels", o->get_corename ? o->get_corename() : NULL);
	json_put(details, "library", library);
	json_put_int(details, "threads", threads_of(o));
}

const struct engine_ops openblas_engine = {
	.name = "openblas",
	.open = openblas_open,
	.close = openblas_close,
	.check = openblas_check,
	.default_n = openblas_default_n,
	.prepare = openblas_prepare,
	.reset = openblas_reset,
	.multiply = openblas_multiply,
	.sample = openblas_sample,
	.digest = openblas_digest,
	.device = openblas_device,
	.computed = openblas_computed,
	.describe = openblas_describe,
};
