/*
 * What is measured and every number that was observed.
 *
 * A metric's definition is static and stands in one table per workload; docs/metrics.md
 * describes each by its name and a test compares the two. Values are in the base unit
 * (s, byte, FLOP/s, token/s, W) and are never scaled before they are printed for a
 * person.
 */
#ifndef TARE_CORE_DOCUMENT_METRIC_H
#define TARE_CORE_DOCUMENT_METRIC_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_better { METRIC_NONE, METRIC_HIGHER, METRIC_LOWER };

struct metric_def {
	const char *name; /* stable key: "gemm.flops" */
	const char *unit; /* base unit as written in files: "FLOP/s", "s", "1" */
	enum metric_better better;
	bool gate;        /* takes part in the verdict by default */
	const char *help; /* one sentence: what, from where to where */
};

/*
 * Every repeat of one metric. Attempts that gave no number are counted beside the
 * numbers. Initialise with samples_init().
 */
struct samples {
	struct metric_def def; /* texts borrowed when made from a table, else owned */
	bool owns_texts;
	double *values; /* in the order taken */
	size_t nr, alloc;
	uint64_t warmup; /* taken and set aside by design */
	uint64_t failed; /* attempted without a usable value */
};

void samples_init(struct samples *s, const struct metric_def *def);
void samples_reserve(struct samples *s, size_t nr); /* no allocation in a timed span */
void samples_add(struct samples *s, double value);  /* must be finite, or it is a bug */
void samples_release(struct samples *s);

const char *metric_better_name(enum metric_better b); /* "higher", "lower", "none" */

/* {name, unit, better, gate, values, warmup, failed} and back; strict about types. */
struct json_object *samples_to_json(const struct samples *s);
int samples_from_json(struct samples *ret, struct json_object *o, const char *where,
		      struct err *err);

/* "53.9 TFLOP/s", "1.25 ms", "64 GiB": scaled for people; returns 'text'. */
const char *unit_human(double value, const char *unit, char *text, size_t size);

#endif
