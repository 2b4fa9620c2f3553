#include "reports/text/html.h"
#include "reports/page/page_frame.h"
#include "reports/page/page_parts.h"
#include "reports/content/publication.h"
#include "reports/content/report_impl.h"

#include <stdlib.h>
#include <string.h>

/* A shape beside the word, so that nothing depends on colour alone. */
static const char *const marks[] = {
	[VERDICT_NONE] = "·",     [VERDICT_EQUIVALENT] = "=",
	[VERDICT_IMPROVED] = "▲", [VERDICT_INCONCLUSIVE] = "?",
	[VERDICT_DEGRADED] = "▼", [VERDICT_INVALID] = "✕",
};

static const char *class_of(enum verdict v)
{
	return v == VERDICT_NONE ? "none" : verdict_name(v);
}

static void counts(const struct judgement *j, struct buf *b)
{
	size_t nr[VERDICT_INVALID + 1] = {0}, others = 0;

	for (size_t i = 0; i < j->nr; i++) {
		if (j->items[i].gate)
			nr[j->items[i].verdict]++;
		else
			others++;
	}
	buf_puts(b, "<ul>");
	for (int v = VERDICT_INVALID; v > VERDICT_NONE; v--)
		if (nr[v])
			buf_printf(b, "<li>%s %zu %s</li>", marks[v], nr[v],
				   verdict_name((enum verdict)v));
	if (others)
		buf_printf(b, "<li>· %zu informational</li>", others);
	buf_puts(b, "</ul>");
}

static void head(const struct report *r, struct buf *b)
{
	const struct judgement *j = &r->judgement;
	char *sentence = report_sentence(r);

	page_head(b, r->title, verdict_name(j->overall));
	html_element(b, "h1", NULL, r->title);
	buf_puts(b, "<p class=\"sub\">");
	if (r->sets_nr == 1 && j->pairs_nr == 1)
		html_textf(b, "%s compared with %s · ", j->pairs[0].candidate,
			   j->pairs[0].baseline);
	if (j->rounds)
		html_textf(b, "%lld round%s · ", (long long)j->rounds,
			   j->rounds == 1 ? "" : "s");
	html_textf(b, "written %.10s %.5s UTC by tare", r->created, r->created + 11);
	buf_printf(b, "</p>\n<div class=\"banner %s\"><strong>%s ", class_of(j->overall),
		   marks[j->overall]);
	html_text(b, verdict_name(j->overall));
	buf_puts(b, "</strong>");
	html_element(b, "p", NULL, sentence);
	counts(j, b);
	buf_puts(b, "</div></header>\n");
	free(sentence);
}

static void cell(struct buf *b, const char *label, const char *text)
{
	buf_printf(b, "<td class=\"n\" data-label=\"%s\">", label);
	html_text(b, text);
	buf_puts(b, "</td>");
}

static void result_row(const struct comparison *c, struct buf *b)
{
	struct row_texts t;

	row_texts(c, &t);
	buf_puts(b, "<tr><th scope=\"row\">");
	html_text(b, t.metric);
	buf_puts(b, "</th><td data-label=\"workload, arm\"><span>");
	html_textf(b, "%s, %s", c->workload, c->candidate);
	buf_puts(b, "</span></td>");
	cell(b, "baseline", t.baseline);
	cell(b, "candidate", t.candidate);
	cell(b, "difference", t.difference);
	cell(b, "90 % interval", t.ci90);
	cell(b, "margin", t.margin);
	cell(b, "n", t.rounds);
	buf_printf(b, "<td data-label=\"verdict\"><span class=\"v %s\">%s ",
		   class_of(c->verdict), marks[c->verdict]);
	html_text(b, verdict_name(c->verdict));
	buf_puts(b, "</span></td></tr>\n");
}

static void result_table(const struct judgement *j, enum report_part part, struct buf *b)
{
	buf_puts(
		b,
		"<div class=\"scroll\"><table class=\"cards\"><thead><tr><th "
		"scope=\"col\">metric</th><th scope=\"col\">workload, arm</th><th "
		"scope=\"col\" "
		"class=\"n\">baseline</th><th scope=\"col\" "
		"class=\"n\">candidate</th><th "
		"scope=\"col\" class=\"n\">difference</th><th scope=\"col\" "
		"class=\"n\">ratio, "
		"90 % interval</th><th scope=\"col\" class=\"n\">margin</th><th "
		"scope=\"col\" "
		"class=\"n\">n</th><th scope=\"col\">verdict</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < j->nr; i++)
		if (report_part_of(&j->items[i]) == part)
			result_row(&j->items[i], b);
	buf_puts(b, "</tbody></table></div>\n");
}

static void reasons(const struct judgement *j, struct buf *b)
{
	buf_puts(b, "<details><summary>Why each verdict is what it is</summary><ul>\n");
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (report_part_of(c) == REPORT_STAGES)
			continue;
		buf_puts(b, "<li>");
		html_textf(b, "%s %s of %s on %s: ", c->metric, c->statistic, c->workload,
			   c->candidate);
		html_text(b, c->reason);
		for (size_t n = 0; n < c->notes.nr; n++)
			html_textf(b, "; %s", c->notes.items[n]);
		buf_puts(b, "</li>\n");
	}
	buf_puts(b, "</ul></details>\n");
}

static void folded(const struct judgement *j, enum report_part part, const char *summary,
		   struct buf *b)
{
	size_t nr = 0;

	for (size_t i = 0; i < j->nr; i++)
		nr += report_part_of(&j->items[i]) == part;
	if (!nr)
		return;
	buf_printf(b, "<details><summary>%s (%zu)</summary>\n", summary, nr);
	result_table(j, part, b);
	buf_puts(b, "</details>\n");
}

static void results(const struct report *r, struct buf *b)
{
	const struct judgement *j = &r->judgement;

	buf_puts(b, "<section id=\"results\"><h2>Results</h2>\n");
	result_table(j, REPORT_GATING, b);
	folded(j, REPORT_OTHERS,
	       "Informational metrics, shown and never part of the verdict", b);
	folded(j, REPORT_STAGES, "Informational metrics of single stages of load", b);
	reasons(j, b);
	buf_puts(b, "</section>\n");
}

static void comparison(const struct report *r, struct buf *b)
{
	struct table t;

	publication_table(r, &t);
	if (t.nr) {
		buf_puts(b, "<section id=\"comparison\"><h2>Comparison</h2>\n");
		html_table(b, &t, "cards");
		buf_puts(b, "</section>\n");
	}
	table_release(&t);
}

void page_write(const struct report *r, const struct plot_list *l,
		const char *why_no_plots, struct buf *to)
{
	head(r, to);
	comparison(r, to);
	results(r, to);
	page_figures(l, why_no_plots, to);
	page_likeness(r, to);
	page_method(r, to);
	page_raw(r, to);
	page_repeat(r, to);
	buf_puts(to, "</main></body></html>\n");
}
