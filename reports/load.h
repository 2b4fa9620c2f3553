/*
 * Results as they lie on disk, brought together: a run directory (core/rundir.h), a
 * folder of tare.result/1 files, one such file, or a peer's own report
 * (reports/import.h).
 *
 * A folder is read whole or not at all: one bad file is an error that names it.
 */
#ifndef TARE_REPORTS_LOAD_H
#define TARE_REPORTS_LOAD_H

#include "core/strvec.h"
#include "core/result.h"

#include <stdbool.h>

struct machine_facts {
	char *arm;
	int64_t round;
	struct json_object *facts; /* tare.machine/1 */
};

struct result_set {
	char *source;             /* the path as it was given */
	bool is_run;              /* a run directory: rounds pair */
	struct json_object *plan; /* NULL where there is none */
	struct result *results;   /* sorted by arm, workload, round, creation */
	char **paths;             /* of each result, as read */
	size_t nr, alloc;
	struct machine_facts *machines;
	size_t machines_nr, machines_alloc;
	struct strvec arms, workloads; /* the plan's order, else as first seen */
	struct strvec
		places; /* arms that have no name but where they lie: made by hand */
	char *baseline; /* the plan's baseline arm, or NULL */
};

/*
 * Fills 'ret' (initialised here). ERR_USAGE for what is not readable as results,
 * ERR_INVALID where a metric of one workload comes in two units.
 */
int result_set_load(struct result_set *ret, const char *path, struct err *err);
void result_set_release(struct result_set *s);

/* Builds one by hand; the result is moved in. Call result_set_sort() after the last. */
void result_set_init(struct result_set *s, const char *source);
void result_set_add(struct result_set *s, struct result *r, const char *path);
void result_set_sort(struct result_set *s);

/* The results of an arm and workload, which lie side by side; NULL and 0: none. */
const struct result *result_set_range(const struct result_set *s, const char *arm,
				      const char *workload, size_t *ret_nr);
/* Machine facts of that arm: from machines/, else out of its first result; borrowed. */
struct json_object *result_set_facts(const struct result_set *s, const char *arm);

#endif
