#include "reports/text/html.h"
#include "reports/page/page_parts.h"

static const struct {
	const char *id, *heading;
	const char *figures; /* where the figures of those without a table are */
} sections[PLOT_SECTIONS] = {
	[PLOT_FOREST] = {"ratios", "Ratios and their intervals", "results"},
	[PLOT_DISTRIBUTION] = {"distributions", "Latency distributions", NULL},
	[PLOT_LOAD] = {"load", "Throughput and latency against load", NULL},
	[PLOT_ROUNDS] = {"rounds", "Round by round", "raw"},
	[PLOT_TELEMETRY] = {"telemetry", "Clocks, power and temperature", NULL},
	[PLOT_HISTORY] = {"history", "Over time", NULL},
};

static void drawing(const struct plot *p, struct buf *b)
{
	if (!p->inlined)
		return;
	buf_puts(b, "<div role=\"img\" aria-label=\"");
	html_text(b, p->alt);
	buf_puts(b, "\">");
	buf_puts(b, p->inlined);
	buf_puts(b, "</div>");
}

static void figure(const struct plot *p, struct buf *b)
{
	const char *elsewhere = sections[p->section].figures;

	buf_printf(b, "<figure%s>", p->is_wide ? " class=\"wide\"" : "");
	drawing(p, b);
	buf_puts(b, "<figcaption>");
	html_text(b, p->caption);
	if (elsewhere)
		buf_printf(b, " <a href=\"#%s\">Its figures as a table.</a>", elsewhere);
	buf_puts(b, "</figcaption>\n");
	if (p->table.width) {
		buf_puts(b,
			 "<details class=\"figures\"><summary>Its figures</summary>\n");
		html_table(b, &p->table, "plain");
		buf_puts(b, "</details>\n");
	}
	buf_puts(b, "</figure>\n");
}

static void section(const struct plot_list *l, enum plot_section which, struct buf *b)
{
	bool is_open = false;

	for (size_t i = 0; i < l->nr; i++) {
		const struct plot *p = &l->items[i];

		/* What could not be drawn and has its figures elsewhere needs no place. */
		if (p->section != which || (!p->inlined && !p->table.width))
			continue;
		if (!is_open)
			buf_printf(b,
				   "<section id=\"%s\"><h2>%s</h2>\n<div "
				   "class=\"pair\">\n",
				   sections[which].id, sections[which].heading);
		is_open = true;
		figure(p, b);
	}
	if (is_open)
		buf_puts(b, "</div></section>\n");
}

void page_figures(const struct plot_list *l, const char *why_none, struct buf *b)
{
	if (why_none)
		html_element(b, "p", "note", why_none);
	for (int s = 0; s < PLOT_SECTIONS; s++)
		section(l, (enum plot_section)s, b);
}
