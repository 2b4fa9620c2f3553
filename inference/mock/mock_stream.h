/*
 * Generation requests: each is a stream of pieces (or one body) that leave when the pace
 * says so, broken where a fault says so, and recorded in the truth file. inference/mock/mock.h
 * describes all three.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_STREAM_H
#define TARE_INFERENCE_MOCK_MOCK_STREAM_H

#include "inference/mock/mock_batch.h"
#include "inference/mock/mock_chunk.h"
#include "inference/mock/mock_conn.h"
#include "inference/mock/mock_prefix.h"
#include "inference/mock/mock_request.h"

#include <stdio.h>

/* What all streams of a server share. */
struct mock_engine {
	const struct mock_config *config;
	const struct mock_faults *faults;
	struct mock_net *net;
	struct mock_stats *stats;
	FILE *truth; /* or NULL */
	struct batch batch;
	struct prefix_cache prefix;
	struct mock_request request; /* the one in hand; its memory is used again */
	int64_t requests, active;
	bool is_ending; /* the server stops */

	/* mock_stream.c's own */
	struct segment segment; /* scratch */
	struct buf body;        /* scratch */
	struct mock_stream *dead;
	struct mock_stream *stepping; /* whose turn it is in batch_step() */
};

/* Before it fill in the first five; they must outlive the engine. */
void mock_engine_init(struct mock_engine *e);
/* After mock_net_release(), which ends all streams. */
void mock_engine_release(struct mock_engine *e);
void mock_engine_sweep(struct mock_engine *e); /* frees streams that ended */
void mock_engine_step(struct mock_engine *e);  /* at batch.step_end_ns */

/*
 * Begins to answer 'r', whose body is e->request. The connection's 'answer' is the stream
 * until it has ended, unless the request is refused at once.
 */
void mock_stream_begin(struct mock_engine *e, struct mock_conn *c,
		       const struct http_request *r, bool is_chat);
/* For mock_conn_ops.lose: the outcome is "disconnected", "stopped" when the server ends. */
void mock_stream_lose(void *stream);

#endif
