#include "harness/run/arm_turn.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/result.h"
#include "core/document/run_directory.h"
#include "core/base/stop.h"
#include "harness/run/arm_check.h"
#include "harness/run/arm_lease.h"
#include "harness/run/arm_target.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/measure.h"
#include "harness/run/mig_turn.h"
#include "harness/run/probe_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct metric_def boot_metric = {
	.name = "lease.boot_time",
	.unit = "s",
	.better = METRIC_LOWER,
	.gate = false,
	.help = "From asking for the machine to its first answer on the SSH port.",
};

/* What an arm's turn holds; each part is given back in reverse. */
struct turn {
	struct session *s;
	const struct arm *arm;
	struct step_at at;
	struct lease *lease;
	struct target *target;
	struct json_object *facts; /* of its machine, tare.machine/1 */
	struct mig_turn *mig;      /* its GPU is cut, or about to be */
};

/* Boot time is a result in its own right: it is stored as one. */
static int store_boot(struct turn *t, const struct lease_info *info, struct err *err)
{
	char *path = rundir_result_path(t->s->dir, t->at.round, t->arm->name, "lease");
	struct result r;
	struct samples boot;
	int rc;

	result_init(&r, "tare", "lease", "lease");
	r.arm = x_strdup(t->arm->name);
	r.round = t->at.round;
	samples_init(&boot, &boot_metric);
	samples_add(&boot, (double)info->boot_ns / 1e9);
	result_add_metric(&r, &boot);
	if (info->facts)
		json_put(r.details, "lease", json_object_get(info->facts));
	rc = result_write(&r, path, err);
	result_release(&r);
	free(path);
	return rc;
}

static int take_lease(struct turn *t, struct err *err)
{
	char *label = x_asprintf("r%03d-%s", t->at.round, t->arm->name);
	int rc = arm_lease_take(t->s, &t->at, t->arm, label, &t->lease, err);

	free(label);
	if (!rc && lease_info(t->lease)->boot_ns)
		rc = store_boot(t, lease_info(t->lease), err);
	return rc;
}

static int reach(struct turn *t, struct err *err)
{
	struct json_object *data;
	const char *workdir = NULL;
	struct journal_step st;
	int rc = -1;

	if (journal_step_begin(&st, t->s->journal, STEP_REACH, &t->at, NULL, err))
		return -1;
	t->target = arm_target_open(t->arm, t->lease ? lease_info(t->lease) : NULL, err);
	if (t->target)
		workdir = target_workdir(t->target, err);
	data = json_object_new_object();
	if (workdir) {
		json_put_text(data, "target", target_name(t->target));
		json_put_text(data, "workdir", workdir);
		rc = 0;
	}
	return journal_step_end(&st, rc, data, err);
}

static int probe(struct turn *t, struct err *err)
{
	static const char *const args[] = {"--json", NULL};
	struct json_object *facts;
	char *path;
	int rc;

	if (probe_call(t->s, t->target, args, EXIT_PASS, &facts, err))
		return -1;
	path = rundir_machine_path(t->s->dir, t->at.round, t->arm->name);
	rc = json_write_file(path, facts, 0644, err);
	if (!rc)
		rc = arm_check_driver(t->arm, facts, err);
	t->facts = facts;
	free(path);
	return rc;
}

static int probe_stage(struct turn *t, struct err *err)
{
	struct journal_step st;

	if (journal_step_begin(&st, t->s->journal, STEP_PROBE, &t->at, NULL, err))
		return -1;
	return journal_step_end(&st, probe(t, err), NULL, err);
}

/* Its name on a part of the GPU is "gemm@1g.18gb". */
static int measure_one(struct turn *t, const struct workload *w,
		       const struct gpu_part *part, struct err *err)
{
	char *name = x_asprintf("%s%s", w->name, part ? part->suffix : "");
	struct step_at at = t->at;
	int rc;

	at.workload = name;
	log_info("round %d, %s: %s", at.round, at.arm, name);
	rc = stop_check(err) || measure(t->s, &at, t->target, w, part, err);
	if (rc)
		err_wrap(err, "workload '%s'", name);
	free(name);
	return rc ? -1 : 0;
}

/* Has it no result on this part yet, and is one asked for? */
static bool is_due(const struct turn *t, const bool *wanted, size_t i, const char *suffix)
{
	return wanted[i] && !measure_is_done(t->s, t->at.round, t->arm->name,
					     t->s->plan->workloads[i].name, suffix);
}

static int measure_wanted(struct turn *t, const bool *wanted, const struct gpu_part *part,
			  struct err *err)
{
	const struct plan *p = t->s->plan;
	int rc = 0;

	for (size_t i = 0; i < p->workloads_nr && !rc; i++)
		if (is_due(t, wanted, i, part ? part->suffix : ""))
			rc = measure_one(t, &p->workloads[i], part, err);
	return rc;
}

