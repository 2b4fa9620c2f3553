/*
 * The comparison in the form in which such comparisons are published: by work (a product, a
 * model) and part of the GPU (whole, or a MIG profile with its multiprocessors), baseline
 * and candidate beside one another and their difference in percent; throughput, and for a
 * model the p95 of latency at its peak.
 */
#ifndef TARE_REPORTS_CONTENT_PUBLICATION_H
#define TARE_REPORTS_CONTENT_PUBLICATION_H

#include "reports/content/report_impl.h"

/* The part of the GPU that a result ran on. */
struct gpu_part_name {
	char name[64];           /* "full GPU", "1g.18gb", "-": no GPU, or not told */
	int64_t multiprocessors; /* 0: not told */
};

void publication_part(const struct result *r, struct json_object *machine,
		      struct gpu_part_name *ret);

/* Without rows where no work is of a kind that is published so. The caller releases it. */
void publication_table(const struct report *r, struct table *ret);

#endif
