/*
 * Reports of other tools as results: GuideLLM (report versions 1 and 2), 'vllm bench
 * serve', nvbandwidth -j, nccl-tests -J, and CSV of "metric,value[,unit[,better]]". A file
 * may hold several reports, an object a line, as 'vllm bench serve --append-result' and
 * tare-load --vllm write one for each load; each is a workload named by what set its load.
 *
 * What a tool summarised stays one value: a peer's p99 becomes a metric of its own name,
 * never a sample of something else. The kind of an imported result is "import", and its
 * 'tool' names where it came from. Times are converted to seconds.
 */
#ifndef TARE_REPORTS_IMPORT_IMPORT_H
#define TARE_REPORTS_IMPORT_IMPORT_H

#include "reports/results/result_set.h"

/* Is this parsed document one that a peer wrote? "GuideLLM 2", "vllm bench" ... or NULL. */
const char *import_recognise(struct json_object *o);
/* Adds the results of a recognised document. */
int import_json(struct result_set *s, struct json_object *o, const char *path,
		struct err *err);
/*
 * A file of several documents, an object a line. 'ret_is_lines' is false, and nothing has
 * happened, when the file is not of that form.
 */
int import_lines(struct result_set *s, const char *path, bool *ret_is_lines,
		 struct err *err);
/* A CSV file; the header line must have 'metric' and 'value'. */
int import_csv(struct result_set *s, const char *path, struct err *err);

#endif
