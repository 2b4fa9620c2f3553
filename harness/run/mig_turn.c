#include "harness/run/mig_turn.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/run/arm_lease.h"
#include "harness/run/arm_target.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/measure.h"
#include "harness/run/probe_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one step, in a turn or after a crash ---- */

/* The journal's MIG step of one GPU, and tare-probe on its machine. */
struct mig_step {
	struct session *s;
	struct step_at at;
	struct target *target;
	bool stays; /* not made for the run, so still there when the run is over */
	struct stop_leaves *leaves; /* while the step is open, or NULL */
};

/* Its document, tare.mig/1, with the GPU as it is afterwards; NULL on failure. */
static struct json_object *mig_ask(struct mig_step *m, const char *const *options,
				   const char *gpu, struct err *err)
{
	struct json_object *document = NULL;
	struct strvec args = {0};

	strvec_add_all(&args, options);
	if (gpu)
		strvec_addf(&args, "--device=%s", gpu);
	if (probe_call(m->s, m->target, strvec_argv(&args), EXIT_PASS, &document, err))
		err_wrap(err, "MIG");
	strvec_release(&args);
	return document;
}

/*
 * The end of the step: 'rc' and *err as they came out. Between begin and end, so that
 * whoever reads the journal knows what is still open; the session knows too.
 */
static int mig_step_close(struct mig_step *m, int rc, const char *gpu, struct err *err)
{
	struct json_object *data = json_object_new_object();
	size_t arm = (size_t)(plan_arm(m->s->plan, m->at.arm) - m->s->plan->arms);
	struct err later = ERR_INIT;

	stop_leaves_end(m->leaves);
	if (m->stays) {
		free(m->s->cut[arm]);
		m->s->cut[arm] = rc ? x_strdup(gpu) : NULL;
	}
	json_put_text(data, "gpu", gpu);
	if (rc)
		json_put_text(data, "error", err->text);
	if (journal_write(m->s->journal, rc ? JOURNAL_FAIL : JOURNAL_END, STEP_MIG,
			  &m->at, data, &later) == 0)
		return rc;
	if (!rc)
		*err = later;
	return -1;
}

/* Puts a layout back and ends the step. -1: the GPU is not as before. */
static int mig_put_back(struct mig_step *m, struct json_object *before, struct err *err)
{
	char *layout = x_asprintf("--layout=%s", json_line(before));
	const char *options[] = {"--mig=restore", layout, "--patience=120", NULL};
	const char *gpu = json_get_text(before, "gpu", "?");
	struct json_object *document;
	int rc = 0;

	stop_shield_begin();
	document = mig_ask(m, options, NULL, err);
	stop_shield_end();
	free(layout);
	if (!document)
		rc = err_wrap(err, "the MIG layout of %s is not as before", gpu);
	json_object_put(document);
	return mig_step_close(m, rc, gpu, err);
}

/* ---- a turn: what there is and what is wanted ---- */

struct mig_turn {
	struct mig_step step;
	const struct arm *arm;
	const char *route;
	struct json_object *gpu;    /* one of tare.mig/1's 'gpus', as it was found */
	struct json_object *before; /* its layout, borrowed from 'gpu' */
	struct strvec profiles;     /* asked for; "": the whole GPU */
	struct strvec suffixes;
	struct gpu_part part; /* made last */
};

static const char *uuid_of(const struct mig_turn *m)
{
	return json_get_text(m->gpu, "uuid", "");
}

static int take_gpu(struct mig_turn *m, struct json_object *document, struct err *err)
{
	struct json_object *gpus = json_member(document, "gpus");
	size_t nr = json_length(gpus);

	if (nr != 1)
		return err_set(err, nr ? ERR_USAGE : ERR_ENVIRONMENT,
			       nr ? "the machine has %zu GPUs: the plan says which with "
				    "\"mig\": {\"gpu\": UUID}"
				  : "the driver shows %zu GPUs",
			       nr);
	m->gpu = json_object_get(json_object_array_get_idx(gpus, 0));
	m->before = json_member(m->gpu, "layout");
	if (!m->before)
		return err_set(err, ERR_ENVIRONMENT, "%s: MIG: %s", uuid_of(m),
			       json_get_text(m->gpu, "why_no_layout", "unknown"));
	return 0;
}

