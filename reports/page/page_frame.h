/* What every page begins with; for the files that write pages. */
#ifndef TARE_REPORTS_PAGE_PAGE_FRAME_H
#define TARE_REPORTS_PAGE_PAGE_FRAME_H

#include "core/base/buf.h"

/* Up to "<main><header>"; the title is "title: word". Nothing is loaded from anywhere. */
void page_head(struct buf *b, const char *title, const char *word);

#endif
