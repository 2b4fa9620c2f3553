/* A report for programs: every comparison as CSV, and the document tare.report/1. */
#ifndef TARE_REPORTS_OUTPUT_REPORT_DATA_H
#define TARE_REPORTS_OUTPUT_REPORT_DATA_H

#include "core/base/buf.h"
#include "reports/content/report.h"

struct json_object *report_to_json(const struct report *r); /* owned by the caller */
void report_csv(const struct report *r, struct buf *to);

#endif
