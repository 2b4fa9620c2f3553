#include "harness/run/gpu_driver.h"

#include "core/log.h"
#include "core/mem.h"
#include "harness/run/arm_target.h"
#include "harness/run/probe_call.h"

#include <stdlib.h>
#include <string.h>

/* One machine, while its drivers are looked at or changed. */
struct seat {
	struct session *s;
	const struct gpu_host *host;
	struct step_at at;
	struct target *target;
};

static int seat_open(struct seat *b, struct err *err)
{
	b->target = arm_target_open(b->host->arm, NULL, err);
	return b->target ? 0 : err_wrap(err, "arm '%s'", b->host->arm->name);
}

static void seat_close(struct seat *b)
{
	struct err err = ERR_INIT;

	if (target_close(b->target, &err))
		log_warn("%s", err.text);
}

/* tare-probe with these options and devices; *ret is its document, tare.binding/1. */
static int run_probe(struct seat *b, const char *const *options,
		     struct json_object *devices, struct json_object **ret,
		     struct err *err)
{
	struct strvec args = {0};
	int rc;

	strvec_add_all(&args, options);
	for (size_t i = 0; i < json_object_array_length(devices); i++)
		strvec_addf(&args, "--device=%s",
			    json_get_text(json_object_array_get_idx(devices, i),
					  "address", ""));
	rc = probe_call(b->s, b->target, strvec_argv(&args), EXIT_PASS, ret, err);
	strvec_release(&args);
	return rc;
}

static struct json_object *wanted_devices(const struct gpu_host *h)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < h->gpus.nr; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "address", h->gpus.items[i]);
		json_object_array_add(list, o);
	}
	return list;
}

/* The devices as they are now: [{address, driver, override}]; NULL on failure. */
static struct json_object *look(struct seat *b, struct json_object *devices,
				struct err *err)
{
	static const char *const options[] = {"--binding", NULL};
	struct json_object *document, *list;

	if (run_probe(b, options, devices, &document, err))
		return NULL;
	list = json_object_get(json_member(document, "devices"));
	json_object_put(document);
	if (list && json_object_is_type(list, json_type_array) &&
	    json_object_array_length(list) == json_object_array_length(devices))
		return list;
	json_object_put(list);
	err_set(err, ERR_INTERNAL, "tare-probe did not tell every device's driver");
	return NULL;
}

static bool same_text(struct json_object *a, struct json_object *b, const char *key)
{
	return strcmp(json_get_text(a, key, ""), json_get_text(b, key, "")) == 0;
}

static bool is_as_before(struct json_object *before, struct json_object *now)
{
	for (size_t i = 0; i < json_object_array_length(before); i++) {
		struct json_object *was = json_object_array_get_idx(before, i);
		struct json_object *is = json_object_array_get_idx(now, i);

		if (!same_text(was, is, "driver") || !same_text(was, is, "override"))
			return false;
	}
	return true;
}

/* ---- the platform's scheduling ---- */

static struct provisioner *platform(struct seat *b, struct err *err)
{
	return session_provisioner(b->s, b->host->provisioner, err);
}

static struct json_object *change_json(const char *action, const struct gpu_host *h)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "action", action);
	json_put_text(o, "host_arm", h->arm->name);
	return o;
}

static int reserve(struct seat *b, struct err *err)
{
	struct json_object *data = change_json("reserve", b->host);
	struct provisioner *p;
	struct stage st;
	char *was = NULL;
	int rc;

	json_put_text(data, "host", b->host->name);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	p = platform(b, err);
	rc = p ? provisioner_host_reserve(p, b->host->name, &was, err) : -1;
	free(was);
	return stage_end(&st, rc, change_json("reserve", b->host), err);
}

static int enable(struct seat *b, const char *was, struct err *err)
{
	struct json_object *data = change_json("enable", b->host);
	struct provisioner *p;
	struct stage st;
	int rc;

	json_put_text(data, "host", b->host->name);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	p = platform(b, err);
	rc = p ? provisioner_host_restore(p, b->host->name, was, err) : -1;
	return stage_end(&st, rc, change_json("enable", b->host), err);
}

static struct json_object *scheduling_json(struct seat *b, struct err *err)
{
	struct provisioner *p = platform(b, err);
	struct json_object *o;
	char *was = NULL;

	if (!p || provisioner_host_state(p, b->host->name, &was, err))
		return NULL;
	o = json_object_new_object();
	json_put_text(o, "provisioner", b->host->provisioner);
	json_put_text(o, "host", b->host->name);
	json_put_text(o, "was", was);
	free(was);
	return o;
}

