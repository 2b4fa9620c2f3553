/*
 * The stages of load results: what throughput and latency came to at each concurrency, over
 * the rounds of one arm (details.stages, inference/load/load_result.h). Stages are the
 * same when their labels are.
 */
#ifndef TARE_REPORTS_RESULTS_LOAD_STAGES_H
#define TARE_REPORTS_RESULTS_LOAD_STAGES_H

#include "core/document/result.h"

#include <stddef.h>

enum stage_figure {
	STAGE_IN_FLIGHT, /* requests in flight, mean over the window */
	STAGE_TOKENS,    /* output tokens a second */
	STAGE_REQUESTS,  /* requests a second */
	STAGE_TTFT_P95,  /* s */
	STAGE_LATENCY_P50,
	STAGE_LATENCY_P95,
	STAGE_FIGURES
};

struct stage_point {
	char *label;
	double concurrency;       /* as asked for; NaN: a rate was */
	size_t nr[STAGE_FIGURES]; /* rounds that have it */
	double mean[STAGE_FIGURES], low[STAGE_FIGURES], high[STAGE_FIGURES];
};

struct stage_curve {
	struct stage_point *items; /* by requests in flight */
	size_t nr, alloc;
	double saturation; /* concurrency, mean over rounds; NaN: not told */
	size_t saturation_nr;
	const struct stage_point *peak; /* most tokens a second; NULL: no stage */
};

void stage_curve_read(struct stage_curve *ret, const struct result *results, size_t nr);
void stage_curve_release(struct stage_curve *c);
const struct stage_point *stage_curve_find(const struct stage_curve *c,
					   const char *label); /* or NULL */

#endif
