#include "core/machine/mig.h"

#include "core/base/mem.h"
#include "core/machine/nvml_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One engine profile exists: all of the instance's engines shared. */
enum { ENGINES_SHARED = 0 };

static int has_functions(const struct nvml *n, struct err *err)
{
	if (n->nvmlDeviceGetMigMode && n->nvmlDeviceSetMigMode &&
	    n->nvmlDeviceGetGpuInstanceProfileInfoV && n->nvmlDeviceGetGpuInstances &&
	    n->nvmlDeviceCreateGpuInstance && n->nvmlGpuInstanceGetInfo &&
	    n->nvmlGpuInstanceDestroy &&
	    n->nvmlGpuInstanceGetComputeInstanceProfileInfo &&
	    n->nvmlGpuInstanceCreateComputeInstance && n->nvmlComputeInstanceDestroy &&
	    n->nvmlGpuInstanceGetComputeInstances)
		return 0;
	return nvml_lacks(err, "MIG functions");
}

static int read_mode(struct nvml *n, struct nvml_gpu *g, bool *ret_on, bool *ret_pending,
		     struct err *err)
{
	unsigned current = 0, pending = 0;
	int code;

	if (has_functions(n, err) != 0)
		return -1;
	code = n->nvmlDeviceGetMigMode(g, &current, &pending);
	if (code == NVML_NOT_SUPPORTED)
		return err_set_code(err, ERR_USAGE, "nvml", code,
				    "this GPU has no MIG (NVML_ERROR_NOT_SUPPORTED)");
	if (nvml_ok(n, code, err, "ask for MIG mode") != 0)
		return -1;
	*ret_on = current != 0;
	*ret_pending = pending != 0;
	return 0;
}

/* The driver writes "MIG 1g.18gb". */
static void copy_name(char to[64], const char *from)
{
	snprintf(to, 64, "%.63s", strncmp(from, "MIG ", 4) == 0 ? from + 4 : from);
}

/* 0 profile 'index' exists, 1 it does not, -1 error. */
static int read_profile(struct nvml *n, struct nvml_gpu *g, unsigned index,
			struct mig_profile *ret, struct err *err)
{
	struct nvml_gi_profile p = {.version = NVML_GI_PROFILE_VERSION};
	int code = n->nvmlDeviceGetGpuInstanceProfileInfoV(g, index, &p);

	if (code == NVML_NOT_SUPPORTED || code == NVML_INVALID_ARGUMENT)
		return 1;
	if (nvml_ok(n, code, err, "ask for MIG profile %u", index) != 0)
		return -1;
	*ret = (struct mig_profile){
		.id = p.id,
		.index = index,
		.slices = p.slices,
		.instances = p.instances,
		.multiprocessors = p.multiprocessors,
		.copy_engines = p.copy_engines,
		.memory_bytes = (int64_t)p.memory_mib << 20,
	};
	p.name[sizeof(p.name) - 1] = '\0';
	copy_name(ret->name, p.name);
	/* Only told while MIG mode is on. */
	if (!n->nvmlDeviceGetGpuInstanceRemainingCapacity ||
	    n->nvmlDeviceGetGpuInstanceRemainingCapacity(g, p.id, &ret->remaining) !=
		    NVML_SUCCESS)
		ret->remaining = 0;
	return 0;
}

int mig_profiles(struct nvml *n, struct nvml_gpu *g, struct mig_profile ret[2 * MIG_MAX],
		 size_t *ret_nr, struct err *err)
{
	bool is_on, is_pending;
	size_t nr = 0;

	if (read_mode(n, g, &is_on, &is_pending, err) != 0)
		return -1;
	for (unsigned i = 0; i < NVML_PROFILES && nr < (size_t)2 * MIG_MAX; i++) {
		int found = read_profile(n, g, i, &ret[nr], err);

		if (found < 0)
			return -1;
		nr += found == 0;
	}
	*ret_nr = nr;
	return 0;
}

static bool is_plain(const struct mig_profile *p)
{
	return !strpbrk(p->name, "+-");
}

const struct mig_profile *mig_profile_find(const struct mig_profile *profiles, size_t nr,
					   const char *what)
{
	const struct mig_profile *best = NULL;
	char *end;
	unsigned long slices;

	for (size_t i = 0; i < nr; i++)
		if (strcmp(profiles[i].name, what) == 0)
			return &profiles[i];
	slices = strtoul(what, &end, 10);
	if (end == what || (*end && strcmp(end, "g") != 0))
		return NULL;
	for (size_t i = 0; i < nr; i++)
		if (profiles[i].slices == slices && is_plain(&profiles[i]) &&
		    (!best || profiles[i].memory_bytes < best->memory_bytes))
			best = &profiles[i];
	return best;
}

