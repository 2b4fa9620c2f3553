/*
 * Results over months: an SQLite database of every result's metrics with its machine, and
 * since when a metric has been at its level.
 *
 * A series is one metric of the same work (workload and digest of its parameters) on one
 * machine and arm ("by hand" for what no run made); its values are the means of the
 * results' samples, in order of the results' creation. Change points are those of
 * reports/statistics/changepoint.h.
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
};

/* All results of all sets in one transaction: every one of them or none. */
int history_add(struct history *h, const struct result_set *sets, size_t nr,
		struct history_added *ret, struct err *err);

/* Texts are names or patterns (*, ?, [abc]); NULL: any. */
struct history_query {
	const char *machine, *workload, *metric, *arm;
	int64_t since_ms;   /* of results' creation, since 1970 */
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
	struct history_point *points; /* oldest first; at least one */
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
