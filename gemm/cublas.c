/*
 * The engine for a GPU: cublasGemmEx (cuBLASLt for FP8 and --autotune) in one stream,
 * every product between two events of its own. Matrices live on the device alone: filled,
 * sampled and digested there.
 */
#include "gemm/engine.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/machine/gpu_presence.h"
#include "cuda/device.h"
#include "cuda/timer.h"
#include "gemm/blaslt.h"
#include "gemm/kernels.h"
#include "cuda/whole_device.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NVIDIA's advice for compute capability 9.0 (cuBLAS manual, cublasSetWorkspace). */
static const size_t workspace_bytes = (size_t)32 << 20;

enum { DEFAULT_N = 16384, BLOCKS = 2048 };

struct gpu {
	struct engine engine;
	struct device device;
	struct whole_device whole;
	struct kernels kernels;
	struct timer timer;
	struct cublas_api api;
	struct cublas *handle;
	struct blaslt lt;
	bool uses_lt;
	const struct problem *problem;
	int64_t algo;
	int version;
	char library_text[40], kernels_text[16];
	cu_pointer a, b, c, workspace, flush;
	size_t flush_bytes;
};

static struct gpu *of(struct engine *e)
{
	return (struct gpu *)e;
}

static void cublas_close(struct engine *e)
{
	struct gpu *g = e ? of(e) : NULL;

	if (!g)
		return;
	timer_release(&g->timer);
	blaslt_close(&g->lt);
	if (g->handle)
		g->api.cublasDestroy_v2(g->handle);
	device_free(&g->device, g->a);
	device_free(&g->device, g->b);
	device_free(&g->device, g->c);
	device_free(&g->device, g->workspace);
	device_free(&g->device, g->flush);
	kernels_unload(&g->kernels);
	device_close(&g->device);
	free(g);
}

/* CUDA has no device. A GPU that is there all the same is a failure, never a processor. */
static void explain_none(const struct engine_request *r, struct err *err)
{
	struct err why = *err;
	struct gpu_presence p;

	if (gpu_presence_read(&p, r->root ? r->root : "", r->device)) {
		err_set(err, ERR_ENVIRONMENT,
			"%.400s; yet a GPU is here (%s): %s. Only --backend openblas "
			"measures the processor beside it",
			why.text, p.shown_by, p.remedy);
		return;
	}
	err_wrap(err, "--backend openblas needs no GPU, cublas does");
	if (!r->device)
		err->code = ENGINE_NONE_HERE;
}

static int cublas_open(const struct engine_request *r, struct engine **ret,
		       struct err *err)
{
	struct gpu *g = x_calloc(1, sizeof(*g));
	bool is_none = false;

	g->engine.ops = &cublas_engine;
	g->algo = r->algo;
	if (r->threads > 0) {
		free(g);
		return err_set(err, ERR_USAGE,
			       "--threads is for --backend openblas; leave it out");
	}
	if (device_open(&g->device, r->device, r->sms, &is_none, err) != 0) {
		if (is_none)
			explain_none(r, err);
		free(g);
		return -1;
	}
	if (whole_device_read(&g->device, r->device, &g->whole, err) != 0 ||
	    kernels_load(&g->kernels, &g->device, err) != 0 ||
	    cublas_api_open(&g->api, err) != 0) {
		cublas_close(&g->engine);
		return -1;
	}
	*ret = &g->engine;
	return 0;
}

static int capability(const struct device *d)
{
	return d->major * 10 + d->minor;
}

static int cublas_check(struct engine *e, const struct arithmetic *a, struct err *err)
{
	const struct device *d = &of(e)->device;
	int needed = 80;

	if (a->rate == RATE_FP8)
		needed = 89;
	if (a->rate == RATE_BF16X9)
		needed = 100;
	if (capability(d) < needed)
		return err_set(
			err, ERR_USAGE,
			"%s with compute %s needs compute capability %d.%d, and the %s "
			"has %d.%d",
			precision_names[a->precision], compute_names[a->compute],
			needed / 10, needed % 10, d->name, d->major, d->minor);
	return 0;
}

