/*
 * The texts that the mock sends: response heads, stream events, whole bodies, errors.
 *
 * An event is written as one HTTP chunk. Where its "sent_ns" stands is remembered, so
 * that the 19 digits can be written in the last moment, for all events of one segment.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_CHUNK_H
#define TARE_INFERENCE_MOCK_MOCK_CHUNK_H

#include "core/base/buf.h"
#include "inference/mock/mock_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_STAMPS_MAX = 80, STAMP_DIGITS = 19 };

/* What leaves in one send(2). */
struct segment {
	struct buf text;
	size_t stamps[SEGMENT_STAMPS_MAX];
	size_t stamps_nr;
};

void segment_init(struct segment *s);
void segment_release(struct segment *s);
void segment_clear(struct segment *s);
/* Writes the instant into every place; 'wall_ns' has 19 digits from 2001 to 2262. */
void segment_stamp(struct segment *s, int64_t wall_ns);

/* What is said of an answer in each of its events. */
struct answer {
	bool is_chat, is_chunked; /* not chunked: HTTP/1.0, ends with the connection */
	const char *model;
	int64_t serial, created_s;
	const struct token_list *prompt_ids; /* in the first event when not NULL */
	bool wants_token_ids;
	int64_t prompt_tokens, cached_tokens;
};

struct answer_piece {
	int64_t index, first_token, tokens; /* tokens first_token .. +tokens-1 */
	int64_t due_wall_ns;
	const char *finish_reason; /* "length", "stop" or NULL */
	bool has_usage;            /* continuous usage */
	int64_t completion_tokens; /* what usage says */
};

void chunk_stream_head(struct segment *s, const struct answer *a, const char *request_id);
void chunk_role(struct segment *s, const struct answer *a, int64_t due_wall_ns);
void chunk_tokens(struct segment *s, const struct answer *a,
		  const struct answer_piece *p);
void chunk_usage(struct segment *s, const struct answer *a, const struct answer_piece *p);
void chunk_error(struct segment *s, const struct answer *a);
void chunk_raw(struct segment *s, const struct answer *a, const char *payload);
void chunk_done(struct segment *s, const struct answer *a); /* data: [DONE] */
void chunk_end(struct segment *s, const struct answer *a);  /* ends the body */

/* A whole answer that is not streamed. has_usage false leaves usage out. */
void body_answer(struct buf *body, const struct answer *a, const struct answer_piece *p);

/* Status line and headers of a response whose body has 'length' bytes. */
void response_head(struct buf *to, int status, const char *type, size_t length,
		   bool keeps_alive, const char *request_id);

#endif
