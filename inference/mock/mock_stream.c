#include "inference/mock/mock_stream.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "inference/mock/mock_respond.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ID_SIZE = 72 };

static const int64_t max_tokens_unasked = 16; /* as OpenAI's and vLLM's completions */
static const int64_t split_ns = 500 * NS_PER_US;

/* Tokens that the pace gave, and when. */
struct mock_piece {
	int64_t tokens, due_ns;
};

struct truth_piece {
	int64_t due_ns, sent_ns, tokens; /* CLOCK_REALTIME */
};

struct mock_stream {
	struct mock_engine *engine;
	struct mock_conn *conn;
	struct timer pace;  /* the next piece is due */
	struct timer delay; /* a stall is over, or a split's second half is due */
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

	struct truth_piece *truth; /* NULL without a truth file */
	size_t truth_nr, truth_alloc;
	int64_t sent_wall_ns;                /* CLOCK_REALTIME of the last segment */
	int64_t role_sent_ns, usage_sent_ns; /* CLOCK_REALTIME, 0: never */
	int64_t running;                     /* others at the arrival, and itself */
	char request_id[ID_SIZE];
	struct token_list prompt_ids; /* for return_token_ids */
	struct mock_stream *next_dead;
};

/* --- the truth file --- */

static void put_instant(FILE *to, const char *key, int64_t ns)
{
	if (ns)
		fprintf(to, ",\"%s\":%" PRId64, key, ns);
	else
		fprintf(to, ",\"%s\":null", key);
}

static void put_pieces(FILE *to, const struct mock_stream *st, const char *key,
		       size_t member)
{
	fprintf(to, ",\"%s\":[", key);
	for (size_t i = 0; i < st->truth_nr; i++) {
		const char *piece = (const char *)&st->truth[i];

		fprintf(to, "%s%" PRId64, i ? "," : "",
			*(const int64_t *)(const void *)(piece + member));
	}
	fputc(']', to);
}

static void put_text(FILE *to, const char *key, const char *text)
{
	/* What comes here has no character that JSON escapes: see take_request_id(). */
	if (text && *text)
		fprintf(to, ",\"%s\":\"%s\"", key, text);
	else
		fprintf(to, ",\"%s\":null", key);
}

static void write_truth(const struct mock_stream *st, const char *outcome)
{
	FILE *to = st->engine->truth;

	if (!to)
		return;
	fprintf(to, "{\"request\":%" PRId64 ",\"response_id\":\"%s-mock-%" PRId64 "\"",
		st->answer.serial, st->answer.is_chat ? "chatcmpl" : "cmpl",
		st->answer.serial);
	put_text(to, "request_id", st->request_id);
	fprintf(to,
		",\"connection\":%" PRId64
		",\"endpoint\":\"%s\",\"stream\":%s,\"status\":%d",
		st->conn->serial, st->answer.is_chat ? "chat" : "completions",
		st->streams ? "true" : "false",
		st->fault_fired && st->fault.kind == FAULT_STATUS ? (int)st->fault.value
								  : 200);
	put_text(to, "fault", st->fault_fired ? mock_fault_name(st->fault.kind) : NULL);
	put_text(to, "outcome", outcome);
	fprintf(to,
		",\"prompt_tokens\":%" PRId64 ",\"cached_tokens\":%" PRId64
		",\"output_tokens\":%" PRId64 ",\"running\":%" PRId64,
		st->prompt_tokens, st->cached_tokens, st->tokens, st->running);
	put_instant(to, "arrival_kernel_ns", st->kernel_wall_ns);
	put_instant(to, "arrival_ns", st->arrival_ns + st->wall_offset_ns);
	put_pieces(to, st, "due_ns", offsetof(struct truth_piece, due_ns));
	put_pieces(to, st, "sent_ns", offsetof(struct truth_piece, sent_ns));
	put_pieces(to, st, "tokens", offsetof(struct truth_piece, tokens));
	put_instant(to, "role_sent_ns", st->role_sent_ns);
	put_instant(to, "usage_sent_ns", st->usage_sent_ns);
	put_instant(to, "done_ns", clock_wall_ns());
	fputs("}\n", to);
}

