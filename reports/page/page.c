#include "reports/page/page.h"

#include <stdlib.h>
#include <string.h>

#include "reports/content/publication.h"
#include "reports/content/report_text.h"
#include "reports/page/page_frame.h"
#include "reports/text/html.h"

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

static const struct table_column result_columns[] = {
	{"metric", TABLE_LEFT},      {"workload, arm", TABLE_LEFT},
	{"baseline", TABLE_RIGHT},   {"candidate", TABLE_RIGHT},
	{"difference", TABLE_RIGHT}, {"ratio, 90 % interval", TABLE_RIGHT},
	{"margin", TABLE_RIGHT},     {"n", TABLE_RIGHT},
	{"verdict", TABLE_LEFT},     {NULL, TABLE_LEFT},
};

static void result_row(const struct comparison *c, struct buf *b)
{
	struct row_texts t;

	row_texts(c, &t);
	html_within(b, "<tr><th scope=\"row\">", t.metric, "</th>");
	buf_puts(b, "<td data-label=\"workload, arm\"><span>");
	html_textf(b, "%s, %s", c->workload, c->candidate);
	buf_puts(b, "</span></td>");
	cell(b, "baseline", t.baseline);
	cell(b, "candidate", t.candidate);
	cell(b, "difference", t.difference);
	cell(b, "90 % interval", t.ci90);
	cell(b, "margin", t.margin);
	cell(b, "n", t.rounds);
	buf_printf(b,
		   "<td data-label=\"verdict\"><span class=\"v %s\">%s "
		   "%s</span></td></tr>\n",
		   class_of(c->verdict), marks[c->verdict], verdict_name(c->verdict));
}

static void result_table(const struct judgement *j, enum report_part part, struct buf *b)
{
	html_table_head(b, result_columns, "cards");
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

/* Of each workload of each pair. */
static void claims(const struct report *r, struct buf *b)
{
	const struct judgement *j = &r->judgement;

	buf_puts(b, "<section id=\"claims\"><h2>What this rests on</h2>\n");
	for (size_t i = 0; i < j->works_nr; i++) {
		const struct judged_work *w = &j->works[i];
		const struct judged_pair *p = &j->pairs[w->pair];
		struct table_column columns[CLAIMS_COLUMNS];
		char *line = claims_line(&w->claims);
		struct table t;

		claims_columns(columns, p->baseline, p->candidate);
		claims_table(&t, columns, &w->claims);
		buf_puts(b, "<details><summary>");
		html_textf(b, "%s, %s and %s: ", w->workload, p->baseline, p->candidate);
		html_text(b, line);
		buf_puts(b, "</summary>");
		html_table(b, &t, "cards claims");
		buf_puts(b, "</details>\n");
		table_release(&t);
		free(line);
	}
	buf_puts(b, "</section>\n");
}

static void likeness_table(const struct judged_pair *p, struct buf *b)
{
	const struct table_column columns[] = {{"fact", TABLE_LEFT},
					       {p->baseline, TABLE_LEFT},
					       {p->candidate, TABLE_LEFT},
					       {"same?", TABLE_LEFT},
					       {NULL, TABLE_LEFT}};

	html_table_head(b, columns, "cards likeness");
	for (size_t i = 0; i < p->likeness.nr; i++) {
		const struct likeness_row *row = &p->likeness.rows[i];
		const char *state = likeness_state_name(row->state);

		if (row->state == LIKENESS_ABSENT)
			continue;
		buf_printf(b, "<tr class=\"%s\">", state);
		html_within(b, "<th scope=\"row\">", row->field->label, "</th>");
		html_cell(b, &columns[1], row->baseline ? row->baseline : "not known");
		html_cell(b, &columns[2], row->candidate ? row->candidate : "not known");
		buf_printf(b, "<td data-label=\"same?\"><span>%s", state);
		if (row->state == LIKENESS_BREAKS || row->state == LIKENESS_DIFFERS)
			html_element(b, "small", NULL, row->field->why);
		buf_puts(b, "</span></td></tr>\n");
	}
	buf_puts(b, "</tbody></table></div>\n");
}

static void likeness(const struct report *r, struct buf *b)
{
	buf_puts(b, "<section><h2>Like for like</h2>\n");
	for (size_t i = 0; i < r->judgement.pairs_nr; i++) {
		const struct judged_pair *p = &r->judgement.pairs[i];

		buf_puts(b, "<p>");
		html_textf(
			b,
			"%s and %s: %zu facts that must agree differ, %zu others differ "
			"and are worth a note.",
			p->baseline, p->candidate, p->likeness.breaks,
			p->likeness.differs);
		buf_puts(b, " Marked rows differ; 'expected' is what a virtual machine "
			    "differs in by nature.</p>\n");
		likeness_table(p, b);
	}
	buf_puts(b, "</section>\n");
}

static void bullets(const struct strvec *v, struct buf *b)
{
	buf_puts(b, "<ul>\n");
	for (size_t i = 0; i < v->nr; i++) {
		html_element(b, "li", NULL, v->items[i]);
		buf_puts(b, "\n");
	}
	buf_puts(b, "</ul>\n");
}

/* Beside every claim: what this set-up could have seen at all. */
static void smallest_margins(const struct report *r, struct buf *b)
{
	buf_puts(b,
		 "<p>What so many rounds with the noise seen tell in 9 of 10 runs: the "
		 "smallest loss that would be called degraded, and the smallest margin "
		 "that would be confirmed where there is no loss:</p>\n<ul>");
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];

		if (!c->gate || !c->smallest_margin)
			continue;
		buf_puts(b, "<li>");
		html_textf(b,
			   "%s %s on %s: a loss of %.2g %%, a margin of %.2g %% (its "
			   "margin: %.3g %%)",
			   c->metric, c->statistic, c->candidate,
			   100 * c->detectable_loss, 100 * c->smallest_margin,
			   100 * c->margin);
		buf_puts(b, "</li>\n");
	}
	buf_puts(b, "</ul>\n");
}

