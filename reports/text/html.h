/*
 * Text into HTML. Every string that did not come from tare's own source passes through
 * html_text(), inside elements and inside quoted attributes alike.
 */
#ifndef TARE_REPORTS_TEXT_HTML_H
#define TARE_REPORTS_TEXT_HTML_H

#include "core/base/buf.h"
#include "reports/text/table.h"

/*
 * Escapes & < > " ' and drops control characters; bytes that are not UTF-8 become U+FFFD.
 * NULL adds nothing.
 */
void html_text(struct buf *to, const char *s);
/* Formats, then escapes the whole. */
void html_textf(struct buf *to, const char *fmt, ...) ERR_PRINTF(2, 3);
/* "<tag class='c'>text</tag>"; 'tag' and 'css_class' (may be NULL) are literals. */
void html_element(struct buf *to, const char *tag, const char *css_class,
		  const char *text);

/* 'before', the text escaped, 'after'; both are literals. */
void html_within(struct buf *to, const char *before, const char *text, const char *after);

/*
 * A table inside a box that scrolls where it is too wide. 'css_class' is a literal: "cards"
 * (each row a card on a narrow screen) or "plain".
 */
void html_table(struct buf *to, const struct table *t, const char *css_class);
/*
 * Its parts, where rows hold more than text: all up to the first row ('css_class' may be
 * NULL), and a cell, which on a narrow screen shows the column's head too.
 */
void html_table_head(struct buf *to, const struct table_column *columns,
		     const char *css_class);
void html_cell(struct buf *to, const struct table_column *column, const char *text);

#endif
