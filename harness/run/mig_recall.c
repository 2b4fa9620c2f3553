/* What the journal tells of MIG: what a crash left cut, and what is measured already. */
#include "harness/run/mig_turn.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "harness/run/arm_target.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/measure.h"
#include "harness/run/mig_action.h"

#include <stdlib.h>
#include <string.h>

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

/* As struct mig_seat has it. */
static bool stays(const struct journal_entry *e)
{
	return json_get_bool(e->data, "stays", true);
}

/* On a machine that cannot be reached nothing is put back: that is a failed step too. */
static int recall_on(struct mig_seat *m, struct json_object *data, struct err *err)
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
	struct mig_seat m = {
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

int mig_turn_recall(struct session *s, size_t *ret_nr, struct err *err)
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
				strvec_add(&s->kept, arm->provisioner);
		} else {
			(*ret_nr)++;
		}
	}
	journal_entries_release(&past);
	return rc;
}

/* ---- what is measured already ---- */

static bool has_result(const struct session *s, int round, const char *arm,
		       const char *workload, const char *suffix)
{
	char *name = x_asprintf("%s%s", workload, suffix);
	bool has = measure_is_done(s, round, arm, name);

	free(name);
	return has;
}

bool mig_turn_is_measured(const struct session *s, int round, const struct arm *arm,
			  const char *workload)
{
	struct json_object *parts = NULL;
	struct journal_entries past;
	struct err ignored = ERR_INIT;
	bool is = has_result(s, round, arm->name, workload, "");

	if (!is || !arm->mig.is_all || journal_read(&past, s->dir, &ignored))
		return is;
	for (size_t i = 0; i < past.nr; i++)
		if (past.items[i].step == STEP_MIG &&
		    past.items[i].event == JOURNAL_BEGIN &&
		    strcmp(past.items[i].arm, arm->name) == 0)
			parts = json_member(past.items[i].data, "parts");
	for (size_t i = 0; is && parts && i < json_object_array_length(parts); i++)
		is = has_result(
			s, round, arm->name, workload,
			json_object_get_string(json_object_array_get_idx(parts, i)));
	journal_entries_release(&past);
	return is;
}