static void want(struct mig_turn *m, const char *profile, const char *suffix)
{
	strvec_add(&m->profiles, profile);
	strvec_add(&m->suffixes, suffix);
}

static void want_parts(struct mig_turn *m)
{
	struct json_object *list = json_member(m->gpu, "profiles");
	char slices[24];

	if (!m->arm->mig.is_all) {
		snprintf(slices, sizeof(slices), "%lld", (long long)m->arm->mig.slices);
		want(m, m->arm->mig.profile ? m->arm->mig.profile : slices, "");
		return;
	}
	want(m, "", "");
	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);
		const char *name = json_get_text(p, "name", "");
		char *suffix = x_asprintf("@%s", name);

		/* Becomes part of file names. */
		for (char *c = suffix; *c; c++)
			if (*c == '/' || *c == ' ')
				*c = '-';
		if (*name && json_get_int(p, "instances", 0) > 0)
			want(m, name, suffix);
		free(suffix);
	}
}

static struct json_object *profile_of(struct json_object *gpu, const char *name)
{
	struct json_object *list = json_member(gpu, "profiles");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		if (strcmp(json_get_text(p, "name", ""), name) == 0)
			return p;
	}
	return NULL;
}

/* A machine made for the run is a guest; one that ran before says itself what it is. */
static const char *route_of(const struct lease_info *lease, struct json_object *facts)
{
	const char *kind =
		json_get_text(json_member(facts, "hypervisor"), "kind", "none");
	bool is_made = lease && lease->boot_ns;

	return is_made || strcmp(kind, "none") != 0 ? "guest" : "host";
}

/* ---- the journal ---- */

static struct json_object *begin_json(const struct mig_turn *m,
				      const struct lease_info *lease)
{
	struct json_object *o = json_object_new_object();
	struct json_object *parts = json_object_new_array();

	for (size_t i = 0; i < m->suffixes.nr; i++)
		json_object_array_add(parts,
				      json_object_new_string(m->suffixes.items[i]));
	json_put_text(o, "gpu", uuid_of(m));
	json_put_text(o, "route", m->route);
	json_put(o, "before", json_object_get(m->before));
	json_put(o, "parts", parts);
	/* A machine made for the run goes away, and its GPU is reset when it does. */
	json_put_bool(o, "stays", m->step.stays);
	/* How one that stays is reached again after a crash. */
	json_put(o, "lease", lease && !lease->boot_ns ? arm_lease_json(lease) : NULL);
	return o;
}

/* ---- a turn ---- */

static void turn_free(struct mig_turn *m)
{
	gpu_part_release(&m->part);
	strvec_release(&m->profiles);
	strvec_release(&m->suffixes);
	json_object_put(m->gpu);
	free(m);
}

static int look(struct mig_turn *m, struct err *err)
{
	static const char *const options[] = {"--mig=list", NULL};
	struct json_object *document;
	int rc;

	document = mig_ask(&m->step, options, m->arm->mig.gpu, err);
	rc = document ? take_gpu(m, document, err) : -1;
	json_object_put(document);
	return rc;
}

struct mig_turn *mig_turn_begin(struct session *s, const struct step_at *at,
				const struct arm *arm, struct target *target,
				const struct lease_info *lease, struct json_object *facts,
				struct err *err)
{
	struct mig_turn *m = x_calloc(1, sizeof(*m));

	*m = (struct mig_turn){.step = {.s = s,
					.at = *at,
					.target = target,
					.stays = !lease || !lease->boot_ns},
			       .arm = arm,
			       .route = route_of(lease, facts)};
	if (!look(m, err)) {
		want_parts(m);
		m->step.leaves = stop_leaves_begin("the MIG layout of %s on the machine "
						   "of '%s', which is not what it was",
						   uuid_of(m), arm->name);
		if (!journal_write(s->journal, JOURNAL_BEGIN, STEP_MIG, &m->step.at,
				   begin_json(m, lease), err))
			return m;
		stop_leaves_end(m->step.leaves);
	}
	turn_free(m);
	return NULL;
}

size_t mig_turn_parts(const struct mig_turn *m)
{
	return m->profiles.nr;
}

