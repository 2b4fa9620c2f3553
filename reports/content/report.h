/*
 * The report of a comparison: what was judged, written as documents.
 *
 *	struct report r;
 *	if (report_load(&r, dir, NULL, &err)) ...
 *	report_write(&r, dir, REPORT_HTML | REPORT_MARKDOWN | REPORT_JSON, &err);
 *	report_print(&r, stdout);
 *	return verdict_exit_status(r.judgement.overall);
 */
#ifndef TARE_REPORTS_CONTENT_REPORT_H
#define TARE_REPORTS_CONTENT_REPORT_H

#include "reports/verdict/noise_floor.h"
#include "reports/verdict/verdict.h"

#include <stdio.h>

struct report {
	struct result_set sets[2]; /* one run, or baseline and candidate */
	size_t sets_nr;
	struct margins margins;
	struct noise_floor
		floor; /* of the run, or of the candidate; may have no source */
	struct judgement judgement;
	char *title;
	char *created;        /* UTC */
	struct strvec repeat; /* commands that repeat the work */
};

/* Loads and judges a run directory; 'margins_file' (may be NULL) overrides the plan's. */
int report_load(struct report *ret, const char *dir, const char *margins_file,
		struct err *err);
/* The same for two paths: results, folders, run directories, peers' reports. */
int report_load_pair(struct report *ret, const char *baseline, const char *candidate,
		     const char *margins_file, struct err *err);
void report_release(struct report *r);

/* A bit for each output; the file that each writes is in report_format_file(). */
enum report_format {
	REPORT_HTML = 1,         /* report.html and plots/ */
	REPORT_MARKDOWN = 2,     /* report.md */
	REPORT_JSON = 4,         /* verdict.json and report.json */
	REPORT_CSV = 8,          /* report.csv */
	REPORT_JUNIT = 16,       /* junit.xml */
	REPORT_CTRF = 32,        /* ctrf.json */
	REPORT_GITHUB = 64,      /* github-annotations.txt, github-summary.md */
	REPORT_PROMETHEUS = 128, /* metrics.prom */
	REPORT_GITLAB = 256      /* gl-code-quality.json, gl-metrics.txt */
};

/* "html,md,csv" to bits; an unknown name is ERR_USAGE with the nearest one. */
int report_formats_parse(const char *text, unsigned *ret, struct err *err);

/*
 * Writes into 'dir' (made where missing). Every document is complete in memory before the
 * first is written, so an error leaves nothing half done. Without gnuplot the page has a
 * sentence in the place of its plots.
 */
int report_write(const struct report *r, const char *dir, unsigned formats,
		 struct err *err);

/* The verdict as a person reads it on a terminal: a sentence, a table, what to do next.
 */
void report_print(const struct report *r, FILE *to);
/* One sentence that claims exactly what was shown; free(). */
char *report_sentence(const struct report *r);

#endif
