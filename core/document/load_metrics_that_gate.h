/*
 * When a load on a model server counts, and which of its metrics gate: one answer for the
 * loads that tare-load makes (inference/) and for those that another tool reports
 * (reports/import/import_load.c), so that the two can be held against each other.
 */
#ifndef TARE_CORE_DOCUMENT_LOAD_METRICS_THAT_GATE_H
#define TARE_CORE_DOCUMENT_LOAD_METRICS_THAT_GATE_H

/*
 * The share of requests that must end well: with more failures the figures of the others
 * are not those of the load that was asked for.
 */
#define LOAD_SUCCESS_MIN 0.99

struct load_gate {
	const char *metric; /* as in docs/metrics.md: "load.ttft_p50_s" */
	double tail;        /* a quantile that few requests do not have: 0.95; else 0 */
};

/* NULL: this metric does not gate. Of a stage ("load.ttft_p50_s@c8") none does. */
const struct load_gate *load_gate_find(const char *metric);

#endif