/* The MIG device that lies in a GPU instance. */
static void find_uuid(struct nvml *n, struct nvml_gpu *g, struct mig_instance *at)
{
	unsigned most = 0;

	if (!n->nvmlDeviceGetMaxMigDeviceCount ||
	    !n->nvmlDeviceGetMigDeviceHandleByIndex || !n->nvmlDeviceGetGpuInstanceId ||
	    n->nvmlDeviceGetMaxMigDeviceCount(g, &most) != NVML_SUCCESS)
		return;
	for (unsigned i = 0; i < most && i < MIG_MAX; i++) {
		struct nvml_gpu *mig;
		unsigned id;

		if (n->nvmlDeviceGetMigDeviceHandleByIndex(g, i, &mig) == NVML_SUCCESS &&
		    n->nvmlDeviceGetGpuInstanceId(mig, &id) == NVML_SUCCESS &&
		    id == at->id &&
		    n->nvmlDeviceGetUUID(mig, at->uuid, sizeof(at->uuid)) != NVML_SUCCESS)
			at->uuid[0] = '\0';
	}
}

/* All GPU instances of one profile. */
static int list_instances(struct nvml *n, struct nvml_gpu *g, unsigned profile_id,
			  struct nvml_gpu_instance *ret[MIG_MAX], unsigned *ret_nr,
			  struct err *err)
{
	*ret_nr = MIG_MAX;
	return nvml_ok(n, n->nvmlDeviceGetGpuInstances(g, profile_id, ret, ret_nr), err,
		       "list MIG instances of profile %u", profile_id);
}

static int add_instance(struct nvml *n, struct nvml_gpu *g, struct nvml_gpu_instance *i,
			const struct mig_profile *p, struct mig_layout *l,
			struct err *err)
{
	struct nvml_gi_info info;
	struct mig_instance *at;

	if (l->nr == MIG_MAX)
		return err_set(err, ERR_ENVIRONMENT, "more than %d MIG instances",
			       MIG_MAX);
	if (nvml_ok(n, n->nvmlGpuInstanceGetInfo(i, &info), err,
		    "ask for a MIG instance") != 0)
		return -1;
	at = &l->instances[l->nr++];
	*at = (struct mig_instance){.id = info.id,
				    .profile_id = p->id,
				    .start = info.placement.start,
				    .size = info.placement.size};
	copy_name(at->profile, p->name);
	find_uuid(n, g, at);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct mig_instance *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int mig_layout_read(struct nvml *n, struct nvml_gpu *g, struct mig_layout *ret,
		    struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	size_t nr_profiles = 0;
	struct mig_layout l = {0};

	if (nvml_gpu_uuid(n, g, l.gpu_uuid, err) != 0 ||
	    read_mode(n, g, &l.is_enabled, &l.is_pending, err) != 0)
		return -1;
	if (l.is_enabled && mig_profiles(n, g, profiles, &nr_profiles, err) != 0)
		return -1;
	for (size_t p = 0; p < nr_profiles; p++) {
		struct nvml_gpu_instance *found[MIG_MAX];
		unsigned nr;

		if (list_instances(n, g, profiles[p].id, found, &nr, err) != 0)
			return -1;
		for (unsigned i = 0; i < nr; i++)
			if (add_instance(n, g, found[i], &profiles[p], &l, err) != 0)
				return -1;
	}
	qsort(l.instances, l.nr, sizeof(l.instances[0]), by_start);
	*ret = l;
	return 0;
}

/* 0 compute profile 'index' exists, 1 it does not, -1 error. */
static int read_compute_profile(struct nvml *n, struct nvml_gpu_instance *i,
				unsigned index, struct nvml_ci_profile *ret,
				struct err *err)
{
	int code = n->nvmlGpuInstanceGetComputeInstanceProfileInfo(i, index,
								   ENGINES_SHARED, ret);

