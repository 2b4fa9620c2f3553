/*
 * A body of /v1/completions, /v1/chat/completions, /tokenize or /detokenize, checked as
 * vLLM checks it. What the mock cannot do (n > 1, several prompts) is refused by name;
 * sampling parameters are taken and mean nothing.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_REQUEST_H
#define TARE_INFERENCE_MOCK_MOCK_REQUEST_H

#include "core/base/err.h"
#include "inference/mock/mock_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mock_endpoint {
	ENDPOINT_COMPLETIONS,
	ENDPOINT_CHAT,
	ENDPOINT_TOKENIZE,
	ENDPOINT_DETOKENIZE
};

enum { MOCK_NAME_MAX = 128 };

struct mock_request {
	char model[MOCK_NAME_MAX]; /* "" when not given */
	char salt[MOCK_NAME_MAX];  /* cache_salt */
	bool streams, include_usage, continuous_usage, wants_token_ids;
	int64_t max_tokens;       /* 0: not given */
	struct token_list tokens; /* the prompt; memory is used again by the next one */
};

/* 'len' is bounded by the caller. An error is the client's: HTTP 400 with its text. */
int mock_request_parse(const char *body, size_t len, enum mock_endpoint endpoint,
		       struct mock_request *r, struct err *err);

#endif