/* --- the end --- */

static void stream_free(struct mock_stream *st)
{
	if (st->own)
		segment_release(st->own);
	free(st->own);
	free(st->held);
	free(st->truth);
	tokens_release(&st->prompt_ids);
	free(st);
}

static void observe_end(struct mock_stream *st)
{
	struct mock_stats *s = st->engine->stats;
	int64_t now = clock_mono_ns();
	int64_t begun = st->seq.admitted_ns ? st->seq.admitted_ns : st->arrival_ns;

	stats_observe(s, HIST_E2E, (double)(now - st->arrival_ns) * 1e-9);
	stats_observe(s, HIST_PROMPT_TOKENS, (double)st->prompt_tokens);
	stats_observe(s, HIST_GENERATION_TOKENS, (double)st->tokens);
	stats_observe(s, HIST_MAX_TOKENS, (double)st->max_tokens);
	stats_observe(s, HIST_QUEUE, (double)(begun - st->arrival_ns) * 1e-9);
	stats_observe(s, HIST_INFERENCE, (double)(now - begun) * 1e-9);
	if (st->tokens) {
		stats_observe(s, HIST_PREFILL, (double)(st->first_ns - begun) * 1e-9);
		stats_observe(s, HIST_DECODE,
			      (double)(st->last_ns - st->first_ns) * 1e-9);
	}
	if (st->tokens > 1)
		stats_observe(s, HIST_TPOT,
			      (double)(st->last_ns - st->first_ns) * 1e-9 /
				      (double)(st->tokens - 1));
}

static void count_outcome(struct mock_stream *st, const char *outcome)
{
	struct mock_stats *s = st->engine->stats;

	if (st->fault_fired)
		s->faults++;
	if (strcmp(outcome, "disconnected") == 0 || strcmp(outcome, "stopped") == 0)
		s->finished_abort++;
	else if (strcmp(outcome, "faulted") == 0 || strcmp(outcome, "refused") == 0)
		s->finished_error++;
	else if (st->finish_reason[0] == 's')
		s->finished_stop++;
	else
		s->finished_length++;
}

static void stream_end(struct mock_stream *st, const char *outcome)
{
	struct mock_engine *e = st->engine;

	if (st->is_over)
		return;
	st->is_over = true;
	count_outcome(st, outcome);
	observe_end(st);
	write_truth(st, outcome);
	timers_clear(&e->net->timers, &st->pace);
	timers_clear(&e->net->timers, &st->delay);
	if (e->stepping != st)
		batch_remove(&e->batch, &st->seq);
	st->conn->answer = NULL;
	e->active--;
	st->next_dead = e->dead;
	e->dead = st;
}

/* An answer that was sent: hands the connection to the next request. */
static void stream_finish(struct mock_stream *st, const char *outcome)
{
	struct mock_conn *c = st->conn;

	stream_end(st, outcome);
	mock_conn_finish(c);
}

/* --- pieces as bytes; false when the connection broke --- */

/* What is due at an instant of CLOCK_MONOTONIC, on the wall clock. */
static int64_t wall(const struct mock_stream *st, int64_t mono_ns)
{
	return mono_ns + st->wall_offset_ns;
}

/* Stamps with the instant, which stays in st->sent_wall_ns, and sends. */
static bool send_part(struct mock_stream *st, struct segment *g, size_t len)
{
	st->sent_wall_ns = clock_wall_ns();
	segment_stamp(g, st->sent_wall_ns);
	return mock_conn_send(st->conn, g->text.data, len);
}

static bool send_segment(struct mock_stream *st, struct segment *g)
{
	return send_part(st, g, g->text.len);
}

/* The first half now, the rest a little later. */
static bool send_split(struct mock_stream *st, struct segment *g)
{
	size_t half = g->text.len / 2;

	if (!send_part(st, g, half))
		return false;
	buf_add(&st->own->text, g->text.data + half, g->text.len - half);
	timers_set(&st->engine->net->timers, &st->delay, clock_mono_ns() + split_ns);
	return true;
}

