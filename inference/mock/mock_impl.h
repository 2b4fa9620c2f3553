/*
 * Inside the mock: the server, its connections and the answers in progress. One thread
 * runs all of it; nothing here is locked. Included by mock_*.c alone.
 *
 * Life of a request: mock_conn.c reads bytes and finds a whole request; mock_routes.c
 * answers it at once or begins a stream; mock_stream.c sends each piece when its pace
 * says so and gives the connection back. Streams and connections that ended are freed at
 * the end of a turn of the loop, so that nobody on the way holds a dead pointer.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_IMPL_H
#define TARE_INFERENCE_MOCK_MOCK_IMPL_H

#include "core/base/buf.h"
#include "inference/mock/mock.h"
#include "inference/mock/mock_batch.h"
#include "inference/mock/mock_chunk.h"
#include "inference/mock/mock_fault.h"
#include "inference/mock/mock_http.h"
#include "inference/mock/mock_prefix.h"
#include "inference/mock/mock_request.h"
#include "inference/mock/mock_stats.h"
#include "inference/mock/mock_timers.h"

#include <stdio.h>

enum { MOCK_OUT_MAX = 1 << 20, MOCK_ID_SIZE = 72, MOCK_TURN_TIMERS = 256 };

/* What a timer is for; each lies inside the struct named. */
enum mock_timer_kind {
	TIMER_PACE,   /* mock_stream.pace: the next piece is due */
	TIMER_DELAY,  /* mock_stream.delay: a stall is over, or a split's second half */
	TIMER_CONN,   /* mock_conn.timer: accept delay or lingering close */
	TIMER_ACCEPT, /* mock_server.accept_again */
	TIMER_END     /* mock_server.end */
};

struct mock_timer {
	struct timer timer; /* first member: they are cast into each other */
	enum mock_timer_kind kind;
	void *owner;
};

struct mock_piece {
	int64_t tokens, due_ns;
};

struct mock_truth_piece {
	int64_t due_ns, sent_ns, tokens; /* CLOCK_REALTIME */
};

struct mock_stream {
	struct mock_conn *conn;
	struct mock_timer pace, delay;
	struct batch_seq seq;
	struct answer answer;
	struct mock_fault fault;
	bool streams, include_usage, continuous_usage, is_over;
	bool has_sent_role, fault_fired, is_held;
	int64_t prompt_tokens, cached_tokens, max_tokens; /* tokens to deliver */
	const char *finish_reason;

	int64_t arrival_ns;     /* CLOCK_MONOTONIC, read whole */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC, at the arrival */
	int64_t kernel_wall_ns; /* 0: no stamp */
	int64_t next_due_ns;    /* fixed pace: of the next piece */
	int64_t planned_tokens, planned_pieces; /* fixed pace: produced so far */
	int64_t pieces, tokens;                 /* sent so far */
	int64_t first_ns, last_ns;              /* of tokens, CLOCK_MONOTONIC */

	struct mock_piece *held; /* produced while held back */
	size_t held_nr, held_alloc;
	struct segment *own; /* split or coalesced: what waits to leave */
	size_t own_events;

	struct mock_truth_piece *truth; /* NULL without a truth file */
	size_t truth_nr, truth_alloc;
	int64_t role_sent_ns, usage_sent_ns; /* CLOCK_REALTIME, 0: never */
	int64_t running;                     /* others at the arrival, and itself */
	char request_id[MOCK_ID_SIZE];
	struct token_list prompt_ids; /* for return_token_ids */
	struct mock_stream *next_dead;
};

struct mock_conn {
	struct mock_server *server;
	int fd;
	int64_t serial;
	char *in; /* bytes that are not a whole request yet, or wait their turn */
	size_t in_len, in_alloc;
	struct buf out; /* bytes that the socket did not take */
	struct mock_stream *stream;
	struct mock_timer timer;
	int64_t kernel_wall_ns; /* of the last bytes read */
	uint32_t events;        /* what epoll watches */
	bool keeps_alive, closes_after_out, lingers, is_closed, told_continue, is_delayed;
	bool saw_end; /* the client sent all that it will */
	struct mock_conn *next, *previous, *next_dead;
};