static int cublas_default_n(struct engine *e, const struct arithmetic *a, int64_t *ret,
			    struct err *err)
{
	(void)e;
	(void)a;
	(void)err;
	*ret = DEFAULT_N;
	return 0;
}

static int fill(struct gpu *g, cu_pointer matrix, int64_t nr, enum element_type type,
		enum matrix which, struct err *err)
{
	uint64_t count = (uint64_t)nr, seed = problem_seed(g->problem, which);
	int kind = (int)type, how = (int)g->problem->fill;
	void *arguments[] = {&matrix, &count, &kind, &how, &seed};

	return kernels_launch(&g->kernels, KERNEL_FILL, BLOCKS, arguments, err);
}

static int cublas_reset(struct engine *e, struct err *err)
{
	struct gpu *g = of(e);
	const struct problem *p = g->problem;

	return fill(g, g->c, p->m * p->n, p->arithmetic->type_c, MATRIX_C, err);
}

/*
 * Tensor cores take these types in runs of 16 bytes. A problem whose three matrices fit
 * into the L2 cache four times over is timed with the cache overwritten before every
 * product, as otherwise only the first would read memory.
 */
static int check_shape(struct gpu *g, struct err *err)
{
	const struct problem *p = g->problem;
	int64_t step = p->arithmetic->a_is_transposed ? 16 : 1;

	if (p->m % step || p->n % step || p->k % step)
		return err_set(err, ERR_USAGE,
			       "%s needs dimensions that are multiples of %" PRId64,
			       precision_names[p->arithmetic->precision], step);
	if (problem_bytes(p) < 4 * (int64_t)g->device.l2_bytes)
		g->flush_bytes = 2 * (size_t)g->device.l2_bytes;
	return 0;
}

static int allocate(struct gpu *g, struct err *err)
{
	const struct problem *p = g->problem;
	const struct {
		cu_pointer *at;
		size_t bytes;
		const char *what;
	} blocks[] = {
		{&g->a, (size_t)problem_bytes_a(p), "matrix A"},
		{&g->b, (size_t)problem_bytes_b(p), "matrix B"},
		{&g->c, (size_t)problem_bytes_c(p), "matrix C"},
		{&g->workspace, workspace_bytes, "the workspace"},
		{&g->flush, g->flush_bytes, "the cache flush"},
	};
	int64_t need = problem_bytes(p) + (int64_t)(workspace_bytes + g->flush_bytes);
	int64_t available = device_available_bytes(&g->device);

	if (available > 0 && need > available)
		return err_set_code(
			err, ERR_ENVIRONMENT, "cuda", CU_OUT_OF_MEMORY,
			"out of memory on the GPU: the matrices need %.2f GiB and "
			"%.2f GiB are free; use a smaller --n",
			(double)need / 0x1p30, (double)available / 0x1p30);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (blocks[i].bytes > 0 &&
		    device_alloc(&g->device, blocks[i].at, blocks[i].bytes,
				 blocks[i].what, err) != 0)
			return -1;
	return 0;
}

/* The workspace comes after the stream, which resets it. */
static int start_library(struct gpu *g, struct err *err)
{
	const struct cublas_api *c = &g->api;

	if (cublas_ok(c, c->cublasCreate_v2(&g->handle), err, "start cuBLAS") != 0 ||
	    cublas_ok(c, c->cublasGetVersion_v2(g->handle, &g->version), err,
		      "ask for cuBLAS's version") != 0 ||
	    cublas_ok(c, c->cublasSetStream_v2(g->handle, g->device.stream), err,
		      "give cuBLAS the stream") != 0 ||
	    cublas_ok(c, c->cublasSetMathMode(g->handle, 0), err,
		      "set cuBLAS's math mode") != 0)
		return -1;
	if (c->cublasSetWorkspace_v2 &&
	    cublas_ok(c,
		      c->cublasSetWorkspace_v2(g->handle, (void *)(uintptr_t)g->workspace,
					       workspace_bytes),
		      err, "give cuBLAS its workspace") != 0)
		return -1;
	if (g->problem->arithmetic->rate == RATE_BF16X9 && g->version < 120900)
		return err_set(
			err, ERR_ENVIRONMENT,
			"compute bf16x9 needs cuBLAS 12.9, and this is %d.%d; install a "
			"newer one",
			g->version / 10000, g->version / 100 % 100);
	return 0;
}

