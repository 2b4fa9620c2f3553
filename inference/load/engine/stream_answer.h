/*
 * What the body of a reply says: events, the chunks that carry tokens with their stamps,
 * and, when it is whole, what it was. The instants are those of the read that is going on
 * (stream.c sets them).
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_STREAM_ANSWER_H
#define TARE_INFERENCE_LOAD_ENGINE_STREAM_ANSWER_H

#include "inference/load/engine/stream.h"

/* A piece of the body of 'ctx', a struct stream. False: no more of it can be understood. */
bool stream_take_body(void *ctx, const char *bytes, size_t len);

/* A whole reply: what was it? Tokens that were counted at its end alone are spread. */
enum request_end stream_judge(struct stream *s);

#endif
