/* The verdict as a person reads it on a terminal: a sentence, a table, what to do next. */
#ifndef TARE_REPORTS_OUTPUT_REPORT_PRINT_H
#define TARE_REPORTS_OUTPUT_REPORT_PRINT_H

#include "reports/content/report.h"

#include <stdio.h>

void report_print(const struct report *r, FILE *to);

#endif
