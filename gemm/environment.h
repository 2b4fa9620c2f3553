/*
 * Environment variables that change what a library computes or how, without a word in its
 * answer. Those that would turn FP32 or FP64 into something else are refused unless that
 * was asked for by name; all that are set are recorded.
 *
 * Sources: cuBLAS manual, sections "Floating point emulation" and "cublasSetWorkspace";
 * CUDA C programming guide, "CUDA environment variables"; OpenBLAS, USAGE.md.
 */
#ifndef TARE_GEMM_ENVIRONMENT_H
#define TARE_GEMM_ENVIRONMENT_H

#include "core/document/json.h"
#include "gemm/problem.h"

/* ERR_INVALID names the variable and what to do. 'getenv_fn' is getenv(), or a test's. */
int environment_check(const struct arithmetic *a, char *(*getenv_fn)(const char *),
		      struct err *err);

/* {"NAME": "value"} of those that are set; owned by the caller. */
struct json_object *environment_json(char *(*getenv_fn)(const char *));

#endif