/* What a split or coalescing answer still holds back. */
static bool flush_held_bytes(struct mock_stream *st)
{
	if (!st->own || !st->own->text.len)
		return true;
	if (!send_segment(st, st->own))
		return false;
	for (size_t i = st->truth_nr; i && st->own_events; i--, st->own_events--)
		st->truth[i - 1].sent_ns = st->sent_wall_ns;
	segment_clear(st->own);
	st->own_events = 0;
	return true;
}

/* A segment for what leaves at once. */
static struct segment *empty_segment(struct mock_stream *st)
{
	segment_clear(&st->engine->segment);
	return &st->engine->segment;
}

static bool send_event(struct mock_stream *st, struct segment *g)
{
	if (g == st->own) { /* coalescing: st->truth is put right when it leaves */
		st->sent_wall_ns = clock_wall_ns();
		st->own_events++;
		return (int64_t)st->own_events < st->fault.value || flush_held_bytes(st);
	}
	if (st->own)
		return flush_held_bytes(st) && send_split(st, g);
	return send_segment(st, g);
}

static bool send_role(struct mock_stream *st, int64_t due_ns)
{
	struct segment *g;

	st->has_sent_role = true;
	if (!st->answer.is_chat || !st->streams ||
	    st->engine->config->role == MOCK_ROLE_NEVER)
		return true;
	g = empty_segment(st);
	chunk_role(g, &st->answer, wall(st, due_ns));
	if (!send_segment(st, g))
		return false;
	st->role_sent_ns = st->sent_wall_ns;
	return true;
}

static void note_sent(struct mock_stream *st, const struct mock_piece *p)
{
	struct mock_stats *s = st->engine->stats;
	int64_t now = st->sent_wall_ns - st->wall_offset_ns, late = now - p->due_ns;

	if (!st->tokens) {
		st->first_ns = now;
		stats_observe(s, HIST_TTFT, (double)(now - st->arrival_ns) * 1e-9);
	} else {
		stats_observe(s, HIST_ITL,
			      (double)(now - st->last_ns) * 1e-9 / (double)p->tokens);
	}
	st->last_ns = now;
	st->pieces++;
	st->tokens += p->tokens;
	s->generation_tokens += (uint64_t)p->tokens;
	if (st->fault_fired)
		return; /* late on purpose */
	stats_observe(s, HIST_LATE, late > 0 ? (double)late * 1e-9 : 0);
	if (late > s->late_max_ns)
		s->late_max_ns = late;
}

static void note_truth(struct mock_stream *st, const struct mock_piece *p)
{
	if (!st->engine->truth)
		return;
	GROW(st->truth, st->truth_nr, st->truth_alloc);
	st->truth[st->truth_nr++] =
		(struct truth_piece){.due_ns = wall(st, p->due_ns), .tokens = p->tokens};
}

static int64_t usage_tokens(const struct mock_stream *st, int64_t delivered)
{
	return st->fault.kind == FAULT_USAGE ? st->fault.value : delivered;
}

static bool send_tokens(struct mock_stream *st, const struct mock_piece *p)
{
	struct segment *g;
	struct answer_piece piece = {
		.index = st->pieces,
		.first_token = st->tokens,
		.tokens = p->tokens,
		.due_wall_ns = wall(st, p->due_ns),
		.has_usage = st->continuous_usage,
		.completion_tokens = usage_tokens(st, st->tokens + p->tokens),
	};

	if (st->tokens + p->tokens >= st->max_tokens)
		piece.finish_reason = st->finish_reason;
	g = st->fault.kind == FAULT_COALESCE ? st->own : empty_segment(st);
	chunk_tokens(g, &st->answer, &piece);
	note_truth(st, p); /* first: a coalesced segment's stamps go into it */
	if (!send_event(st, g))
		return false;
	if (st->truth_nr && !st->truth[st->truth_nr - 1].sent_ns)
		st->truth[st->truth_nr - 1].sent_ns = st->sent_wall_ns;
	note_sent(st, p);
	return true;
}

