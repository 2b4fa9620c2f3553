#include "harness/run/gpu_driver.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/run/arm_target.h"
#include "harness/run/probe_call.h"

#include <stdlib.h>
#include <string.h>

/* One host while the drivers of its GPUs are looked at or changed, by tare-probe there. */
struct host_access {
	struct session *s;
	const struct gpu_host *host;
	struct step_at at;
	struct target *target; /* NULL until host_reach() */
};

static int host_reach(struct host_access *a, struct err *err)
{
	a->target = arm_target_open(a->host->arm, NULL, err);
	return a->target ? 0 : err_wrap(err, "arm '%s'", a->host->arm->name);
}

static void host_leave(struct host_access *a)
{
	struct err err = ERR_INIT;

	if (target_close(a->target, &err))
		log_warn("%s", err.text);
}

/* tare-probe with these options (NULL ends them) on these devices; *ret: tare.binding/1 */
static int host_probe(struct host_access *a, const char *const *options,
		      const struct strvec *addresses, struct json_object **ret,
		      struct err *err)
{
	struct strvec args = {0};
	int rc;

	strvec_add_all(&args, options);
	for (size_t i = 0; i < addresses->nr; i++)
		strvec_addf(&args, "--device=%s", addresses->items[i]);
	rc = probe_call(a->s, a->target, strvec_argv(&args), EXIT_PASS, ret, err);
	strvec_release(&args);
	return rc;
}

/* The GPUs as they are now; host_state_release() unless -1. */
static int host_look(struct host_access *a, const struct strvec *addresses,
		     struct host_state *ret, struct err *err)
{
	static const char *const options[] = {"--binding", NULL};
	struct json_object *document;

	*ret = (struct host_state){0};
	if (host_probe(a, options, addresses, &document, err))
		return -1;
	host_state_read_gpus(ret, json_member(document, "devices"));
	json_object_put(document);
	if (ret->gpus_nr == addresses->nr)
		return 0;
	host_state_release(ret);
	return err_set(err, ERR_INTERNAL,
		       "tare-probe did not tell every device's driver");
}

/* What places machines on this host, where host->name is one; NULL on failure. */
static struct provisioner *host_platform(struct host_access *a, struct err *err)
{
	return session_provisioner(a->s, a->host->provisioner, err);
}

/* ---- the journal's steps ---- */

static struct json_object *change_json(const char *action, const struct gpu_host *h)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "action", action);
	json_put_text(o, "host_arm", h->arm->name);
	return o;
}

static int step_begin(struct journal_step *st, struct host_access *a, const char *action,
		      const char *key, const char *value, struct err *err)
{
	struct json_object *data = change_json(action, a->host);

	if (key)
		json_put_text(data, key, value);
	return journal_step_begin(st, a->s->journal, STEP_BIND, &a->at, data, err);
}

/* Nobody places a machine on it from now on. */
static int reserve(struct host_access *a, struct err *err)
{
	struct provisioner *p = host_platform(a, err);
	char *was = NULL;
	int rc = p ? provisioner_host_reserve(p, a->host->name, &was, err) : -1;

	free(was);
	return rc;
}

static int enable(struct host_access *a, const char *was, struct err *err)
{
	struct provisioner *p = host_platform(a, err);

	return p ? provisioner_host_restore(p, a->host->name, was, err) : -1;
}

/* 'was': scheduled as it was before; NULL: reserved. */
static int scheduling_step(struct host_access *a, const char *was, struct err *err)
{
	const char *action = was ? "enable" : "reserve";
	struct journal_step st;
	int rc;

	if (step_begin(&st, a, action, "host", a->host->name, err))
		return -1;
	rc = was ? enable(a, was, err) : reserve(a, err);
	return journal_step_end(&st, rc, change_json(action, a->host), err);
}

static int bind_step(struct host_access *a, const char *driver, struct err *err)
{
	const char *options[] = {"--bind", driver, NULL};
	struct json_object *data, *document = NULL;
	struct journal_step st;
	int rc;

	if (step_begin(&st, a, "bind", "driver", driver, err))
		return -1;
	rc = host_probe(a, options, &a->host->gpus, &document, err);
	data = change_json("bind", a->host);
	json_put_text(data, "driver", driver);
	if (document)
		json_put(data, "binding", document);
	return journal_step_end(&st, rc, data, err);
}

/* ---- before an arm's turn ---- */

static size_t find_changed(const struct session *s, const char *host_arm)
{
	size_t i = 0;

	while (i < s->changed_nr && strcmp(s->changed[i].host_arm, host_arm) != 0)
		i++;
	return i;
}

