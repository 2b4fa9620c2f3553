/*
 * Faults on demand: what the mock breaks, and for which request. The language is in
 * inference/mock/mock.h.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_FAULT_H
#define TARE_INFERENCE_MOCK_MOCK_FAULT_H

#include "core/base/err.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mock_fault_kind {
	FAULT_NONE,
	FAULT_STATUS,
	FAULT_STREAM_ERROR,
	FAULT_TRUNCATE,
	FAULT_CUT,
	FAULT_RESET,
	FAULT_STALL,
	FAULT_LENGTH,
	FAULT_USAGE,
	FAULT_NO_USAGE,
	FAULT_EMPTY,
	FAULT_BAD_JSON,
	FAULT_BAD_SSE,
	FAULT_BAD_CHUNK,
	FAULT_SPLIT,
	FAULT_COALESCE,
	FAULT_SLOW_ACCEPT,
	FAULT_KINDS
};

enum mock_fault_when { FAULT_ALWAYS, FAULT_RATE, FAULT_EVERY, FAULT_NTH };

struct mock_fault {
	enum mock_fault_kind kind;
	int64_t value; /* CODE, N, K, or SECONDS as ns */
	int64_t after; /* chunks sent before it happens */
	enum mock_fault_when when;
	double rate;
	int64_t nth;
};

/* "stall=2s,after=5,rate=0.01"; an error names the part that is wrong and what is known.
 */
int mock_fault_parse(const char *text, struct mock_fault *ret, struct err *err);

/* What was asked for on the command line; mock_faults_release() after success. */
struct mock_faults {
	struct mock_fault *items;
	size_t nr;
	int64_t seed;
};

int mock_faults_read(const struct strvec *specs, int64_t seed, struct mock_faults *ret,
		     struct err *err);
void mock_faults_release(struct mock_faults *f);

/*
 * The first that hits connection or request number 'serial' (from 1); kinds for connections
 * and for requests are asked for apart. FAULT_NONE's when none does. Depends on nothing but
 * the arguments.
 */
const struct mock_fault *mock_fault_pick(const struct mock_faults *f, bool of_connections,
					 int64_t serial);

const char *mock_fault_name(enum mock_fault_kind kind); /* "stall"; NULL for FAULT_NONE */

#endif
