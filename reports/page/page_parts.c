#include "reports/page/page_parts.h"

#include <stdlib.h>
#include <string.h>

#include "reports/text/html.h"
#include "reports/content/report_impl.h"

static void likeness_table(const struct judged_pair *p, struct buf *b)
{
	buf_puts(b, "<div class=\"scroll\"><table class=\"cards likeness\"><thead><tr>"
		    "<th scope=\"col\">fact</th><th scope=\"col\">");
	html_text(b, p->baseline);
	buf_puts(b, "</th><th scope=\"col\">");
	html_text(b, p->candidate);
	buf_puts(b, "</th><th scope=\"col\">same?</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < p->likeness.nr; i++) {
		const struct likeness_row *row = &p->likeness.rows[i];
		const char *state = likeness_state_name(row->state);

		if (row->state == LIKENESS_ABSENT)
			continue;
		buf_printf(b, "<tr class=\"%s\"><th scope=\"row\">", state);
		html_text(b, row->field->label);
		buf_puts(b, "</th><td data-label=\"");
		html_text(b, p->baseline);
		buf_puts(b, "\"><span>");
		html_text(b, row->baseline ? row->baseline : "not known");
		buf_puts(b, "</span></td><td data-label=\"");
		html_text(b, p->candidate);
		buf_puts(b, "\"><span>");
		html_text(b, row->candidate ? row->candidate : "not known");
		buf_puts(b, "</span></td><td data-label=\"same?\"><span>");
		html_text(b, state);
		if (row->state == LIKENESS_BREAKS || row->state == LIKENESS_DIFFERS) {
			buf_puts(b, "<small>");
			html_text(b, row->field->why);
			buf_puts(b, "</small>");
		}
		buf_puts(b, "</span></td></tr>\n");
	}
	buf_puts(b, "</tbody></table></div>\n");
}

void page_likeness(const struct report *r, struct buf *b)
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
static void page_floor(const struct report *r, struct buf *b)
{
	buf_puts(b,
		 "<p>The smallest margin that so many rounds with the noise seen would "
		 "confirm (power 0.9):</p>\n<ul>");
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];

		if (!c->gate || !c->smallest_margin)
			continue;
		buf_puts(b, "<li>");
		html_textf(b, "%s %s on %s: %.2g %% (its margin: %.3g %%)", c->metric,
			   c->statistic, c->candidate, 100 * c->smallest_margin,
			   100 * c->margin);
		buf_puts(b, "</li>\n");
	}
	buf_puts(b, "</ul>\n");
}

void page_method(const struct report *r, struct buf *b)
{
	struct strvec method = {0}, limits = {0};

	report_method(r, &method);
	report_limits(r, &limits);
	buf_puts(b, "<section><h2>Method</h2>\n");
	bullets(&method, b);
	page_floor(r, b);
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
	size_t rows = c->n_baseline > c->n_candidate ? c->n_baseline : c->n_candidate;

	buf_puts(b, "<details><summary>");
	html_textf(b, "%s %s of %s on %s, in %s", c->metric, c->statistic, c->workload,
		   c->candidate, c->unit);
	buf_puts(b,
		 "</summary><div class=\"scroll\"><table><thead><tr><th scope=\"col\">");
	buf_puts(b, c->is_paired ? "round" : "result");
	buf_puts(b, "</th><th scope=\"col\" class=\"n\">");
	html_text(b, c->baseline);
	buf_puts(b, "</th><th scope=\"col\" class=\"n\">");
	html_text(b, c->candidate);
	buf_puts(b,
		 "</th><th scope=\"col\" class=\"n\">ratio</th></tr></thead><tbody>\n");
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

void page_raw(const struct report *r, struct buf *b)
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
	size_t nr = 0;

	buf_puts(b,
		 "<details><summary>Result files</summary><div class=\"scroll\"><table>"
		 "<thead><tr><th scope=\"col\">file</th><th scope=\"col\">arm</th><th "
		 "scope=\"col\">workload</th><th scope=\"col\">status</th><th "
		 "scope=\"col\">"
		 "made</th><th scope=\"col\">parameters</th></tr></thead><tbody>\n");
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

void page_repeat(const struct report *r, struct buf *b)
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
