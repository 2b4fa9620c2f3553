/* A report as a page: one HTML file that needs no network. */
#ifndef TARE_REPORTS_PAGE_PAGE_H
#define TARE_REPORTS_PAGE_PAGE_H

#include "core/base/buf.h"
#include "reports/content/report.h"
#include "reports/plot/plot.h"

/* 'why_no_plots' is NULL where the plots were drawn. */
void page_write(const struct report *r, const struct plot_list *plots,
		const char *why_no_plots, struct buf *to);

#endif
