#include "reports/text/html.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/mem.h"

/* The length of the valid UTF-8 sequence at s (RFC 3629), or 0. */
static size_t sequence(const unsigned char *s)
{
	size_t more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;

	if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
		return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return more + 1;
}

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return " ";
	default:
		return c < 0x20 || c == 0x7f ? "" : NULL;
	}
}

void html_text(struct buf *to, const char *s)
{
	while (s && *s) {
		const char *instead = entity((unsigned char)*s);
		size_t len = sequence((const unsigned char *)s);

		if (instead)
			buf_puts(to, instead);
		else if (len)
			buf_add(to, s, len);
		else
			buf_puts(to, "\xef\xbf\xbd");
		s += len ? len : 1;
	}
}

void html_textf(struct buf *to, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html_text(to, text);
}

void html_element(struct buf *to, const char *tag, const char *css_class,
		  const char *text)
{
	buf_printf(to, "<%s", tag);
	if (css_class)
		buf_printf(to, " class=\"%s\"", css_class);
	buf_puts(to, ">");
	html_text(to, text);
	buf_printf(to, "</%s>", tag);
}

void html_within(struct buf *to, const char *before, const char *text, const char *after)
{
	buf_puts(to, before);
	html_text(to, text);
	buf_puts(to, after);
}

void html_cell(struct buf *to, const struct table_column *column, const char *text)
{
	buf_printf(to, "<td%s", column->align == TABLE_RIGHT ? " class=\"n\"" : "");
	html_within(to, " data-label=\"", column->head, "\"><span>");
	html_within(to, "", text, "</span></td>");
}

void html_table_head(struct buf *to, const struct table_column *columns,
		     const char *css_class)
{
	buf_puts(to, "<div class=\"scroll\"><table");
	if (css_class)
		buf_printf(to, " class=\"%s\"", css_class);
	buf_puts(to, "><thead><tr>");
	for (; columns->head; columns++) {
		buf_printf(to, "<th scope=\"col\"%s>",
			   columns->align == TABLE_RIGHT ? " class=\"n\"" : "");
		html_within(to, "", columns->head, "</th>");
	}
	buf_puts(to, "</tr></thead><tbody>\n");
}

void html_table(struct buf *to, const struct table *t, const char *css_class)
{
	html_table_head(to, t->columns, css_class);
	for (size_t i = 0; i + t->width <= t->nr && t->width; i += t->width) {
		html_within(to, "<tr><th scope=\"row\">", t->cells[i], "</th>");
		for (size_t c = 1; c < t->width; c++)
			html_cell(to, &t->columns[c], t->cells[i + c]);
		buf_puts(to, "</tr>\n");
	}
	buf_puts(to, "</tbody></table></div>\n");
}
