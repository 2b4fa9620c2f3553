/* MIG in the fake NVML: the mode, profiles, and GPU instances with their places. */
#include "tests/support/fakes/nvml_shapes.h"
#include "tests/support/fakes/nvml_state.h"

int nvmlDeviceGetMigMode(struct nvml_gpu *g, unsigned *current, unsigned *pending);
int nvmlDeviceGetMigMode(struct nvml_gpu *g, unsigned *current, unsigned *pending)
{
	FACT();
	*current = g->mode;
	*pending = g->pending;
	return 0;
}

int nvmlDeviceSetMigMode(struct nvml_gpu *g, unsigned mode, int *activation);
int nvmlDeviceSetMigMode(struct nvml_gpu *g, unsigned mode, int *activation)
{
	CALL();
	*activation = NVML_SUCCESS;
	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used && !mode)
			return NVML_IN_USE;
	g->pending = mode;
	if (!fake_number("TARE_FAKE_NVML_PENDING", 0))
		g->mode = mode;
	fake_nvml_keep();
	return 0;
}

int nvmlDeviceGetGpuInstanceProfileInfoV(struct nvml_gpu *g, unsigned profile,
					 struct nvml_gi_profile *ret);
int nvmlDeviceGetGpuInstanceProfileInfoV(struct nvml_gpu *g, unsigned profile,
					 struct nvml_gi_profile *ret)
{
	(void)g;
	CALL();
	if (ret->version != 0x02000098)
		return 25;
	if (fake_number("TARE_FAKE_NVML_NO_PROFILES", 0))
		return NVML_NOT_SUPPORTED;
	for (int i = 0; i < PROFILES_MAX && fake_nvml_shape()->profiles[i].name; i++) {
		const struct profile *p = &fake_nvml_shape()->profiles[i];

		if (p->index != profile)
			continue;
		ret->id = p->id;
		ret->slices = p->slices;
		ret->instances = p->most;
		ret->multiprocessors = p->multiprocessors;
		ret->copy_engines = p->slices;
		ret->memory_mib = p->memory_mib;
		return fake_nvml_put(ret->name, sizeof(ret->name), p->name);
	}
	return profile < 18 ? NVML_NOT_SUPPORTED : NVML_INVALID_ARGUMENT;
}

/* Memory slices that instances hold, a bit each. */
static unsigned used_slices(const struct nvml_gpu *g)
{
	unsigned used = 0;

	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used)
			used |= ((1u
				  << fake_nvml_profile(g->instances[i].profile)->size) -
				 1)
				<< g->instances[i].start;
	return used;
}

static unsigned used_compute(const struct nvml_gpu *g)
{
	unsigned used = 0;

	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used)
			used += fake_nvml_profile(g->instances[i].profile)->slices;
	return used;
}

static int fits(const struct nvml_gpu *g, const struct profile *p, unsigned start)
{
	unsigned wanted = ((1u << p->size) - 1) << start;

	return start % p->size == 0 && start + p->size <= MEMORY_SLICES &&
	       !(used_slices(g) & wanted) && used_compute(g) + p->slices <= 7;
}

/* As the drivers of real boards tell it: a slice of one may not be the eighth. */
int nvmlDeviceGetGpuInstancePossiblePlacements_v2(struct nvml_gpu *g, unsigned id,
						  struct nvml_placement *ret,
						  unsigned *nr);
int nvmlDeviceGetGpuInstancePossiblePlacements_v2(struct nvml_gpu *g, unsigned id,
						  struct nvml_placement *ret,
						  unsigned *nr)
{
	const struct profile *p = fake_nvml_profile(id);

	(void)g;
	FACT();
	if (fake_number("TARE_FAKE_NVML_PLACELESS", 0))
		return NVML_NOT_SUPPORTED;
	if (!p)
		return NVML_INVALID_ARGUMENT;
	*nr = 0;
	for (unsigned start = 0; start + p->size <= MEMORY_SLICES; start += p->size) {
		if (start == MEMORY_SLICES - 1 || (p->slices == 4 && start))
			break;
		if (ret)
			ret[*nr] = (struct nvml_placement){start, p->size};
		(*nr)++;
	}
	return 0;
}