const char *mig_turn_suffix(const struct mig_turn *m, size_t i)
{
	return m->suffixes.items[i];
}

static struct json_object *part_facts(const struct mig_turn *m, struct json_object *made)
{
	const char *name = json_get_text(made, "profile", NULL);
	struct json_object *p = name ? profile_of(m->gpu, name) : NULL;
	struct json_object *o = json_object_new_object();
	int64_t whole = json_get_int(m->gpu, "multiprocessors", 0);
	int64_t here = p ? json_get_int(p, "multiprocessors", 0) : whole;

	json_put_text(o, "route", made ? m->route : NULL);
	json_put_text(o, "profile", name);
	json_put(o, "slices",
		 p ? json_object_new_int64(json_get_int(p, "slices", 0)) : NULL);
	json_put(o, "multiprocessors", here ? json_object_new_int64(here) : NULL);
	json_put(o, "gpu_multiprocessors", whole ? json_object_new_int64(whole) : NULL);
	json_put(o, "memory_bytes",
		 p ? json_object_new_int64(json_get_int(p, "memory_bytes", 0)) : NULL);
	json_put_text(o, "device", json_get_text(made, "uuid", NULL));
	json_put_text(o, "gpu", uuid_of(m));
	return o;
}

/* 'document': after the action. The only instance, or NULL for the whole GPU. */
static int take_made(struct mig_turn *m, size_t i, struct json_object *document,
		     struct err *err)
{
	struct json_object *made = json_at(document, "gpus/0/layout/instances/0");
	const char *device = json_get_text(made, "uuid", NULL);
	bool is_whole = !*m->profiles.items[i];

	if (is_whole ? made != NULL : !device)
		return err_set(err, ERR_ENVIRONMENT,
			       is_whole ? "%s still has MIG instances"
					: "%s: a MIG instance was made and no MIG device "
					  "appeared for it; is /dev/nvidia-caps there?",
			       uuid_of(m));
	m->part = (struct gpu_part){
		.suffix = x_strdup(m->suffixes.items[i]),
		.device = x_strdup(is_whole ? uuid_of(m) : device),
		.facts = part_facts(m, made),
		.has_whole = m->arm->mig.is_all,
	};
	return 0;
}

static int make(struct mig_turn *m, size_t i, struct err *err)
{
	const char *profile = m->profiles.items[i];
	const char *whole[] = {"--mig=clear", "--switch-mode", "--patience=30", NULL};
	const char *part[] = {"--mig=apply", "--switch-mode", "--patience=30",
			      "--profile",   profile,         NULL};
	struct json_object *document =
		mig_ask(&m->step, *profile ? part : whole, uuid_of(m), err);
	int rc = document ? take_made(m, i, document, err) : -1;

	json_object_put(document);
	return rc;
}

const struct gpu_part *mig_turn_make(struct mig_turn *m, size_t i, struct err *err)
{
	struct json_object *data = json_object_new_object();
	const char *profile = m->profiles.items[i];
	struct journal_step st;
	int rc;

	gpu_part_release(&m->part);
	json_put_text(data, "profile", *profile ? profile : NULL);
	if (journal_step_begin(&st, m->step.s->journal, STEP_SLICE, &m->step.at, data,
			       err))
		return NULL;
	log_info("round %d, %s: %s%s", m->step.at.round, m->step.at.arm,
		 *profile ? "MIG " : "the whole GPU", profile);
	rc = make(m, i, err);
	data = json_object_new_object();
	if (!rc) {
		json_put_text(data, "profile",
			      json_get_text(m->part.facts, "profile", NULL));
		json_put_text(data, "uuid", m->part.device);
	}
	return journal_step_end(&st, rc, data, err) ? NULL : &m->part;
}

int mig_turn_end(struct mig_turn *m, struct err *err)
{
	int rc;

	if (!m)
		return 0;
	rc = mig_put_back(&m->step, m->before, err);
	turn_free(m);
	return rc;
}

/* ---- after a crash, from the journal alone ---- */

