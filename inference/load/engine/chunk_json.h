/*
 * What the load generator must know of one JSON chunk of a completion: OpenAI's
 * 'text_completion', 'chat.completion.chunk' and their whole (not streamed) forms, with
 * vLLM's additions (token_ids, continuous usage) and tare-mock's send time.
 *
 * A scanner of its own and not json-c, because it runs for every token of every stream in
 * the client whose cost is part of what is measured: it allocates nothing and takes some
 * 0.3 us for a chunk, where building a tree of objects takes several. It accepts exactly
 * RFC 8259 texts to a depth of CHUNK_DEPTH_MAX whose top is an object (but does not check
 * UTF-8); the fuzzer compares it with json-c.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_CHUNK_JSON_H
#define TARE_INFERENCE_LOAD_ENGINE_CHUNK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_DEPTH_MAX 32

/* Texts point into the scanned bytes, escapes and all. */
struct chunk_info {
	bool has_choice;  /* 'choices' is there and not empty */
	bool has_role;    /* delta.role */
	bool has_content; /* text, delta.content, reasoning or tool calls, not empty */
	bool has_finish;  /* finish_reason is a text */
	bool has_error;   /* 'error' is there and not null */
	bool has_usage;
	int32_t token_ids; /* length of the list; -1: none */
	int32_t prompt_tokens, completion_tokens, cached_tokens; /* -1: not said */
	int64_t sent_ns; /* tare.sent_ns; 0: none */
	const char *id;  /* NULL: none */
	size_t id_len;
	const char *error; /* the message; NULL: none */
	size_t error_len;
};

/* False: not JSON, or not an object. */
bool chunk_scan(const char *text, size_t len, struct chunk_info *ret);

#endif
