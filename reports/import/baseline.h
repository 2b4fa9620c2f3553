/*
 * A baseline file: results with their raw samples, the machines' facts and where they
 * came from, in one JSON document (tare.baseline/1, configs/schema/baseline.json) that is
 * small enough to be kept in git. result_set_load() reads one like any other results.
 */
#ifndef TARE_REPORTS_IMPORT_BASELINE_H
#define TARE_REPORTS_IMPORT_BASELINE_H

#include "reports/results/result_set.h"
#include "reports/import/result_files.h"

#include <stdio.h>

#define BASELINE_SCHEMA "tare.baseline/1"

struct baseline_options {
	const char *name; /* NULL: the source's */
	const char *note; /* why this is the baseline; NULL: none */
	const char *arm;  /* only this arm's results; NULL: all */
	bool replace;     /* an existing file may be replaced */
};

/* Refuses results that are not 'ok' and, unless 'replace', a path that exists. */
int baseline_save(const struct result_set *s, const struct baseline_options *o,
		  const char *path, struct err *err);
/* The results of a parsed document, for result_set_load(). */
int baseline_from_json(struct result_set *s, struct json_object *o, const char *where,
		       struct err *err);
/* For a person: machines, then each metric with rounds, mean, spread and range. */
void baseline_show(const struct result_set *s, FILE *to);

#endif