static int open_lt(struct gpu *g, struct err *err)
{
	return g->lt.device ? 0
			    : blaslt_open(&g->lt, &g->device, &g->api, g->problem,
					  g->workspace, workspace_bytes, err);
}

/* FP8 exists in cuBLASLt only: its own choice is the first candidate. */
static void cublas_choose(struct engine *e, int algorithm)
{
	struct gpu *g = of(e);

	g->lt.chosen = algorithm < 0 ? 0 : algorithm;
	g->uses_lt = algorithm >= 0 || g->problem->arithmetic->rate == RATE_FP8;
}

static int cublas_prepare(struct engine *e, const struct problem *p, struct err *err)
{
	struct gpu *g = of(e);

	g->problem = p;
	if (check_shape(g, err) != 0 || allocate(g, err) != 0 ||
	    fill(g, g->a, p->m * p->k, p->arithmetic->type_ab, MATRIX_A, err) != 0 ||
	    fill(g, g->b, p->k * p->n, p->arithmetic->type_ab, MATRIX_B, err) != 0 ||
	    cublas_reset(e, err) != 0 || start_library(g, err) != 0)
		return -1;
	cublas_choose(e, -1);
	if (g->uses_lt && open_lt(g, err) != 0)
		return -1;
	return device_wait(&g->device, 120 * NS_PER_S, "fill the matrices", err);
}

static int multiply_once(struct gpu *g, struct err *err)
{
	const struct problem *p = g->problem;
	const struct arithmetic *a = p->arithmetic;
	union scale alpha = scale_of(a, p->alpha), beta = scale_of(a, p->beta);
	int m = (int)p->m, n = (int)p->n, k = (int)p->k;
	int status;

	if (g->uses_lt)
		return blaslt_multiply(&g->lt, g->a, g->b, g->c, err);
	status = g->api.cublasGemmEx(
		g->handle, a->a_is_transposed ? BLAS_OP_T : BLAS_OP_N, BLAS_OP_N, m, n, k,
		&alpha, (const void *)(uintptr_t)g->a, a->cuda_ab,
		a->a_is_transposed ? k : m, (const void *)(uintptr_t)g->b, a->cuda_ab, k,
		&beta, (void *)(uintptr_t)g->c, a->cuda_c, m, a->cublas_compute,
		(int)g->algo);
	return cublas_ok(&g->api, status, err, "multiply with cublasGemmEx in %s",
			 precision_names[a->precision]);
}

static int flush_cache(struct gpu *g, struct err *err)
{
	if (g->flush_bytes == 0)
		return 0;
	return cuda_ok(&g->device.cuda,
		       g->device.cuda.cuMemsetD8Async(g->flush, 0, g->flush_bytes,
						      g->device.stream),
		       err, "overwrite the L2 cache");
}

static int enqueue(struct gpu *g, int64_t nr, struct err *err)
{
	for (int64_t i = 0; i < nr; i++)
		if (flush_cache(g, err) != 0 || timer_begin(&g->timer, i, err) != 0 ||
		    multiply_once(g, err) != 0 || timer_end(&g->timer, i, err) != 0)
			return -1;
	return 0;
}

/* A hundredth of the slowest rate that we know of: longer is no measurement but a hang. */
static int64_t timeout_ns(const struct problem *p, int64_t nr)
{
	return (int64_t)fmin((30 + problem_flops(p) / 1e10) * (double)nr, 1e6) * NS_PER_S;
}

static int cublas_multiply(struct engine *e, int64_t nr, double *seconds, double *gaps,
			   struct err *err)
{
	struct gpu *g = of(e);