static void method(const struct report *r, struct buf *b)
{
	struct strvec method = {0}, limits = {0};

	report_method(r, &method);
	report_limits(r, &limits);
	buf_puts(b, "<section><h2>Method</h2>\n");
	bullets(&method, b);
	smallest_margins(r, b);
	buf_puts(b, "</section>\n<section><h2>Limits</h2>\n");
	bullets(&limits, b);
	buf_puts(b, "</section>\n");
	strvec_release(&method);
	strvec_release(&limits);
}

static void raw_row(const struct comparison *c, size_t i, struct buf *b)
{
	if (c->is_paired)
		buf_printf(b, "<tr><th scope=\"row\">%lld</th>", (long long)c->rounds[i]);
	else
		buf_printf(b, "<tr><th scope=\"row\">%zu</th>", i + 1);
	if (i < c->n_baseline)
		buf_printf(b, "<td class=\"n\">%.8g</td>", c->baseline_values[i]);
	else
		buf_puts(b, "<td class=\"n\">-</td>");
	if (i < c->n_candidate)
		buf_printf(b, "<td class=\"n\">%.8g</td>", c->candidate_values[i]);
	else
		buf_puts(b, "<td class=\"n\">-</td>");
	if (c->is_paired && c->has_ratio)
		buf_printf(b, "<td class=\"n\">%.5f</td>",
			   c->candidate_values[i] / c->baseline_values[i]);
	else
		buf_puts(b, "<td class=\"n\">-</td>");
	buf_puts(b, "</tr>\n");
}

/* A page is for people: beyond this many rows the files of the run hold the rest. */
static const size_t raw_rows_max = 200;

static void raw_table(const struct comparison *c, struct buf *b)
{
	const struct table_column columns[] = {
		{c->is_paired ? "round" : "result", TABLE_LEFT},
		{c->baseline, TABLE_RIGHT},
		{c->candidate, TABLE_RIGHT},
		{"ratio", TABLE_RIGHT},
		{NULL, TABLE_LEFT}};
	size_t rows = c->n_baseline > c->n_candidate ? c->n_baseline : c->n_candidate;

	buf_puts(b, "<details><summary>");
	html_textf(b, "%s %s of %s on %s, in %s", c->metric, c->statistic, c->workload,
		   c->candidate, c->unit);
	buf_puts(b, "</summary>");
	html_table_head(b, columns, NULL);
	for (size_t i = 0; i < rows && i < raw_rows_max; i++)
		raw_row(c, i, b);
	buf_puts(b, "</tbody></table></div>");
	if (rows > raw_rows_max)
		buf_printf(
			b,
			"<p>The first %zu of %zu; the rest is in the result files.</p>",
			raw_rows_max, rows);
	buf_puts(b, "</details>\n");
}