/* usage, [DONE] and the end of the body, in one segment. */
static void send_ending(struct mock_stream *st)
{
	bool has_usage = st->include_usage && st->fault.kind != FAULT_NO_USAGE;
	struct segment *g;
	struct answer_piece piece = {
		.index = st->pieces,
		.due_wall_ns = clock_wall_ns(),
		.completion_tokens = usage_tokens(st, st->tokens),
	};

	if (!flush_held_bytes(st))
		return;
	g = empty_segment(st);
	if (has_usage)
		chunk_usage(g, &st->answer, &piece);
	chunk_done(g, &st->answer);
	chunk_end(g, &st->answer);
	if (!send_segment(st, g))
		return;
	if (has_usage)
		st->usage_sent_ns = st->sent_wall_ns;
	stream_finish(st, "done");
}

static void send_whole(struct mock_stream *st, int64_t due_ns)
{
	struct mock_engine *e = st->engine;
	struct mock_piece p = {.tokens = st->max_tokens, .due_ns = due_ns};
	struct segment *g = empty_segment(st);
	struct answer_piece piece = {
		.tokens = st->max_tokens,
		.due_wall_ns = wall(st, due_ns),
		.finish_reason = st->finish_reason,
		.has_usage = st->fault.kind != FAULT_NO_USAGE,
		.completion_tokens = usage_tokens(st, st->max_tokens),
	};
	const char *stamp;

	buf_clear(&e->body);
	body_answer(&e->body, &st->answer, &piece);
	response_head(&g->text, 200, "application/json", e->body.len,
		      st->conn->keeps_alive, st->request_id);
	stamp = strstr(e->body.data, "\"sent_ns\":");
	g->stamps[g->stamps_nr++] = g->text.len + (size_t)(stamp - e->body.data) + 10;
	buf_add(&g->text, e->body.data, e->body.len);
	note_truth(st, &p);
	if (!send_segment(st, g))
		return;
	if (st->truth_nr)
		st->truth[st->truth_nr - 1].sent_ns = st->sent_wall_ns;
	note_sent(st, &p);
	stream_finish(st, "done");
}

/* --- what a fault leaves of the stream --- */

enum effect { GOES_ON, IS_HELD, IS_OVER };

static enum effect end_faulted(struct mock_stream *st)
{
	stream_finish(st, "faulted");
	return IS_OVER;
}

static enum effect close_faulted(struct mock_stream *st, bool resets)
{
	struct mock_conn *c = st->conn;

	if (!resets && !flush_held_bytes(st))
		return IS_OVER;
	stream_end(st, "faulted");
	mock_conn_close(c, resets);
	return IS_OVER;
}

static enum effect send_raw(struct mock_stream *st, const char *payload)
{
	struct segment *g = empty_segment(st);

	chunk_raw(g, &st->answer, payload);
	return send_segment(st, g) ? GOES_ON : IS_OVER;
}

static enum effect end_early(struct mock_stream *st, bool with_error)
{
	struct segment *g;

	if (!flush_held_bytes(st))
		return IS_OVER;
	g = empty_segment(st);
	if (with_error) {
		chunk_error(g, &st->answer);
		chunk_done(g, &st->answer);
	}
	chunk_end(g, &st->answer);
	if (!g->text.len || send_segment(st, g))
		return end_faulted(st);
	return IS_OVER;
}

static enum effect hold(struct mock_stream *st)
{
	struct mock_engine *e = st->engine;

	st->is_held = true;
	if (st->fault.value)
		timers_set(&e->net->timers, &st->delay,
			   clock_mono_ns() + st->fault.value);
	return IS_HELD;
}

static enum effect break_chunk(struct mock_stream *st)
{
	static const char bad[] = "zz\r\ndata: {}\n\n\r\n";

	if (!mock_conn_send(st->conn, bad, sizeof(bad) - 1))
		return IS_OVER;
	return close_faulted(st, false);
}

/* Before piece number 'pieces', and before the end: what happens there? */
static enum effect apply_fault(struct mock_stream *st)
{
	const struct mock_fault *f = &st->fault;

