/*
 * A fake NVML: the state of one or more GPUs, MIG included, in the shapes of real boards.
 *
 * TARE_FAKE_NVML_SHAPE      h200 (default), a100, or gb200: an NVL4 board's four GPUs
 * TARE_FAKE_NVML_FAIL_AT    the fallible call that fails, with TARE_FAKE_NVML_CODE (15,
 *                           GPU lost); 4 is no permission, 19 in use
 * TARE_FAKE_NVML_NA         optional facts answer "not supported", as on a vGPU
 * TARE_FAKE_NVML_BUSY       destroying an instance answers "in use"
 * TARE_FAKE_NVML_OTHERS     how many processes besides ours compute on each device
 * TARE_FAKE_NVML_NEIGHBOURS how many more compute on a GPU, on other parts than ours
 * TARE_FAKE_NVML_PENDING    MIG mode changes only with a reset, as on Ampere
 * TARE_FAKE_NVML_BRAKE      the hardware power brake was on while anybody looked
 * TARE_FAKE_NVML_STATE      a file in which the GPUs' MIG state outlives the process
 */
#include "core/nvml_impl.h"
#include "tests/support/fakes/fake.h"
#include "tests/support/fakes/nvml_shapes.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { GPUS_MAX = 4, INSTANCES_MAX = 8, MEMORY_SLICES = 8 };

struct nvml_compute_instance {
	int is_used;
};

struct nvml_gpu_instance {
	int is_used;
	unsigned id, profile, start, gpu;
	struct nvml_compute_instance compute;
};

struct nvml_gpu {
	unsigned index, mode, pending;
	int is_mig; /* a MIG device: 'instance' of 'index' */
	unsigned instance;
	struct nvml_gpu_instance instances[INSTANCES_MAX];
};

static long calls;
static struct nvml_gpu gpus[GPUS_MAX], migs[GPUS_MAX * INSTANCES_MAX];

#define CALL()                                                              \
	do {                                                                \
		if (fake_fails(&calls, "TARE_FAKE_NVML_FAIL_AT"))           \
			return (int)fake_number("TARE_FAKE_NVML_CODE", 15); \
	} while (0)
#define FACT()                                           \
	do {                                             \
		CALL();                                  \
		if (fake_number("TARE_FAKE_NVML_NA", 0)) \
			return NVML_NOT_SUPPORTED;       \
	} while (0)

static const struct shape *shape(void)
{
	const char *key = getenv("TARE_FAKE_NVML_SHAPE");

	for (size_t i = 0; key && i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].key, key) == 0)
			return &shapes[i];
	return &shapes[0];
}

static const struct profile *by_id(unsigned id)
{
	for (int i = 0; i < PROFILES_MAX && shape()->profiles[i].name; i++)
		if (shape()->profiles[i].id == id)
			return &shape()->profiles[i];
	return NULL;
}

static void keep_state(const char *mode)
{
	const char *path = getenv("TARE_FAKE_NVML_STATE");
	FILE *f = path ? fopen(path, mode) : NULL;

	if (!f)
		return;
	if (mode[0] == 'r' && fread(gpus, sizeof(gpus), 1, f) != 1)
		memset(gpus, 0, sizeof(gpus));
	if (mode[0] == 'w')
		fwrite(gpus, sizeof(gpus), 1, f);
	fclose(f);
}

int nvmlInit_v2(void);
int nvmlInit_v2(void)
{
	CALL();
	keep_state("rb");
	for (unsigned i = 0; i < GPUS_MAX; i++)
		gpus[i].index = i;
	return 0;
}

int nvmlShutdown(void);
int nvmlShutdown(void)
{
	return 0;
}

const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code)
{
	(void)code;
	return "said by the FAKE NVML";
}

static int put(char *text, unsigned size, const char *value)
{
	return snprintf(text, size, "%s", value) < (int)size ? 0 : NVML_INSUFFICIENT_SIZE;
}

int nvmlSystemGetDriverVersion(char *text, unsigned size);
int nvmlSystemGetDriverVersion(char *text, unsigned size)
{
	CALL();
	return put(text, size, "999.99.FAKE");
}

int nvmlDeviceGetCount_v2(unsigned *ret);
int nvmlDeviceGetCount_v2(unsigned *ret)
{
	CALL();
	*ret = shape()->gpus;
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct nvml_gpu **ret);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct nvml_gpu **ret)
{
	CALL();
	if (index >= shape()->gpus)
		return NVML_INVALID_ARGUMENT;
	*ret = &gpus[index];
	return 0;
}

static unsigned multiprocessors_of(const struct nvml_gpu *mig)
{
	return by_id(gpus[mig->index].instances[mig->instance - 1].profile)
		->multiprocessors;
}

