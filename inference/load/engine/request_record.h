/*
 * What is known about one finished request, and about the stage of load it belonged to.
 *
 * Instants are CLOCK_MONOTONIC nanoseconds on the machine that sent the load; RECORD_NONE
 * means that the event never happened (a missing number is absent, never 0). A stage's
 * 'wall_offset_ns' turns them into Unix time: wall = mono + wall_offset_ns. Arrivals are
 * the kernel's receive stamps (SO_TIMESTAMPING), moved onto the monotonic clock by the
 * same offset; 'sent_ns' is read directly before the request's first byte is written.
 *
 * Order of events in one request: scheduled <= issued <= sent <= first_byte <= role <=
 * first_token <= last_token <= done <= end. 'scheduled' is when the load profile wanted
 * it to leave; in a closed loop that is the arrival of the reply before it on the same
 * slot, or of the end of its connection where nothing else ends a reply.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_REQUEST_RECORD_H
#define TARE_INFERENCE_LOAD_ENGINE_REQUEST_RECORD_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_NONE INT64_MIN
#define RESPONSE_ID_SIZE 64

/* How a request ended. Exactly one holds; names come from request_end_name(). */
enum request_end {
	REQUEST_OK,
	REQUEST_REFUSED, /* nobody listens there: ECONNREFUSED */
	REQUEST_CONNECT, /* no connection for another reason: name, route, TLS */
	REQUEST_TIMEOUT, /* not finished within the request's own limit */
	REQUEST_STALL,   /* bytes stopped coming for longer than the stall limit */
	REQUEST_RESET,   /* the peer reset the connection (ECONNRESET, EPIPE), or closed
			       * it before any reply */
	REQUEST_HTTP_STATUS,  /* a status other than 200: see http_status */
	REQUEST_STREAM_ERROR, /* an error object inside a stream under status 200 */
	REQUEST_TRUNCATED,    /* the stream ended before its own end mark */
	REQUEST_EMPTY,        /* status 200 and a whole stream, but no token in it */
	REQUEST_WRONG_LENGTH, /* usage is missing, or not the lengths that were asked for
			       */
	REQUEST_PROTOCOL,     /* not HTTP, not server-sent events or not JSON */
	REQUEST_CANCELLED, /* ours: the stage was over before the reply was; no failure */
	REQUEST_ENDS
};

const char *request_end_name(enum request_end e); /* "ok", "refused", "http_status" ... */
/* True for everything that counts against the server: not OK and not CANCELLED. */
bool request_end_is_failure(enum request_end e);

/* One piece of the stream that carried tokens. */
struct chunk_stamp {
	int64_t arrival_ns;
	uint32_t tokens; /* 0 where a text came in more chunks than it has tokens */
	bool coalesced;  /* shares its stamp: several events were read at once */
};

struct request_record {
	uint64_t index; /* of the request in its stage: 0, 1, ... over all workers */
	int64_t scheduled_ns, issued_ns, sent_ns;
	int64_t first_byte_ns; /* of the reply's head */
	int64_t role_ns;       /* the chat stream's opening chunk without content */
	int64_t first_token_ns, last_token_ns;
	int64_t done_ns; /* [DONE], or the end mark that the server uses instead */
	int64_t end_ns;  /* the last byte, the failure, or the cancellation */
	enum request_end end;
	int32_t http_status; /* 0: no reply */
	int32_t prompt_wanted, output_wanted;
	/* The server's own 'usage'; -1 when it did not say. */
	int32_t prompt_tokens, output_tokens, cached_tokens;
	int32_t received_tokens; /* counted from the chunks */
	uint32_t events;         /* server-sent events of any kind */
	uint32_t worker;
	int32_t os_error;       /* errno of a failed connection, or 0 */
	bool reused_connection; /* sent over a connection that was there already */
	char response_id[RESPONSE_ID_SIZE]; /* the server's; "" when it gave none */
	const struct chunk_stamp *chunks;   /* 'chunks_nr' of them, borrowed */
	uint32_t chunks_nr;
};

enum stage_kind {
	STAGE_CONCURRENT,
	STAGE_THROUGHPUT,
	STAGE_CONSTANT,
	STAGE_POISSON,
	STAGE_TRACE
};

enum { STAGE_KINDS = STAGE_TRACE + 1 };

const char *stage_kind_name(enum stage_kind kind); /* "concurrent", "poisson" ... */

/*
 * One constant offer of load: a concurrency level, a rate, or a trace. The window is
 * [measure_start_ns, measure_end_ns): what happened before is warm-up, what came after is
 * cool-down, each event by its own time.
 */
struct load_stage {
	char label[32]; /* "c32", "r12.5", "max", "trace" */
	enum stage_kind kind;
	int64_t concurrency; /* CONCURRENT, THROUGHPUT */
	double rate_per_s;   /* CONSTANT, POISSON */
	uint64_t seed;
	int64_t wall_offset_ns;
	int64_t start_ns, measure_start_ns, measure_end_ns, end_ns;
};

/*
 * Where the records of one stage come from: a run's spool, or files of records.
 * next() returns 1 and fills 'ret', whose chunks are valid until the next call, 0 at the
 * end, or -1 with 'err': what was read so far is then not the stage, and nothing may be
 * made of it. rewind() starts over. Callers use record_source_next().
 */
struct record_source {
	void *ctx;
	int (*next)(void *ctx, struct request_record *ret, struct err *err);
	void (*rewind)(void *ctx);
};

__attribute__((warn_unused_result)) static inline int record_source_next(
	const struct record_source *s, struct request_record *ret, struct err *err)
{
	return s->next(s->ctx, ret, err);
}

#endif
