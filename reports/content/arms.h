/* The arms of a report as its plots go through them: the baseline's colour is 0. */
#ifndef TARE_REPORTS_CONTENT_ARMS_H
#define TARE_REPORTS_CONTENT_ARMS_H

#include "reports/content/report_impl.h"

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

/* Results of one arm and workload in the order of rounds; NULL and 0: none. */
const struct result *report_arm_results(const struct report_arm *a, const char *workload,
					size_t *ret_nr);

#endif
