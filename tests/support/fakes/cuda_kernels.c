/* Kernels of the fake CUDA driver: the host's functions of gemm/element.h and link/pattern.h. */
#include "gemm/element.h"
#include "link/pattern.h"
#include "tests/support/fakes/cuda_state.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

struct cu_function {
	char name[32];
};

enum { FUNCTIONS_MAX = 8 };

int cuModuleLoadData(struct cu_module **ret, const void *image);
int cuModuleLoadData(struct cu_module **ret, const void *image)
{
	CALL();
	if (!strstr(image, ".entry tare_fill") && !strstr(image, ".entry link_fill"))
		return INVALID_VALUE;
	*ret = calloc(FUNCTIONS_MAX, sizeof(struct cu_function));
	fake_cuda_live++;
	return 0;
}

int cuModuleUnload(struct cu_module *m);
int cuModuleUnload(struct cu_module *m)
{
	free(m);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuModuleGetFunction(struct cu_function **ret, struct cu_module *m, const char *name);
int cuModuleGetFunction(struct cu_function **ret, struct cu_module *m, const char *name)
{
	struct cu_function *f = (struct cu_function *)m;

	CALL();
	while (f->name[0] && strcmp(f->name, name) != 0)
		f++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	*ret = f;
	return 0;
}

#define ARGUMENT(type, i) (*(type *)arguments[i])
#define MATRIX(i) ((void *)(uintptr_t)ARGUMENT(cu_pointer, i))

static void fake_fill(void **arguments)
{
	int type = ARGUMENT(int, 2), fill = ARGUMENT(int, 3);

	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++)
		element_store(type, MATRIX(0), i, fill,
			      element_value(fill, ARGUMENT(uint64_t, 4), i));
}

static void fake_digest(void **arguments)
{
	uint64_t *sums = MATRIX(3);

	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++) {
		uint64_t word = element_word(ARGUMENT(int, 2), MATRIX(0), i);

		sums[0] += element_digest(word, i, 0);
		sums[1] += element_digest(word, i, 1);
	}
}

static void fake_sample(void **arguments, unsigned s)
{
	const uint64_t *where = MATRIX(10);
	double *out = (double *)MATRIX(11) + 4 * (size_t)s;
	uint64_t row = where[2 * s], column = where[2 * s + 1];

	memset(out, 0, 3 * sizeof(*out));
	for (uint64_t l = 0; l < ARGUMENT(uint64_t, 5); l++) {
		double p = element_load(ARGUMENT(int, 3), MATRIX(0),
					row * ARGUMENT(uint64_t, 6) +
						l * ARGUMENT(uint64_t, 7)) *
			   element_load(ARGUMENT(int, 3), MATRIX(1),
					column * ARGUMENT(uint64_t, 8) + l);

		out[0] += p;
		out[1] += p * p;
		out[2] += fabs(p);
	}
	out[3] = element_load(ARGUMENT(int, 4), MATRIX(2),
			      column * ARGUMENT(uint64_t, 9) + row);
}

/* Where the stores of the current GPU to that address go. */
static uint64_t *store_at(cu_pointer p)
{
	struct fake_block *b = fake_cuda_block(p);

	if (!b ||
	    !fake_cuda_is_pair("TARE_FAKE_CUDA_FALSE_PEER", b->owner, fake_cuda_current))
		return (uint64_t *)(uintptr_t)p;
	if (!b->mirror)
		b->mirror = calloc(1, b->bytes);
	return (uint64_t *)(void *)(b->mirror + (p - b->at));
}

static bool reaches_nothing(cu_pointer p)
{
	const struct fake_block *b = fake_cuda_block(p);

	return b &&
	       fake_cuda_is_pair("TARE_FAKE_CUDA_HANG_PAIR", b->owner, fake_cuda_current);
}

static void fake_pattern(void **arguments, unsigned grid_x)
{
	uint64_t *to = store_at(ARGUMENT(cu_pointer, 0));

	UNUSED(grid_x);
	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++)
		to[i] = pattern_word(ARGUMENT(uint64_t, 2), i);
}

