/* The lower sections of the page; for reports/page/page.c. */
#ifndef TARE_REPORTS_PAGE_PAGE_PARTS_H
#define TARE_REPORTS_PAGE_PAGE_PARTS_H

#include "core/base/buf.h"
#include "reports/plot/plot.h"
#include "reports/content/report.h"

/* Every plot with its text alternative and its figures, by sections; or why there is none. */
void page_figures(const struct plot_list *l, const char *why_none, struct buf *b);
void page_likeness(const struct report *r, struct buf *b); /* like for like, marked */
void page_method(const struct report *r, struct buf *b);   /* method and limits */
void page_raw(const struct report *r, struct buf *b);      /* values of every round */
void page_repeat(const struct report *r, struct buf *b); /* commands, digests, versions */

#endif