	if (code == NVML_NOT_SUPPORTED || code == NVML_INVALID_ARGUMENT)
		return 1;
	return nvml_ok(n, code, err, "ask for MIG compute profile %u", index);
}

/* Compute instances stand in the way of their GPU instance. */
static int destroy_compute(struct nvml *n, struct nvml_gpu_instance *i, struct err *err)
{
	for (unsigned index = 0; index < NVML_PROFILES; index++) {
		struct nvml_ci_profile p;
		struct nvml_compute_instance *found[MIG_MAX];
		unsigned nr = MIG_MAX;
		int rc = read_compute_profile(n, i, index, &p, err);

		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		if (nvml_ok(n, n->nvmlGpuInstanceGetComputeInstances(i, p.id, found, &nr),
			    err, "list MIG compute instances") != 0)
			return -1;
		for (unsigned c = 0; c < nr; c++)
			if (nvml_ok(n, n->nvmlComputeInstanceDestroy(found[c]), err,
				    "remove a MIG compute instance") != 0)
				return -1;
	}
	return 0;
}

static int destroy(struct nvml *n, struct nvml_gpu_instance *i, struct err *err)
{
	if (destroy_compute(n, i, err) != 0)
		return -1;
	return nvml_ok(n, n->nvmlGpuInstanceDestroy(i), err, "remove a MIG instance");
}

static int destroy_all(struct nvml *n, struct nvml_gpu *g, struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	size_t nr_profiles = 0;

	if (mig_profiles(n, g, profiles, &nr_profiles, err) != 0)
		return -1;
	for (size_t p = 0; p < nr_profiles; p++) {
		struct nvml_gpu_instance *found[MIG_MAX];
		unsigned nr;

		if (list_instances(n, g, profiles[p].id, found, &nr, err) != 0)
			return -1;
		for (unsigned i = 0; i < nr; i++)
			if (destroy(n, found[i], err) != 0)
				return -1;
	}
	return 0;
}

static int set_mode(struct nvml *n, struct nvml_gpu *g, bool on, struct err *err)
{
	bool is_on, is_pending;
	int activation = NVML_SUCCESS;

	if (read_mode(n, g, &is_on, &is_pending, err) != 0)
		return -1;
	if (is_on == on && is_pending == on)
		return 0;
	if (nvml_ok(n, n->nvmlDeviceSetMigMode(g, on, &activation), err,
		    "switch MIG mode %s", on ? "on" : "off") != 0 ||
	    nvml_ok(n, activation, err, "switch MIG mode %s", on ? "on" : "off") != 0 ||
	    read_mode(n, g, &is_on, &is_pending, err) != 0)
		return -1;
	if (is_on != on)
		return err_set(err, ERR_ENVIRONMENT,
			       "MIG mode %s is pending: reset the GPU (nvidia-smi -r), "
			       "or restart "
			       "the machine where it is passed through, and try again",
			       on ? "on" : "off");
	return 0;
}

/* The compute instance that takes all of its GPU instance: as many slices as it has. */
static int fill_with_compute(struct nvml *n, struct nvml_gpu_instance *i, unsigned slices,
			     struct err *err)
{
	struct nvml_compute_instance *made;

