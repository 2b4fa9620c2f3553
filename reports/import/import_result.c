#include "reports/import/import_result.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"

void import_begin(struct result *r, const char *tool, const char *version,
		  const char *workload)
{
	result_init(r, tool, "import", workload);
	json_put_text(r->tool, "name", tool);
	json_put_text(r->tool, "version", version);
	json_put(r->tool, "commit", NULL);
	json_put(r->tool, "build", NULL);
	/* Another tool's parameters are not known well enough to be compared. */
	free(r->digest);
	r->digest = x_strdup("");
}

void import_values(struct result *r, const char *name, const char *unit,
		   enum metric_better better, const double *values, size_t nr)
{
	struct metric_def def = {x_strdup(name), x_strdup(unit), better,
				 better != METRIC_NONE, NULL};
	struct samples s;

	samples_init(&s, &def);
	s.owns_texts = true;
	for (size_t i = 0; i < nr; i++) {
		if (isfinite(values[i]))
			samples_add(&s, values[i]);
		else
			s.failed++;
	}
	result_add_metric(r, &s);
}

void import_value(struct result *r, const char *name, const char *unit,
		  enum metric_better better, double value)
{
	if (isfinite(value))
		import_values(r, name, unit, better, &value, 1);
}

void import_end(struct result_set *s, struct result *r, const char *path)
{
	if (r->metrics_nr)
		result_set_add(s, r, path);
	result_release(r);
}
