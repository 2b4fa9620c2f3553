/*
 * Every option of tare-load, in one table: the command line, the plan's workload 'load',
 * help and manual page come out of it.
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_OPTIONS_H
#define TARE_INFERENCE_LOAD_LOAD_OPTIONS_H

#include "core/options/opt.h"
#include "inference/load/engine/arrivals.h"

#include <stdbool.h>
#include <stdint.h>

enum load_profile {
	PROFILE_SYNCHRONOUS,
	PROFILE_CONCURRENT,
	PROFILE_THROUGHPUT,
	PROFILE_CONSTANT,
	PROFILE_POISSON,
	PROFILE_SWEEP,
	PROFILE_SATURATION,
	PROFILE_SLO,
	PROFILE_TRACE
};

#define LOAD_RATE_DEFAULT "10" /* requests a second */
#define LOAD_CONCURRENCY_DEFAULT "8"

struct load_options {
	char *target, *model;
	int endpoint; /* 0 completions, 1 chat */
	bool uses_mock;
	struct strvec mock_set;

	int profile; /* enum load_profile */
	struct int_list concurrency;
	int64_t max_concurrency;
	double rate;
	int64_t sweep_size;
	int sweep_pattern; /* 0 poisson, 1 constant */
	double saturation_gain;
	int64_t slo_ttft_ns, slo_tpot_ns, slo_latency_ns;
	double slo_share;
	char *trace;
	double trace_scale;

	int64_t seconds_ns, warmup_ns, cooldown_ns, grace_ns, ramp_ns;
	int64_t requests, max_errors;
	double max_error_rate;

	int64_t prompt_tokens, prompt_min, prompt_max, output_tokens, output_min,
		output_max;
	double prompt_deviation, output_deviation;
	char *lengths;
	bool checks_lengths;
	int64_t token_low, token_high;
	int64_t seed;

	int64_t threads;
	struct int_list cpus;
	int64_t connections;
	double connect_rate;
	int64_t timeout_ns, stall_ns, connect_timeout_ns;
	char *start_at;
	char *part;

	char *api_key_env, *api_key_file, *ca_file;
	bool is_insecure;

	int64_t calibrate_ns;
	bool prints_json;
	char *output, *requests_file, *chunks_file, *records_file, *guidellm_file,
		*vllm_file;
};

extern const struct opt_command load_command;
extern const char *const load_profile_names[];

/* What no single field can check. */
int load_options_check(const struct load_options *o, struct err *err);

struct length_rule load_prompt_rule(const struct load_options *o);
struct length_rule load_output_rule(const struct load_options *o);

/* Seconds or a tenth of the stage when it was left at -1. */
int64_t load_share_ns(int64_t given_ns, int64_t seconds_ns);

#endif
