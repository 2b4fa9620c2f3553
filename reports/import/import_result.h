/* One result out of another tool's report, and what a reader of such reports is. */
#ifndef TARE_REPORTS_IMPORT_IMPORT_RESULT_H
#define TARE_REPORTS_IMPORT_IMPORT_RESULT_H

#include "reports/results/result_set.h"

struct import_format {
	const char *name;
	bool (*matches)(struct json_object *o);
	int (*read)(struct result_set *s, struct json_object *o, const char *path,
		    struct err *err);
};

/* An empty result of kind "import"; nobody knows the parameters, so it has no digest. */
void import_begin(struct result *r, const char *tool, const char *version,
		  const char *workload);
/* Into the set, where it has figures; the result is released. */
void import_end(struct result_set *s, struct result *r, const char *path);
/* Values that are not finite are left out (one) or counted as failed (many). */
void import_value(struct result *r, const char *name, const char *unit,
		  enum metric_better better, double value);
void import_values(struct result *r, const char *name, const char *unit,
		   enum metric_better better, const double *values, size_t nr);

#endif
