/* What a report says, whatever its form: sentences, and texts for the cells of tables. */
#ifndef TARE_REPORTS_CONTENT_REPORT_TEXT_H
#define TARE_REPORTS_CONTENT_REPORT_TEXT_H

#include "reports/content/report.h"
#include "reports/text/table.h"

/* One sentence that claims exactly what was shown; free(). */
char *report_sentence(const struct report *r);

/* Texts for one comparison, as every table prints them. */
struct row_texts {
	char metric[96], baseline[48], candidate[48], difference[32], ratio[32], ci90[64],
		ci95[64], margin[64], rounds[32];
};
void row_texts(const struct comparison *c, struct row_texts *ret);

/* Comparisons are shown in three tables: those of single stages of load
 * ("load.ttft_p50_s@c8") would bury the others. */
enum report_part { REPORT_GATING, REPORT_OTHERS, REPORT_STAGES };
enum report_part report_part_of(const struct comparison *c);

/* A table of results: its columns, a row, and all rows of a part (the caller releases it). */
extern const struct table_column report_columns[];
void report_row(const struct comparison *c, struct table *t);
void report_rows(const struct report *r, enum report_part part, struct table *t);

/* Sentences about emulated machines and the mock server; empty when there are none. */
void report_caveats(const struct report *r, struct strvec *ret);
/* How figures were made and what they do not show; a sentence or two each. */
void report_method(const struct report *r, struct strvec *ret);
/* What stands out of the gating metrics' rounds, one line each: outliers, drift, failures. */
void report_notes(const struct report *r, struct strvec *ret);
void report_limits(const struct report *r, struct strvec *ret);
/*
 * "tare 0.1.0 (d678234, gcc 12.2.0 ...)" for each that wrote a result, and "model server
 * vllm 0.20.2, model M, revision R" for each that a load was put on, once.
 */
void report_versions(const struct report *r, struct strvec *ret);
char *report_plan_digest(const struct report *r); /* NULL without a plan; free() */

/*
 * What a verdict rests on, a row for each claim: its columns, which borrow the two labels, and
 * the table over them; table_release().
 */
enum { CLAIMS_COLUMNS = 7 };
void claims_columns(struct table_column ret[CLAIMS_COLUMNS], const char *baseline,
		    const char *candidate);
void claims_table(struct table *t, const struct table_column *columns,
		  const struct claims *c);

#endif
