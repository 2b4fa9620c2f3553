/*
 * The metrics 'load.*': one static table, described in docs/metrics.md by the same names.
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_LOAD_METRICS_H
#define TARE_INFERENCE_LOAD_FIGURES_LOAD_METRICS_H

#include "core/document/metric.h"
#include "inference/load/engine/stage.h"
#include "inference/load/figures/summary.h"

/* What the client found out about itself in one stage; NAN or -1: unknown. */
struct client_figures {
	double lag_p50_s, lag_p99_s;      /* arrival stamp to its reading */
	double delay_mean_s, delay_p99_s; /* due to sent, the client's part */
	double stamp_p50_s, stamp_p99_s;  /* error of the arrival stamps, from the mock */
	double error_ratio;               /* the largest of them over what was measured */
	double cpu_per_chunk_s, busy_ratio;
	double coalesced_ratio, unstamped_ratio;
	double clock_step_s;
	uint64_t unsent, connections;
	const char *error_from; /* which part makes error_ratio */
};

/* What the client's stamps were off before the run (inference/load/calibrate.h). */
struct calibration {
	bool is_done;
	int64_t streams;
	double chunks_per_s, error_p50_s, error_p99_s, lag_p99_s, cpu_per_chunk_s;
};

/* One stage as it is reported. */
struct stage_report {
	struct stage_summary summary;
	struct client_figures client;
	char error_text[256];
	bool is_aborted;
};

struct load_metric {
	struct metric_def
		def; /* which of them gate: core/document/load_metrics_that_gate.h */
	double (*get)(const struct load_metric *m, const struct stage_report *s);
	enum summary_kind kind; /* of a distribution */
	double p;               /* its quantile; below 0: the mean */
	enum request_end end;   /* of a count of failures */
};

extern const struct load_metric load_metrics[];
extern const size_t load_metrics_nr;

/* Figures of the whole run, beside those of its stages. */
enum load_run_metric {
	LOAD_PEAK_TOKENS,
	LOAD_PEAK_LATENCY_P95,
	LOAD_SATURATION,
	LOAD_SLO_CONCURRENCY,
	LOAD_SLO_REQUESTS,
	LOAD_PREFIX_HITS,
	LOAD_CALIBRATION_P99,
	LOAD_RUN_METRICS
};

extern const struct metric_def load_run_metrics[LOAD_RUN_METRICS];

#endif
