/* What was measured, as a tare.result/1 document and as a summary for a person. */
#ifndef TARE_GEMM_REPORT_H
#define TARE_GEMM_REPORT_H

#include "core/document/result.h"
#include "gemm/autotune.h"
#include "gemm/options.h"
#include "gemm/run.h"
#include "gemm/sweep.h"
#include "cuda/surroundings.h"

#include <stdio.h>

struct report_input {
	const struct gemm_options *options;
	const struct problem *problem;
	struct engine *engine;
	const struct run_outcome *run;
	const struct autotune *autotune; /* NULL: not asked for */
	const struct sweep *sweep;       /* NULL: not asked for */
	const struct surroundings *surroundings;
	int64_t program_start_ns; /* CLOCK_MONOTONIC when main() began; 0: of no interest */
};

/* 'ret' is initialised here: result_release(). */
void report_make(const struct report_input *in, struct result *ret);
void report_summary(const struct report_input *in, const struct result *r, FILE *to);

#endif
