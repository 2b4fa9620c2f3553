/* MIG in the fake NVML: compute instances, and the MIG devices that they make. */
#include "tests/support/fakes/nvml_shapes.h"
#include "tests/support/fakes/nvml_state.h"

/* Compute profile 'index' has as many slices as the GPU instance profile there. */
int nvmlGpuInstanceGetComputeInstanceProfileInfo(struct nvml_gpu_instance *i,
						 unsigned profile, unsigned engines,
						 struct nvml_ci_profile *ret);
int nvmlGpuInstanceGetComputeInstanceProfileInfo(struct nvml_gpu_instance *i,
						 unsigned profile, unsigned engines,
						 struct nvml_ci_profile *ret)
{
	static const unsigned slices[] = {1, 2, 3, 4, 7};

	(void)engines;
	CALL();
	if (profile >= 5 || slices[profile] > fake_nvml_profile(i->profile)->slices)
		return NVML_NOT_SUPPORTED;
	memset(ret, 0, sizeof(*ret));
	ret->id = profile;
	ret->slices = slices[profile];
	return 0;
}

int nvmlGpuInstanceCreateComputeInstance(struct nvml_gpu_instance *i, unsigned id,
					 struct nvml_compute_instance **ret);
int nvmlGpuInstanceCreateComputeInstance(struct nvml_gpu_instance *i, unsigned id,
					 struct nvml_compute_instance **ret)
{
	(void)id;
	CALL();
	if (i->compute.is_used)
		return NVML_INSUFFICIENT_RESOURCES;
	i->compute.is_used = 1;
	*ret = &i->compute;
	fake_nvml_keep();
	return 0;
}

int nvmlGpuInstanceGetComputeInstances(struct nvml_gpu_instance *i, unsigned id,
				       struct nvml_compute_instance **ret, unsigned *nr);
int nvmlGpuInstanceGetComputeInstances(struct nvml_gpu_instance *i, unsigned id,
				       struct nvml_compute_instance **ret, unsigned *nr)
{
	struct nvml_ci_profile p;

	CALL();
	*nr = 0;
	if (i->compute.is_used &&
	    nvmlGpuInstanceGetComputeInstanceProfileInfo(i, id, 0, &p) == 0 &&
	    p.slices == fake_nvml_profile(i->profile)->slices)
		ret[(*nr)++] = &i->compute;
	return 0;
}

int nvmlComputeInstanceDestroy(struct nvml_compute_instance *c);
int nvmlComputeInstanceDestroy(struct nvml_compute_instance *c)
{
	CALL();
	c->is_used = 0;
	fake_nvml_keep();
	return 0;
}

int nvmlDeviceGetMaxMigDeviceCount(struct nvml_gpu *g, unsigned *ret);
int nvmlDeviceGetMaxMigDeviceCount(struct nvml_gpu *g, unsigned *ret)
{
	(void)g;
	CALL();
	*ret = 7;
	return 0;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct nvml_gpu *g, unsigned index,
					struct nvml_gpu **ret);
int nvmlDeviceGetMigDeviceHandleByIndex(struct nvml_gpu *g, unsigned index,
					struct nvml_gpu **ret)
{
	struct nvml_gpu *mig = fake_nvml_part(g->index, index);

	CALL();
	if (!g->instances[index].is_used || !g->instances[index].compute.is_used)
		return NVML_NOT_FOUND;
	mig->index = g->index;
	mig->is_mig = 1;
	mig->instance = g->instances[index].id;
	*ret = mig;
	return 0;
}

int nvmlDeviceGetGpuInstanceId(struct nvml_gpu *mig, unsigned *ret);
int nvmlDeviceGetGpuInstanceId(struct nvml_gpu *mig, unsigned *ret)
{
	CALL();
	*ret = mig->instance;
	return 0;
}
