/*
 * Results brought together, whatever file they came out of
 * (reports/import/result_files.h reads them): those of one run, or of one side of a
 * comparison, by arm, workload and round.
 */
#ifndef TARE_REPORTS_RESULTS_RESULT_SET_H
#define TARE_REPORTS_RESULTS_RESULT_SET_H

#include "core/base/strvec.h"
#include "core/document/result.h"

#include <stdbool.h>

struct machine_facts {
	char *arm;
	int64_t round;
	struct json_object *facts; /* tare.machine/1 */
};

/* A workload's turn as the harness saw it, by its own clock: out of the journal of a run. */
struct measured_step {
	char *arm, *workload;
	int64_t round, end_ns; /* wall */
	double workload_s;     /* from its start to its end; 0: not known */
	bool has_result;       /* and it was stored */
};

struct result_set {
	char *source;             /* the path as it was given */
	bool is_run;              /* a run directory: rounds pair */
	struct json_object *plan; /* NULL where there is none */
	char *digest_at_run; /* of the plan, when the run began; NULL: no journal tells */
	struct result *results; /* sorted by arm, workload, round, creation */
	char **paths;           /* of each result, as read */
	size_t nr, alloc;
	struct machine_facts *machines;
	size_t machines_nr, machines_alloc;
	struct measured_step *steps;
	size_t steps_nr, steps_alloc;
	struct strvec arms, workloads; /* the plan's order, else as first seen */
	struct strvec
		places; /* arms that have no name but where they lie: made by hand */
	char *baseline; /* the plan's baseline arm, or NULL */
};

void result_set_release(struct result_set *s);

/* Builds one by hand; the result is moved in. Call result_set_sort() after the last. */
void result_set_init(struct result_set *s, const char *source);
void result_set_add(struct result_set *s, struct result *r, const char *path);
void result_set_sort(struct result_set *s);

/* The results of an arm and workload, which lie side by side; NULL and 0: none. */
const struct result *result_set_range(const struct result_set *s, const char *arm,
				      const char *workload, size_t *ret_nr);
/* What the plan says of a workload, also of one on a part of a GPU; NULL: nothing. */
struct json_object *result_set_planned(const struct result_set *s, const char *workload);
/* Of the plan as it is now; NULL without one. free() */
char *result_set_plan_digest(const struct result_set *s);
/* The last of them that measured this result; NULL: no journal tells. */
const struct measured_step *result_set_step(const struct result_set *s,
					    const struct result *r);
void result_set_add_step(struct result_set *s, const char *arm, const char *workload,
			 int64_t round, int64_t end_ns, double workload_s);
/* Takes over 'facts' (tare.machine/1, or NULL). */
void result_set_add_machine(struct result_set *s, const char *arm, int64_t round,
			    struct json_object *facts);
/*
 * Machine facts of that arm, of any round or of one: as the harness asked for them, else out
 * of the first result that has them; borrowed. NULL: none.
 */
struct json_object *result_set_facts(const struct result_set *s, const char *arm);
struct json_object *result_set_facts_of_round(const struct result_set *s, const char *arm,
					      int64_t round);
struct json_object *result_facts(const struct result *r); /* a result's own, likewise */

#endif
