#include "reports/content/arms.h"

void report_arms_init(struct report_arms *a, const struct report *r)
{
	*a = (struct report_arms){0};
	report_labels(r, &a->labels);
	for (size_t i = 0; i < a->labels.nr && a->nr < REPORT_ARMS_MAX; i++) {
		struct report_arm *one = &a->items[a->nr];

		one->label = a->labels.items[i];
		one->set = report_side(r, one->label, &one->arm);
		a->nr += one->set != NULL;
	}
	for (size_t s = 0; s < r->sets_nr; s++)
		for (size_t i = 0; i < r->sets[s].workloads.nr; i++)
			if (!strvec_has(&a->workloads, r->sets[s].workloads.items[i]))
				strvec_add(&a->workloads, r->sets[s].workloads.items[i]);
}

void report_arms_release(struct report_arms *a)
{
	strvec_release(&a->labels);
	strvec_release(&a->workloads);
	*a = (struct report_arms){0};
}

const struct result *report_arm_results(const struct report_arm *a, const char *workload,
					size_t *ret_nr)
{
	return result_set_range(a->set, a->arm, workload, ret_nr);
}
