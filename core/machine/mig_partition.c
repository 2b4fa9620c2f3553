#include "core/machine/mig_partition.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/machine/mig.h"
#include "core/base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIDS_SHOWN = 8 };
static const int64_t look_again_ns = 500 * NS_PER_MS;

/* One action on one GPU. */
struct work {
	const struct mig_partition_request *want;
	struct nvml *n;
	struct nvml_gpu *g;
	struct mig_layout before;
	bool is_before_known, is_changed;
};

/* ---- what is there ---- */

/* Everybody but us; the first few's ids as text. */
static int others_on(struct nvml *n, struct nvml_gpu *g, unsigned *ret_nr, char *text,
		     size_t size, struct err *err)
{
	unsigned pids[PIDS_SHOWN] = {0}, nr = 0;
	size_t at = 0;

	*text = '\0';
	if (nvml_processes(n, g, pids, PIDS_SHOWN, &nr, err) != 0)
		return -1;
	*ret_nr = nr;
	for (unsigned i = 0; i < nr && i < PIDS_SHOWN; i++) {
		if (pids[i] == (unsigned)getpid()) {
			(*ret_nr)--;
			continue;
		}
		at += (size_t)snprintf(text + at, size - at, "%s%u", at ? ", " : "",
				       pids[i]);
	}
	return 0;
}

static void put_profiles(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct err ignored = ERR_INIT;
	size_t nr = 0;
	bool is_told = mig_profiles(n, g, profiles, &nr, &ignored) == 0;

	json_put(o, "profiles", is_told ? mig_profiles_json(profiles, nr) : NULL);
}

static struct json_object *gpu_json(struct nvml *n, struct nvml_gpu *g)
{
	struct json_object *o = json_object_new_object(), *facts = nvml_gpu_json(n, g);
	unsigned multiprocessors = nvml_multiprocessors(n, g), nr = 0;
	struct err ignored = ERR_INIT;
	struct mig_layout l;
	char pids[128];
	bool is_told;

	json_put_text(o, "uuid", json_get_text(facts, "uuid", NULL));
	json_put_text(o, "name", json_get_text(facts, "name", NULL));
	json_put_text(o, "pci_address",
		      json_get_text(json_member(facts, "pci"), "address", NULL));
	json_put(o, "multiprocessors",
		 multiprocessors ? json_object_new_int64(multiprocessors) : NULL);
	if (others_on(n, g, &nr, pids, sizeof(pids), &ignored) == 0)
		json_put_int(o, "processes", nr);
	else
		json_put(o, "processes", NULL);
	err_clear(&ignored);
	is_told = mig_layout_read(n, g, &l, &ignored) == 0;
	json_put(o, "layout", is_told ? mig_layout_json(&l) : NULL);
	json_put_text(o, "why_no_layout", is_told ? NULL : ignored.text);
	put_profiles(o, n, g);
	json_object_put(facts);
	return o;
}

/* One that cannot be opened keeps its place, with the reason. */
static struct json_object *gpu_at(struct nvml *n, unsigned index)
{
	static const char *const keys[] = {
		"uuid",      "name",   "pci_address", "multiprocessors",
		"processes", "layout", "profiles"};
	struct err err = ERR_INIT;
	struct json_object *o;
	struct nvml_gpu *g;

	if (nvml_gpu_at(n, index, &g, &err) == 0)
		return gpu_json(n, g);
	o = json_object_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_put(o, keys[i], NULL);
	json_put_text(o, "why_no_layout", err.text);
	return o;
}

static struct json_object *all_gpus(struct nvml *n)
{
	struct json_object *list = json_object_new_array();
	struct err ignored = ERR_INIT;
	unsigned nr = 0;

	if (nvml_count(n, &nr, &ignored) != 0)
		nr = 0;
	for (unsigned i = 0; i < nr; i++)
		json_object_array_add(list, gpu_at(n, i));
	return list;
}

/* ---- which GPU ---- */

static int find_gpu(struct work *w, const char *which, struct err *err)
{
	unsigned nr = 0;

	if (which)
		return nvml_gpu_find(w->n, which, &w->g, err);
	if (nvml_count(w->n, &nr, err) != 0)
		return -1;
	if (nr != 1)
		return err_set(err, nr ? ERR_USAGE : ERR_ENVIRONMENT,
			       nr ? "this machine has %u GPUs: say which one, by UUID "
				    "(nvidia-smi -L lists them)"
				  : "the driver has %u GPUs",
			       nr);
	return nvml_gpu_at(w->n, 0, &w->g, err);
}

/* ---- what may not be touched ---- */

static int wait_for_others(struct work *w, struct err *err)
{
	int64_t deadline = clock_deadline_ns(w->want->patience_ns);
	char pids[128];
	unsigned nr;

	for (;;) {
		if (others_on(w->n, w->g, &nr, pids, sizeof(pids), err) != 0)
			return -1;
		if (!nr)
			return 0;
		if (clock_passed(deadline))
			return err_set(err, ERR_ENVIRONMENT,
				       "%s: %u processes compute on it (%s); end them "
				       "first, for its partitions go from under them",
				       w->before.gpu_uuid, nr, pids);
		if (stop_check(err) != 0)
			return -1;
		clock_sleep_until(clock_mono_ns() + look_again_ns);
	}
}

static int check_mode(const struct work *w, struct err *err)
{
	if (w->before.is_enabled || w->want->may_switch)
		return 0;
	return err_set(err, ERR_ENVIRONMENT,
		       "%s: MIG mode is off; as root: nvidia-smi -i %s -mig 1, or give "
		       "--switch-mode",
		       w->before.gpu_uuid, w->before.gpu_uuid);
}