/* Does the i-th part have a result to give yet? */
static bool is_part_due(const struct turn *t, const bool *wanted, size_t i)
{
	for (size_t w = 0; w < t->s->plan->workloads_nr; w++)
		if (is_due(t, wanted, w, mig_turn_suffix(t->mig, i)))
			return true;
	return false;
}

static int measure_parts(struct turn *t, const bool *wanted, struct err *err)
{
	t->mig = mig_turn_begin(t->s, &t->at, t->arm, t->target,
				t->lease ? lease_info(t->lease) : NULL, t->facts, err);
	if (!t->mig)
		return -1;
	for (size_t i = 0; i < mig_turn_parts(t->mig); i++) {
		const struct gpu_part *part;

		if (!is_part_due(t, wanted, i))
			continue;
		part = mig_turn_make(t->mig, i, err);
		if (!part || measure_wanted(t, wanted, part, err))
			return -1;
	}
	return 0;
}

/* On what the machine has, which may be a slice that its platform made. */
static int measure_all(struct turn *t, const bool *wanted, struct err *err)
{
	struct gpu_part slice = {0};
	bool is_slice =
		t->lease && gpu_part_of_lease(lease_info(t->lease)->facts, &slice);
	int rc = measure_wanted(t, wanted, is_slice ? &slice : NULL, err);

	gpu_part_release(&slice);
	return rc;
}

static int leave(struct turn *t, struct err *err)
{
	struct err why = ERR_INIT;
	struct journal_step st;
	int rc;

	if (!t->target)
		return 0;
	rc = journal_step_begin(&st, t->s->journal, STEP_LEAVE, &t->at, NULL, err);
	rc = first_failure(rc, target_close(t->target, &why), &why, err);
	return journal_step_end(&st, rc, NULL, err);
}

/* Whoever had the machine next would find its GPU cut: it stays on loan to this run. */
static void keep_lease(struct turn *t)
{
	const struct lease_info *info = lease_info(t->lease);
	struct json_object *data = json_object_new_object();

	log_error("%s: the machine %s stays on loan (%s), for its GPU is not as before; "
		  "'tare clean %s' puts that right and gives it back",
		  t->arm->name, info->id, info->name, t->s->dir);
	json_put_text(data, "kept", info->name);
	(void)journal_write(t->s->journal, JOURNAL_NOTE, STEP_RELEASE, &t->at, data,
			    NULL);
	provisioner_keep(session_provisioner(t->s, t->arm->provisioner, NULL), t->lease);
	t->lease = NULL;
}

/* -1: the GPU is not as before, which has been said. */
static int end_mig(struct turn *t, struct err *err)
{
	if (!mig_turn_end(t->mig, err))
		return 0;
	log_error("%s: %s; 'tare clean %s' tries again", t->arm->name, err->text,
		  t->s->dir);
	/* One that was made for the run goes away, and its GPU is reset then. */
	if (t->lease && !lease_info(t->lease)->boot_ns)
		keep_lease(t);
	return -1;
}

/* Every part of it is behind a shield: the Ctrl-C that led here does not cut it short. */
static int give_back(struct turn *t, int rc, struct err *err)
{
	struct err later = ERR_INIT;

	if (end_mig(t, &later)) {
		if (!rc)
			*err = later;
		rc = -1;
	}
	err_clear(&later);
	if (leave(t, &later)) {
		/* The machine goes away with what was left on it; a fixed one keeps it.
		 */
		if (t->lease || rc)
			log_warn("%s: %s", t->arm->name, later.text);
		else
			rc = -1;
	}
	if (rc && err->kind == ERR_NONE)
		*err = later;
	err_clear(&later);
	if (arm_lease_give_back(t->s, &t->at, t->arm, t->lease, &later)) {
		log_error("%s: %s; 'tare clean %s' gives it back", t->arm->name,
			  later.text, t->s->dir);
		if (!rc)
			*err = later;
		rc = -1;
	}
	return rc ? rc : stop_check(err);
}

int arm_turn(struct session *s, int round, const struct arm *arm, const bool *wanted,
	     struct err *err)
{
	struct turn t = {.s = s, .arm = arm, .at = {.round = round, .arm = arm->name}};
	int rc = gpu_driver_prepare(s, round, arm, err);

	if (!rc && arm->target == ARM_VM) {
		log_info("round %d, %s: asking '%s' for a machine", round, arm->name,
			 arm->provisioner);
		rc = take_lease(&t, err);
	}
	if (!rc)
		rc = reach(&t, err);
	if (!rc)
		rc = probe_stage(&t, err);
	if (!rc)
		rc = arm->mig.is_wanted ? measure_parts(&t, wanted, err)
					: measure_all(&t, wanted, err);
	rc = give_back(&t, rc, err);
	json_object_put(t.facts);
	if (rc)
		err_wrap(err, "arm '%s', round %d", arm->name, round);
	return rc;
}
