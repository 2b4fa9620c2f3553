#include "reports/page/page_frame.h"

#include "reports/text/html.h"

/*
 * One style sheet: light, dark, print and a narrow screen. Contrast is at least 4.5:1. It is
 * longer than the 4095 bytes of a literal that C11 asks of every compiler; ours take it.
 */
__extension__ static const char page_style[] =
	":root{--paper:#fff;--panel:#f5f7f9;--ink:#1c2430;--muted:#55606e;--grid:#d8dde4;"
	"--band:#cde4d6;--shade:#fadec8;--s0:#1f5fa8;--s1:#c4540a;--s2:#7a48a0;--s3:#"
	"0e7868;"
	"--s4:#b02460;--s5:#6e5c14;--good:#17643f;--good-bg:#e3f2e9;--bad:#9c2a06;"
	"--bad-bg:#fdeae0;--open:#5a4a00;--open-bg:#fbf3d0;--void:#5b2d80;--void-bg:#"
	"f1e8f8}\n"
	"@media screen and "
	"(prefers-color-scheme:dark){:root{--paper:#12161c;--panel:#1b212a;"
	"--ink:#e6eaf0;--muted:#a4afbd;--grid:#343d4a;--band:#23503a;--shade:#5a3418;"
	"--s0:#74b0f2;--s1:#f79a5c;--s2:#c69be8;--s3:#5cc9b4;--s4:#f087b2;--s5:#d2bb62;"
	"--good:#8fdcb2;--good-bg:#173626;--bad:#ffb08a;--bad-bg:#43200f;--open:#ecd77a;"
	"--open-bg:#3a3210;--void:#d6b4f2;--void-bg:#33224a}}\n"
	"*{box-sizing:border-box}html{color-scheme:light dark}\n"
	"body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"
	"-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif}\n"
	"main{max-width:70rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}\n"
	"h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.8rem;"
	"border-top:1px solid var(--grid)}\n"
	"p{margin:.5rem 0;max-width:46rem}.sub{color:var(--muted);margin-top:0}\n"
	"code,pre{font-family:ui-monospace,'DejaVu Sans "
	"Mono',Menlo,monospace;font-size:.86em}\n"
	"pre{background:var(--panel);padding:.8rem "
	"1rem;border-radius:6px;overflow-x:auto}\n"
	".banner{border-left:6px solid;border-radius:6px;padding:1rem "
	"1.2rem;margin:1.1rem 0}\n"
	".banner strong{font-size:1.25rem;display:block;letter-spacing:.01em}\n"
	".banner p{margin:.35rem 0 0;color:var(--ink)}\n"
	".banner ul{margin:.6rem 0 "
	"0;padding:0;list-style:none;display:flex;flex-wrap:wrap;"
	"gap:.4rem 1.2rem;color:var(--ink)}\n"
	".equivalent,.improved{color:var(--good)}.degraded{color:var(--bad)}"
	".inconclusive{color:var(--open)}.invalid{color:var(--void)}.none{color:var(--"
	"muted)}\n"
	".banner.equivalent,.banner.improved{background:var(--good-bg)}"
	".banner.degraded{background:var(--bad-bg)}.banner.inconclusive{background:var(--"
	"open-bg)}"
	".banner.invalid{background:var(--void-bg)}\n"
	".note{background:var(--open-bg);border-radius:6px;padding:.6rem .9rem}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:."
	"93rem}\n"
	"th,td{padding:.4rem .6rem .4rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--grid)}\n"
	"thead th{color:var(--muted);font-weight:600;border-bottom:2px solid "
	"var(--grid)}\n"
	"tbody "
	"th{font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums;"
	"white-space:nowrap}\n"
	"thead th.n{text-align:right}.v{font-weight:700;white-space:nowrap}"
	".likeness td{overflow-wrap:anywhere;width:30%}"
	"td small{display:block;color:var(--muted);font-weight:400}\n"
	"tr.differs td,tr.differs th{background:var(--open-bg)}"
	"tr.breaks td,tr.breaks th{background:var(--bad-bg)}\n"
	"figure{margin:1rem 0}figure "
	"svg{display:block;width:100%;height:auto;max-width:480px}"
	"figure.wide svg{max-width:680px}\n"
	"figcaption{color:var(--muted);font-size:.9rem;max-width:46rem}\n"
	"figure.wide{grid-column:1/-1;min-width:0}"
	".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),"
	"1fr));gap:"
	"0 1.5rem}\n"
	"details{margin:.6rem 0}summary{cursor:pointer;font-weight:600}\n"
	"li{margin:.25rem 0;max-width:46rem}a{color:var(--s0)}\n"
	".hash{overflow-wrap:anywhere}\n"
	"@media screen and (max-width:40rem){main{padding:1rem .9rem "
	"2rem}h1{font-size:1.35rem}"
	"table.cards thead{position:absolute;left:-999rem}table.cards,table.cards tbody,"
	"table.cards tr,table.cards th,table.cards td{display:block;width:100%}"
	"table.cards tr{border:1px solid var(--grid);border-radius:6px;padding:.5rem "
	".8rem;"
	"margin:0 0 .7rem}table.cards td,table.cards th{border:0;padding:.15rem 0}"
	"table.cards td[data-label]{display:flex;justify-content:space-between;gap:1rem;"
	"text-align:right}table.cards td[data-label]::before{content:attr(data-label);"
	"color:var(--muted);text-align:left;flex:none}"
	"figure.wide{overflow-x:auto}figure.wide svg{min-width:34rem}}\n"
	"@page{margin:14mm}@media print{:root{--paper:#fff;--panel:#f5f7f9;--ink:#000;"
	"--muted:#444;--grid:#bbb}html,body{font-size:11px}main{max-width:none;padding:0}"
	"h2{break-after:avoid;margin-top:1.4rem}figure,tr,.banner{break-inside:avoid}"
	".scroll,figure.wide,pre{overflow:visible}pre{white-space:pre-wrap}"
	".pair{grid-template-columns:1fr 1fr}table{font-size:.9rem}"
	"figure table{font-size:.72rem}figure.wide table{font-size:.9rem}"
	".banner{border:1px solid;border-left-width:6px}"
	"*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

void page_head(struct buf *b, const char *title, const char *word)
{
	buf_puts(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" "
		    "content=\"width=device-width,initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
		    "'none'; style-src 'unsafe-inline'\">\n<title>");
	html_textf(b, "%.100s: %s", title, word);
	buf_puts(b, "</title>\n<style>\n");
	buf_puts(b, page_style);
	buf_puts(b, "</style></head>\n<body><main>\n<header>");
}

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
	html_within(b, "<div role=\"img\" aria-label=\"", p->alt, "\">");
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
