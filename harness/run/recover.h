/*
 * Continues a run that an earlier process began, and first puts back what that one may
 * have left: MIG layouts while their machine can still be reached, then machines, then the
 * drivers of hosts' GPUs. The journal and the provisioners tell what there is, so nothing
 * is reasoned about where the other process ended, and doing it again is harmless. All of
 * it is behind a shield (core/base/stop.h).
 */
#ifndef TARE_HARNESS_RUN_RECOVER_H
#define TARE_HARNESS_RUN_RECOVER_H

#include "harness/run/session.h"

struct recovered {
	size_t machines; /* given back */
	size_t layouts;  /* GPUs that are cut as they were again (MIG) */
	size_t hosts;    /* whose GPUs have their drivers again */
};

/*
 * Opens the run in 'dir' and puts back all of that. -1: the session is ended; the first
 * failure is in *err, every other one has been said, and none kept the rest from being put
 * back.
 */
int recover_begin(struct session *s, const struct plan *plan, const char *dir,
		  struct recovered *ret, struct err *err);

#endif
