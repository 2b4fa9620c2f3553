/*
 * The reference server: answers as an OpenAI-compatible model server does, to a schedule
 * that is known exactly, and puts its own send time into every chunk. It is no model: the
 * words mean nothing, and everything that it answers says so (header "Server: tare-mock",
 * "owned_by": "tare-mock (no model)", the "tare" object in every body and chunk).
 *
 *	struct mock_config c;
 *	fields_init(mock_fields, &c);
 *	c.itl_ns = 10 * NS_PER_MS;
 *	struct mock *m = mock_start(&c, MOCK_PROCESS, &err);
 *	... mock_url(m) is "http://127.0.0.1:40001" ...
 *	mock_stop(m);
 *	fields_release(mock_fields, &c);
 *
 * Endpoints: POST /v1/completions (prompt: text, token ids, or a list of one of either),
 * POST /v1/chat/completions, both streaming and not; GET /v1/models, /health, /ping,
 * /version, /metrics (vLLM's names); POST /tokenize, /detokenize, /reset_prefix_cache.
 * HTTP/1.1 with keep-alive and pipelining.
 *
 * Tokens: a token is a word. The id of the word "t1234" is 1234; any other word has an id
 * made from its bytes, so text survives /tokenize and /detokenize by count. A chat costs
 * MOCK_TOKENS_PER_MESSAGE for each message and MOCK_TOKENS_TO_ANSWER once, besides the
 * words in it. A prompt of N ids is exactly N tokens.
 *
 * Pace (see mock_batch.h for the second):
 *   fixed  a request's first token is due ttft + prefill_per_token * (prompt tokens
 *          that are not cached) after the request had arrived whole, chunk i is due
 *          i * itl later. No request knows of another.
 *   batch  one engine advances all requests in steps, as vLLM does: waiting queue,
 *          maximum number of sequences, chunked prefill, KV limit. Throughput has a
 *          true knee.
 * In both, a chunk carries tokens_per_chunk tokens (the last one the remainder).
 *
 * Stamps: every chunk of a stream, and every body, carries "tare": {"sent_ns": N,
 * "due_ns": N, "index": i, "tokens": k}. sent_ns is CLOCK_REALTIME read directly before
 * the send(2) that carries it, always 19 digits; due_ns is the schedule on the same
 * clock. Both are beyond 2^53: read them as 64-bit integers. The client's kernel stamps
 * (SO_TIMESTAMPING) are of the same clock, so arrival - sent_ns is the path's error. A
 * chunk behind a full socket buffer has the time at which it was queued and counts in
 * tare_mock:backlogged_chunks_total.
 *
 * Faults: --fault SPEC, repeatable, or per request the header "X-Tare-Fault: SPEC".
 *	SPEC = KIND[=VALUE][,after=K][,rate=P|,every=N|,nth=N]
 *   status=CODE    the HTTP status with vLLM's error body; 429 has Retry-After
 *   stream-error   'data: {"error":...}' inside the 200 stream, then its end
 *   truncate       the stream ends well-framed without finish_reason, usage and [DONE]
 *   cut            the connection closes inside the chunked body
 *   reset          the connection is reset (RST)
 *   stall=SECONDS  nothing for so long, then on as planned; stall=0 for ever
 *   length=N       N tokens are delivered whatever was asked
 *   usage=N        usage says N completion tokens whatever was delivered
 *   no-usage       the usage chunk is left out
 *   empty          no token: role, finish_reason and [DONE] only
 *   bad-json       one chunk is no JSON
 *   bad-sse        one line is no event-stream line
 *   bad-chunk      one chunked-encoding length is no number
 *   split          every event leaves in two segments (still valid)
 *   coalesce=K     K events leave in one segment (still valid; K is 1 to 64)
 *   slow-accept=SECONDS  by n-th connection: nothing is read from it for so long
 * 'after' (0) is the number of chunks sent before it happens. Without a selector a
 * command line's fault hits every request. Request numbers count generation requests
 * from 1. 'rate' draws from 'seed' and the request's number, so it repeats.
 *
 * Truth: with 'truth_file', one JSON object a line per generation request when it ends:
 *   {"request": 1, "response_id": "cmpl-mock-1", "request_id": X-Request-Id or null,
 *    "connection": 3, "endpoint": "completions", "stream": true, "status": 200,
 *    "fault": null, "outcome": "done|faulted|refused|disconnected|stopped",
 *    "prompt_tokens", "cached_tokens", "output_tokens", "running",
 *    "arrival_kernel_ns", "arrival_ns", "due_ns": [...], "sent_ns": [...],
 *    "tokens": [...], "role_sent_ns", "usage_sent_ns", "done_ns"}
 * Instants are CLOCK_REALTIME ns, null where it did not happen. arrival_kernel_ns is the
 * kernel's receive stamp of the request's last segment, arrival_ns the clock when the
 * request had been read. due_ns, sent_ns and tokens have an entry a chunk with tokens.
 *
 * Bounds: MOCK_CONNECTIONS_MAX connections, 32 KiB of request head, 'body_max' of body, a
 * receiver that leaves more than 1 MiB unread is closed, 'queue_max' waiting requests
 * (then 503).
 *
 * Why the HTTP server is our own: a library frames and flushes when it likes, and refuses
 * to break the protocol; here each byte has its instant and faults are the purpose.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_H
#define TARE_INFERENCE_MOCK_MOCK_H

#include "core/base/err.h"
#include "core/options/field.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	MOCK_CONNECTIONS_MAX = 65536,
	MOCK_TOKENS_PER_MESSAGE = 4,
	MOCK_TOKENS_TO_ANSWER = 3
};

enum mock_pace { MOCK_FIXED, MOCK_BATCH };

/* When a chat stream's role chunk leaves: vLLM sends it just before the first token. */
enum mock_role { MOCK_ROLE_WITH_FIRST, MOCK_ROLE_AT_ONCE, MOCK_ROLE_NEVER };