/* The fake CUDA driver reads the multiprocessors out of a MIG device's UUID. */
int nvmlDeviceGetUUID(struct nvml_gpu *g, char *text, unsigned size);
int nvmlDeviceGetUUID(struct nvml_gpu *g, char *text, unsigned size)
{
	char uuid[64];

	CALL();
	if (g->is_mig)
		snprintf(uuid, sizeof(uuid), "MIG-fafafafa-fafa-fafa-%04x-%04xfafafa%02x",
			 g->instance, multiprocessors_of(g), g->index);
	else
		snprintf(uuid, sizeof(uuid), "GPU-fafafafa-fafa-fafa-fafa-fafafafafa%02x",
			 g->index);
	return put(text, size, uuid);
}

int nvmlDeviceGetName(struct nvml_gpu *g, char *text, unsigned size);
int nvmlDeviceGetName(struct nvml_gpu *g, char *text, unsigned size)
{
	(void)g;
	CALL();
	return put(text, size, shape()->name);
}

/* As the fake driver numbers them: bus 0x17 and on; an NVL4 board's by domain. */
int nvmlDeviceGetPciInfo_v3(struct nvml_gpu *g, struct nvml_pci *ret);
int nvmlDeviceGetPciInfo_v3(struct nvml_gpu *g, struct nvml_pci *ret)
{
	CALL();
	memset(ret, 0, sizeof(*ret));
	ret->domain = 8 * shape()->domain_step * (g->index + 1);
	ret->bus = shape()->domain_step ? 1 : 0x17 + g->index;
	ret->id = 0x233510de;
	return 0;
}

int nvmlDeviceGetCudaComputeCapability(struct nvml_gpu *g, int *major, int *minor);
int nvmlDeviceGetCudaComputeCapability(struct nvml_gpu *g, int *major, int *minor)
{
	(void)g;
	FACT();
	*major = (int)shape()->major;
	*minor = (int)shape()->minor;
	return 0;
}

int nvmlDeviceGetNumGpuCores(struct nvml_gpu *g, unsigned *ret);
int nvmlDeviceGetNumGpuCores(struct nvml_gpu *g, unsigned *ret)
{
	(void)g;
	FACT();
	*ret = shape()->multiprocessors * (shape()->major == 8 ? 64 : 128);
	return 0;
}

int nvmlDeviceGetMemoryInfo(struct nvml_gpu *g, struct nvml_memory *ret);
int nvmlDeviceGetMemoryInfo(struct nvml_gpu *g, struct nvml_memory *ret)
{
	(void)g;
	CALL();
	*ret = (struct nvml_memory){shape()->memory, shape()->memory, 0};
	return 0;
}

int nvmlDeviceGetEccMode(struct nvml_gpu *g, int *current, int *pending);
int nvmlDeviceGetEccMode(struct nvml_gpu *g, int *current, int *pending)
{
	(void)g;
	FACT();
	*current = *pending = 1;
	return 0;
}

int nvmlDeviceGetEnforcedPowerLimit(struct nvml_gpu *g, unsigned *ret_mw);
int nvmlDeviceGetEnforcedPowerLimit(struct nvml_gpu *g, unsigned *ret_mw)
{
	(void)g;
	FACT();
	*ret_mw = shape()->power_w * 1000;
	return 0;
}

int nvmlDeviceGetMaxClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz);
int nvmlDeviceGetMaxClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz)
{
	(void)g;
	FACT();
	*ret_mhz = clock == NVML_CLOCK_SM ? shape()->clock_mhz : 3201;
	return 0;
}

int nvmlDeviceGetClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz);
int nvmlDeviceGetClockInfo(struct nvml_gpu *g, int clock, unsigned *ret_mhz)
{
	return nvmlDeviceGetMaxClockInfo(g, clock, ret_mhz);
}

int nvmlDeviceGetPowerUsage(struct nvml_gpu *g, unsigned *ret_mw);
int nvmlDeviceGetPowerUsage(struct nvml_gpu *g, unsigned *ret_mw)
{
	(void)g;
	FACT();
	*ret_mw = 432000;
	return 0;
}

