/*
 * Runs one workload on an open target and stores its result document in the run
 * directory, with the arm, the round and the plan's name for the workload put in.
 */
#ifndef TARE_HARNESS_RUN_MEASURE_H
#define TARE_HARNESS_RUN_MEASURE_H

#include "harness/run/gpu_part.h"
#include "harness/run/session.h"

/*
 * A workload that printed a document is a success here whatever the document says, for
 * 'failed' and 'invalid' are results too; one that ended without a document is an error.
 * 'part' is the part of the GPU that it is to run on, with at->workload named after it;
 * NULL: whatever the machine has.
 */
int measure(struct session *s, const struct step_at *at, struct target *t,
	    const struct workload *w, const struct gpu_part *part, struct err *err);

/*
 * Its result is in the run directory: a result appears whole or not at all. 'suffix': of
 * the part of the GPU ("@1g.18gb"), or "".
 */
bool measure_is_done(const struct session *s, int round, const char *arm,
		     const char *workload, const char *suffix);

#endif