struct mock_config {
	char *address; /* an IPv4 or IPv6 literal to listen on */
	int64_t port;  /* 0: any free one */
	char *model;   /* the name it answers with; starts with "mock" or "tare-mock" */
	bool strict_model;     /* 404 for a request that names another one */
	int64_t max_model_len; /* prompt + output; more is HTTP 400 */
	int64_t seed;

	int pace; /* enum mock_pace */
	int64_t ttft_ns, itl_ns, prefill_per_token_ns;
	double jitter; /* each interval times 1 + jitter * u, u uniform in (-1, 1); seeded
			*/
	int64_t tokens_per_chunk;
	int role;        /* enum mock_role */
	int64_t spin_ns; /* wait actively for so long before each instant */

	int64_t step_base_ns, step_per_seq_ns, step_per_prefill_token_ns;
	int64_t max_num_seqs, max_batched_tokens, kv_tokens, queue_max;
	bool prefix_cache;

	int64_t accept_delay_ns; /* for every connection */
	struct strvec faults;
	bool allows_fault_header;
	char *truth_file;
	int64_t body_max;
	int64_t seconds_ns; /* ends by itself; 0: never */
	int64_t cpu;        /* pin to this CPU; -1: not */
};

/* The table of all options; "model-name" and so on. fields_init() gives the defaults. */
extern const struct field mock_fields[];

/* Everything that fields alone cannot check: the address, the faults, the model's name.
 */
int mock_config_check(const struct mock_config *c, struct err *err);

struct mock;

/* A thread of this process, or a process of its own that dies with this one. */
enum mock_place { MOCK_THREAD, MOCK_PROCESS };

/*
 * Returns when it is listening. 'config' is copied. Call MOCK_PROCESS before making other
 * threads. NULL on failure. No signal handler is installed.
 */
struct mock *mock_start(const struct mock_config *config, enum mock_place place,
			struct err *err);
pid_t mock_pid(const struct mock *m);       /* 0 for a thread */
const char *mock_url(const struct mock *m); /* "http://127.0.0.1:PORT"; owned by m */
/* Ends all streams, writes what is left of the truth file and frees. NULL is fine. */
void mock_stop(struct mock *m);

/*
 * In this thread until stop_requested(); 'on_ready' is told the URL once it listens. What
 * tare-mock runs.
 */
int mock_serve(const struct mock_config *config,
	       void (*on_ready)(void *ctx, const char *url), void *ctx, struct err *err);

#endif
