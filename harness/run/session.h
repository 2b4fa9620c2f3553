/*
 * What one process holds while it works on a run directory: the plan, the journal, the
 * provisioners that are open and the bundles that are made, and what the run has changed.
 * session_begin() makes a directory, recover_begin() (recover.h) continues one;
 * session_end() closes everything.
 */
#ifndef TARE_HARNESS_RUN_SESSION_H
#define TARE_HARNESS_RUN_SESSION_H

#include "harness/plan/plan.h"
#include "harness/provision/provisioner.h"
#include "harness/run/host_state.h"
#include "harness/run/journal.h"
#include "harness/target/target.h"

#include <stdbool.h>

/* A program of ours, made ready to travel once it has to. */
struct session_program {
	char *name, *path; /* "tare-gemm", where it is here */
	bool is_bundled;
	struct bundle bundle;
};

struct session {
	const struct plan *plan;
	char *dir, *run_id, *workdir; /* workdir: 0700, disks and keys of leases */
	struct journal *journal;
	struct stop_leaves
		*leaves; /* the run, for who ends it at once (core/base/stop.h) */
	struct provisioner **provisioners; /* by index of the plan's; NULL until needed */
	struct session_program *programs;
	size_t programs_nr, programs_alloc;
	bool is_resumed;
	/* Hosts whose GPUs have other drivers now, as they were before (gpu_driver.h). */
	struct host_state *changed;
	size_t changed_nr, changed_alloc;
	/* By index of the plan's arms: a GPU (UUID) of the arm's machine that MIG has cut
	 * and could not put back, or NULL (mig_turn.h). */
	char **cut;
};

/* Where a run goes that nobody gave a folder: "runs/NAME-ID"; free(). */
char *session_new_dir(const char *name);

/* A new run in 'dir', which must not hold one. */
int session_begin(struct session *s, const struct plan *plan, const char *dir,
		  struct err *err);
/*
 * The directory and its lock alone: of a new run, or of the one there. No line is in the
 * journal before session_write_begin(). For recover.h, which continues a run.
 */
int session_open(struct session *s, const struct plan *plan, const char *dir,
		 bool is_resumed, struct err *err);
int session_write_begin(struct session *s, struct err *err);
void session_end(struct session *s);
/* For asking and looking only: no directory, no journal, no run's id. session_end() too. */
void session_begin_unwritten(struct session *s, const struct plan *plan);

/* Opens it on first use; borrowed. */
struct provisioner *session_provisioner(struct session *s, const char *name,
					struct err *err);
/*
 * Puts a program of ours and its libraries where the target can run them and gives its
 * path there (borrowed until session_end() or target_close()). On this machine it is used
 * where it is. 'extra' as for bundle_make(); *ret_digest (may be NULL) is the bundle's, or
 * NULL where nothing had to travel; borrowed.
 */
int session_place(struct session *s, struct target *t, const char *program,
		  const char *const *extra, const char **ret_path,
		  const char **ret_digest, struct err *err);

/*
 * For work that goes on after a failure. 'rc' and *err are what came before, 'one' and
 * 'why' what came now: the first failure stays in *err, every further one is said at once.
 * -1 where there was any.
 */
int first_failure(int rc, int one, const struct err *why, struct err *err);

#endif