/* ---- what was there before ---- */

static struct json_object *find_taken(const struct session *s, const char *host_arm)
{
	for (size_t i = 0; s->taken && i < json_object_array_length(s->taken); i++) {
		struct json_object *o = json_object_array_get_idx(s->taken, i);

		if (strcmp(json_get_text(o, "host_arm", ""), host_arm) == 0)
			return o;
	}
	return NULL;
}

static void remember(struct session *s, struct json_object *take)
{
	if (!s->taken)
		s->taken = json_object_new_array();
	json_object_array_add(s->taken, json_object_get(take));
}

static void forget(struct session *s, const char *host_arm)
{
	for (size_t i = 0; s->taken && i < json_object_array_length(s->taken); i++) {
		struct json_object *o = json_object_array_get_idx(s->taken, i);

		if (strcmp(json_get_text(o, "host_arm", ""), host_arm) == 0) {
			json_object_array_del_idx(s->taken, i, 1);
			return;
		}
	}
}

/* On disk before anything is changed. 'now' is borrowed; the note is the session's. */
static int take(struct seat *b, struct json_object *now, struct err *err)
{
	struct json_object *o = change_json("take", b->host), *scheduling = NULL;
	int rc;

	if (b->host->name && !(scheduling = scheduling_json(b, err))) {
		json_object_put(o);
		return -1;
	}
	json_put(o, "scheduling", scheduling);
	json_put(o, "devices", json_object_get(now));
	rc = journal_write(b->s->journal, JOURNAL_NOTE, STEP_BIND, &b->at,
			   json_object_get(o), err);
	if (!rc)
		remember(b->s, o);
	json_object_put(o);
	return rc;
}

/* ---- before an arm's turn ---- */

static bool has_driver(struct json_object *now, int driver)
{
	for (size_t i = 0; i < json_object_array_length(now); i++) {
		const char *is =
			json_get_text(json_object_array_get_idx(now, i), "driver", "");

		if (driver == ARM_DRIVER_VFIO ? !strstr(is, "vfio")
					      : strcmp(is, "nvidia") != 0)
			return false;
	}
	return true;
}

static int bind_stage(struct seat *b, const char *driver, struct json_object *devices,
		      struct err *err)
{
	const char *options[] = {"--bind", driver, NULL};
	struct json_object *data = change_json("bind", b->host), *document = NULL;
	struct stage st;
	int rc;

	json_put_text(data, "driver", driver);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	rc = run_probe(b, options, devices, &document, err);
	data = change_json("bind", b->host);
	json_put_text(data, "driver", driver);
	if (document)
		json_put(data, "binding", document);
	return stage_end(&st, rc, data, err);
}

static int prepare(struct seat *b, const struct arm *arm, struct json_object *devices,
		   struct err *err)
{
	const char *driver = arm->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia";
	struct json_object *now = look(b, devices, err), *taken;
	bool has;

	if (!now)
		return -1;
	has = has_driver(now, arm->driver);
	if (!find_taken(b->s, b->host->arm->name) && take(b, now, err)) {
		json_object_put(now);
		return -1;
	}
	json_object_put(now);
	if (b->host->name && (arm->target != ARM_VM || !has) && reserve(b, err))
		return -1;
	if (bind_stage(b, driver, devices, err))
		return -1;
	taken = json_member(find_taken(b->s, b->host->arm->name), "scheduling");
	if (arm->target != ARM_VM || !taken)
		return 0;
	return enable(b, json_get_text(taken, "was", "enabled"), err);
}

int gpu_driver_prepare(struct session *s, int round, const struct arm *arm,
		       struct err *err)
{
	struct seat b = {
		.s = s, .host = arm->gpu_host, .at = {.round = round, .arm = arm->name}};
	struct json_object *devices;
	int rc;

	if (!b.host)
		return 0;
	log_info("round %d, %s: its GPU goes to %s on the machine of '%s'", round,
		 arm->name, arm->driver == ARM_DRIVER_VFIO ? "vfio" : "the host's driver",
		 b.host->arm->name);
	devices = wanted_devices(b.host);
	rc = seat_open(&b, err) || prepare(&b, arm, devices, err);
	json_object_put(devices);
	seat_close(&b);
	return rc ? err_wrap(err, "binding") : 0;
}

/* ---- putting back ---- */

