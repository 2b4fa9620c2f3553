/*
 * The report of a comparison: what was judged, and the arms that it speaks of.
 *
 *	struct report r;
 *	if (report_load(&r, dir, NULL, &err)) ...
 *	report_write(&r, dir, REPORT_HTML | REPORT_JSON, &err);  (reports/output/report_write.h)
 *	report_print(&r, stdout);                                (reports/output/report_print.h)
 *	return verdict_exit_status(r.judgement.overall);
 */
#ifndef TARE_REPORTS_CONTENT_REPORT_H
#define TARE_REPORTS_CONTENT_REPORT_H

#include "reports/verdict/noise_floor.h"
#include "reports/verdict/verdict.h"

struct report {
	struct result_set sets[2]; /* one run, or baseline and candidate */
	size_t sets_nr;
	struct margins margins;
	struct noise_floor
		floor; /* of the run, or of the candidate; may have no source */
	struct judgement judgement;
	char *title;
	char *created;        /* UTC */
	struct strvec repeat; /* commands that repeat the work */
};

/* What a command says of judging; zero-initialise what it does not. */
struct report_judging {
	const char *margins_file;   /* overrides the plans' */
	const struct strvec *trust; /* claims taken on trust beside the plan's */
};

/* Loads and judges a run directory; 'how' may be NULL. */
int report_load(struct report *ret, const char *dir, const struct report_judging *how,
		struct err *err);
/* The same for two paths: results, folders, run directories, peers' reports. */
int report_load_pair(struct report *ret, const char *baseline, const char *candidate,
		     const struct report_judging *how, struct err *err);
void report_release(struct report *r);

/* Every arm's label once: the baselines first, as the pairs name them. */
void report_labels(const struct report *r, struct strvec *ret);
/* The set and arm that a comparison's label stands for. */
const struct result_set *report_side(const struct report *r, const char *label,
				     const char **ret_arm);

/* The arms as plots go through them: the baseline's colour is 0. */
enum { REPORT_ARMS_MAX = 6 }; /* as many as there are colours */

struct report_arm {
	const char *label; /* as the verdict calls it; borrowed */
	const char *arm;
	const struct result_set *set;
};

struct report_arms {
	struct report_arm items[REPORT_ARMS_MAX];
	size_t nr;
	struct strvec labels, workloads; /* each once, in the order of the sets */
};

void report_arms_init(struct report_arms *a, const struct report *r);
void report_arms_release(struct report_arms *a);

#endif
