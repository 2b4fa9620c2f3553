/* What the readers of other tools' reports share; for reports/import_*.c. */
#ifndef TARE_REPORTS_IMPORT_IMPORT_IMPL_H
#define TARE_REPORTS_IMPORT_IMPORT_IMPL_H

#include "reports/import/import.h"

struct import_format {
	const char *name;
	bool (*matches)(struct json_object *o);
	int (*read)(struct result_set *s, struct json_object *o, const char *path,
		    struct err *err);
};

extern const struct import_format import_guidellm, import_vllm, import_nvbandwidth,
	import_nccl;

void import_begin(struct result *r, const char *tool, const char *version,
		  const char *workload);
/* Values that are not finite are left out (one) or counted as failed (many). */
void import_value(struct result *r, const char *name, const char *unit,
		  enum metric_better better, double value);
void import_values(struct result *r, const char *name, const char *unit,
		   enum metric_better better, const double *values, size_t nr);

#endif