struct mock_server {
	const struct mock_config *config;
	struct mock_fault *faults;
	size_t faults_nr;
	int epoll_fd, listen_fd, stop_fd;
	struct timers timers;
	struct mock_timer accept_again, end;
	struct batch batch;
	struct prefix_cache prefix;
	struct mock_stats stats;
	struct mock_request request; /* scratch */
	struct segment segment;      /* scratch */
	struct buf body;             /* scratch */
	char *read_buffer;           /* scratch */
	struct mock_conn *conns;
	struct mock_conn *dead_conns;
	struct mock_stream *dead_streams;
	struct mock_stream *stepping; /* whose turn it is in batch_step() */
	int64_t conns_nr, conns_made, requests, active;
	FILE *truth;
	bool is_accepting, is_over;
};

enum { MOCK_READ_SIZE = 1 << 16 };

/* mock_loop.c */
int mock_loop_init(struct mock_server *s, const struct mock_config *c, int listen_fd,
		   int stop_fd, FILE *truth, struct err *err);
void mock_loop_run(struct mock_server *s);
void mock_loop_release(struct mock_server *s);

/* mock_conn.c */
void mock_accept(struct mock_server *s);
void mock_conn_event(struct mock_conn *c, uint32_t events);
void mock_conn_timer(struct mock_conn *c);
/* Takes requests out of what was read until one begins a stream or none is whole. */
void mock_conn_process(struct mock_conn *c);
/* Sends or queues; false when the connection was closed for it. */
bool mock_conn_send(struct mock_conn *c, const char *data, size_t len);
/* The response is complete: the next request, or the end. */
void mock_conn_finish(struct mock_conn *c);
void mock_conn_close(struct mock_conn *c, bool resets);

/* mock_routes.c */
void mock_route(struct mock_conn *c, const struct http_request *r);
void mock_respond(struct mock_conn *c, int status, const char *type, const char *body,
		  size_t len, const char *request_id);
void mock_respond_error(struct mock_conn *c, int status, const char *message);

static inline struct mock_server *mock_server_of(const struct mock_stream *st)
{
	return st->conn->server;
}

/* mock_begin.c */
void mock_stream_begin(struct mock_conn *c, const struct http_request *r, bool is_chat);

/* mock_stream.c: the course of an answer, as its pace has it */
void mock_begin_fixed(struct mock_stream *st);
void mock_stream_timer(struct mock_stream *st, enum mock_timer_kind kind);
bool mock_stream_batch(void *server, struct batch_seq *seq, int64_t tokens,
		       int64_t due_ns);
/* Ends it in any state; 'outcome' is for the truth file. */
void mock_stream_end(struct mock_stream *st, const char *outcome);
/* The same for an answer that was sent, which gives the connection back. */
void mock_stream_finish(struct mock_stream *st, const char *outcome);
void mock_stream_free(struct mock_stream *st);

/*
 * mock_emit.c: pieces as bytes. False, or an ended stream, when the connection broke.
 */
bool mock_send_segment(struct mock_stream *st, struct segment *g, int64_t *ret_wall);
bool mock_flush_held_bytes(struct mock_stream *st); /* of 'split' and 'coalesce' */
bool mock_send_role(struct mock_stream *st, int64_t due_ns);
bool mock_send_tokens(struct mock_stream *st, const struct mock_piece *p);
void mock_send_ending(struct mock_stream *st); /* usage, [DONE], end of the body */
void mock_send_whole(struct mock_stream *st, int64_t due_ns);

/* mock_break.c: what a fault leaves of the stream */
enum mock_effect { MOCK_GOES_ON, MOCK_HELD, MOCK_OVER };
/* Before piece number 'pieces', and before the end. */
enum mock_effect mock_apply_fault(struct mock_stream *st);
enum mock_effect mock_hold(struct mock_stream *st); /* until 'delay' fires */
/* For an answer that is not a stream: true when it was broken instead of sent. */
bool mock_break_whole(struct mock_stream *st);

/* mock_truth.c */
void mock_truth_write(struct mock_server *s, const struct mock_stream *st,
		      const char *outcome);

#endif
