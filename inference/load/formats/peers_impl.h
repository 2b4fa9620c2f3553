/* What the two writers share. Included by peers_*.c alone. */
#ifndef TARE_INFERENCE_LOAD_FORMATS_PEERS_IMPL_H
#define TARE_INFERENCE_LOAD_FORMATS_PEERS_IMPL_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "inference/load/engine/request_record.h"

#include <stdio.h>

/* Nanoseconds between two instants as seconds; NAN when either never happened. */
double peers_between_s(int64_t from_ns, int64_t to_ns);
/* Unix seconds, or NULL (null) when it never happened. */
struct json_object *peers_unix(const struct load_stage *s, int64_t at_ns);
/* What usage said, else what was counted; NAN when neither. */
double peers_output_tokens(const struct request_record *r);
double peers_prompt_tokens(const struct request_record *r);

/* Writes the object on one line and frees it. */
void peers_put_line(FILE *f, struct json_object *o);

#endif
