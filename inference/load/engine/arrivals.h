/*
 * When requests are due under an open load, and how long their prompts and answers are.
 *
 * Arrivals are one sequence for the whole run, a function of seed and index alone, dealt
 * out by index: arrival i belongs to lane i mod lanes, where a lane is one thread of one
 * process. So the load is the same whatever number of threads or machines sends it, and a
 * Poisson process stays one (each thread drawing for itself from one seed would not be).
 *
 *	constant  arrival i at i / rate
 *	poisson   gaps -ln(U) / rate, U uniform in (0, 1)
 *	trace     the times in the file, which must not fall
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_ARRIVALS_H
#define TARE_INFERENCE_LOAD_ENGINE_ARRIVALS_H

#include "core/base/err.h"
#include "core/base/rng.h"
#include "inference/load/engine/request_record.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_LINES_MAX = 4 << 20, TOKENS_MAX = 1 << 20 };

struct trace_entry {
	int64_t at_ns; /* from the start; 0 in a file of lengths */
	int32_t prompt_tokens, output_tokens;
};

struct trace {
	struct trace_entry *entries;
	size_t nr, alloc;
};

/*
 * JSON lines: {"at_s": 0.25, "prompt_tokens": 512, "output_tokens": 128}. Mooncake's
 * names are read too: timestamp (ms), input_length, output_length. 'needs_times': a line
 * without a time is an error. release with trace_release().
 */
int trace_read(const char *path, bool needs_times, struct trace *ret, struct err *err);
void trace_release(struct trace *t);

struct arrivals {
	enum stage_kind kind;
	double rate_per_s, at_s;
	const struct trace *trace; /* borrowed */
	double scale;              /* trace times are multiplied by it */
	struct rng rng;
	uint64_t next, lane, lanes;
};

struct arrivals_lane {
	uint64_t lane, lanes;
};

void arrivals_init(struct arrivals *s, const struct load_stage *stage,
		   const struct trace *trace, double scale, struct arrivals_lane lane);
/* This lane's next arrival, from the start of the stage. False: the trace is over. */
bool arrivals_next(struct arrivals *s, uint64_t *ret_index, int64_t *ret_offset_ns);

enum length_kind { LENGTH_FIXED, LENGTH_UNIFORM, LENGTH_NORMAL };

struct length_rule {
	enum length_kind kind;
	int64_t mean, min, max;
	double deviation;
};

/* A length for request 'index': the same for the same seed, whoever asks. */
int32_t length_draw(const struct length_rule *rule, struct rng *rng);
int32_t length_largest(const struct length_rule *rule);

#endif