static void fake_check(void **arguments, unsigned grid_x)
{
	const uint64_t *from = MATRIX(0);
	uint64_t *wrong = MATRIX(3);

	UNUSED(grid_x);
	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++)
		*wrong += from[i] != pattern_word(ARGUMENT(uint64_t, 2), i);
}

static void fake_chase(void **arguments, unsigned grid_x)
{
	cu_pointer at = ARGUMENT(cu_pointer, 0);

	UNUSED(grid_x);
	for (uint64_t i = 0; i < ARGUMENT(uint64_t, 1); i++)
		at = *(cu_pointer *)(uintptr_t)at;
	*(cu_pointer *)MATRIX(2) = at;
}

static void fake_gemm_fill(void **arguments, unsigned grid_x)
{
	UNUSED(grid_x);
	fake_fill(arguments);
}

static void fake_gemm_digest(void **arguments, unsigned grid_x)
{
	UNUSED(grid_x);
	fake_digest(arguments);
}

static void fake_gemm_sample(void **arguments, unsigned grid_x)
{
	for (unsigned i = 0; i < grid_x; i++)
		fake_sample(arguments, i);
}

/* A thread of its own, for the host waits for its answers; it ends by itself. */
struct pong {
	volatile unsigned *forth, *back;
	unsigned rounds;
};

static void *answer(void *ctx)
{
	struct pong p = *(struct pong *)ctx;
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 20;
	free(ctx);
	for (unsigned i = 1; i <= p.rounds; i++) {
		while (*p.forth != i)
			if (clock_gettime(CLOCK_MONOTONIC, &now) ||
			    now.tv_sec > end.tv_sec)
				return NULL;
		*p.back = i;
	}
	return NULL;
}

static void fake_pong(void **arguments, unsigned grid_x)
{
	struct pong *p = malloc(sizeof(*p));
	pthread_t thread;

	UNUSED(grid_x);
	*p = (struct pong){
		.forth = MATRIX(0), .back = MATRIX(1), .rounds = ARGUMENT(unsigned, 2)};
	if (pthread_create(&thread, NULL, answer, p) == 0)
		pthread_detach(thread);
	else
		free(p);
}

/* The host is never behind: nothing waits for it, and nothing is nothing. */
static void fake_nothing(void **arguments, unsigned grid_x)
{
	UNUSED(arguments);
	UNUSED(grid_x);
}

static const struct {
	const char *name;
	unsigned threads;
	void (*run)(void **arguments, unsigned grid_x);
} kernels[] = {
	{"tare_fill", 256, fake_gemm_fill},
	{"tare_digest", 256, fake_gemm_digest},
	{"tare_sample", 256, fake_gemm_sample},
	{"link_fill", 256, fake_pattern},
	{"link_check", 256, fake_check},
	{"link_chase", 1, fake_chase},
	{"link_wait", 1, fake_nothing},
	{"link_empty", 1, fake_nothing},
	{"link_pong", 1, fake_pong},
};

/* By the streams' own clock: 2 us, and 0.2 us a load of a GPU's memory, 1 us of the host's. */
static double kernel_seconds(const char *name, void **arguments)
{
	double load;

	if (strcmp(name, "link_wait") == 0)
		return 0;
	if (strcmp(name, "link_chase") != 0)
		return 2e-6;
	load = fake_cuda_block(ARGUMENT(cu_pointer, 0)) ? 0.2e-6 : 1e-6;
	return load * (double)ARGUMENT(uint64_t, 1);
}

int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra);
int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra)
{
	CALL();
	if (grid_y * grid_z * block_y * block_z != 1 || shared_bytes || extra)
		return INVALID_VALUE;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		if (strcmp(f->name, kernels[i].name) != 0)
			continue;
		if (block_x != kernels[i].threads)
			return INVALID_VALUE;
		kernels[i].run(arguments, grid_x);
		fake_cuda_pass(s, kernel_seconds(f->name, arguments));
		if (strcmp(f->name, "link_fill") == 0)
			s->hangs = s->hangs || reaches_nothing(ARGUMENT(cu_pointer, 0));
		return 0;
	}
	return INVALID_VALUE;
}