/* One call for all devices that had the same, so that those of one group go together. */
static int put_back_like(struct seat *b, struct json_object *before,
			 struct json_object *like, struct err *err)
{
	const char *options[] = {"--bind", json_get_text(like, "driver", "none"),
				 "--override", json_get_text(like, "override", "none"),
				 NULL};
	struct json_object *same = json_object_new_array(), *document = NULL;
	int rc;

	for (size_t i = 0; i < json_object_array_length(before); i++) {
		struct json_object *o = json_object_array_get_idx(before, i);

		if (same_text(o, like, "driver") && same_text(o, like, "override"))
			json_object_array_add(same, json_object_get(o));
	}
	rc = run_probe(b, options, same, &document, err);
	json_object_put(document);
	json_object_put(same);
	return rc;
}

static int put_back_drivers(struct seat *b, struct json_object *before, struct err *err)
{
	for (size_t i = 0; i < json_object_array_length(before); i++) {
		struct json_object *o = json_object_array_get_idx(before, i);
		bool is_first = true;

		for (size_t k = 0; k < i && is_first; k++) {
			struct json_object *e = json_object_array_get_idx(before, k);

			is_first = !same_text(o, e, "driver") ||
				   !same_text(o, e, "override");
		}
		if (is_first && put_back_like(b, before, o, err))
			return -1;
	}
	return 0;
}

/* No machine may come between the change of driver and the end of the reservation. */
static int put_back(struct seat *b, struct json_object *taken, struct err *err)
{
	struct json_object *before = json_member(taken, "devices");
	struct json_object *scheduling = json_member(taken, "scheduling");
	struct json_object *now = look(b, before, err);
	struct provisioner *p = scheduling ? platform(b, err) : NULL;
	char *was = NULL;
	int rc = !now || (scheduling && !p) ? -1 : 0;

	if (!rc && !is_as_before(before, now)) {
		if (scheduling)
			rc = provisioner_host_reserve(p, b->host->name, &was, err);
		free(was);
		if (!rc)
			rc = put_back_drivers(b, before, err);
	}
	json_object_put(now);
	if (!rc && scheduling)
		rc = provisioner_host_restore(p, b->host->name,
					      json_get_text(scheduling, "was", "enabled"),
					      err);
	return rc;
}

static int restore_one(struct session *s, struct json_object *taken, struct err *err)
{
	const char *name = json_get_text(taken, "host_arm", "");
	const struct arm *arm = plan_arm(s->plan, name);
	struct seat b = {.s = s, .at = {.arm = name}};
	struct err later = ERR_INIT;
	struct stage st;
	int rc;

	if (!arm || !arm->gpu_host)
		return err_set(
			err, ERR_USAGE,
			"the plan has no arm '%s' whose GPU changes hands any more",
			name);
	b.host = arm->gpu_host;
	/* A journal that takes no more must not keep a GPU from its host. */
	rc = stage_begin(&st, s, STEP_BIND, &b.at, change_json("restore", b.host), err);
	if (seat_open(&b, rc ? &later : err) || put_back(&b, taken, rc ? &later : err)) {
		if (rc)
			log_error("%s", later.text);
		rc = -1;
	}
	seat_close(&b);
	return stage_end(&st, rc, change_json("restore", b.host), err);
}

int gpu_driver_restore(struct session *s, struct err *err)
{
	size_t nr = s->taken ? json_object_array_length(s->taken) : 0;
	int rc = 0;

	while (nr-- > 0) {
		struct json_object *o = json_object_array_get_idx(s->taken, nr);
		char *name = x_strdup(json_get_text(o, "host_arm", ""));
		struct err one = ERR_INIT;

		if (!restore_one(s, o, &one)) {
			log_info("the GPUs of '%s' have the driver that they had", name);
			forget(s, name);
			s->restored++;
		} else {
			err_wrap(&one, "putting back the GPUs' drivers of '%s'", name);
			rc = first_failure(rc, -1, &one, err);
		}
		free(name);
	}
	return rc;
}

int gpu_driver_recall(struct session *s, struct err *err)
{
	struct journal_entries past;

	if (journal_read(&past, s->dir, err))
		return -1;
	for (size_t i = 0; i < past.nr; i++) {
		const struct journal_entry *e = &past.items[i];
		const char *action = json_get_text(e->data, "action", "");

		if (e->step != STEP_BIND)
			continue;
		if (e->event == JOURNAL_NOTE && strcmp(action, "take") == 0)
			remember(s, e->data);
		if (e->event == JOURNAL_END && strcmp(action, "restore") == 0)
			forget(s, json_get_text(e->data, "host_arm", ""));
	}
	journal_entries_release(&past);
	return 0;
}