static int create(struct nvml_gpu *g, const struct profile *p, unsigned start,
		  struct nvml_gpu_instance **ret)
{
	for (int i = 0; i < INSTANCES_MAX; i++) {
		if (g->instances[i].is_used)
			continue;
		g->instances[i] = (struct nvml_gpu_instance){.is_used = 1,
							     .id = (unsigned)i + 1,
							     .profile = p->id,
							     .start = start,
							     .gpu = g->index};
		*ret = &g->instances[i];
		fake_nvml_keep();
		return 0;
	}
	return NVML_INSUFFICIENT_RESOURCES;
}

int nvmlDeviceCreateGpuInstanceWithPlacement(struct nvml_gpu *g, unsigned id,
					     const struct nvml_placement *at,
					     struct nvml_gpu_instance **ret);
int nvmlDeviceCreateGpuInstanceWithPlacement(struct nvml_gpu *g, unsigned id,
					     const struct nvml_placement *at,
					     struct nvml_gpu_instance **ret)
{
	const struct profile *p = fake_nvml_profile(id);

	CALL();
	if (!p || !g->mode || at->size != p->size)
		return NVML_INVALID_ARGUMENT;
	return fits(g, p, at->start) ? create(g, p, at->start, ret)
				     : NVML_INSUFFICIENT_RESOURCES;
}

int nvmlDeviceCreateGpuInstance(struct nvml_gpu *g, unsigned id,
				struct nvml_gpu_instance **ret);
int nvmlDeviceCreateGpuInstance(struct nvml_gpu *g, unsigned id,
				struct nvml_gpu_instance **ret)
{
	const struct profile *p = fake_nvml_profile(id);

	CALL();
	if (!p || !g->mode)
		return NVML_INVALID_ARGUMENT;
	for (unsigned start = 0; start < MEMORY_SLICES; start += p->size)
		if (fits(g, p, start))
			return create(g, p, start, ret);
	return NVML_INSUFFICIENT_RESOURCES;
}

int nvmlDeviceGetGpuInstanceRemainingCapacity(struct nvml_gpu *g, unsigned id,
					      unsigned *ret);
int nvmlDeviceGetGpuInstanceRemainingCapacity(struct nvml_gpu *g, unsigned id,
					      unsigned *ret)
{
	const struct profile *p = fake_nvml_profile(id);

	CALL();
	*ret = 0;
	for (unsigned start = 0; p && start < MEMORY_SLICES; start += p->size)
		*ret += fits(g, p, start) != 0;
	if (p && *ret > (7 - used_compute(g)) / p->slices)
		*ret = (7 - used_compute(g)) / p->slices;
	return 0;
}

int nvmlDeviceGetGpuInstances(struct nvml_gpu *g, unsigned id,
			      struct nvml_gpu_instance **ret, unsigned *nr);
int nvmlDeviceGetGpuInstances(struct nvml_gpu *g, unsigned id,
			      struct nvml_gpu_instance **ret, unsigned *nr)
{
	CALL();
	*nr = 0;
	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used && g->instances[i].profile == id)
			ret[(*nr)++] = &g->instances[i];
	return 0;
}

int nvmlGpuInstanceGetInfo(struct nvml_gpu_instance *i, struct nvml_gi_info *ret);
int nvmlGpuInstanceGetInfo(struct nvml_gpu_instance *i, struct nvml_gi_info *ret)
{
	CALL();
	*ret = (struct nvml_gi_info){fake_nvml_gpu(i->gpu),
				     i->id,
				     i->profile,
				     {i->start, fake_nvml_profile(i->profile)->size}};
	return 0;
}

int nvmlGpuInstanceDestroy(struct nvml_gpu_instance *i);
int nvmlGpuInstanceDestroy(struct nvml_gpu_instance *i)
{
	CALL();
	if (i->compute.is_used || fake_number("TARE_FAKE_NVML_BUSY", 0))
		return NVML_IN_USE;
	i->is_used = 0;
	fake_nvml_keep();
	return 0;
}