/* The last MIG step that an arm began, if it has not ended. */
static const struct journal_entry *find_open(const struct journal_entries *past,
					     const char *arm)
{
	const struct journal_entry *open = NULL;

	for (size_t i = 0; i < past->nr; i++) {
		const struct journal_entry *e = &past->items[i];

		if (e->step != STEP_MIG || strcmp(e->arm, arm) != 0)
			continue;
		if (e->event == JOURNAL_BEGIN)
			open = e;
		else if (e->event == JOURNAL_END)
			open = NULL;
	}
	return open;
}

/* As struct mig_step has it. */
static bool stays(const struct journal_entry *e)
{
	return json_get_bool(e->data, "stays", true);
}

/* On a machine that cannot be reached nothing is put back: that is a failed step too. */
static int recall_on(struct mig_step *m, struct json_object *data, struct err *err)
{
	if (!m->target)
		return mig_step_close(m, -1, json_get_text(data, "gpu", "?"), err);
	return mig_put_back(m, json_member(data, "before"), err);
}

static int recall(struct session *s, const struct arm *arm, const struct journal_entry *e,
		  struct err *err)
{
	struct json_object *lease = json_member(e->data, "lease");
	const struct lease_info info = {
		.address = json_get_text(lease, "address", NULL),
		.port = (uint16_t)json_get_int(lease, "port", 0),
		.user = json_get_text(lease, "user", NULL),
		.key_file = json_get_text(lease, "key_file", NULL),
		.host_key_sha256 = json_get_text(lease, "host_key_sha256", NULL),
	};
	struct mig_step m = {
		.s = s, .at = {.round = e->round, .arm = arm->name}, .stays = stays(e)};
	const char *gpu = json_get_text(e->data, "gpu", "?");
	struct err later = ERR_INIT;
	int rc;

	/* What was lent for the run is gone, or goes away, and its GPU is reset. */
	if (!m.stays)
		return mig_step_close(&m, 0, gpu, err);
	/* Only the host's own driver shows MIG, and the GPU may have gone back to vfio. */
	if (arm->driver == ARM_DRIVER_NVIDIA && arm->target != ARM_VM &&
	    gpu_driver_prepare(s, e->round, arm, err))
		return mig_step_close(&m, -1, gpu, err);
	m.target = arm_target_open(arm, lease ? &info : NULL, err);
	rc = recall_on(&m, e->data, err);
	if (target_close(m.target, &later))
		log_warn("%s", later.text);
	if (!rc)
		log_info("arm '%s': the MIG layout of %s is as before", arm->name, gpu);
	return rc;
}

int mig_turn_recall(struct session *s, size_t *ret_nr, struct strvec *ret_kept,
		    struct err *err)
{
	struct journal_entries past;
	int rc = 0;

	*ret_nr = 0;
	if (journal_read(&past, s->dir, err))
		return -1;
	for (size_t i = 0; i < s->plan->arms_nr; i++) {
		const struct arm *arm = &s->plan->arms[i];
		const struct journal_entry *e = find_open(&past, arm->name);
		struct err one = ERR_INIT;

		if (!e)
			continue;
		/* One that does not answer must not keep the others as they are. */
		if (recall(s, arm, e, &one)) {
			err_wrap(&one, "arm '%s'", arm->name);
			rc = first_failure(rc, -1, &one, err);
			/* Whoever had its machine next would find the GPU cut. */
			if (arm->target == ARM_VM && stays(e))
				strvec_add(ret_kept, arm->provisioner);
		} else {
			(*ret_nr)++;
		}
	}
	journal_entries_release(&past);
	return rc;
}

/* ---- what is measured already ---- */

bool mig_turn_is_measured(const struct session *s, int round, const struct arm *arm,
			  const char *workload)
{
	const struct journal_entry *begun;
	struct json_object *parts;
	struct journal_entries past;
	bool is = measure_is_done(s, round, arm->name, workload, "");

	if (!is || !arm->mig.is_all || journal_read(&past, s->dir, NULL))
		return is;
	begun = journal_last(&past, JOURNAL_BEGIN, STEP_MIG, arm->name);
	parts = begun ? json_member(begun->data, "parts") : NULL;
	for (size_t i = 0; is && i < json_length(parts); i++)
		is = measure_is_done(
			s, round, arm->name, workload,
			json_object_get_string(json_object_array_get_idx(parts, i)));
	journal_entries_release(&past);
	return is;
}
