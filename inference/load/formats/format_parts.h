/*
 * What the writers of other tools' formats share: figures of a record, and numbers with
 * weights with the two ways in which those tools summarise them.
 */
#ifndef TARE_INFERENCE_LOAD_FORMATS_FORMAT_PARTS_H
#define TARE_INFERENCE_LOAD_FORMATS_FORMAT_PARTS_H

#include "core/document/json.h"
#include "inference/load/engine/request_record.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Nanoseconds between two instants as seconds; NAN when either never happened. */
double record_between_s(int64_t from_ns, int64_t to_ns);
/* Unix seconds, or NULL (null) when it never happened. */
struct json_object *stage_unix_s(const struct load_stage *s, int64_t at_ns);
/* What usage said, else what was counted; NAN when neither. */
double record_output_tokens(const struct request_record *r);
double record_prompt_tokens(const struct request_record *r);

/* Writes the object on one line and frees it. */
void put_object(FILE *f, struct json_object *o);

struct weighted {
	double value, weight;
};

struct weighted_samples {
	struct weighted *items;
	size_t nr, alloc;
};

void weighted_add(struct weighted_samples *s, double value,
		  double weight); /* NAN is left out */
void weighted_append(struct weighted_samples *to, const struct weighted_samples *from);
void weighted_release(struct weighted_samples *s);

/* GuideLLM's DistributionSummary; sorts 's'. All zero when there is nothing. */
struct json_object *weighted_to_guidellm(struct weighted_samples *s);

/* mean, median, std (population) and percentiles of vLLM's names, times 'scale'. */
void weighted_put_vllm(struct json_object *o, const char *name, double scale,
		       struct weighted_samples *s);

#endif
