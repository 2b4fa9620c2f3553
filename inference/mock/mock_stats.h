/*
 * What the mock counted, and /metrics: Prometheus' text format with vLLM's family names
 * and buckets (docs: "Production metrics" of vLLM), and a few of its own ("tare_mock:").
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_STATS_H
#define TARE_INFERENCE_MOCK_MOCK_STATS_H

#include "core/base/buf.h"

#include <stdint.h>

enum mock_histogram {
	HIST_TTFT,
	HIST_ITL,
	HIST_TPOT,
	HIST_E2E,
	HIST_QUEUE,
	HIST_INFERENCE,
	HIST_PREFILL,
	HIST_DECODE,
	HIST_PROMPT_TOKENS,
	HIST_GENERATION_TOKENS,
	HIST_ITERATION_TOKENS,
	HIST_MAX_TOKENS,
	HIST_LATE, /* the mock's own: sent after it was due */
	HIST_NR
};

enum { HIST_BUCKETS_MAX = 28 };

struct mock_stats {
	uint64_t buckets[HIST_NR][HIST_BUCKETS_MAX + 1]; /* the last: above all bounds */
	double sums[HIST_NR];
	uint64_t counts[HIST_NR];
	uint64_t prompt_tokens, generation_tokens;
	uint64_t finished_length, finished_stop, finished_abort, finished_error;
	uint64_t faults, backlogged, connections;
	int64_t late_max_ns;
};

/* What is true at the moment. */
struct mock_gauges {
	const char *model;
	int64_t running, waiting, kv_used, kv_tokens, open_connections;
	uint64_t prefix_queries, prefix_hits;
};

void stats_observe(struct mock_stats *s, enum mock_histogram h, double value);
void stats_print(const struct mock_stats *s, const struct mock_gauges *g, struct buf *to);

#endif
