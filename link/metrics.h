/*
 * What tare-link reports; docs/metrics.md describes each by its name. A metric has cells, one
 * for each place where it was measured: "link.h2d" of the first GPU is "link.h2d.gpu0", and of
 * a size that is not the largest "link.h2d.gpu0@64Ki", which does not gate.
 */
#ifndef TARE_LINK_METRICS_H
#define TARE_LINK_METRICS_H

#include "core/base/err.h"
#include "core/document/result.h"

enum link_metric {
	LINK_H2D,
	LINK_D2H,
	LINK_BOTH,
	LINK_PAGEABLE_H2D,
	LINK_PAGEABLE_D2H,
	LINK_LOCAL,
	/* Of a latency the median, the 99th and the 99.9th percentile stand together. */
	LINK_LAUNCH_P50,
	LINK_LAUNCH_P99,
	LINK_LAUNCH_P999,
	LINK_LAUNCH_SYNC_P50,
	LINK_LAUNCH_SYNC_P99,
	LINK_LAUNCH_SYNC_P999,
	LINK_EVENT_P50,
	LINK_EVENT_P99,
	LINK_EVENT_P999,
	LINK_SMALL_COPY_P50,
	LINK_SMALL_COPY_P99,
	LINK_SMALL_COPY_P999,
	LINK_FLAG_P50,
	LINK_FLAG_P99,
	LINK_FLAG_P999,
	LINK_ALLOC_P50,
	LINK_ALLOC_P99,
	LINK_ALLOC_P999,
	LINK_MAP_P50,
	LINK_MAP_P99,
	LINK_MAP_P999,
	LINK_REGISTER_P50,
	LINK_REGISTER_P99,
	LINK_REGISTER_P999,
	LINK_CONTEXT_P50,
	LINK_CONTEXT_P99,
	LINK_CONTEXT_P999,
	LINK_LAUNCH_IN_A_ROW,
	LINK_LOAD_LOCAL,
	LINK_LOAD_HOST,
	LINK_PEER_WRITE,
	LINK_PEER_READ,
	LINK_PEER_BOTH,
	LINK_LOAD_PEER,
	LINK_TRIAD,
	LINK_METRICS
};

extern const struct metric_def link_metrics[LINK_METRICS];

/* One cell, named by the format: "gpu%d", "gpu0@64Ki". A cell with an '@' does not gate. */
void cell_add(struct result *r, enum link_metric which, const double *values, int64_t nr,
	      const char *fmt, ...) ERR_PRINTF(5, 6);

/* "64Ki", "512Mi", as it is typed; returns 'text'. */
const char *size_text(int64_t bytes, char *text, size_t size);

#endif
