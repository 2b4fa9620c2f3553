#include "harness/run/mig_turn.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "harness/run/mig_action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mig_turn {
	struct mig_seat seat;
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

/* ---- what there is and what is wanted ---- */

static int take_gpu(struct mig_turn *m, struct json_object *document, struct err *err)
{
	struct json_object *gpus = json_member(document, "gpus");
	size_t nr = gpus ? json_object_array_length(gpus) : 0;

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
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
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

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
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

/* How the machine is reached again after a crash; only one that is still there then. */
static struct json_object *lease_json(const struct lease_info *lease)
{
	struct json_object *o;

	if (!lease || lease->boot_ns)
		return NULL;
	o = json_object_new_object();
	json_put_text(o, "address", lease->address);
	json_put_int(o, "port", lease->port);
	json_put_text(o, "user", lease->user);
	json_put_text(o, "key_file", lease->key_file);
	json_put_text(o, "host_key_sha256", lease->host_key_sha256);
	return o;
}

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
	json_put_bool(o, "stays", m->seat.stays);
	json_put(o, "lease", lease_json(lease));
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

	document = mig_ask(&m->seat, options, m->arm->mig.gpu, err);
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

	*m = (struct mig_turn){.seat = {.s = s,
					.at = *at,
					.target = target,
					.stays = !lease || !lease->boot_ns},
			       .arm = arm,
			       .route = route_of(lease, facts)};
	if (!look(m, err)) {
		want_parts(m);
		if (!journal_write(s->journal, JOURNAL_BEGIN, STEP_MIG, &m->seat.at,
				   begin_json(m, lease), err))
			return m;
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
		mig_ask(&m->seat, *profile ? part : whole, uuid_of(m), err);
	int rc = document ? take_made(m, i, document, err) : -1;

	json_object_put(document);
	return rc;
}

const struct gpu_part *mig_turn_make(struct mig_turn *m, size_t i, struct err *err)
{
	struct json_object *data = json_object_new_object();
	const char *profile = m->profiles.items[i];
	struct stage st;
	int rc;

	gpu_part_release(&m->part);
	json_put_text(data, "profile", *profile ? profile : NULL);
	if (stage_begin(&st, m->seat.s, STEP_SLICE, &m->seat.at, data, err))
		return NULL;
	log_info("round %d, %s: %s%s", m->seat.at.round, m->seat.at.arm,
		 *profile ? "MIG " : "the whole GPU", profile);
	rc = make(m, i, err);
	data = json_object_new_object();
	if (!rc) {
		json_put_text(data, "profile",
			      json_get_text(m->part.facts, "profile", NULL));
		json_put_text(data, "uuid", m->part.device);
	}
	return stage_end(&st, rc, data, err) ? NULL : &m->part;
}

int mig_turn_end(struct mig_turn *m, struct err *err)
{
	int rc;

	if (!m)
		return 0;
	rc = mig_put_back(&m->seat, m->before, err);
	turn_free(m);
	return rc;
}
