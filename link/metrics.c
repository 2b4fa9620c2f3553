#include "link/metrics.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The three figures of a latency, the last of which never gates. */
#define QUANTILES(p50, name, gates, what)                                   \
	[p50] = {name "_p50_s", "s", METRIC_LOWER, gates, what ", median"}, \
	[(p50) + 1] = {name "_p99_s", "s", METRIC_LOWER, gates,             \
		       what ", 99th percentile"},                           \
	[(p50) + 2] = {name "_p999_s", "s", METRIC_LOWER, false,            \
		       what ", 99.9th percentile"}

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
	QUANTILES(LINK_LAUNCH_P50, "link.launch", true,
		  "an empty kernel put into an idle stream: the call "
		  "alone"),
	QUANTILES(LINK_LAUNCH_SYNC_P50, "link.launch_sync", false,
		  "an empty kernel launched, until the host knows that "
		  "it is over"),
	QUANTILES(LINK_EVENT_P50, "link.event", false,
		  "an event recorded in an idle stream, until the host "
		  "knows that it is over"),
	QUANTILES(LINK_SMALL_COPY_P50, "link.small_copy", false,
		  "four bytes from pinned memory to the GPU and back, "
		  "until the host knows that they are there"),
	QUANTILES(LINK_FLAG_P50, "link.flag", false,
		  "the host writes a word of pinned memory and a kernel "
		  "answers in another, until the host reads it"),
	QUANTILES(LINK_ALLOC_P50, "link.alloc", false,
		  "2 MiB of the GPU's memory allocated and freed"),
	QUANTILES(LINK_MAP_P50, "link.map", false,
		  "2 MiB of the GPU's memory mapped at an address, made "
		  "accessible and unmapped"),
	QUANTILES(LINK_REGISTER_P50, "link.register", false,
		  "1 MiB of ordinary host memory registered (pinned) "
		  "and unregistered"),
	QUANTILES(LINK_CONTEXT_P50, "link.context", false,
		  "a context made and destroyed"),
	[LINK_LAUNCH_IN_A_ROW] = {"link.launch_in_a_row_s", "s", METRIC_LOWER, false,
				  "200 empty kernels queued one behind the other, the "
				  "time of all over 200"},
	[LINK_LOAD_LOCAL] = {"link.load_local_s", "s", METRIC_LOWER, false,
			     "a load whose address the one before brought, by one "
			     "thread through 2 MiB of the GPU's memory, which its "
			     "L2 cache holds"},
	[LINK_LOAD_HOST] = {"link.load_host_s", "s", METRIC_LOWER, false,
			    "the same through 2 MiB of pinned host memory"},
	[LINK_PEER_WRITE] = {"link.peer_write", "byte/s", METRIC_HIGHER, true,
			     "by the first GPU's copy engine from its memory into "
			     "the second one's, as bytes over time"},
	[LINK_PEER_READ] = {"link.peer_read", "byte/s", METRIC_HIGHER, true,
			    "by the first GPU's copy engine from the second one's "
			    "memory into its own, as bytes over time"},
	[LINK_PEER_BOTH] = {"link.peer_both", "byte/s", METRIC_HIGHER, false,
			    "two GPUs that write into each other's memory at "
			    "once, as the bytes of both over the time until both "
			    "are done"},
	[LINK_LOAD_PEER] = {"link.load_peer_s", "s", METRIC_LOWER, false,
			    "a load whose address the one before brought, by one "
			    "thread of the first GPU through 2 MiB of the second "
			    "one's memory"},
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