/* What will be made, and that it fits: before anybody is told or anything goes. */
static int plan(const struct work *w, struct mig_layout *ret, struct err *err)
{
	if (!w->want->nr)
		return err_set(err, ERR_USAGE,
			       "which MIG profiles? 'tare mig list' shows those of "
			       "this GPU");
	return mig_plan(w->n, w->g, w->want->profiles, w->want->nr, ret, err);
}

/* ---- in words ---- */

static void tell_layout(struct buf *b, const struct mig_layout *l)
{
	if (!l->is_enabled)
		buf_puts(b, "MIG mode off");
	else if (!l->nr)
		buf_puts(b, "no instances");
	for (size_t i = 0; l->is_enabled && i < l->nr; i++) {
		buf_printf(b, "%s%s", i ? ", " : "", l->instances[i].profile);
		if (l->instances[i].size)
			buf_printf(b, " at %u", l->instances[i].start);
	}
}

static void tell(const struct work *w, const struct mig_layout *to)
{
	const struct mig_partition_request *want = w->want;
	struct buf b;

	if (!want->tell)
		return;
	buf_init(&b, 4096);
	buf_printf(&b, "%s: there is: ", w->before.gpu_uuid);
	tell_layout(&b, &w->before);
	buf_puts(&b, "; will be: ");
	tell_layout(&b, to);
	want->tell(b.data);
	buf_release(&b);
}

/* ---- the actions ---- */

static int apply(struct work *w, struct err *err)
{
	struct mig_layout to;

	if (plan(w, &to, err) != 0 || check_mode(w, err) != 0 ||
	    wait_for_others(w, err) != 0)
		return -1;
	tell(w, &to);
	if (w->want->is_dry)
		return 0;
	w->is_changed = true;
	return mig_layout_apply(w->n, w->g, &to, err);
}

static int clear(struct work *w, struct err *err)
{
	const struct mig_layout to = {.is_enabled = w->before.is_enabled &&
						    !w->want->may_switch};

	if (wait_for_others(w, err) != 0)
		return -1;
	tell(w, &to);
	if (w->want->is_dry)
		return 0;
	w->is_changed = true;
	return mig_clear(w->n, w->g, w->want->may_switch, err);
}

/* A mode that is only pending counts: the next reset of the GPU would bring it. */
static bool is_same(const struct mig_layout *a, const struct mig_layout *b)
{
	bool is = a->is_enabled == b->is_enabled && a->is_pending == b->is_pending &&
		  a->nr == b->nr;

	for (size_t i = 0; is && i < a->nr; i++)
		is = strcmp(a->instances[i].profile, b->instances[i].profile) == 0 &&
		     a->instances[i].start == b->instances[i].start &&
		     a->instances[i].size == b->instances[i].size;
	return is;
}

static int restore(struct work *w, struct err *err)
{
	struct mig_layout to;

	if (mig_layout_from_json(&to, w->want->layout, err) != 0)
		return -1;
	if (is_same(&to, &w->before))
		return 0;
	if (mig_layout_check(w->n, w->g, &to, err) != 0 || wait_for_others(w, err) != 0)
		return -1;
	tell(w, &to);
	if (w->want->is_dry)
		return 0;
	w->is_changed = true;
	return mig_layout_apply(w->n, w->g, &to, err);
}

static const struct {
	const char *name;
	int (*act)(struct work *w, struct err *err);
} actions[] = {
	[MIG_PARTITION_LIST] = {"list", NULL},
	[MIG_PARTITION_APPLY] = {"apply", apply},
	[MIG_PARTITION_RESTORE] = {"restore", restore},
	[MIG_PARTITION_CLEAR] = {"clear", clear},
};

static int act(struct work *w, struct err *err)
{
	const struct mig_partition_request *want = w->want;
	const char *which = want->device;
	unsigned nr;

	if (want->action == MIG_PARTITION_RESTORE)
		which = json_get_text(want->layout, "gpu", which);
	if ((which || want->action != MIG_PARTITION_LIST) && find_gpu(w, which, err) != 0)
		return -1;
	if (want->action == MIG_PARTITION_LIST)
		return w->g ? 0 : nvml_count(w->n, &nr, err);
	if (mig_layout_read(w->n, w->g, &w->before, err) != 0)
		return -1;
	w->is_before_known = true;
	return actions[want->action].act(w, err);
}

static struct json_object *document(const struct work *w, const struct err *err)
{
	struct json_object *o = json_object_new_object(), *gpus;

	if (w->g) {
		gpus = json_object_new_array();
		json_object_array_add(gpus, gpu_json(w->n, w->g));
	} else {
		gpus = all_gpus(w->n);
	}
	json_put_text(o, "schema", "tare.mig/1");
	json_put_text(o, "action", actions[w->want->action].name);
	json_put_bool(o, "changed", w->is_changed);
	json_put(o, "before", w->is_before_known ? mig_layout_json(&w->before) : NULL);
	json_put(o, "gpus", gpus);
	json_put_text(o, "error", err ? err->text : NULL);
	return o;
}

int mig_partition_act(const struct mig_partition_request *want, struct json_object **ret,
		      struct err *err)
{
	struct work w = {.want = want};
	int rc;

	*ret = NULL;
	w.n = nvml_open(err);
	if (!w.n)
		return -1;
	rc = act(&w, err);
	*ret = document(&w, rc ? err : NULL);
	nvml_close(w.n);
	return rc;
}
