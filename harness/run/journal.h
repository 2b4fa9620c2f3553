/*
 * The journal of a run: journal.jsonl in the run directory, one JSON object a line,
 * append-only, on disk (fsync) before the step it announces happens and again after it.
 * From it a later process knows what was finished and what may have been left behind.
 *
 *	{"seq": 7, "time": "2026-11-22T19:17:25.123Z", "event": "begin", "step": "lease",
 *	 "round": 1, "arm": "vm", "workload": null, "data": {...}}
 *
 * event: begin, end, fail, note. An "end" carries data.took_s. Steps are named in enum
 * step; readers pass over steps and keys that they do not know. The last line may be cut
 * short by a crash: it is then ignored, and writing goes on behind it on a new line.
 */
#ifndef TARE_HARNESS_RUN_JOURNAL_H
#define TARE_HARNESS_RUN_JOURNAL_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum journal_event { JOURNAL_BEGIN, JOURNAL_END, JOURNAL_FAIL, JOURNAL_NOTE };

enum step {
	STEP_RUN,     /* the whole; begin: run_id, plan_digest, tool */
	STEP_SWEEP,   /* giving back what an earlier process left */
	STEP_BIND,    /* driver and scheduling of a bare-metal host */
	STEP_LEASE,   /* begin: name and provisioner; end: address, boot_s */
	STEP_REACH,   /* opening the target; end: name, workdir */
	STEP_PROBE,   /* machine facts; end: path */
	STEP_PLACE,   /* upload of a bundle; end: digest, path there */
	STEP_MIG,     /* a GPU's MIG layout changes hands; begin: gpu, before (what is put
			 back), parts, lease; end: it is as before */
	STEP_SLICE,   /* a part of it is made; begin: profile; end: profile, uuid */
	STEP_MEASURE, /* the workload; end: result path, status, workload_s */
	STEP_LEAVE,   /* closing the target */
	STEP_RELEASE, /* giving the machine back; note: kept (its name, on loan still) */
	STEP_JUDGE,   /* end: verdict so far, decided, waits_for */
	STEP_REPORT,
	STEP_NR
};

/* Where in the run: zero-initialise what does not apply. */
struct step_at {
	int round;
	const char *arm, *workload;
};

struct journal_entry {
	int64_t seq;
	enum journal_event event;
	enum step step;
	int round;
	const char *arm, *workload; /* "" where null; borrowed from 'json' */
	struct json_object *data;   /* borrowed; may be NULL */
	struct json_object *json;
};

struct journal_entries {
	struct journal_entry *items;
	size_t nr, alloc;
	bool was_cut; /* the last line was incomplete */
};

/* Everything in the directory's journal; a missing file is an empty list. */
int journal_read(struct journal_entries *ret, const char *dir, struct err *err);
void journal_entries_release(struct journal_entries *e);
/* The last entry of that kind; 'arm' may be NULL: of any. NULL: there is none. */
const struct journal_entry *journal_last(const struct journal_entries *e,
					 enum journal_event event, enum step step,
					 const char *arm);

struct journal;

/* Opens for appending and holds an exclusive lock: one process writes a run directory. */
struct journal *journal_open(const char *dir, struct err *err);
void journal_close(struct journal *j);
/* 'data' is consumed and may be NULL. */
int journal_write(struct journal *j, enum journal_event event, enum step step,
		  const struct step_at *at, struct json_object *data, struct err *err);

/* The run's id, out of the directory's journal; free(). NULL with *err when none. */
char *journal_run_id(const char *dir, struct err *err);

/*
 * A step of the run: begin is written before it and end or fail behind it.
 *
 *	struct journal_step st;
 *
 *	if (journal_step_begin(&st, j, STEP_LEASE, &at, data, err))
 *		return -1;
 *	rc = ...;
 *	return journal_step_end(&st, rc, facts, err);
 */
struct journal_step {
	struct journal *journal;
	enum step step;
	struct step_at at;
	int64_t started_ns;
};

int journal_step_begin(struct journal_step *st, struct journal *j, enum step step,
		       const struct step_at *at, struct json_object *data,
		       struct err *err);
/* 'data' is consumed; gives 'rc', or -1 when the journal could not be written. */
int journal_step_end(struct journal_step *st, int rc, struct json_object *data,
		     struct err *err);

#endif
