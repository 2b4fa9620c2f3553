/* tare-gemm's command line (core/options/opt.h). */
#ifndef TARE_GEMM_OPTIONS_H
#define TARE_GEMM_OPTIONS_H

#include "core/options/opt.h"
#include "gemm/engine.h"

struct gemm_options {
	int64_t n, m, k; /* 0: not given */
	int precision, compute, fill, backend;
	int64_t algo, iterations, warmup_ns, seed, threads, sms;
	double alpha, beta;
	char *device, *output;
	bool json, autotune, telemetry, exclusive, sweep_profiles;
	int64_t program_start_ns; /* no option: main() says it */
};

extern const struct opt_command gemm_command;

/* Everything of the problem but an n that is left to the engine. ERR_USAGE. */
int options_problem(const struct gemm_options *o, struct problem *ret, struct err *err);

/*
 * The parameters after defaults: equal work has equal parameters on every machine. What
 * it runs on (device, multiprocessors, threads) is in the details instead.
 */
struct json_object *options_params(const struct gemm_options *o, const struct problem *p,
				   const char *backend);

#endif
