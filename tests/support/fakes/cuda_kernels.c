/* Kernels of the fake CUDA driver: the host's functions of gemm/element.h. */
#include "gemm/element.h"
#include "tests/support/fakes/cuda_state.h"

#include <math.h>
#include <stdio.h>

struct cu_function {
	char name[32];
};

int cuModuleLoadData(struct cu_module **ret, const void *image);
int cuModuleLoadData(struct cu_module **ret, const void *image)
{
	CALL();
	if (!strstr(image, ".entry tare_fill"))
		return INVALID_VALUE;
	*ret = calloc(3, sizeof(struct cu_function));
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

int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra);
int cuLaunchKernel(struct cu_function *f, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cu_stream *s, void **arguments,
		   void **extra)
{
	UNUSED(s);
	CALL();
	if (grid_y * grid_z * block_y * block_z != 1 || block_x != 256 || shared_bytes ||
	    extra)
		return INVALID_VALUE;
	if (strcmp(f->name, "tare_fill") == 0)
		fake_fill(arguments);
	else if (strcmp(f->name, "tare_digest") == 0)
		fake_digest(arguments);
	else
		for (unsigned i = 0; i < grid_x; i++)
			fake_sample(arguments, i);
	return 0;
}
