/*
 * A run written in the formats of other tools, so that their readers and everybody's
 * scripts can use it: GuideLLM's report (version 2, as of GuideLLM 0.8) and the JSON of
 * 'vllm bench serve --save-result --save-detailed'. The names mean there what those tools
 * mean by them, not what ours do (docs/metrics.md):
 *   GuideLLM  time_per_output_token_ms = (last token - sent) / tokens, TTFT included;
 *             inter_token_latency_ms = (last - first token) / (tokens - 1), weight
 *             tokens - 1; percentiles are the smallest value with CDF >= p; times are
 *             Unix seconds
 *   vLLM      itl = gaps between chunks; tpot = (latency - ttft) / (tokens - 1), latency
 *             to the last chunk with tokens; percentiles linear, as numpy's
 * Ours in both: latency samples are of requests sent inside the window, rates are of
 * tokens and ends inside the window, and what is missing is left out of a distribution,
 * not coerced to 0. In GuideLLM's report a rate's mean is count / window and its spread
 * is that of whole seconds. Requests that we cancelled are 'incomplete'.
 *
 * Texts of prompts and answers are not kept by tare-load and so are empty; "tare" in
 * GuideLLM's labels says who wrote the file.
 *
 * The file appears whole or not at all. Sources are read several times over.
 */
#ifndef TARE_INFERENCE_LOAD_FORMATS_FORMATS_H
#define TARE_INFERENCE_LOAD_FORMATS_FORMATS_H

#include "core/base/err.h"
#include "inference/load/engine/request_record.h"

/* A whole run as these formats need it (all borrowed). */
struct load_report {
	const char *target, *model, *endpoint; /* endpoint: "/v1/completions" */
	int64_t prompt_tokens, output_tokens;  /* the mean where lengths vary */
	const char *profile;                   /* as typed: "concurrent" */
	double warmup_s, cooldown_s;
	const struct load_stage *stages;
	const struct record_source *sources; /* one for each stage */
	size_t stages_nr;
};

int format_write_guidellm(const struct load_report *r, const char *path, struct err *err);
/* One JSON object a line for each stage, as --append-result does there. */
int format_write_vllm(const struct load_report *r, const char *path, struct err *err);

#endif
