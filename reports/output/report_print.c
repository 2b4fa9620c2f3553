#include "reports/output/report_print.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/printable.h"
#include "reports/content/report_text.h"

static void print_differences(const struct report *r, struct buf *b)
{
	for (size_t i = 0; i < r->judgement.pairs_nr; i++) {
		const struct judged_pair *p = &r->judgement.pairs[i];

		for (size_t k = 0; k < p->likeness.nr; k++) {
			const struct likeness_row *row = &p->likeness.rows[k];

			if (row->state != LIKENESS_BREAKS &&
			    row->state != LIKENESS_DIFFERS)
				continue;
			buf_printf(b, "differs: %s: %s on %s, %s on %s%s\n",
				   row->field->label, row->baseline, p->baseline,
				   row->candidate, p->candidate,
				   row->state == LIKENESS_BREAKS ? " (must agree)" : "");
		}
	}
}

/* Informational metrics by the hundred would bury the verdict: those that moved. */
static void print_information(const struct report *r, struct buf *b)
{
	size_t others = 0, shown = 0;
	struct table t;

	table_init(&t, report_columns);
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];

		if (report_part_of(c) != REPORT_OTHERS)
			continue;
		others++;
		if ((c->verdict == VERDICT_DEGRADED || c->verdict == VERDICT_IMPROVED) &&
		    shown++ < 8)
			report_row(c, &t);
	}
	if (t.nr) {
		buf_puts(b, "\nInformational, beyond their margin:\n");
		table_text(&t, b);
	}
	if (others)
		buf_printf(b, "%s%zu informational metrics, %zu beyond their margin.\n",
			   t.nr ? "" : "\n", others, shown);
	table_release(&t);
}

/* One line, whatever the names in it. */
static void add_line(struct buf *b, const char *text)
{
	for (const char *s = text; *s; s++)
		buf_add(b, *s == '\n' || *s == '\t' ? " " : s, 1);
	buf_puts(b, "\n");
}

static void print_notes(const struct report *r, struct buf *b)
{
	struct strvec notes = {0};

	report_notes(r, &notes);
	for (size_t i = 0; i < r->judgement.notes.nr; i++)
		strvec_add(&notes, r->judgement.notes.items[i]);
	for (size_t i = 0; i < notes.nr; i++) {
		buf_puts(b, "note: ");
		add_line(b, notes.items[i]);
	}
	strvec_release(&notes);
}

void report_print(const struct report *r, FILE *to)
{
	char *sentence = report_sentence(r);
	struct table t;
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	report_rows(r, REPORT_GATING, &t);
	if (t.nr)
		table_text(&t, &b);
	table_release(&t);
	print_information(r, &b);
	buf_puts(&b, "\n");
	print_differences(r, &b);
	print_notes(r, &b);
	add_line(&b, sentence);
	/* Names in it came from files and from other machines. */
	printable_make(b.data, b.len);
	fwrite(b.data, 1, b.len, to);
	buf_release(&b);
	free(sentence);
}
