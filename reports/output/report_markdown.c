#include "reports/output/report_markdown.h"

#include <stdlib.h>
#include <string.h>

#include "reports/content/publication.h"
#include "reports/content/report_text.h"

static void bullets(const struct strvec *v, struct buf *b)
{
	for (size_t i = 0; i < v->nr; i++) {
		buf_puts(b, "- ");
		markdown_escape(b, v->items[i]);
		buf_puts(b, "\n");
	}
	buf_puts(b, "\n");
}

static void likeness_markdown(const struct judged_pair *p, struct buf *b)
{
	const struct table_column heads[] = {{"fact", TABLE_LEFT},
					     {p->baseline, TABLE_LEFT},
					     {p->candidate, TABLE_LEFT},
					     {"same?", TABLE_LEFT},
					     {NULL, TABLE_LEFT}};
	struct table t;

	table_init(&t, heads);
	for (size_t i = 0; i < p->likeness.nr; i++) {
		const struct likeness_row *row = &p->likeness.rows[i];

		if (row->state == LIKENESS_ABSENT)
			continue;
		table_add(&t, row->field->label);
		table_add(&t, row->baseline);
		table_add(&t, row->candidate);
		table_add(&t, likeness_state_name(row->state));
	}
	table_markdown(&t, b);
	buf_puts(b, "\n");
	table_release(&t);
}

static void claims_markdown(const struct judgement *j, struct buf *b)
{
	buf_puts(b, "\n## What this rests on\n");
	for (size_t i = 0; i < j->works_nr; i++) {
		const struct judged_work *w = &j->works[i];
		const struct judged_pair *p = &j->pairs[w->pair];
		struct table_column columns[CLAIMS_COLUMNS];
		char *line = claims_line(&w->claims);
		struct table t;

		claims_columns(columns, p->baseline, p->candidate);
		claims_table(&t, columns, &w->claims);
		buf_puts(b, "\n<details><summary>");
		markdown_escape(b, w->workload);
		buf_puts(b, ": ");
		markdown_escape(b, line);
		buf_puts(b, "</summary>\n\n");
		table_markdown(&t, b);
		buf_puts(b, "\n</details>\n");
		table_release(&t);
		free(line);
	}
}

static void repeat_markdown(const struct report *r, struct buf *b)
{
	char *digest = report_plan_digest(r);
	struct strvec versions = {0};

	report_versions(r, &versions);
	buf_puts(b, "## How to repeat it\n\n");
	for (size_t i = 0; i < r->repeat.nr; i++) {
		buf_puts(b, "    ");
		for (const char *s = r->repeat.items[i]; *s; s++)
			buf_add(b, (unsigned char)*s < 0x20 ? " " : s, 1);
		buf_puts(b, "\n");
	}
	buf_puts(b, "\n");
	if (digest)
		buf_printf(b, "Plan, SHA-256: `%s`\n\n", digest);
	bullets(&versions, b);
	strvec_release(&versions);
	free(digest);
}

static void results_markdown(const struct report *r, struct buf *b)
{
	struct strvec notes = {0};
	struct table t;

	report_rows(r, REPORT_GATING, &t);
	table_markdown(&t, b);
	table_release(&t);
	report_notes(r, &notes);
	if (notes.nr) {
		buf_puts(b, "\nWhat stands out:\n\n");
		bullets(&notes, b);
	}
	strvec_release(&notes);
	report_rows(r, REPORT_OTHERS, &t);
	if (t.nr) {
		buf_puts(b, "\n<details><summary>Informational metrics</summary>\n\n");
		table_markdown(&t, b);
		buf_puts(b, "\n</details>\n");
	}
	table_release(&t);
	report_rows(r, REPORT_STAGES, &t);
	if (t.nr)
		buf_printf(b,
			   "\n%zu informational metrics of single stages of load are in "
			   "report.csv and report.json.\n",
			   t.nr / t.width);
	table_release(&t);
}

void markdown_write(const struct report *r, struct buf *b)
{
	char *sentence = report_sentence(r);
	struct strvec method = {0}, limits = {0};
	struct table t;

	buf_puts(b, "# ");
	markdown_escape(b, r->title);
	buf_puts(b, "\n\n**");
	markdown_escape(b, sentence);
	buf_puts(b, "**\n\n");
	publication_table(r, &t);
	if (t.nr) {
		table_markdown(&t, b);
		buf_puts(b, "\n## Results\n\n");
	}
	table_release(&t);
	results_markdown(r, b);
	claims_markdown(&r->judgement, b);
	buf_puts(b, "\n## Like for like\n\n");
	for (size_t i = 0; i < r->judgement.pairs_nr; i++)
		likeness_markdown(&r->judgement.pairs[i], b);
	report_method(r, &method);
	report_limits(r, &limits);
	buf_puts(b, "## Method\n\n");
	bullets(&method, b);
	buf_puts(b, "## Limits\n\n");
	bullets(&limits, b);
	repeat_markdown(r, b);
	strvec_release(&method);
	strvec_release(&limits);
	free(sentence);
}