	for (unsigned index = 0; index < NVML_PROFILES; index++) {
		struct nvml_ci_profile p;
		int rc = read_compute_profile(n, i, index, &p, err);

		if (rc < 0)
			return -1;
		if (rc == 0 && p.slices == slices)
			return nvml_ok(
				n,
				n->nvmlGpuInstanceCreateComputeInstance(i, p.id, &made),
				err, "make a MIG compute instance");
	}
	return err_set(err, ERR_ENVIRONMENT, "no MIG compute profile has %u slices",
		       slices);
}

/* 'at' may be NULL: the driver places it. */
static int make(struct nvml *n, struct nvml_gpu *g, const struct mig_profile *p,
		const struct nvml_placement *at, struct err *err)
{
	struct nvml_gpu_instance *i;
	struct err ignored = ERR_INIT;
	int code;

	if (at && !n->nvmlDeviceCreateGpuInstanceWithPlacement)
		return nvml_lacks(err, "nvmlDeviceCreateGpuInstanceWithPlacement");
	code = at ? n->nvmlDeviceCreateGpuInstanceWithPlacement(g, p->id, at, &i)
		  : n->nvmlDeviceCreateGpuInstance(g, p->id, &i);
	if (nvml_ok(n, code, err, "make a MIG instance %s", p->name) != 0)
		return -1;
	if (fill_with_compute(n, i, p->slices, err) == 0)
		return 0;
	destroy(n, i, &ignored);
	return -1;
}

int mig_profiles_check(const struct mig_profile *profiles, size_t nr_profiles,
		       const char *const *wanted, size_t nr, struct err *err)
{
	struct buf names;

	if (nr > MIG_MAX)
		return err_set(err, ERR_USAGE,
			       "%zu MIG instances are more than any GPU has", nr);
	for (size_t i = 0; i < nr; i++) {
		if (mig_profile_find(profiles, nr_profiles, wanted[i]))
			continue;
		buf_init(&names, 512);
		for (size_t p = 0; p < nr_profiles; p++)
			buf_printf(&names, "%s%s", p ? ", " : "", profiles[p].name);
		err_set(err, ERR_USAGE, "this GPU has no MIG profile '%.64s'; it has %s",
			wanted[i], names.data);
		buf_release(&names);
		return -1;
	}
	return 0;
}

/* Names are the layout's own: "1g.18gb" never means another profile of one slice. */
static const struct mig_profile *profile_of(const struct mig_instance *i,
					    const struct mig_profile *profiles, size_t nr)
{
	for (size_t p = 0; p < nr; p++)
		if (strcmp(profiles[p].name, i->profile) == 0)
			return &profiles[p];
	return NULL;
}

static int check_layout(const struct mig_layout *l, const struct mig_profile *profiles,
			size_t nr, struct err *err)
{
	for (size_t i = 0; i < l->nr; i++)
		if (!profile_of(&l->instances[i], profiles, nr))
			return err_set(err, ERR_ENVIRONMENT,
				       "MIG profile %s is not there any more",
				       l->instances[i].profile);
	return 0;
}

/* ---- where instances find room, by NVML's places ---- */

enum { PLACES_MAX = 32 };

struct room {
	struct mig_layout *layout; /* instances with 'size' have their place already */
	struct nvml_placement places[MIG_MAX][PLACES_MAX];
	unsigned places_nr[MIG_MAX], slices[MIG_MAX];
	unsigned slices_max; /* the whole GPU's */
};

/* False where the driver does not tell. */
static bool read_places(struct nvml *n, struct nvml_gpu *g, const struct mig_profile *p,
			struct nvml_placement ret[PLACES_MAX], unsigned *ret_nr)
{
	unsigned nr = 0;

