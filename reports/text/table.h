/*
 * A table of text cells, printed for a terminal, as Markdown or as CSV (RFC 4180). Cells
 * may hold any UTF-8: what could act as markup or control is made harmless on output.
 */
#ifndef TARE_REPORTS_TEXT_TABLE_H
#define TARE_REPORTS_TEXT_TABLE_H

#include "core/base/buf.h"

#include <stddef.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *head; /* borrowed; NULL ends the list */
	enum table_align align;
};

struct table {
	const struct table_column *columns; /* borrowed */
	size_t width;                       /* columns */
	char **cells;                       /* row by row */
	size_t nr, alloc;                   /* cells */
};

void table_init(struct table *t, const struct table_column *columns);
void table_release(struct table *t);
void table_add(struct table *t, const char *text); /* the next cell; NULL: "-" */
void table_addf(struct table *t, const char *fmt, ...) ERR_PRINTF(2, 3);

void table_text(const struct table *t, struct buf *to);
void table_markdown(const struct table *t, struct buf *to);
/* One text as Markdown that shows it and does nothing else. */
void markdown_escape(struct buf *to, const char *s);
void table_csv(const struct table *t, struct buf *to);

#endif