int nvmlDeviceGetTemperature(struct nvml_gpu *g, int sensor, unsigned *ret_c);
int nvmlDeviceGetTemperature(struct nvml_gpu *g, int sensor, unsigned *ret_c)
{
	(void)g;
	(void)sensor;
	FACT();
	*ret_c = 51;
	return 0;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(struct nvml_gpu *g,
					      unsigned long long *ret);
int nvmlDeviceGetCurrentClocksThrottleReasons(struct nvml_gpu *g, unsigned long long *ret)
{
	(void)g;
	FACT();
	*ret = 0x4;
	return 0;
}

int nvmlDeviceGetTotalEccErrors(struct nvml_gpu *g, int kind, int counter,
				unsigned long long *ret);
int nvmlDeviceGetTotalEccErrors(struct nvml_gpu *g, int kind, int counter,
				unsigned long long *ret)
{
	(void)g;
	FACT();
	*ret = counter == NVML_ECC_AGGREGATE ? 3 - (unsigned)kind : 0;
	return 0;
}

/* Accumulators grow with every look: 5 ms of power cap, 2 J; the brake when asked for. */
int nvmlDeviceGetFieldValues(struct nvml_gpu *g, int nr, struct nvml_field *values);
int nvmlDeviceGetFieldValues(struct nvml_gpu *g, int nr, struct nvml_field *values)
{
	static unsigned long long looks;

	(void)g;
	FACT();
	looks++;
	for (int i = 0; i < nr; i++) {
		values[i].type = 3;
		values[i].result = NVML_SUCCESS;
		switch (values[i].field) {
		case NVML_FIELD_SW_POWER_CAP_NS:
			values[i].value.ull = looks * 5000000;
			break;
		case NVML_FIELD_ENERGY_MJ:
			values[i].value.ull = looks * 2000;
			break;
		case NVML_FIELD_HW_POWER_BRAKE_NS:
			values[i].value.ull = fake_number("TARE_FAKE_NVML_BRAKE", 0)
						      ? looks * 9000000
						      : 0;
			break;
		case NVML_FIELD_C2C_LINKS:
			values[i].value.ull = shape()->c2c_links;
			break;
		case NVML_FIELD_REMAPPED_CORRECTABLE:
		case NVML_FIELD_HW_THERMAL_NS:
		case NVML_FIELD_SW_THERMAL_NS:
			values[i].value.ull = 0;
			break;
		default: /* as real boards do for what they lack */
			values[i].result = NVML_NOT_SUPPORTED;
		}
	}
	return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					    struct nvml_process *ret);
int nvmlDeviceGetComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					    struct nvml_process *ret)
{
	unsigned there = 1 + (unsigned)fake_number("TARE_FAKE_NVML_OTHERS", 0);

	FACT();
	if (!g->is_mig)
		there += (unsigned)fake_number("TARE_FAKE_NVML_NEIGHBOURS", 0);
	if (*nr < there) {
		*nr = there;
		return NVML_INSUFFICIENT_SIZE;
	}
	*nr = there;
	for (unsigned i = 0; i < there; i++)
		ret[i] = (struct nvml_process){.pid = i ? i : (unsigned)getpid()};
	return 0;
}

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
	keep_state("wb");
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
	for (int i = 0; i < PROFILES_MAX && shape()->profiles[i].name; i++) {
		const struct profile *p = &shape()->profiles[i];

		if (p->index != profile)
			continue;
		ret->id = p->id;
		ret->slices = p->slices;
		ret->instances = p->most;
		ret->multiprocessors = p->multiprocessors;
		ret->copy_engines = p->slices;
		ret->memory_mib = p->memory_mib;
		return put(ret->name, sizeof(ret->name), p->name);
	}
	return profile < 18 ? NVML_NOT_SUPPORTED : NVML_INVALID_ARGUMENT;
}

/* Memory slices that instances hold, a bit each. */
static unsigned used_slices(const struct nvml_gpu *g)
{
	unsigned used = 0;

	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used)
			used |= ((1u << by_id(g->instances[i].profile)->size) - 1)
				<< g->instances[i].start;
	return used;
}

static unsigned used_compute(const struct nvml_gpu *g)
{
	unsigned used = 0;

	for (int i = 0; i < INSTANCES_MAX; i++)
		if (g->instances[i].is_used)
			used += by_id(g->instances[i].profile)->slices;
	return used;
}

static int fits(const struct nvml_gpu *g, const struct profile *p, unsigned start)
{
	unsigned wanted = ((1u << p->size) - 1) << start;

	return start % p->size == 0 && start + p->size <= MEMORY_SLICES &&
	       !(used_slices(g) & wanted) && used_compute(g) + p->slices <= 7;
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
		keep_state("wb");
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
	const struct profile *p = by_id(id);

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
	const struct profile *p = by_id(id);

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
	const struct profile *p = by_id(id);

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
	*ret = (struct nvml_gi_info){
		&gpus[i->gpu], i->id, i->profile, {i->start, by_id(i->profile)->size}};
	return 0;
}

int nvmlGpuInstanceDestroy(struct nvml_gpu_instance *i);
int nvmlGpuInstanceDestroy(struct nvml_gpu_instance *i)
{
	CALL();
	if (i->compute.is_used || fake_number("TARE_FAKE_NVML_BUSY", 0))
		return NVML_IN_USE;
	i->is_used = 0;
	keep_state("wb");
	return 0;
}

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
	if (profile >= 5 || slices[profile] > by_id(i->profile)->slices)
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
	keep_state("wb");
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
	    p.slices == by_id(i->profile)->slices)
		ret[(*nr)++] = &i->compute;
	return 0;
}

int nvmlComputeInstanceDestroy(struct nvml_compute_instance *c);
int nvmlComputeInstanceDestroy(struct nvml_compute_instance *c)
{
	CALL();
	c->is_used = 0;
	keep_state("wb");
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
	struct nvml_gpu *mig = &migs[g->index * INSTANCES_MAX + index];

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
