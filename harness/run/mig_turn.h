/*
 * The parts of a GPU in an arm's turn (MIG): what is there is looked at and journalled
 * before anything changes; each part is made alone on the GPU, by tare-probe on the
 * arm's machine; and what was there comes back. After a crash mig_turn_recall() does that
 * from the journal alone.
 *
 *	m = mig_turn_begin(s, &at, arm, target, lease, facts, err);
 *	for (i = 0; i < mig_turn_parts(m); i++)
 *		part = mig_turn_make(m, i, err); ... measure ...
 *	mig_turn_end(m, err);
 */
#ifndef TARE_HARNESS_RUN_MIG_TURN_H
#define TARE_HARNESS_RUN_MIG_TURN_H

#include "harness/provision/provisioner.h"
#include "harness/run/gpu_part.h"
#include "harness/run/session.h"

struct mig_turn;

/*
 * 'target' stays open until mig_turn_end(); 'lease' is NULL for a fixed machine; 'facts'
 * are the machine's (tare.machine/1) and tell a host from a guest. NULL on failure, with
 * the GPU as it was.
 */
struct mig_turn *mig_turn_begin(struct session *s, const struct step_at *at,
				const struct arm *arm, struct target *target,
				const struct lease_info *lease, struct json_object *facts,
				struct err *err);

size_t mig_turn_parts(const struct mig_turn *m);
/* The name of the i-th part behind a workload's name: "@1g.18gb"; "" for the whole. */
const char *mig_turn_suffix(const struct mig_turn *m, size_t i);

/* Makes the i-th part the only one; borrowed until the next call. NULL on failure. */
const struct gpu_part *mig_turn_make(struct mig_turn *m, size_t i, struct err *err);

/*
 * Puts back what was there and frees; NULL is fine. -1: it is not as before, *err says
 * what to do, and the journal still knows it.
 */
int mig_turn_end(struct mig_turn *m, struct err *err);

/* Does the run have every result of this workload, of all parts that the arm has? */
bool mig_turn_is_measured(const struct session *s, int round, const struct arm *arm,
			  const char *workload);

/*
 * Puts back what an earlier process left cut. *ret_nr: how many GPUs. Where that fails on a
 * machine that is on loan, its provisioner goes into *ret_kept: the machine is to stay.
 */
int mig_turn_recall(struct session *s, size_t *ret_nr, struct strvec *ret_kept,
		    struct err *err);

#endif
