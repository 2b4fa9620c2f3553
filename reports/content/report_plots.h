/*
 * The plots of a report: the forest, percentile curves of times, throughput and latency over
 * the stages of load, telemetry, and the rounds of each metric that gates.
 */
#ifndef TARE_REPORTS_CONTENT_REPORT_PLOTS_H
#define TARE_REPORTS_CONTENT_REPORT_PLOTS_H

#include "reports/content/report.h"
#include "reports/plot/plot.h"

void report_plots(const struct report *r, struct plot_list *ret);

#endif
