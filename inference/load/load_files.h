/*
 * Files beside the result document: a JSON line for each request, one for each chunk, and
 * the run in the formats of other tools. All appear whole or not at all.
 *
 * A chunk's line: {"request", "response_id", "index", "arrival_ns", "tokens", "stage",
 * "request_id", "coalesced"}: 'request' counts in its stage, 'arrival_ns' is the kernel's
 * CLOCK_REALTIME stamp, 'request_id' what was sent as X-Request-Id.
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_FILES_H
#define TARE_INFERENCE_LOAD_LOAD_FILES_H

#include "core/base/err.h"
#include "inference/load/load_run.h"

/* Before a load: whether each file that it is to write can be, and is another one. */
int load_check_files(const struct load_options *o, struct err *err);

int load_write_requests(const struct load_run *r, const char *path, struct err *err);
int load_write_chunks(const struct load_run *r, const char *path, struct err *err);
/* --guidellm and --vllm (inference/load/formats/formats.h); nothing without either. */
int load_write_formats(const struct load_run *r, struct err *err);

#endif