static void raw(const struct report *r, struct buf *b)
{
	const struct judgement *j = &r->judgement;

	buf_puts(b, "<section id=\"raw\"><h2>Raw data</h2>\n<p>The value of every round. "
		    "Each iteration's own value, and those of single stages of load, "
		    "are in the result files.</p>\n");
	for (size_t i = 0; i < j->nr; i++)
		if (!j->items[i].is_pooled &&
		    (j->items[i].n_baseline || j->items[i].n_candidate) &&
		    report_part_of(&j->items[i]) != REPORT_STAGES)
			raw_table(&j->items[i], b);
	buf_puts(b, "</section>\n");
}

static void result_files(const struct report *r, struct buf *b)
{
	static const struct table_column columns[] = {
		{"file", TABLE_LEFT},   {"arm", TABLE_LEFT},  {"workload", TABLE_LEFT},
		{"status", TABLE_LEFT}, {"made", TABLE_LEFT}, {"parameters", TABLE_LEFT},
		{NULL, TABLE_LEFT},
	};
	size_t nr = 0;

	buf_puts(b, "<details><summary>Result files</summary>");
	html_table_head(b, columns, NULL);
	for (size_t s = 0; s < r->sets_nr; s++) {
		for (size_t i = 0; i < r->sets[s].nr && nr < raw_rows_max; i++, nr++) {
			const struct result *x = &r->sets[s].results[i];
			const char *name = strrchr(r->sets[s].paths[i], '/');

			buf_puts(b, "<tr>");
			html_element(b, "td", NULL,
				     name ? name + 1 : r->sets[s].paths[i]);
			html_element(b, "td", NULL, x->arm);
			html_element(b, "td", NULL, x->name);
			html_element(b, "td", NULL, result_status_name(x->status));
			html_element(b, "td", NULL, x->created);
			buf_puts(b, "<td><code>");
			html_textf(b, "%.12s", x->digest);
			buf_puts(b, "</code></td></tr>\n");
		}
	}
	buf_puts(b, "</tbody></table></div></details>\n");
}

static void repeat(const struct report *r, struct buf *b)
{
	struct strvec versions = {0};
	char *digest = report_plan_digest(r);

	buf_puts(b, "<section><h2>How to repeat it</h2>\n<pre>");
	for (size_t i = 0; i < r->repeat.nr; i++) {
		html_text(b, r->repeat.items[i]);
		buf_puts(b, "\n");
	}
	buf_puts(b, "</pre>\n");
	if (digest) {
		buf_puts(b, "<p class=\"hash\">Plan, SHA-256: <code>");
		html_text(b, digest);
		buf_puts(b, "</code></p>\n<details><summary>The resolved "
			    "plan</summary><pre>");
		html_text(b, json_text(r->sets[0].plan));
		buf_puts(b, "</pre></details>\n");
	}
	report_versions(r, &versions);
	buf_puts(b, "<p>Results were written by these programs, and loads "
		    "answered by these servers:</p>\n");
	bullets(&versions, b);
	result_files(r, b);
	buf_puts(b, "<p>Every plot is in plots/ with its data: <code>cd plots &amp;&amp; "
		    "gnuplot forest.gp</code> draws it again.</p>\n</section>\n");
	strvec_release(&versions);
	free(digest);
}

void page_write(const struct report *r, const struct plot_list *l,
		const char *why_no_plots, struct buf *to)
{
	head(r, to);
	comparison(r, to);
	results(r, to);
	page_figures(l, why_no_plots, to);
	claims(r, to);
	likeness(r, to);
	method(r, to);
	raw(r, to);
	repeat(r, to);
	buf_puts(to, "</main></body></html>\n");
}
