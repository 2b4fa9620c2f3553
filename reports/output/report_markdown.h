/* A report in Markdown: a whole document. */
#ifndef TARE_REPORTS_OUTPUT_REPORT_MARKDOWN_H
#define TARE_REPORTS_OUTPUT_REPORT_MARKDOWN_H

#include "core/base/buf.h"
#include "reports/content/report.h"

void markdown_write(const struct report *r, struct buf *to);

#endif
