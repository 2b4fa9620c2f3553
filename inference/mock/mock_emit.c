#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <string.h>

static const int64_t split_ns = 500 * NS_PER_US;

/* What is due at an instant of CLOCK_MONOTONIC, on the wall clock. */
static int64_t wall(const struct mock_stream *st, int64_t mono_ns)
{
	return mono_ns + st->wall_offset_ns;
}

bool mock_send_segment(struct mock_stream *st, struct segment *g, int64_t *ret_wall)
{
	*ret_wall = clock_wall_ns();
	segment_stamp(g, *ret_wall);
	return mock_conn_send(st->conn, g->text.data, g->text.len);
}

/* The first half now, the rest a little later. */
static bool send_split(struct mock_stream *st, struct segment *g, int64_t *ret_wall)
{
	struct mock_server *s = mock_server_of(st);
	size_t half = g->text.len / 2;

	*ret_wall = clock_wall_ns();
	segment_stamp(g, *ret_wall);
	if (!mock_conn_send(st->conn, g->text.data, half))
		return false;
	buf_add(&st->own->text, g->text.data + half, g->text.len - half);
	timers_set(&s->timers, &st->delay.timer, clock_mono_ns() + split_ns);
	return true;
}

/* What a split or coalescing answer still holds back. */
bool mock_flush_held_bytes(struct mock_stream *st)
{
	bool sent = true;
	int64_t now;

	if (st->own && st->own->text.len) {
		sent = mock_send_segment(st, st->own, &now);
		for (size_t i = st->truth_nr; sent && i && st->own_events; i--) {
			st->truth[i - 1].sent_ns = now;
			st->own_events--;
		}
		if (!sent)
			return false;
		segment_clear(st->own);
		st->own_events = 0;
	}
	return sent;
}

/* The segment to write an event into. */
static struct segment *segment_for(struct mock_stream *st)
{
	struct segment *g = &mock_server_of(st)->segment;

	if (st->own && st->fault.kind == FAULT_COALESCE)
		return st->own;
	segment_clear(g);
	return g;
}

static bool send_event(struct mock_stream *st, struct segment *g, int64_t *ret_wall)
{
	*ret_wall = clock_wall_ns();
	if (g == st->own) { /* coalescing: st->truth is put right when it leaves */
		st->own_events++;
		return (int64_t)st->own_events < st->fault.value ||
		       mock_flush_held_bytes(st);
	}
	if (st->own) {
		if (!mock_flush_held_bytes(st))
			return false;
		return send_split(st, g, ret_wall);
	}
	return mock_send_segment(st, g, ret_wall);
}

bool mock_send_role(struct mock_stream *st, int64_t due_ns)
{
	struct segment *g = &mock_server_of(st)->segment;

	st->has_sent_role = true;
	if (!st->answer.is_chat || !st->streams ||
	    mock_server_of(st)->config->role == MOCK_ROLE_NEVER)
		return true;
	segment_clear(g);
	chunk_role(g, &st->answer, wall(st, due_ns));
	return mock_send_segment(st, g, &st->role_sent_ns);
}

static void note_sent(struct mock_stream *st, const struct mock_piece *p, int64_t wall_ns)
{
	struct mock_stats *s = &mock_server_of(st)->stats;
	int64_t now = wall_ns - st->wall_offset_ns, late = now - p->due_ns;

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

static void note_truth(struct mock_stream *st, const struct mock_piece *p,
		       int64_t wall_ns)
{
	if (!mock_server_of(st)->truth)
		return;
	GROW(st->truth, st->truth_nr, st->truth_alloc);
	st->truth[st->truth_nr++] = (struct mock_truth_piece){
		.due_ns = wall(st, p->due_ns), .sent_ns = wall_ns, .tokens = p->tokens};
}

static int64_t usage_tokens(const struct mock_stream *st, int64_t delivered)
{
	return st->fault.kind == FAULT_USAGE ? st->fault.value : delivered;
}

bool mock_send_tokens(struct mock_stream *st, const struct mock_piece *p)
{
	struct segment *g;
	int64_t sent_wall;
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
	g = segment_for(st);
	chunk_tokens(g, &st->answer, &piece);
	note_truth(st, p, 0); /* first: a coalesced segment's stamps go into it */
	if (!send_event(st, g, &sent_wall))
		return false;
	if (st->truth_nr && !st->truth[st->truth_nr - 1].sent_ns)
		st->truth[st->truth_nr - 1].sent_ns = sent_wall;
	note_sent(st, p, sent_wall);
	return true;
}

/* usage, [DONE] and the end of the body, in one segment. */
void mock_send_ending(struct mock_stream *st)
{
	struct segment *g;
	int64_t now;
	struct answer_piece piece = {
		.index = st->pieces,
		.due_wall_ns = clock_wall_ns(),
		.completion_tokens = usage_tokens(st, st->tokens),
	};

	if (!mock_flush_held_bytes(st))
		return;
	g = &mock_server_of(st)->segment;
	segment_clear(g);
	if (st->include_usage && st->fault.kind != FAULT_NO_USAGE)
		chunk_usage(g, &st->answer, &piece);
	chunk_done(g, &st->answer);
	chunk_end(g, &st->answer);
	if (!mock_send_segment(st, g, &now))
		return;
	if (st->include_usage && st->fault.kind != FAULT_NO_USAGE)
		st->usage_sent_ns = now;
	mock_stream_finish(st, "done");
}

void mock_send_whole(struct mock_stream *st, int64_t due_ns)
{
	struct mock_server *s = mock_server_of(st);
	struct mock_piece p = {.tokens = st->max_tokens, .due_ns = due_ns};
	struct segment *g = &s->segment;
	struct answer_piece piece = {
		.tokens = st->max_tokens,
		.due_wall_ns = wall(st, due_ns),
		.finish_reason = st->finish_reason,
		.has_usage = st->fault.kind != FAULT_NO_USAGE,
		.completion_tokens = usage_tokens(st, st->max_tokens),
	};
	const char *stamp;
	int64_t now;

	buf_clear(&s->body);
	body_answer(&s->body, &st->answer, &piece);
	segment_clear(g);
	response_head(&g->text, 200, "application/json", s->body.len,
		      st->conn->keeps_alive, st->request_id);
	stamp = strstr(s->body.data, "\"sent_ns\":");
	g->stamps[g->stamps_nr++] = g->text.len + (size_t)(stamp - s->body.data) + 10;
	buf_add(&g->text, s->body.data, s->body.len);
	note_truth(st, &p, 0);
	if (!mock_send_segment(st, g, &now))
		return;
	if (st->truth_nr)
		st->truth[st->truth_nr - 1].sent_ns = now;
	note_sent(st, &p, now);
	mock_stream_finish(st, "done");
}
