/*
 * What one process holds while it works on a run directory: the plan, the journal, the
 * provisioners that are open and the bundles that are made. session_begin() makes or
 * continues the directory; session_end() closes everything.
 */
#ifndef TARE_HARNESS_RUN_SESSION_H
#define TARE_HARNESS_RUN_SESSION_H

#include "harness/plan/plan.h"
#include "harness/provision/provisioner.h"
#include "harness/run/journal.h"
#include "harness/target/target.h"

#include <stdbool.h>

/* A program of ours, made ready to travel once it has to. */
struct parcel {
	char *program, *path; /* "tare-gemm", where it is here */
	bool is_made;
	struct bundle bundle;
};

struct session {
	const struct plan *plan;
	char *dir, *run_id, *workdir; /* workdir: 0700, disks and keys of leases */
	struct journal *journal;
	struct stop_leaves
		*leaves; /* the run, for who ends it at once (core/base/stop.h) */
	struct provisioner **provisioners; /* by index of the plan's; NULL until needed */
	struct parcel *parcels;
	size_t parcels_nr, parcels_alloc;
	bool is_resumed;
	struct json_object *taken; /* GPUs whose driver was changed (gpu_driver.h) */
	struct json_object *cut; /* arm: UUID of a GPU of its machine that MIG left cut */
	/* Provisioners whose machines stay on loan to the run: a GPU there is not as it was. */
	struct strvec kept;
	size_t swept;    /* machines given back by session_begin() */
	size_t layouts;  /* GPUs that are cut as they were again (MIG) */
	size_t restored; /* machines whose GPUs have their drivers again */
};

/*
 * A new run in 'dir' (which must not hold one), or the continuation of the one there.
 * What an earlier process left behind is given back before anything else happens.
 */
int session_begin(struct session *s, const struct plan *plan, const char *dir,
		  bool is_resumed, struct err *err);
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
 * Gives back every machine of this run, whatever state it is in, but those of provisioners
 * in s->kept, which it names. *ret_nr: how many.
 */
int session_sweep(struct session *s, size_t *ret_nr, struct err *err);

/*
 * For work that goes on after a failure. 'rc' and *err are what came before, 'one' and
 * 'why' what came now: the first failure stays in *err, every further one is said at once.
 * -1 where there was any.
 */
int first_failure(int rc, int one, const struct err *why, struct err *err);

/* The run's id out of a run directory's journal; free(). NULL with *err when none. */
char *run_id_of(const char *dir, struct err *err);

/*
 * A journalled step: begin is written before it and end or fail behind it.
 *
 *	struct stage st;
 *	if (stage_begin(&st, s, STEP_LEASE, &at, data, err)) return -1;
 *	rc = ...;
 *	return stage_end(&st, rc, facts, err);
 */
struct stage {
	struct session *session;
	enum step step;
	struct step_at at;
	int64_t started_ns;
};

int stage_begin(struct stage *st, struct session *s, enum step step,
		const struct step_at *at, struct json_object *data, struct err *err);
/* 'data' is consumed; gives 'rc', or -1 when the journal could not be written. */
int stage_end(struct stage *st, int rc, struct json_object *data, struct err *err);

#endif