	if (st->fault_fired || f->after != st->pieces)
		return GOES_ON;
	st->fault_fired = f->kind != FAULT_NONE;
	switch (f->kind) {
	case FAULT_STREAM_ERROR:
	case FAULT_TRUNCATE:
		return end_early(st, f->kind == FAULT_STREAM_ERROR);
	case FAULT_CUT:
	case FAULT_RESET:
		return close_faulted(st, f->kind == FAULT_RESET);
	case FAULT_STALL:
		return hold(st);
	case FAULT_BAD_JSON:
		return send_raw(
			st, "data: {\"id\":\"cmpl-mock\",\"choices\":[{\"text\":}\n\n");
	case FAULT_BAD_SSE:
		return send_raw(st, "this line is no event\n\n");
	case FAULT_BAD_CHUNK:
		return break_chunk(st);
	default:
		return GOES_ON;
	}
}

/* Faults of an answer that is not a stream, whose pieces are one body. */
static bool break_whole(struct mock_stream *st)
{
	static const char half[] =
		"HTTP/1.1 200 OK\r\nServer: tare-mock\r\nContent-Type: "
		"application/json\r\nContent-Length: 400\r\n\r\n"
		"{\"id\":\"cmpl-mock\",";
	enum mock_fault_kind kind = st->fault.kind;
	struct mock_conn *c = st->conn;

	st->fault_fired = true;
	if (kind == FAULT_RESET) {
		close_faulted(st, true);
	} else if (kind == FAULT_TRUNCATE || kind == FAULT_CUT ||
		   kind == FAULT_BAD_CHUNK) {
		if (mock_conn_send(c, half, sizeof(half) - 1))
			close_faulted(st, false);
	} else if (kind == FAULT_STREAM_ERROR) {
		stream_end(st, "faulted");
		mock_respond_error(c, 500, "injected by tare-mock");
	} else if (kind == FAULT_BAD_JSON || kind == FAULT_BAD_SSE) {
		stream_end(st, "faulted");
		mock_respond(c, 200, "application/json", "{\"id\":\"cmpl-mock\",", 18);
	} else {
		st->fault_fired = kind != FAULT_NONE && kind != FAULT_SPLIT &&
				  kind != FAULT_COALESCE;
		return false;
	}
	return true;
}

/* --- the pace --- */

static bool may_send(struct mock_stream *st)
{
	return !st->is_over && !st->is_held;
}

/* One piece of the stream leaves, and the end behind the last one. */
static void send_piece(struct mock_stream *st, const struct mock_piece *p)
{
	if (!st->has_sent_role && !send_role(st, p->due_ns))
		return;
	if (!send_tokens(st, p))
		return;
	if (st->tokens >= st->max_tokens && apply_fault(st) == GOES_ON)
		send_ending(st);
}

static void keep_piece(struct mock_stream *st, const struct mock_piece *p)
{
	GROW(st->held, st->held_nr, st->held_alloc);
	st->held[st->held_nr++] = *p;
}

static void produce_streamed(struct mock_stream *st, const struct mock_piece *p)
{
	if (may_send(st) && apply_fault(st) == GOES_ON)
		send_piece(st, p);
	else if (!st->is_over)
		keep_piece(st, p);
}

static void produce_whole(struct mock_stream *st, const struct mock_piece *p)
{
	st->planned_tokens += st->engine->config->pace == MOCK_BATCH ? p->tokens : 0;
	if (st->planned_tokens < st->max_tokens)
		return;
	if (st->fault.kind == FAULT_STALL && !st->fault_fired) {
		st->fault_fired = true;
		hold(st);
		keep_piece(st, p);
	} else if (!break_whole(st)) {
		send_whole(st, p->due_ns);
	}
}

/* The pace says that these tokens are due. May end the stream. */
static void produce(struct mock_stream *st, int64_t tokens, int64_t due_ns)
{
	struct mock_piece p = {.tokens = tokens, .due_ns = due_ns};

	if (st->streams)
		produce_streamed(st, &p);
	else
		produce_whole(st, &p);
}

