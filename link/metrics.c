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
	[LINK_LAUNCH_P50] =
		{"link.launch_p50_s", "s", METRIC_LOWER, true,
		 "an empty kernel put into an idle stream: the call alone, median"},
	[LINK_LAUNCH_P99] =
		{"link.launch_p99_s", "s", METRIC_LOWER, true,
		 "an empty kernel put into an idle stream: the call alone, 99th percentile"},
	[LINK_LAUNCH_P999] =
		{"link.launch_p999_s", "s", METRIC_LOWER, false,
		 "an empty kernel put into an idle stream: the call alone, 99.9th percentile"},
	[LINK_LAUNCH_SYNC_P50] =
		{"link.launch_sync_p50_s", "s", METRIC_LOWER, false,
		 "an empty kernel launched, until the host knows that it is over, median"},
	[LINK_LAUNCH_SYNC_P99] =
		{"link.launch_sync_p99_s", "s", METRIC_LOWER, false,
		 "an empty kernel launched, until the host knows that it is over, 99th percentile"},
	[LINK_LAUNCH_SYNC_P999] =
		{"link.launch_sync_p999_s", "s", METRIC_LOWER, false,
		 "an empty kernel launched, until the host knows that it is over, 99.9th percentile"},
	[LINK_EVENT_P50] =
		{"link.event_p50_s", "s", METRIC_LOWER, false,
		 "an event recorded in an idle stream, until the host knows that it is over, median"},
	[LINK_EVENT_P99] =
		{"link.event_p99_s", "s", METRIC_LOWER, false,
		 "an event recorded in an idle stream, until the host knows that it is over, 99th percentile"},
	[LINK_EVENT_P999] =
		{"link.event_p999_s", "s", METRIC_LOWER, false,
		 "an event recorded in an idle stream, until the host knows that it is over, 99.9th percentile"},
	[LINK_SMALL_COPY_P50] =
		{"link.small_copy_p50_s", "s", METRIC_LOWER, false,
		 "four bytes from pinned memory to the GPU and back, until the host knows that they are there, median"},
	[LINK_SMALL_COPY_P99] =
		{"link.small_copy_p99_s", "s", METRIC_LOWER, false,
		 "four bytes from pinned memory to the GPU and back, until the host knows that they are there, 99th percentile"},
	[LINK_SMALL_COPY_P999] =
		{"link.small_copy_p999_s", "s", METRIC_LOWER, false,
		 "four bytes from pinned memory to the GPU and back, until the host knows that they are there, 99.9th percentile"},
	[LINK_FLAG_P50] =
		{"link.flag_p50_s", "s", METRIC_LOWER, false,
		 "the host writes a word of pinned memory and a kernel answers in another, until the host reads it, median"},
	[LINK_FLAG_P99] =
		{"link.flag_p99_s", "s", METRIC_LOWER, false,
		 "the host writes a word of pinned memory and a kernel answers in another, until the host reads it, 99th percentile"},
	[LINK_FLAG_P999] =
		{"link.flag_p999_s", "s", METRIC_LOWER, false,
		 "the host writes a word of pinned memory and a kernel answers in another, until the host reads it, 99.9th percentile"},
	[LINK_ALLOC_P50] = {"link.alloc_p50_s", "s", METRIC_LOWER, false,
			    "2 MiB of the GPU's memory allocated and freed, median"},
	[LINK_ALLOC_P99] =
		{"link.alloc_p99_s", "s", METRIC_LOWER, false,
		 "2 MiB of the GPU's memory allocated and freed, 99th percentile"},
	[LINK_ALLOC_P999] =
		{"link.alloc_p999_s", "s", METRIC_LOWER, false,
		 "2 MiB of the GPU's memory allocated and freed, 99.9th percentile"},
	[LINK_MAP_P50] =
		{"link.map_p50_s", "s", METRIC_LOWER, false,
		 "2 MiB of the GPU's memory mapped at an address, made accessible and unmapped, median"},
	[LINK_MAP_P99] =
		{"link.map_p99_s", "s", METRIC_LOWER, false,
		 "2 MiB of the GPU's memory mapped at an address, made accessible and unmapped, 99th percentile"},
	[LINK_MAP_P999] =
		{"link.map_p999_s", "s", METRIC_LOWER, false,
		 "2 MiB of the GPU's memory mapped at an address, made accessible and unmapped, 99.9th percentile"},
	[LINK_REGISTER_P50] =
		{"link.register_p50_s", "s", METRIC_LOWER, false,
		 "1 MiB of ordinary host memory registered (pinned) and unregistered, median"},
	[LINK_REGISTER_P99] =
		{"link.register_p99_s", "s", METRIC_LOWER, false,
		 "1 MiB of ordinary host memory registered (pinned) and unregistered, 99th percentile"},
	[LINK_REGISTER_P999] =
		{"link.register_p999_s", "s", METRIC_LOWER, false,
		 "1 MiB of ordinary host memory registered (pinned) and unregistered, 99.9th percentile"},
	[LINK_CONTEXT_P50] = {"link.context_p50_s", "s", METRIC_LOWER, false,
			      "a context made and destroyed, median"},
	[LINK_CONTEXT_P99] = {"link.context_p99_s", "s", METRIC_LOWER, false,
			      "a context made and destroyed, 99th percentile"},
	[LINK_CONTEXT_P999] = {"link.context_p999_s", "s", METRIC_LOWER, false,
			       "a context made and destroyed, 99.9th percentile"},
	[LINK_LAUNCH_IN_A_ROW] =
		{"link.launch_in_a_row_s", "s", METRIC_LOWER, false,
		 "200 empty kernels queued one behind the other, the time of all over 200"},
	[LINK_LOAD_LOCAL] =
		{"link.load_local_s", "s", METRIC_LOWER, false,
		 "a load whose address the one before brought, by one thread through 2 MiB of the GPU's memory, which its L2 cache holds"},
	[LINK_LOAD_HOST] = {"link.load_host_s", "s", METRIC_LOWER, false,
			    "the same through 2 MiB of pinned host memory"},
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
