/* What gpu_driver.c changed is put back: drivers, then the scheduling of their hosts. */
#include "harness/run/gpu_driver.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "harness/run/gpu_seat.h"
#include "harness/run/gpu_taken.h"

#include <stdlib.h>
#include <string.h>

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

/* One call for all devices that had the same, so that those of one group go together. */
static int put_back_like(struct gpu_seat *b, struct json_object *before,
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
	rc = gpu_seat_probe(b, options, same, &document, err);
	json_object_put(document);
	json_object_put(same);
	return rc;
}

static int put_back_drivers(struct gpu_seat *b, struct json_object *before,
			    struct err *err)
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
static int put_back_gpus(struct gpu_seat *b, struct json_object *before,
			 bool has_scheduling, struct err *err)
{
	struct json_object *now = gpu_seat_look(b, before, err);
	struct provisioner *p;
	char *was = NULL;
	int rc = now ? 0 : -1;

	if (!rc && !is_as_before(before, now)) {
		p = has_scheduling ? gpu_seat_platform(b, err) : NULL;
		if (has_scheduling)
			rc = p ? provisioner_host_reserve(p, b->host->name, &was, err)
			       : -1;
		free(was);
		if (!rc)
			rc = put_back_drivers(b, before, err);
	}
	json_object_put(now);
	return rc;
}

static bool is_machine_of(const struct arm *a, const struct gpu_host *h)
{
	const struct arm *m = h->arm;

	return a == m || a->gpu_host == h ||
	       (a->target == m->target && a->target != ARM_VM &&
		(a->target == ARM_LOCAL ||
		 (strcmp(a->ssh.host, m->ssh.host) == 0 && a->ssh.port == m->ssh.port)));
}

/* A GPU of this machine that MIG left cut; NULL: none. */
static const char *find_cut(const struct session *s, const struct gpu_host *h)
{
	for (size_t i = 0; s->cut && i < s->plan->arms_nr; i++) {
		const struct arm *a = &s->plan->arms[i];
		const char *gpu = json_get_text(s->cut, a->name, NULL);

		if (gpu && is_machine_of(a, h))
			return gpu;
	}
	return NULL;
}

/*
 * 'what' is not as before, so nobody is to get it: its host stays out of scheduling. *err
 * may say why already.
 */
static int hold(struct gpu_seat *b, bool has_scheduling, const char *what,
		struct err *err)
{
	const char *dir = b->s->dir, *host = b->host->name;
	struct err why = ERR_INIT;
	struct provisioner *p;
	char *was = NULL, *text;

	p = has_scheduling ? gpu_seat_platform(b, &why) : NULL;
	if (!has_scheduling)
		text = x_asprintf("'tare clean %s' has to put back %s on the machine of "
				  "'%s'",
				  dir, what, b->host->arm->name);
	else if (p && !provisioner_host_reserve(p, host, &was, &why))
		text = x_asprintf("host '%s' stays out of scheduling until 'tare clean "
				  "%s' has put back %s",
				  host, dir, what);
	else
		text = x_asprintf("host '%s' could not be taken out of scheduling (%s), "
				  "and 'tare clean %s' has to put back %s",
				  host, why.text, dir, what);
	if (err->kind == ERR_NONE)
		err_set(err, ERR_ENVIRONMENT, "%s", text);
	else
		err_wrap(err, "%s", text);
	free(was);
	free(text);
	return -1;
}

/* "the driver of 0008:01:00.0, 0009:01:00.0"; free() */
static char *drivers_of(struct json_object *before)
{
	struct buf b;

	buf_init(&b, 512);
	buf_puts(&b, "the driver of ");
	for (size_t i = 0; i < json_object_array_length(before); i++)
		buf_printf(&b, "%s%s", i ? ", " : "",
			   json_get_text(json_object_array_get_idx(before, i), "address",
					 "?"));
	return buf_detach(&b);
}

/*
 * While a GPU is cut nothing of its host changes: what keeps its layout often keeps its
 * driver, and MIG is put back by the driver that it has.
 */
static int put_back(struct gpu_seat *b, struct json_object *taken, struct err *err)
{
	struct json_object *before = json_member(taken, "devices");
	struct json_object *scheduling = json_member(taken, "scheduling");
	const char *cut = find_cut(b->s, b->host);
	struct provisioner *p;
	char *what = NULL;
	int rc = 0;

	if (cut)
		what = x_asprintf("the MIG layout of %s", cut);
	else if (gpu_seat_open(b, err) || put_back_gpus(b, before, scheduling, err))
		what = drivers_of(before);
	if (what) {
		rc = hold(b, scheduling, what, err);
	} else if (scheduling) {
		p = gpu_seat_platform(b, err);
		if (!p || provisioner_host_restore(
				  p, b->host->name,
				  json_get_text(scheduling, "was", "enabled"), err))
			rc = err_wrap(err,
				      "'tare clean %s' has to put back the scheduling of "
				      "host '%s'",
				      b->s->dir, b->host->name);
	}
	free(what);
	return rc;
}

static int restore_one(struct session *s, struct json_object *taken, struct err *err)
{
	const char *name = json_get_text(taken, "host_arm", "");
	const struct arm *arm = plan_arm(s->plan, name);
	struct gpu_seat b = {.s = s, .at = {.arm = name}};
	struct err why = ERR_INIT;
	struct stage st;
	int rc;

	if (!arm || !arm->gpu_host)
		return err_set(
			err, ERR_USAGE,
			"the plan has no arm '%s' whose GPU changes hands any more",
			name);
	b.host = arm->gpu_host;
	/* A journal that takes no more must not keep a GPU from its host. */
	rc = stage_begin(&st, s, STEP_BIND, &b.at, gpu_change_json("restore", b.host),
			 err);
	rc = first_failure(rc, put_back(&b, taken, &why), &why, err);
	gpu_seat_close(&b);
	return stage_end(&st, rc, gpu_change_json("restore", b.host), err);
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
			gpu_taken_remove(s, name);
			s->restored++;
		} else {
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
			gpu_taken_add(s, e->data);
		if (e->event == JOURNAL_END && strcmp(action, "restore") == 0)
			gpu_taken_remove(s, json_get_text(e->data, "host_arm", ""));
	}
	journal_entries_release(&past);
	return 0;
}