static void release_held(struct mock_stream *st)
{
	size_t nr = st->held_nr;

	st->is_held = false;
	st->held_nr = 0;
	for (size_t i = 0; i < nr && may_send(st); i++) {
		struct mock_piece p = st->held[i];

		if (st->streams)
			send_piece(st, &p);
		else
			send_whole(st, p.due_ns);
	}
	if (may_send(st) && st->streams && st->tokens >= st->max_tokens)
		send_ending(st);
}

/* The gap behind piece 'index' of this request, with its seeded jitter. */
static int64_t gap_ns(const struct mock_stream *st, int64_t ns, int64_t index)
{
	const struct mock_config *c = st->engine->config;
	uint64_t seed = rng_at((uint64_t)c->seed, (uint64_t)st->answer.serial);

	return jittered_ns(ns, c->jitter, rng_at(seed, (uint64_t)index));
}

static int64_t next_tokens(const struct mock_stream *st)
{
	int64_t left = st->max_tokens - st->planned_tokens;
	int64_t most = st->engine->config->tokens_per_chunk;

	return left < most ? left : most;
}

/* Moves the plan by one piece and says how many tokens that had. */
static int64_t plan_next(struct mock_stream *st)
{
	int64_t tokens = next_tokens(st);

	st->planned_tokens += tokens;
	st->planned_pieces++;
	if (st->planned_tokens < st->max_tokens)
		st->next_due_ns +=
			gap_ns(st, st->engine->config->itl_ns, st->planned_pieces);
	return tokens;
}

static void begin_fixed(struct mock_stream *st)
{
	struct mock_engine *e = st->engine;
	const struct mock_config *c = e->config;
	int64_t first = c->ttft_ns +
			c->prefill_per_token_ns * (st->prompt_tokens - st->cached_tokens);

	st->next_due_ns = st->arrival_ns + gap_ns(st, first, 0);
	while (!st->streams && st->planned_tokens < st->max_tokens)
		plan_next(st);
	timers_set(&e->net->timers, &st->pace, st->next_due_ns);
}

static void on_pace(void *stream)
{
	struct mock_stream *st = stream;
	struct mock_conn *c = st->conn;
	int64_t due = st->next_due_ns, tokens;

	if (st->streams) {
		tokens = plan_next(st);
		if (st->planned_tokens < st->max_tokens)
			timers_set(&c->net->timers, &st->pace, st->next_due_ns);
	} else {
		tokens = st->max_tokens;
	}
	produce(st, tokens, due);
	mock_conn_resume(c);
}

static void on_delay(void *stream)
{
	struct mock_stream *st = stream;
	struct mock_conn *c = st->conn;

	if (flush_held_bytes(st) && st->is_held)
		release_held(st);
	mock_conn_resume(c);
}

static bool on_batch(void *engine, struct batch_seq *seq, int64_t tokens, int64_t due_ns)
{
	struct mock_stream *st =
		(struct mock_stream *)(void *)((char *)seq -
					       offsetof(struct mock_stream, seq));
	struct mock_conn *c = st->conn;
	struct mock_engine *e = engine;

	if (st->is_over)
		return false;
	e->stepping = st;
	produce(st, tokens, due_ns);
	e->stepping = NULL;
	if (!st->is_over)
		return true;
	mock_conn_resume(c);
	return false;
}

/* --- the beginning --- */

/* Printable, without what JSON or a header would have to escape. */
static void take_request_id(struct mock_stream *st, const struct http_request *r)
{
	const struct http_text *id = http_header(r, "X-Request-Id");

	if (!id || id->len >= sizeof(st->request_id))
		return;
	for (size_t i = 0; i < id->len; i++)
		if (id->at[i] <= ' ' || id->at[i] > '~' || id->at[i] == '"' ||
		    id->at[i] == '\\')
			return;
	memcpy(st->request_id, id->at, id->len);
}

static int take_fault(struct mock_stream *st, const struct http_request *r,
		      struct err *err)
{
	struct mock_engine *e = st->engine;
	const struct http_text *spec = http_header(r, "X-Tare-Fault");
	char text[128];