	if (!n->nvmlDeviceGetGpuInstancePossiblePlacements_v2 ||
	    n->nvmlDeviceGetGpuInstancePossiblePlacements_v2(g, p->id, NULL, &nr) !=
		    NVML_SUCCESS ||
	    nr == 0 || nr > PLACES_MAX)
		return false;
	*ret_nr = nr;
	return n->nvmlDeviceGetGpuInstancePossiblePlacements_v2(g, p->id, ret, ret_nr) ==
	       NVML_SUCCESS;
}

static uint64_t mask_of(unsigned start, unsigned size)
{
	return start + size < 64 ? ((UINT64_C(1) << size) - 1) << start : UINT64_MAX;
}

/* The instances from 'i' on find places beside what is used; the lowest that do. */
static bool find_room(struct room *r, size_t i, uint64_t used, unsigned slices)
{
	struct mig_instance *at;

	if (i == r->layout->nr)
		return true;
	at = &r->layout->instances[i];
	if (slices + r->slices[i] > r->slices_max)
		return false;
	for (unsigned k = 0; k < r->places_nr[i]; k++) {
		const struct nvml_placement *p = &r->places[i][k];
		uint64_t wanted = mask_of(p->start, p->size);
		struct mig_instance before = *at;

		if ((used & wanted) ||
		    (at->size && (at->start != p->start || at->size != p->size)))
			continue;
		at->start = p->start;
		at->size = p->size;
		if (find_room(r, i + 1, used | wanted, slices + r->slices[i]))
			return true;
		*at = before;
	}
	return false;
}

static int refuse_layout(const struct mig_layout *l, struct err *err)
{
	struct buf names;

	buf_init(&names, 2048);
	for (size_t i = 0; i < l->nr; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", l->instances[i].profile);
	err_set(err, ERR_USAGE,
		"%s do not fit on one GPU together: nothing was changed; 'tare mig list' "
		"shows how many of each there is room for",
		names.data);
	buf_release(&names);
	return -1;
}

static unsigned count_of(const struct mig_layout *l, const char *profile)
{
	unsigned nr = 0;

	for (size_t i = 0; i < l->nr; i++)
		nr += strcmp(l->instances[i].profile, profile) == 0;
	return nr;
}

/* Fills in the places that are missing. 'profiles' has those of the layout. */
static int place(struct nvml *n, struct nvml_gpu *g, const struct mig_profile *profiles,
		 size_t nr_profiles, struct mig_layout *l, struct err *err)
{
	struct room r = {.layout = l};
	bool is_known = true;

	for (size_t p = 0; p < nr_profiles; p++) {
		if (profiles[p].slices > r.slices_max)
			r.slices_max = profiles[p].slices;
		if (count_of(l, profiles[p].name) > profiles[p].instances)
			return refuse_layout(l, err);
	}
	for (size_t i = 0; i < l->nr && is_known; i++) {
		const struct mig_profile *p =
			profile_of(&l->instances[i], profiles, nr_profiles);

		r.slices[i] = p->slices;
		is_known = read_places(n, g, p, r.places[i], &r.places_nr[i]);
	}
	return is_known && !find_room(&r, 0, 0, 0) ? refuse_layout(l, err) : 0;
}

int mig_plan(struct nvml *n, struct nvml_gpu *g, const char *const *wanted, size_t nr,
	     struct mig_layout *ret, struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct mig_layout l = {.is_enabled = true, .is_pending = true};
	size_t nr_profiles = 0;

	if (nvml_gpu_uuid(n, g, l.gpu_uuid, err) != 0 ||
	    mig_profiles(n, g, profiles, &nr_profiles, err) != 0 ||
	    mig_profiles_check(profiles, nr_profiles, wanted, nr, err) != 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		const struct mig_profile *p =
			mig_profile_find(profiles, nr_profiles, wanted[i]);
		struct mig_instance *at = &l.instances[l.nr++];

		at->profile_id = p->id;
		copy_name(at->profile, p->name);
	}
	if (place(n, g, profiles, nr_profiles, &l, err) != 0)
		return -1;
	*ret = l;
	return 0;
}

/* ---- making a layout ---- */

static int make_all(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *l,
		    const struct mig_profile *profiles, size_t nr_profiles,
		    struct err *err)
{
	if (destroy_all(n, g, err) != 0)
		return -1;
	for (size_t i = 0; i < l->nr; i++) {
		const struct mig_instance *want = &l->instances[i];
		struct nvml_placement at = {want->start, want->size};

		if (make(n, g, profile_of(want, profiles, nr_profiles),
			 want->size ? &at : NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* What was there before, after making something else failed; 'err' has why. */
static void put_back(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *before,
		     const struct mig_profile *profiles, size_t nr_profiles,
		     struct err *err)
{
	struct err why = ERR_INIT;
	struct err first = err ? *err : (struct err)ERR_INIT;
	int rc = before->is_enabled ? make_all(n, g, before, profiles, nr_profiles, &why)
				    : mig_clear(n, g, !before->is_pending, &why);

	err_set_code(
		err, first.kind, first.origin, first.code, "%.600s; %s%.300s", first.text,
		rc ? "what was there could not be put back: " : "what was there is back",
		why.text);
}

int mig_layout_check(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *layout,
		     struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct mig_layout l = *layout;
	size_t nr = 0;

	if (!layout->is_enabled)
		return 0;
	return mig_profiles(n, g, profiles, &nr, err) != 0 ||
			       check_layout(layout, profiles, nr, err) != 0 ||
			       place(n, g, profiles, nr, &l, err) != 0
		       ? -1
		       : 0;
}

int mig_layout_apply(struct nvml *n, struct nvml_gpu *g, const struct mig_layout *layout,
		     struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct mig_layout to = *layout, before;
	size_t nr_profiles = 0;

	if (!layout->is_enabled)
		return mig_clear(n, g, true, err);
	if (mig_profiles(n, g, profiles, &nr_profiles, err) != 0 ||
	    check_layout(layout, profiles, nr_profiles, err) != 0 ||
	    place(n, g, profiles, nr_profiles, &to, err) != 0 ||
	    mig_layout_read(n, g, &before, err) != 0 || set_mode(n, g, true, err) != 0)
		return -1;
	if (make_all(n, g, &to, profiles, nr_profiles, err) == 0)
		return 0;
	put_back(n, g, &before, profiles, nr_profiles, err);
	return -1;
}

int mig_clear(struct nvml *n, struct nvml_gpu *g, bool mode_off, struct err *err)
{
	bool is_on, is_pending;

	if (read_mode(n, g, &is_on, &is_pending, err) != 0)
		return -1;
	if (is_on && destroy_all(n, g, err) != 0)
		return -1;
	return mode_off ? set_mode(n, g, false, err) : 0;
}
