/*
 * Results over months: an SQLite database of every result's metrics with its machine, and
 * since when a metric has been at its level.
 *
 * A series is one metric of the same work (workload and digest of its parameters) on one
 * machine and arm ("by hand" for what no run made); its values are the means of the
 * results' samples. Change points are those of reports/statistics/changepoint.h. A machine
 * is its first GPU with its UUID, else its processor and its identity.machine, where its facts
 * have one; never its host name.
 *
 * The order of a series is the order of adding: a clock that was reset or set ahead must not
 * decide which values are the newest. What is added at once is put in order of creation
 * first (reports/history/history_order.h).
 *
 * Several processes may write at once: each addition is one transaction that waits for
 * the others (10 s at most). A result is known by its id, so adding it twice changes
 * nothing. An older layout is brought up to date when it is opened; a newer one is
 * refused.
 */
#ifndef TARE_REPORTS_HISTORY_HISTORY_H
#define TARE_REPORTS_HISTORY_HISTORY_H

#include "reports/statistics/changepoint.h"
#include "reports/results/result_set.h"

struct history;

enum history_mode { HISTORY_READ, HISTORY_WRITE /* made where missing */ };

struct history *history_open(const char *path, enum history_mode mode, struct err *err);
void history_close(struct history *h); /* NULL is fine */

struct history_added {
	size_t added, known,
		unsound; /* unsound: not 'ok', hence no level to compare with */
	struct strvec
		warnings; /* a sentence for each date that cannot be, or goes back */
};
void history_added_release(struct history_added *n);

/* All results of all sets in one transaction: every one of them or none. Release 'ret'. */
int history_add(struct history *h, const struct result_set *sets, size_t nr,
		struct history_added *ret, struct err *err);

/* Texts are names or patterns (*, ?, [abc]); NULL: any. */
struct history_query {
	const char *machine, *workload, *metric, *arm;
	int64_t since_ms;   /* from the first result that was created then or later on */
	size_t last;        /* values a series at most; 0: CHANGE_SERIES_MAX */
	bool informational; /* those too, beside the gating metrics */
};

struct history_point {
	int64_t at_ms, result; /* creation; key of the result: history_origin() */
	double value;
};

struct history_series {
	char *machine, *workload, *metric, *arm, *unit, *digest;
	enum metric_better better;
	bool gate;
	struct history_point *points; /* in order of adding; at least one */
	double *values;               /* of the points */
	size_t nr;
	struct change_point *changes;
	size_t changes_nr;
};

struct history_list {
	struct history_series *items;
	size_t nr, alloc;
};

/* ERR_USAGE where nothing matches, with the nearest name that there is. */
int history_read(struct history *h, const struct history_query *q,
		 struct history_list *ret, struct err *err);
void history_list_release(struct history_list *l);

/* Where a value came from. */
struct history_origin {
	char *id, *created, *version, *source; /* of the result and of the program */
	struct json_object *facts;             /* tare.machine/1, or NULL */
};
int history_origin(struct history *h, int64_t result, struct history_origin *ret,
		   struct err *err);
void history_origin_release(struct history_origin *o);

#endif