/* "the driver of 0008:01:00.0, 0009:01:00.0"; free() */
static char *drivers_of(const struct host_state *before)
{
	struct buf b;

	buf_init(&b, 512);
	buf_puts(&b, "the driver of ");
	for (size_t i = 0; i < before->gpus_nr; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", before->gpus[i].address);
	return buf_detach(&b);
}

/* 'state' is the session's from now on, which says what a third signal would leave. */
static void add_changed(struct session *s, const struct host_state *state)
{
	char *what = drivers_of(state);

	GROW(s->changed, s->changed_nr, s->changed_alloc);
	s->changed[s->changed_nr] = *state;
	s->changed[s->changed_nr++].leaves =
		stop_leaves_begin("%s on the machine of '%s', which is not what it was",
				  what, state->host_arm);
	free(what);
}

static void remove_changed(struct session *s, size_t i)
{
	host_state_release(&s->changed[i]);
	memmove(&s->changed[i], &s->changed[i + 1],
		(--s->changed_nr - i) * sizeof(*s->changed));
}

/* On disk before anything is changed. Takes 'now' over, unless -1. */
static int take(struct host_access *a, struct host_state *now, struct err *err)
{
	struct provisioner *p;

	now->host_arm = x_strdup(a->host->arm->name);
	if (a->host->name) {
		p = host_platform(a, err);
		if (!p || provisioner_host_state(p, a->host->name, &now->scheduling, err))
			return -1;
	}
	if (journal_write(a->s->journal, JOURNAL_NOTE, STEP_BIND, &a->at,
			  host_state_to_json(now, a->host), err))
		return -1;
	add_changed(a->s, now);
	*now = (struct host_state){0};
	return 0;
}

static bool has_driver(const struct host_state *now, int driver)
{
	for (size_t i = 0; i < now->gpus_nr; i++) {
		const char *is = now->gpus[i].driver;

		if (driver == ARM_DRIVER_VFIO ? !strstr(is, "vfio")
					      : strcmp(is, "nvidia") != 0)
			return false;
	}
	return true;
}

static int prepare(struct host_access *a, const struct arm *arm, struct err *err)
{
	bool is_first = find_changed(a->s, a->host->arm->name) == a->s->changed_nr, has;
	const char *was;
	struct host_state now;
	int rc = 0;

	if (host_look(a, &a->host->gpus, &now, err))
		return -1;
	has = has_driver(&now, arm->driver);
	if (is_first)
		rc = take(a, &now, err);
	host_state_release(&now);
	if (rc || (a->host->name && (arm->target != ARM_VM || !has) &&
		   scheduling_step(a, NULL, err)))
		return -1;
	if (bind_step(a, arm->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia", err))
		return -1;
	was = a->s->changed[find_changed(a->s, a->host->arm->name)].scheduling;
	return arm->target == ARM_VM && was ? scheduling_step(a, was, err) : 0;
}

int gpu_driver_prepare(struct session *s, int round, const struct arm *arm,
		       struct err *err)
{
	struct host_access a = {
		.s = s, .host = arm->gpu_host, .at = {.round = round, .arm = arm->name}};
	int rc;

	if (!a.host)
		return 0;
	log_info("round %d, %s: its GPU goes to %s on the machine of '%s'", round,
		 arm->name, arm->driver == ARM_DRIVER_VFIO ? "vfio" : "the host's driver",
		 a.host->arm->name);
	rc = host_reach(&a, err) || prepare(&a, arm, err);
	host_leave(&a);
	return rc ? err_wrap(err, "binding") : 0;
}

/* ---- back: drivers, then the scheduling of their hosts ---- */

static bool is_as_before(const struct host_state *before, const struct host_state *now)
{
	for (size_t i = 0; i < before->gpus_nr; i++)
		if (!gpu_state_is_same(&before->gpus[i], &now->gpus[i]))
			return false;
	return true;
}

/* One call for all GPUs that had this driver: those of one IOMMU group must change
 * together. */
static int put_back_like(struct host_access *a, const struct host_state *before,
			 const struct gpu_state *like, struct err *err)
{
	const char *options[] = {"--bind", like->driver, "--override", like->override,
				 NULL};
	struct json_object *document = NULL;
	struct strvec same = {0};
	int rc;

	for (size_t i = 0; i < before->gpus_nr; i++)
		if (gpu_state_is_same(&before->gpus[i], like))
			strvec_add(&same, before->gpus[i].address);
	rc = host_probe(a, options, &same, &document, err);
	json_object_put(document);
	strvec_release(&same);
	return rc;
}

static int put_back_drivers(struct host_access *a, const struct host_state *before,
			    struct err *err)
{
	for (size_t i = 0; i < before->gpus_nr; i++) {
		size_t first = 0;

		while (!gpu_state_is_same(&before->gpus[first], &before->gpus[i]))
			first++;
		if (first == i && put_back_like(a, before, &before->gpus[i], err))
			return -1;
	}
	return 0;
}

/* No machine may come between the change of driver and the end of the reservation. */
static int put_back_gpus(struct host_access *a, const struct host_state *before,
			 struct err *err)
{
	struct strvec addresses = {0};
	struct host_state now;
	int rc;

	for (size_t i = 0; i < before->gpus_nr; i++)
		strvec_add(&addresses, before->gpus[i].address);
	rc = host_look(a, &addresses, &now, err);
	strvec_release(&addresses);
	if (rc)
		return -1;
	if (!is_as_before(before, &now))
		rc = (before->scheduling && reserve(a, err)) ||
		     put_back_drivers(a, before, err);
	host_state_release(&now);
	return rc ? -1 : 0;
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
	for (size_t i = 0; i < s->plan->arms_nr; i++)
		if (s->cut[i] && is_machine_of(&s->plan->arms[i], h))
			return s->cut[i];
	return NULL;
}

/*
 * 'what' is not as before, so nobody is to get it: its host stays out of scheduling. *err
 * may say why already.
 */
static int hold(struct host_access *a, bool has_scheduling, const char *what,
		struct err *err)
{
	const char *dir = a->s->dir, *host = a->host->name;
	struct err why = ERR_INIT;
	char *text;

	if (!has_scheduling)
		text = x_asprintf(
			"'tare clean %s' has to put back %s on the machine of '%s'", dir,
			what, a->host->arm->name);
	else if (!reserve(a, &why))
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
	free(text);
	return -1;
}

/*
 * While a GPU is cut nothing of its host changes: what keeps its layout often keeps its
 * driver, and MIG is put back by the driver that it has.
 */
static int put_back(struct host_access *a, const struct host_state *before,
		    struct err *err)
{
	const char *cut = find_cut(a->s, a->host);
	char *what = NULL;
	int rc = 0;

	if (cut)
		what = x_asprintf("the MIG layout of %s", cut);
	else if (host_reach(a, err) || put_back_gpus(a, before, err))
		what = drivers_of(before);
	if (what)
		rc = hold(a, before->scheduling, what, err);
	else if (before->scheduling && enable(a, before->scheduling, err))
		rc = err_wrap(
			err,
			"'tare clean %s' has to put back the scheduling of host '%s'",
			a->s->dir, a->host->name);
	free(what);
	return rc;
}

static int restore_one(struct session *s, const struct host_state *before,
		       struct err *err)
{
	const struct arm *arm = plan_arm(s->plan, before->host_arm);
	struct host_access a = {.s = s, .at = {.arm = before->host_arm}};
	struct err why = ERR_INIT;
	struct journal_step st;
	int rc;

	if (!arm || !arm->gpu_host)
		return err_set(
			err, ERR_USAGE,
			"the plan has no arm '%s' whose GPU changes hands any more",
			before->host_arm);
	a.host = arm->gpu_host;
	/* A journal that takes no more must not keep a GPU from its host. */
	rc = step_begin(&st, &a, "restore", NULL, NULL, err);
	stop_shield_begin();
	rc = first_failure(rc, put_back(&a, before, &why), &why, err);
	host_leave(&a);
	stop_shield_end();
	return journal_step_end(&st, rc, change_json("restore", a.host), err);
}

int gpu_driver_restore(struct session *s, size_t *ret_nr, struct err *err)
{
	size_t nr = 0;
	int rc = 0;

	for (size_t i = s->changed_nr; i-- > 0;) {
		struct err one = ERR_INIT;

		if (restore_one(s, &s->changed[i], &one)) {
			rc = first_failure(rc, -1, &one, err);
			continue;
		}
		log_info("the GPUs of '%s' have the driver that they had",
			 s->changed[i].host_arm);
		remove_changed(s, i);
		nr++;
	}
	if (ret_nr)
		*ret_nr = nr;
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
		size_t at = find_changed(s, json_get_text(e->data, "host_arm", ""));
		struct host_state state;

		if (e->step != STEP_BIND)
			continue;
		if (e->event == JOURNAL_NOTE && strcmp(action, "take") == 0) {
			host_state_read(&state, e->data);
			add_changed(s, &state);
		} else if (e->event == JOURNAL_END && strcmp(action, "restore") == 0 &&
			   at < s->changed_nr) {
			remove_changed(s, at);
		}
	}
	journal_entries_release(&past);
	return 0;
}
