/*
 * What the first request that failed was told, in words for a person. Only the first text
 * of a worker is kept, without the API key; the later ones cost a comparison.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_STREAM_ERROR_H
#define TARE_INFERENCE_LOAD_ENGINE_STREAM_ERROR_H

#include "inference/load/engine/stream.h"

/* The server's own words, or the system's; 'what' goes before them. */
void stream_error(struct stream *s, const char *what, const char *text, size_t len);

/* A piece of a body that is no event stream, with the status that it came with. */
void stream_error_body(struct stream *s, const char *bytes, size_t len);

/* A failed request is over: what it ended as, where the server said nothing. */
void stream_error_end(struct stream *s);

#endif
