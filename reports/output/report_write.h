/* The documents of a report as files. */
#ifndef TARE_REPORTS_OUTPUT_REPORT_WRITE_H
#define TARE_REPORTS_OUTPUT_REPORT_WRITE_H

#include "reports/content/report.h"

/* A bit for each output, with the files that it writes. */
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

#endif
