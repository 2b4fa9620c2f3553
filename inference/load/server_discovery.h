/*
 * What the server is and understands, asked before load begins: the model's name, which
 * request fields it takes, words of one token each for chat prompts, and its own counters.
 */
#ifndef TARE_INFERENCE_LOAD_SERVER_DISCOVERY_H
#define TARE_INFERENCE_LOAD_SERVER_DISCOVERY_H

#include "inference/load/engine/request_text.h"
#include "inference/http/transport.h"

#include <stdbool.h>
#include <stdint.h>

struct server_facts {
	char *model;           /* the name to ask for */
	char *version;         /* /version, or NULL */
	bool is_mock;          /* it says that it is tare-mock */
	int64_t max_model_len; /* 0: not said */
	struct dialect dialect;
	bool counts_words; /* chat: /tokenize counts, so prompts are exact */
};

/* 'model' may be NULL: the first that /v1/models names. */
int server_find_model(const struct transport *t, const char *model,
		      struct server_facts *ret, struct err *err);
void server_facts_release(struct server_facts *f);

/*
 * Sends one small request with every extension; where the server refuses (400 or 422),
 * fewer. 'p' has its pieces; its dialect is set, and prompt_finish() called, here.
 * '*ret_token_ns' is about the time between two tokens that it showed.
 */
int server_find_dialect(const struct transport *t, const struct url_parts *url,
			struct prompt *p, const char *model, const char *salt,
			struct server_facts *facts, int64_t *ret_token_ns,
			struct err *err);

/*
 * Fills the prompt's pieces with words: those of a list of common ones that /tokenize
 * counts as one token each between others, and what the chat template adds. Without
 * /tokenize all of the list, uncounted ('counts_words' false).
 */
int server_find_words(const struct transport *t, const char *model, struct prompt *p,
		      struct server_facts *facts, struct err *err);

/* Counters of vLLM's /metrics, summed over engines; -1 where there are none. */
struct server_counters {
	double prefix_queries, prefix_hits; /* tokens */
	double preemptions;
};

void server_read_counters(const struct transport *t, struct server_counters *ret);
/* The same out of a text in Prometheus' exposition format. */
void server_counters_parse(const char *text, struct server_counters *ret);

#endif
