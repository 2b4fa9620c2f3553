#include "reports/text/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

void table_init(struct table *t, const struct table_column *columns)
{
	*t = (struct table){.columns = columns};
	while (columns[t->width].head)
		t->width++;
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->nr; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}

void table_add(struct table *t, const char *text)
{
	GROW(t->cells, t->nr, t->alloc);
	t->cells[t->nr++] = x_strdup(text ? text : "-");
}

void table_addf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_add(t, text);
}

/* Columns on a screen: code points, which is right for all that tare itself writes. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Control bytes could move the cursor or end a line: a space each. */
static void add_plain(struct buf *to, const char *s)
{
	for (; *s; s++) {
		char c = (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s;

		buf_add(to, &c, 1);
	}
}

static void pad(struct buf *to, size_t n)
{
	while (n--)
		buf_puts(to, " ");
}

static void add_cell(struct buf *to, const char *s, size_t width, enum table_align align,
		     bool is_last)
{
	size_t room = width - width_of(s);

	if (align == TABLE_RIGHT)
		pad(to, room);
	add_plain(to, s);
	if (align == TABLE_LEFT && !is_last)
		pad(to, room);
	buf_puts(to, is_last ? "\n" : "  ");
}

void table_text(const struct table *t, struct buf *to)
{
	size_t *widths = x_calloc(t->width, sizeof(*widths));

	for (size_t c = 0; c < t->width; c++)
		widths[c] = width_of(t->columns[c].head);
	for (size_t i = 0; i < t->nr; i++)
		if (width_of(t->cells[i]) > widths[i % t->width])
			widths[i % t->width] = width_of(t->cells[i]);
	for (size_t c = 0; c < t->width; c++)
		add_cell(to, t->columns[c].head, widths[c], t->columns[c].align,
			 c + 1 == t->width);
	for (size_t i = 0; i < t->nr; i++) {
		size_t c = i % t->width;

		add_cell(to, t->cells[i], widths[c], t->columns[c].align,
			 c + 1 == t->width);
	}
	free(widths);
}

/* What Markdown or the HTML inside it would act on gets a backslash or an entity. */
void markdown_escape(struct buf *to, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			buf_puts(to, " ");
		else if (c == '<')
			buf_puts(to, "&lt;");
		else if (c == '&')
			buf_puts(to, "&amp;");
		else if (strchr("\\`*_[]|#>!~", c))
			buf_printf(to, "\\%c", c);
		else
			buf_add(to, s, 1);
	}
}

void table_markdown(const struct table *t, struct buf *to)
{
	for (size_t c = 0; c < t->width; c++) {
		buf_puts(to, "| ");
		markdown_escape(to, t->columns[c].head);
		buf_puts(to, " ");
	}
	buf_puts(to, "|\n");
	for (size_t c = 0; c < t->width; c++)
		buf_puts(to, t->columns[c].align == TABLE_RIGHT ? "|---:" : "|---");
	buf_puts(to, "|\n");
	for (size_t i = 0; i < t->nr; i++) {
		buf_puts(to, "| ");
		markdown_escape(to, t->cells[i]);
		buf_puts(to, i % t->width + 1 == t->width ? " |\n" : " ");
	}
}

static void csv_cell(struct buf *to, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		buf_puts(to, s);
		return;
	}
	buf_puts(to, "\"");
	for (; *s; s++)
		buf_puts(to, *s == '"' ? "\"\"" : (char[]){*s, '\0'});
	buf_puts(to, "\"");
}

void table_csv(const struct table *t, struct buf *to)
{
	for (size_t c = 0; c < t->width; c++) {
		csv_cell(to, t->columns[c].head);
		buf_puts(to, c + 1 == t->width ? "\r\n" : ",");
	}
	for (size_t i = 0; i < t->nr; i++) {
		csv_cell(to, t->cells[i]);
		buf_puts(to, i % t->width + 1 == t->width ? "\r\n" : ",");
	}
}
