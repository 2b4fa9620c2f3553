/* What the documents of a report share; for the files that write them. */
#ifndef TARE_REPORTS_CONTENT_REPORT_IMPL_H
#define TARE_REPORTS_CONTENT_REPORT_IMPL_H

#include "core/base/buf.h"
#include "reports/plot/plot.h"
#include "reports/content/report.h"
#include "reports/text/table.h"

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

/* The table of results of that part; the caller releases it. */
void report_rows(const struct report *r, enum report_part part, struct table *t);

/* Every arm's label once: the baselines first, as the pairs name them. */
void report_labels(const struct report *r, struct strvec *ret);
/* The set and arm that a comparison's label stands for. */
const struct result_set *report_side(const struct report *r, const char *label,
				     const char **ret_arm);
struct json_object *report_facts(const struct report *r, const char *label);

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

/* The plots of a report: all of the following, the forest and the rounds of each metric. */
void report_plots(const struct report *r, struct plot_list *ret);
/* Percentile curves of times: by samples, and by the stages of load. */
void report_curves(const struct report *r, struct plot_list *ret);
/* Throughput and latency over the stages of load. */
void report_stages(const struct report *r, struct plot_list *ret);
/* Clocks, power and temperature of each arm over the rounds. */
void report_telemetry(const struct report *r, struct plot_list *ret);

/* Whole documents. 'why_no_plots' is NULL where the plots were drawn. */
void page_write(const struct report *r, const struct plot_list *plots,
		const char *why_no_plots, struct buf *to);
void markdown_write(const struct report *r, struct buf *to);
struct json_object *report_to_json(const struct report *r);
void report_csv(const struct report *r, struct buf *to);

extern const char page_style[];

#endif
