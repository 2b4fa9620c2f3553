/*
 * Staged lies: an honest run of four rounds on bare metal and in a guest, whose figures are equal
 * (tests/support/honest.h), and edits of it.
 */
#ifndef TARE_TESTS_SUPPORT_STAGED_H
#define TARE_TESTS_SUPPORT_STAGED_H

#include "tests/support/honest.h"
#include "tests/support/known_run.h"

/* What is edited: a part of the results of one side, in one round or (0) in all. */
enum part {
	FACTS,
	EVIDENCE,
	TELEMETRY,
	DETAILS,
	CHECKS,
	PARAMS,      /* and their digest with them */
	PARAMS_ONLY, /* under the old digest */
	PLAN,        /* and its digest in the journal */
	PLAN_ONLY,
	TOOL,
	ID,
	REASON,
	ROUND,
	LOST, /* the results of a round */
	UNGATED
};

struct edit {
	enum part part;
	int side, round; /* side 2: both */
	const char *path, *value;
};

#define VM 1
#define METAL 0
#define BOTH 2

struct staged {
	const char *name;
	enum honest_kind kind;
	struct edit edits[6]; /* ends with a NULL path */
	const char *reason;   /* in the reason of a lie */
};

/* The run, sorted; to be released. */
void staged_make(struct result_set *s, enum honest_kind kind);
void staged_apply(struct result_set *s, const struct edit *e);
/* The verdict about an edited run, with the first comparison's reason (free()). */
enum verdict staged_judge(const struct staged *t, char **reason);

#endif
