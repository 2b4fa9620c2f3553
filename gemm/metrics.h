/* What tare-gemm reports; docs/metrics.md describes each by its name. */
#ifndef TARE_GEMM_METRICS_H
#define TARE_GEMM_METRICS_H

#include "core/document/metric.h"

enum gemm_metric {
	GEMM_FLOPS,
	GEMM_TIME,
	GEMM_GAP,
	GEMM_WALL_TIME,
	GEMM_START_TIME,
	GEMM_ERROR,
	GEMM_PEAK_SHARE,
	GEMM_PEAK_SHARE_MEASURED,
	GEMM_AUTOTUNED_FLOPS,
	GEMM_METRICS
};

extern const struct metric_def gemm_metrics[GEMM_METRICS];

#endif
