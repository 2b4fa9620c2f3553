#include "link/metrics.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct metric_def link_metrics[LINK_METRICS] = {
	[LINK_H2D] =
		{"link.h2d", "byte/s", METRIC_HIGHER, true,
		 "pinned host memory to the GPU by a copy engine, as bytes over time"},
	[LINK_D2H] =
		{"link.d2h", "byte/s", METRIC_HIGHER, true,
		 "the GPU to pinned host memory by a copy engine, as bytes over time"},
	[LINK_BOTH] = {"link.both", "byte/s", METRIC_HIGHER, true,
		       "both ways at once, as the bytes of both over the time until both "
		       "are done"},
	[LINK_PAGEABLE_H2D] = {"link.pageable_h2d", "byte/s", METRIC_HIGHER, false,
			       "ordinary host memory to the GPU, by the host's clock"},
	[LINK_PAGEABLE_D2H] = {"link.pageable_d2h", "byte/s", METRIC_HIGHER, false,
			       "the GPU to ordinary host memory, by the host's clock"},
	[LINK_LOCAL] = {"link.local", "byte/s", METRIC_HIGHER, false,
			"from the GPU's memory to the GPU's memory, as bytes copied over "
			"time; twice as many are moved"},
	[LINK_TRIAD] = {"link.triad", "byte/s", METRIC_HIGHER, false,
			"a = b + s*c in the host's memory by every processor of a NUMA "
			"node, as the bytes of three arrays over time"},
};

void cell_add(struct result *r, enum link_metric which, const double *values, int64_t nr,
	      const char *fmt, ...)
{
	struct samples s;
	va_list args;
	char *cell;

	va_start(args, fmt);
	cell = x_vasprintf(fmt, args);
	va_end(args);
	samples_init(&s, &link_metrics[which]);
	s.def.name = x_asprintf("%s.%s", s.def.name, cell);
	s.def.unit = x_strdup(s.def.unit);
	s.def.gate = s.def.gate && !strchr(cell, '@');
	s.owns_texts = true;
	samples_reserve(&s, (size_t)nr);
	for (int64_t i = 0; i < nr; i++)
		samples_add(&s, values[i]);
	result_add_metric(r, &s);
	free(cell);
}

const char *size_text(int64_t bytes, char *text, size_t size)
{
	static const char *const units[] = {"", "Ki", "Mi", "Gi"};
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && bytes % 1024 == 0 && bytes > 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, "%" PRId64 "%s", bytes, units[unit]);
	return text;
}
