/*
 * The comparison in the form in which such comparisons are published: by work (a product, a
 * model) and part of the GPU (whole, or a MIG profile with its multiprocessors), baseline
 * and candidate beside one another and their difference in percent; throughput, and for a
 * model the p95 of latency at its peak.
 */
#ifndef TARE_REPORTS_CONTENT_PUBLICATION_H
#define TARE_REPORTS_CONTENT_PUBLICATION_H

#include "reports/content/report.h"
#include "reports/text/table.h"

/* Without rows where no work is of a kind that is published so. The caller releases it. */
void publication_table(const struct report *r, struct table *ret);

#endif
