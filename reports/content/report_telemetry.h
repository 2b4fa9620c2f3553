/* Clocks, power and temperature of each arm over the rounds, as plots. */
#ifndef TARE_REPORTS_CONTENT_REPORT_TELEMETRY_H
#define TARE_REPORTS_CONTENT_REPORT_TELEMETRY_H

#include "reports/content/report.h"
#include "reports/plot/plot.h"

void report_telemetry(const struct report *r, struct plot_list *ret);

#endif
