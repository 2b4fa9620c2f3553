/*
 * The result document of a run: metrics, checks and, in 'details', everything a report
 * draws curves from:
 *
 *	details {target, endpoint, server{model, version, is_mock, dialect{}, ...}, profile,
 *	 calibration{}, peak_stage, saturation_concurrency, slo{}, stages[]}
 *	a stage {label, kind, concurrency, rate_per_s, window{}, requests{}, failures{},
 *	 output_tokens_per_s, ..., distributions{ttft{n, mean_s, ..., p50_s}, ...},
 *	 series{bin_s, concurrency[], output_tokens_per_s[], ...}, client{}}
 *
 * Each stage's metrics appear as "load.NAME@LABEL" (no gate); the stage with the highest
 * output tokens a second, or the only one, gives the plain "load.NAME".
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_RESULT_H
#define TARE_INFERENCE_LOAD_LOAD_RESULT_H

#include "core/document/result.h"
#include "inference/load/load_run.h"

void load_result_make(struct result *ret, const struct load_run *run);

/*
 * What is known of a run besides its stages: {params, target, endpoint, profile, ...};
 * owned by the caller. The second starts a document from it (for a merge).
 */
struct json_object *load_result_facts(const struct load_run *run);
void load_result_start(struct result *r, struct json_object *facts);

/* What a run and a merge of runs have in common: stages and what follows from them. */
void load_result_add_stages(struct result *ret, const struct stage_report *stages,
			    const struct stage_result *results, size_t nr,
			    double saturation_gain);

/*
 * The share of prompt tokens that the server's own counters found in its prefix cache
 * meanwhile, NAN where it counts none; and what follows from it, or from the usage of each
 * request where it is NAN.
 */
double load_result_counted_hits(const struct load_run *run);
void load_result_judge_cache(struct result *r, double counted,
			     const struct stage_report *stages, size_t nr);

/*
 * What the run rests on: the server as the details name it, and 'around' it (nothing known
 * for a merge, whose parts ran on several clients).
 */
void load_result_add_evidence(struct result *r, const struct evidence *around);

/* 'calibration' is the member of the facts; NULL: there was none. */
void load_result_add_calibration(struct result *r, struct json_object *calibration);

/* A table for people. */
void load_result_print(const struct result *r, FILE *to);

#endif
