/* What every page has: the beginning with its style sheet, and figures. */
#ifndef TARE_REPORTS_PAGE_PAGE_FRAME_H
#define TARE_REPORTS_PAGE_PAGE_FRAME_H

#include "core/base/buf.h"
#include "reports/plot/plot.h"

/* Up to "<main><header>"; the title is "title: word". Nothing is loaded from anywhere. */
void page_head(struct buf *b, const char *title, const char *word);
/* Every plot with its text alternative and its figures, by sections; or why there is none. */
void page_figures(const struct plot_list *l, const char *why_none, struct buf *b);

#endif
