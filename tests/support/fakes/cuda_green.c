/* Green contexts of the fake CUDA driver: some of a GPU's multiprocessors. */
#include "tests/support/fakes/cuda_state.h"

int cuDeviceGetDevResource(cu_device d, struct cu_resource *ret, int type);
int cuDeviceGetDevResource(cu_device d, struct cu_resource *ret, int type)
{
	UNUSED(d);
	CALL();
	ret->type = type;
	ret->of.sm.count = (unsigned)fake_cuda_multiprocessors();
	return 0;
}

/* In groups of eight, as Hopper's. */
int cuDevSmResourceSplitByCount(struct cu_resource *parts, unsigned *nr,
				const struct cu_resource *whole, struct cu_resource *rest,
				unsigned flags, unsigned least);
int cuDevSmResourceSplitByCount(struct cu_resource *parts, unsigned *nr,
				const struct cu_resource *whole, struct cu_resource *rest,
				unsigned flags, unsigned least)
{
	UNUSED(flags);
	CALL();
	*nr = 1;
	*parts = *rest = *whole;
	parts->of.sm.count = (least + 7) / 8 * 8;
	if (parts->of.sm.count > whole->of.sm.count)
		parts->of.sm.count = whole->of.sm.count;
	return 0;
}

int cuDevResourceGenerateDesc(struct cu_resource_desc **ret, struct cu_resource *parts,
			      unsigned nr);
int cuDevResourceGenerateDesc(struct cu_resource_desc **ret, struct cu_resource *parts,
			      unsigned nr)
{
	UNUSED(nr);
	CALL();
	*ret = (struct cu_resource_desc *)parts;
	return 0;
}

int cuGreenCtxCreate(struct cu_green **ret, struct cu_resource_desc *desc, cu_device d,
		     unsigned flags);
int cuGreenCtxCreate(struct cu_green **ret, struct cu_resource_desc *desc, cu_device d,
		     unsigned flags)
{
	UNUSED(desc);
	UNUSED(d);
	CALL();
	if (flags != CU_GREEN_DEFAULT_STREAM)
		return INVALID_VALUE;
	*ret = malloc(1);
	fake_cuda_live++;
	return 0;
}

int cuGreenCtxDestroy(struct cu_green *g);
int cuGreenCtxDestroy(struct cu_green *g)
{
	free(g);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuCtxFromGreenCtx(struct cu_context **ret, struct cu_green *g);
int cuCtxFromGreenCtx(struct cu_context **ret, struct cu_green *g)
{
	CALL();
	*ret = (struct cu_context *)g;
	return 0;
}
