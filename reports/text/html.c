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

static void row_html(struct buf *to, const struct table *t, const char *const *cells)
{
	buf_puts(to, "<tr><th scope=\"row\">");
	html_text(to, cells[0]);
	buf_puts(to, "</th>");
	for (size_t i = 1; i < t->width; i++) {
		buf_printf(to, "<td%s data-label=\"",
			   t->columns[i].align == TABLE_RIGHT ? " class=\"n\"" : "");
		html_text(to, t->columns[i].head);
		buf_puts(to, "\"><span>");
		html_text(to, cells[i]);
		buf_puts(to, "</span></td>");
	}
	buf_puts(to, "</tr>\n");
}

void html_table(struct buf *to, const struct table *t, const char *css_class)
{
	buf_printf(to, "<div class=\"scroll\"><table class=\"%s\"><thead><tr>",
		   css_class);
	for (size_t i = 0; i < t->width; i++) {
		buf_printf(to, "<th scope=\"col\"%s>",
			   t->columns[i].align == TABLE_RIGHT ? " class=\"n\"" : "");
		html_text(to, t->columns[i].head);
		buf_puts(to, "</th>");
	}
	buf_puts(to, "</tr></thead><tbody>\n");
	for (size_t i = 0; i + t->width <= t->nr && t->width; i += t->width)
		row_html(to, t, (const char *const *)&t->cells[i]);
	buf_puts(to, "</tbody></table></div>\n");
}
