/*
 * Requests as they go over the wire: HTTP head and JSON body, different for every request
 * and the same for the same seed, built in place without allocating.
 *
 * /v1/completions: the prompt is a list of token ids, so N ids are exactly N tokens and
 * no tokenizer is needed. Ids are drawn from [token_low, token_high), by default 10000 to
 * 29999, which every common model has and where no special tokens are.
 * /v1/chat/completions: the prompt is words out of a pool that the server's own /tokenize
 * showed to be one token each (inference/load/server_discovery.h), as many as the length
 * wants beyond what the chat template costs.
 *
 * No two requests share a beginning (beyond chance: the first 16 tokens, a block of
 * vLLM's prefix cache, are drawn from thousands each), and 'cache_salt' is fresh in every
 * run.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_REQUEST_TEXT_H
#define TARE_INFERENCE_LOAD_ENGINE_REQUEST_TEXT_H

#include "core/base/err.h"
#include "inference/load/engine/arrivals.h"
#include "inference/http/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the server was found to understand, beside the standard's fields. */
struct dialect {
	bool has_stream_usage;     /* stream_options.include_usage */
	bool has_continuous_usage; /* ... continuous_usage_stats */
	bool has_fixed_length;     /* ignore_eos and min_tokens */
	bool has_cache_salt;
};

enum { PROMPT_PIECE_MAX = 15, PROMPT_HEAD_ROOM = 2048 };

struct prompt_piece {
	char text[PROMPT_PIECE_MAX];
	uint8_t len;
};

struct prompt {
	bool is_chat;
	struct prompt_piece *pieces; /* "12345," or "word " */
	size_t pieces_nr, pieces_alloc;
	int32_t overhead; /* tokens of the chat template around the words */
	struct length_rule prompt_rule, output_rule;
	const struct trace *lengths; /* instead of the rules; borrowed, may be NULL */
	uint64_t seed;
	struct dialect dialect;
	char *head;       /* "POST ... X-Request-Id: tare-" */
	char *body_front; /* between the numbers and the prompt */
	char *body_back;  /* behind the prompt */
	size_t head_len, front_len, back_len;
};

/* Zero-initialise, then pieces by one of these. */
void prompt_use_ids(struct prompt *p, int64_t low, int64_t high);
void prompt_use_words(struct prompt *p, const char *const *words, size_t nr,
		      int32_t overhead);

/* The fixed parts, once dialect and pieces are known. May be called again. */
void prompt_finish(struct prompt *p, const struct url_parts *url, const char *bearer,
		   const char *model, const char *salt);
void prompt_release(struct prompt *p);

/* The largest message that prompt_build() can make. */
size_t prompt_size_max(const struct prompt *p);

/*
 * Request 'index' of a stage into 'space' (prompt_size_max() bytes): '*start' is where it
 * begins, the length is returned. Lengths wanted go to the last two arguments.
 */
size_t prompt_build(const struct prompt *p, uint64_t stage_seed, uint64_t index,
		    char *space, char **start, int32_t *prompt_tokens,
		    int32_t *output_tokens);

#endif