	if (!spec || !e->config->allows_fault_header) {
		st->fault = *mock_fault_pick(e->faults, false, st->answer.serial);
		return 0;
	}
	if (spec->len >= sizeof(text))
		return err_set(err, ERR_USAGE, "X-Tare-Fault is too long");
	memcpy(text, spec->at, spec->len);
	text[spec->len] = '\0';
	return mock_fault_parse(text, &st->fault, err);
}

static int take_lengths(struct mock_stream *st, const struct mock_request *q,
			struct err *err)
{
	const struct mock_config *c = st->engine->config;

	st->prompt_tokens = st->answer.prompt_tokens = (int64_t)q->tokens.nr;
	st->max_tokens = q->max_tokens ? q->max_tokens : max_tokens_unasked;
	if (st->prompt_tokens < 1)
		return err_set(err, ERR_USAGE, "the prompt has no token");
	if (st->max_tokens > c->max_model_len ||
	    st->prompt_tokens + st->max_tokens > c->max_model_len)
		return err_set(
			err, ERR_USAGE,
			"This model's maximum context length is %lld tokens. You asked "
			"for %lld in the prompt and %lld in the output.",
			(long long)c->max_model_len, (long long)st->prompt_tokens,
			(long long)st->max_tokens);
	st->finish_reason = "length";
	if (st->fault.kind == FAULT_LENGTH) {
		st->max_tokens = st->fault.value;
		st->finish_reason = "stop";
	}
	return 0;
}

static void look_up_prefix(struct mock_stream *st, const struct mock_request *q)
{
	struct mock_engine *e = st->engine;

	if (e->config->prefix_cache)
		st->cached_tokens = prefix_look(&e->prefix, q->tokens.ids, q->tokens.nr,
						q->salt, strlen(q->salt));
	st->answer.cached_tokens = st->cached_tokens;
	e->stats->prompt_tokens += (uint64_t)st->prompt_tokens;
}

static bool begin_batch(struct mock_stream *st)
{
	st->seq = (struct batch_seq){
		.prompt_left = st->prompt_tokens - st->cached_tokens,
		.output_left = st->max_tokens,
		.kv_need = st->prompt_tokens + st->max_tokens,
	};
	return batch_add(&st->engine->batch, &st->seq, st->arrival_ns);
}

static bool send_head(struct mock_stream *st)
{
	struct segment *g;

	if (!st->streams || (st->fault.kind == FAULT_RESET && st->fault.after == 0))
		return true;
	g = empty_segment(st);
	chunk_stream_head(g, &st->answer, st->request_id);
	if (!send_segment(st, g))
		return false;
	return st->engine->config->role != MOCK_ROLE_AT_ONCE ||
	       send_role(st, st->arrival_ns);
}

/* Faults that are not tied to a piece. */
static bool begin_faulted(struct mock_stream *st)
{
	struct mock_conn *c = st->conn;
	struct segment *g;
	struct answer_piece none = {.finish_reason = "stop"};

	st->fault_fired = true;
	switch (st->fault.kind) {
	case FAULT_STATUS:
		stream_end(st, "faulted");
		mock_respond_error(c, (int)st->fault.value, "injected by tare-mock");
		return true;
	case FAULT_EMPTY:
		st->max_tokens = 0;
		if (!st->streams) {
			send_whole(st, st->arrival_ns);
			return true;
		}
		if (!send_head(st) ||
		    (!st->has_sent_role && !send_role(st, st->arrival_ns)))
			return true;
		g = empty_segment(st);
		chunk_tokens(g, &st->answer, &none);
		if (send_segment(st, g))
			send_ending(st);
		return true;
	case FAULT_SPLIT:
	case FAULT_COALESCE:
		st->own = x_calloc(1, sizeof(*st->own));
		segment_init(st->own);
		return false;
	case FAULT_LENGTH:
	case FAULT_USAGE:
	case FAULT_NO_USAGE:
		return false;
	default:
		st->fault_fired = false;
		return false;
	}
}

