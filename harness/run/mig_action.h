/*
 * MIG actions of tare-probe on an arm's machine, and the end of the journal's MIG step:
 * shared by an arm's turn and by what puts things right after a crash.
 */
#ifndef TARE_HARNESS_RUN_MIG_ACTION_H
#define TARE_HARNESS_RUN_MIG_ACTION_H

#include "harness/run/session.h"

/* Where tare-probe acts. */
struct mig_seat {
	struct session *s;
	struct step_at at;
	struct target *target;
	bool stays; /* not made for the run, so still there when the run is over */
};

/* Its document, tare.mig/1, with the GPU as it is afterwards; NULL on failure. */
struct json_object *mig_ask(struct mig_seat *m, const char *const *options,
			    const char *gpu, struct err *err);

/*
 * Puts a layout back and journals the end (or failure) of the MIG step. -1: the GPU is
 * not as before, and the journal still says so.
 */
int mig_put_back(struct mig_seat *m, struct json_object *before, struct err *err);

/*
 * The end of the step alone: 'rc' and *err as they came out. A GPU that stays cut is noted
 * in session.cut.
 */
int mig_step_close(struct mig_seat *m, int rc, const char *gpu, struct err *err);

#endif
