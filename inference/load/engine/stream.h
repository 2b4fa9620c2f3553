/*
 * One slot of load: a connection that carries one request at a time, and the request on
 * it from its issue to its record. Belongs to one worker thread; calls nothing that
 * blocks and, once its buffers have grown to size, nothing that allocates.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_STREAM_H
#define TARE_INFERENCE_LOAD_ENGINE_STREAM_H

#include "inference/http/http_reply.h"
#include "inference/load/engine/request_record.h"
#include "inference/http/sse.h"
#include "inference/load/engine/stage.h"
#include "inference/http/transport.h"

#include <stdatomic.h>

enum stream_phase {
	STREAM_CLOSED,     /* no connection */
	STREAM_OPENING,    /* connecting ahead of any request */
	STREAM_IDLE,       /* connected, no request */
	STREAM_CONNECTING, /* a request waits for its connection */
	STREAM_SENDING,    /* part of the request is still ours */
	STREAM_WAITING     /* sent; the reply is awaited or arriving */
};

/* What all streams of a worker share. */
struct stream_hub {
	const struct stage_config *config;
	struct link_share *share;
	int epoll;
	unsigned worker;
	int64_t wall_offset_ns;
	int64_t last_end_ns; /* of the request that ended last; 0: none yet */
	struct spool *spool;
	char *send_space, *recv_space, *peek_space;
	size_t recv_size;
	bool is_late; /* the last read came well after its bytes */
	struct lag *lag, *stamp_error, *turnaround;
	uint64_t reads, unstamped, events, chunks, coalesced, connections;
	char error_text[256];
	/* Written by the worker alone, read by whoever watches. */
	_Atomic uint64_t ok, failed, tokens, in_flight, ttft_nr, ttft_sum_ns;
};

/* One writer: a plain load and store is enough, and costs no locked cycle. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

struct stream {
	enum stream_phase phase;
	struct stream_hub *hub;
	struct link *link;
	uint32_t tag;
	uint64_t next_index; /* closed loop: of this slot's next request */
	bool link_is_fresh;  /* no request went over it yet */
	bool has_content_error, has_done, has_finish, has_exact_tokens, is_bad;
	int64_t stamp_ns, last_byte_ns;
	int64_t free_ns;    /* when the last request was known to be over */
	size_t usual_bytes; /* of a read that brought one event; 0: not known */
	struct http_reply reply;
	struct sse sse;
	struct request_record rec;
	struct chunk_stamp *chunks;
	uint32_t chunks_alloc;
	char *pending; /* what of the request could not be sent at once */
	size_t pending_len, pending_at, pending_alloc;
};

void stream_init(struct stream *s, struct stream_hub *hub, uint32_t tag);
void stream_release(struct stream *s);

/* Opens the connection ahead of the first request. */
void stream_open(struct stream *s);

/* The slot must be free: CLOSED, OPENING or IDLE. Due at 'scheduled_ns'. */
void stream_issue(struct stream *s, uint64_t index, int64_t scheduled_ns);

/* An event of the epoll set. True: the request on it is over and recorded. */
bool stream_event(struct stream *s, int fd, uint32_t events);

/* When stream_tick() must be called at the latest; CLOCK_NEVER: not. */
int64_t stream_wake_ns(const struct stream *s);
bool stream_tick(struct stream *s, int64_t now_ns); /* as stream_event() */

/* Ends what runs, recorded as cancelled. */
void stream_cancel(struct stream *s, int64_t now_ns);

static inline bool stream_is_busy(const struct stream *s)
{
	return s->phase >= STREAM_CONNECTING;
}

#endif