	if (timer_reserve(&g->timer, &g->device, nr, err) != 0 ||
	    enqueue(g, nr, err) != 0 ||
	    timer_wait(&g->timer, nr - 1, timeout_ns(g->problem, nr), "multiply", err) !=
		    0)
		return -1;
	for (int64_t i = 0; i < nr; i++) {
		if (seconds && timer_seconds(&g->timer, i, &seconds[i], err) != 0)
			return -1;
		if (!gaps || i + 1 == nr)
			continue;
		gaps[i] = NAN; /* the flush lies between */
		if (g->flush_bytes == 0 &&
		    timer_gap_seconds(&g->timer, i, &gaps[i], err) != 0)
			return -1;
	}
	return 0;
}

/* In device memory: places, and what the kernel says about each. */
static int sample_on_device(struct gpu *g, cu_pointer where, cu_pointer out, int64_t nr,
			    struct err *err)
{
	const struct problem *p = g->problem;
	const struct arithmetic *a = p->arithmetic;
	int type_ab = (int)a->type_ab, type_c = (int)a->type_c;
	uint64_t k = (uint64_t)p->k, a_row = a->a_is_transposed ? k : 1;
	uint64_t a_step = a->a_is_transposed ? 1 : (uint64_t)p->m, ldc = (uint64_t)p->m;
	void *arguments[] = {&g->a,  &g->b,   &g->c, &type_ab, &type_c, &k,
			     &a_row, &a_step, &k,    &ldc,     &where,  &out};

	return kernels_launch(&g->kernels, KERNEL_SAMPLE, (unsigned)nr, arguments, err);
}

static int fetch_samples(struct gpu *g, cu_pointer where, cu_pointer out,
			 uint64_t *places, double *found, struct sample *samples,
			 int64_t nr, struct err *err)
{
	struct cuda *c = &g->device.cuda;

	for (int64_t i = 0; i < nr; i++) {
		places[2 * i] = (uint64_t)samples[i].row;
		places[2 * i + 1] = (uint64_t)samples[i].column;
	}
	if (cuda_ok(c, c->cuMemcpyHtoD_v2(where, places, (size_t)nr * 16), err,
		    "copy the samples' places to the GPU") != 0 ||
	    sample_on_device(g, where, out, nr, err) != 0 ||
	    device_wait(&g->device, 120 * NS_PER_S, "sample C", err) != 0 ||
	    cuda_ok(c, c->cuMemcpyDtoH_v2(found, out, (size_t)nr * 32), err,
		    "copy the samples from the GPU") != 0)
		return -1;
	for (int64_t i = 0; i < nr; i++) {
		samples[i].dot = found[4 * i];
		samples[i].squares = found[4 * i + 1];
		samples[i].magnitudes = found[4 * i + 2];
		samples[i].value = found[4 * i + 3];
	}
	return 0;
}

static int cublas_sample(struct engine *e, struct sample *samples, int64_t nr,
			 struct err *err)
{
	struct gpu *g = of(e);
	uint64_t *places = x_calloc((size_t)nr, 2 * sizeof(*places));
	double *found = x_calloc((size_t)nr, 4 * sizeof(*found));
	cu_pointer where = 0, out = 0;
	int rc = -1;

	if (device_alloc(&g->device, &where, (size_t)nr * 16, "the samples' places",
			 err) == 0 &&
	    device_alloc(&g->device, &out, (size_t)nr * 32, "the samples", err) == 0)
		rc = fetch_samples(g, where, out, places, found, samples, nr, err);
	device_free(&g->device, out);
	device_free(&g->device, where);
	free(found);
	free(places);
	return rc;
}

