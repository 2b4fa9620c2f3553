/*
 * What makes a comparison invalid before any figure is looked at, each with a name and its
 * numbers: unlike machines, a result that failed a check, another part of a GPU, another
 * server, other work, and clocks held down on one side.
 */
#ifndef TARE_REPORTS_VERDICT_VALIDITY_H
#define TARE_REPORTS_VERDICT_VALIDITY_H

#include "core/document/likeness.h"
#include "reports/results/result_set.h"

/* One arm of a set; 'label' is what the verdict calls it. Texts are borrowed. */
struct compared_side {
	const struct result_set *set;
	const char *arm, *label;
};

/* Its results of one workload, in order of rounds. */
struct workload_side {
	const struct compared_side *of;
	const struct result *results;
	size_t nr;
};

/*
 * Compares the machines of both sides (core/document/likeness.h), round by round: a pool may
 * lend another GPU in any of them, and a driver may be updated between two. Of one run: those
 * of the same round, and 'ret' is the first round that breaks likeness, else the first
 * round; *ret_round is its number. Of two sets: all facts of either side with the
 * baseline's first; *ret_round is 0. 'ret' must be released.
 */
void validity_machines(struct likeness *ret, const struct compared_side *b,
		       const struct compared_side *c, int64_t *ret_round);
/* "not like for like: ..." with every field that breaks it; NULL: they are alike. free(). */
char *validity_of_machines(const struct likeness *l, int64_t round);

/*
 * Why one workload of baseline and candidate is not comparable; NULL: it is. free(). The first
 * of these that is found, in any result:
 *   round N on ARM: the first reason of a result that is marked invalid
 *   mig-part, mig-route: another profile, or a slice that came by another route: cut by
 *     the host, inside the guest that has the whole GPU, or by the platform as a MIG-backed
 *     vGPU (harness/run/gpu_part.h), which are three products with one name
 *   server-version, server-model, model-revision, server-limit, server-mock: of a load; where
 *     one side does not say, nothing is claimed
 *   other work: the digests of the parameters differ
 *   throttled: heat, power brake or sync boost in at least 5 % of the timed span on one
 *     side and less than a quarter of that share on the other
 * Where one side met its power cap four times as much, *ret_note (free()) says so: the
 * limit is a fact that must agree, and whoever does more meets it sooner.
 */
char *validity_of_work(const struct workload_side sides[2], const char *workload,
		       char **ret_note);

#endif