static struct mock_stream *stream_new(struct mock_engine *e, struct mock_conn *c,
				      const struct http_request *r, bool is_chat)
{
	const struct mock_request *q = &e->request;
	struct mock_stream *st = x_calloc(1, sizeof(*st));

	st->engine = e;
	st->conn = c;
	st->arrival_ns = clock_mono_ns();
	st->wall_offset_ns = clock_wall_offset_ns(4);
	st->kernel_wall_ns = c->kernel_wall_ns;
	st->pace = (struct timer){.on_due = on_pace, .owner = st};
	st->delay = (struct timer){.on_due = on_delay, .owner = st};
	st->streams = q->streams;
	st->include_usage = q->include_usage;
	st->continuous_usage = q->continuous_usage;
	st->answer = (struct answer){
		.is_chat = is_chat,
		.is_chunked = r->minor_version == 1,
		.model = e->config->model,
		.serial = ++e->requests,
		.created_s = (st->arrival_ns + st->wall_offset_ns) / NS_PER_S,
		.wants_token_ids = q->wants_token_ids,
	};
	take_request_id(st, r);
	if (q->wants_token_ids) {
		for (size_t i = 0; i < q->tokens.nr; i++)
			tokens_add(&st->prompt_ids, q->tokens.ids[i]);
		st->answer.prompt_ids = &st->prompt_ids;
	}
	return st;
}

void mock_stream_begin(struct mock_engine *e, struct mock_conn *c,
		       const struct http_request *r, bool is_chat)
{
	struct mock_stream *st = stream_new(e, c, r, is_chat);
	struct err err = ERR_INIT;

	if (take_fault(st, r, &err) || take_lengths(st, &e->request, &err)) {
		stream_free(st);
		mock_respond_error(c, 400, err.text);
		return;
	}
	look_up_prefix(st, &e->request);
	c->answer = st;
	if (!st->answer.is_chunked)
		c->keeps_alive = c->keeps_alive && !st->streams;
	st->running = ++e->active;
	if (begin_faulted(st))
		return;
	if (e->config->pace == MOCK_BATCH && !begin_batch(st)) {
		stream_end(st, "refused");
		mock_respond_error(c, 503, "the mock's queue is full");
		return;
	}
	if (send_head(st) && e->config->pace == MOCK_FIXED)
		begin_fixed(st);
}

void mock_stream_lose(void *stream)
{
	struct mock_stream *st = stream;

	stream_end(st, st->engine->is_ending ? "stopped" : "disconnected");
}

/* --- what all streams share --- */

void mock_engine_init(struct mock_engine *e)
{
	const struct mock_config *c = e->config;
	const struct batch_config b = {
		.step_base_ns = c->step_base_ns,
		.step_per_seq_ns = c->step_per_seq_ns,
		.step_per_prefill_token_ns = c->step_per_prefill_token_ns,
		.max_num_seqs = c->max_num_seqs,
		.max_batched_tokens = c->max_batched_tokens,
		.kv_tokens = c->kv_tokens,
		.queue_max = c->queue_max,
		.tokens_per_chunk = c->tokens_per_chunk,
		.jitter = c->jitter,
		.seed = c->seed,
	};

	batch_init(&e->batch, &b);
	prefix_init(&e->prefix, c->kv_tokens);
	segment_init(&e->segment);
	buf_init(&e->body, (size_t)1 << 24);
}

void mock_engine_sweep(struct mock_engine *e)
{
	while (e->dead) {
		struct mock_stream *st = e->dead;

		e->dead = st->next_dead;
		stream_free(st);
	}
}

void mock_engine_release(struct mock_engine *e)
{
	mock_engine_sweep(e);
	if (e->truth)
		fflush(e->truth);
	tokens_release(&e->request.tokens);
	batch_release(&e->batch);
	prefix_release(&e->prefix);
	segment_release(&e->segment);
	buf_release(&e->body);
}

void mock_engine_step(struct mock_engine *e)
{
	batch_step(&e->batch, on_batch, e);
	if (e->batch.step_end_ns != CLOCK_NEVER)
		stats_observe(e->stats, HIST_ITERATION_TOKENS,
			      (double)e->batch.step_tokens);
}