static int digest_into(struct gpu *g, cu_pointer out, uint64_t sums[2], struct err *err)
{
	const struct problem *p = g->problem;
	struct cuda *c = &g->device.cuda;
	uint64_t nr = (uint64_t)(p->m * p->n);
	int bytes = (int)element_bytes(p->arithmetic->type_c);
	void *arguments[] = {&g->c, &nr, &bytes, &out};

	if (cuda_ok(c, c->cuMemsetD8Async(out, 0, 16, g->device.stream), err,
		    "clear the digest") != 0 ||
	    kernels_launch(&g->kernels, KERNEL_DIGEST, BLOCKS, arguments, err) != 0 ||
	    device_wait(&g->device, 120 * NS_PER_S, "digest C", err) != 0)
		return -1;
	return cuda_ok(c, c->cuMemcpyDtoH_v2(sums, out, 16), err,
		       "copy the digest from the GPU");
}

static int cublas_digest(struct engine *e, uint64_t sums[2], struct err *err)
{
	struct gpu *g = of(e);
	cu_pointer out = 0;
	int rc;

	if (device_alloc(&g->device, &out, 16, "the digest", err) != 0)
		return -1;
	rc = digest_into(g, out, sums, err);
	device_free(&g->device, out);
	return rc;
}

static int cublas_algorithms(struct engine *e, int *ret_nr, struct err *err)
{
	struct gpu *g = of(e);

	if (open_lt(g, err) != 0)
		return -1;
	*ret_nr = g->lt.nr_candidates;
	return 0;
}

static const struct device *cublas_device(struct engine *e)
{
	return &of(e)->device;
}

static void cublas_computed(struct engine *e, struct evidence_computed *ret)
{
	struct gpu *g = of(e);
	const struct device *d = &g->device;

	snprintf(g->library_text, sizeof(g->library_text), "%s %d.%d.%d",
		 g->uses_lt ? "cuBLASLt" : "cuBLAS", g->version / 10000,
		 g->version / 100 % 100, g->version % 100);
	snprintf(g->kernels_text, sizeof(g->kernels_text), "sm_%d", capability(d));
	*ret = (struct evidence_computed){
		.kind = EVIDENCE_GPU,
		.device = d->name,
		.uuid = device_is_mig(d) ? d->asked : d->uuid,
		.backend = "cublas",
		.library = g->library_text,
		.kernels = g->kernels_text,
		.multiprocessors = d->sm_used,
		.multiprocessors_whole = g->whole.gpu_multiprocessors,
		.memory_bytes = (int64_t)d->memory_bytes,
	};
}

static void cublas_report_whole(struct engine *e, struct result *r)
{
	whole_device_report(&of(e)->whole, &of(e)->device, r);
}

static void cublas_describe(struct engine *e, struct json_object *details)
{
	struct gpu *g = of(e);
	struct json_object *library = json_object_new_object();
	struct json_object *algo = json_object_new_object();

	json_put_text(library, "name", g->uses_lt ? "cuBLASLt" : "cuBLAS");
	json_put_text(library, "file", g->api.name);
	json_put_int(library, "version", g->version);
	json_put_int(library, "workspace_bytes",
		     g->api.cublasSetWorkspace_v2 || g->uses_lt ? (int64_t)workspace_bytes
								: 0);
	json_put(details, "library", library);
	json_put_int(algo, "asked", g->algo);
	json_put_bool(algo, "is_ignored", g->algo >= 0 && capability(&g->device) >= 80);
	json_put(details, "algo", algo);
	json_put(details, "gpu", device_to_json(&g->device));
	json_put_int(details, "l2_flush_bytes", (int64_t)g->flush_bytes);
}

const struct engine_ops cublas_engine = {
	.name = "cublas",
	.wants_steady = true,
	.open = cublas_open,
	.close = cublas_close,
	.check = cublas_check,
	.default_n = cublas_default_n,
	.prepare = cublas_prepare,
	.reset = cublas_reset,
	.multiply = cublas_multiply,
	.sample = cublas_sample,
	.digest = cublas_digest,
	.algorithms = cublas_algorithms,
	.choose = cublas_choose,
	.device = cublas_device,
	.computed = cublas_computed,
	.report_whole = cublas_report_whole,
	.describe = cublas_describe,
};
