#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

void mock_stream_free(struct mock_stream *st)
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
	struct mock_stats *s = &mock_server_of(st)->stats;
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
	struct mock_stats *s = &mock_server_of(st)->stats;

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

void mock_stream_end(struct mock_stream *st, const char *outcome)
{
	struct mock_server *s = mock_server_of(st);

	if (st->is_over)
		return;
	st->is_over = true;
	count_outcome(st, outcome);
	observe_end(st);
	mock_truth_write(s, st, outcome);
	timers_clear(&s->timers, &st->pace.timer);
	timers_clear(&s->timers, &st->delay.timer);
	if (s->stepping != st)
		batch_remove(&s->batch, &st->seq);
	st->conn->stream = NULL;
	s->active--;
	st->next_dead = s->dead_streams;
	s->dead_streams = st;
}

/* The answer is over and well: hands the connection to the next request. */
void mock_stream_finish(struct mock_stream *st, const char *outcome)
{
	struct mock_conn *c = st->conn;

	mock_stream_end(st, outcome);
	mock_conn_finish(c);
}

static bool may_send(struct mock_stream *st)
{
	return !st->is_over && !st->is_held;
}

/* One piece of the stream leaves, and the end behind the last one. */
static void send_piece(struct mock_stream *st, const struct mock_piece *p)
{
	if (!st->has_sent_role && !mock_send_role(st, p->due_ns))
		return;
	if (!mock_send_tokens(st, p))
		return;
	if (st->tokens >= st->max_tokens && mock_apply_fault(st) == MOCK_GOES_ON)
		mock_send_ending(st);
}

static void produce_streamed(struct mock_stream *st, const struct mock_piece *p)
{
	if (may_send(st) && mock_apply_fault(st) == MOCK_GOES_ON)
		send_piece(st, p);
	else if (!st->is_over) {
		GROW(st->held, st->held_nr, st->held_alloc);
		st->held[st->held_nr++] = *p;
	}
}

static void produce_whole(struct mock_stream *st, const struct mock_piece *p)
{
	st->planned_tokens +=
		mock_server_of(st)->config->pace == MOCK_BATCH ? p->tokens : 0;
	if (st->planned_tokens < st->max_tokens)
		return;
	if (st->fault.kind == FAULT_STALL && !st->fault_fired) {
		st->fault_fired = true;
		mock_hold(st);
		GROW(st->held, st->held_nr, st->held_alloc);
		st->held[st->held_nr++] = *p;
	} else if (!mock_break_whole(st)) {
		mock_send_whole(st, p->due_ns);
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
			mock_send_whole(st, p.due_ns);
	}
	if (may_send(st) && st->streams && st->tokens >= st->max_tokens)
		mock_send_ending(st);
}

/* The gap behind piece 'index' of this request, with its seeded jitter. */
static int64_t gap_ns(const struct mock_stream *st, int64_t ns, int64_t index)
{
	const struct mock_config *c = mock_server_of(st)->config;
	uint64_t bits;

	if (c->jitter == 0)
		return ns;
	bits = rng_at(rng_at((uint64_t)c->seed, (uint64_t)st->answer.serial),
		      (uint64_t)index);
	return (int64_t)((double)ns *
			 (1 + c->jitter * ((double)(bits >> 11) * 0x1p-52 - 1)));
}

static int64_t next_tokens(const struct mock_stream *st)
{
	int64_t left = st->max_tokens - st->planned_tokens;
	int64_t most = mock_server_of(st)->config->tokens_per_chunk;

	return left < most ? left : most;
}

/* Moves the plan by one piece and says how many tokens that had. */
static int64_t plan_next(struct mock_stream *st)
{
	int64_t tokens = next_tokens(st);

	st->planned_tokens += tokens;
	st->planned_pieces++;
	if (st->planned_tokens < st->max_tokens)
		st->next_due_ns += gap_ns(st, mock_server_of(st)->config->itl_ns,
					  st->planned_pieces);
	return tokens;
}

void mock_begin_fixed(struct mock_stream *st)
{
	struct mock_server *s = mock_server_of(st);
	const struct mock_config *c = s->config;
	int64_t first = c->ttft_ns +
			c->prefill_per_token_ns * (st->prompt_tokens - st->cached_tokens);

	st->next_due_ns = st->arrival_ns + gap_ns(st, first, 0);
	while (!st->streams && st->planned_tokens < st->max_tokens)
		plan_next(st);
	timers_set(&s->timers, &st->pace.timer, st->next_due_ns);
}

static void pace_timer(struct mock_stream *st)
{
	struct mock_server *s = mock_server_of(st);
	int64_t due = st->next_due_ns, tokens;

	timers_clear(&s->timers, &st->pace.timer);
	if (!st->streams) {
		produce(st, st->max_tokens, due);
		return;
	}
	tokens = plan_next(st);
	if (st->planned_tokens < st->max_tokens)
		timers_set(&s->timers, &st->pace.timer, st->next_due_ns);
	produce(st, tokens, due);
}

void mock_stream_timer(struct mock_stream *st, enum mock_timer_kind kind)
{
	struct mock_conn *c = st->conn;

	if (kind == TIMER_PACE) {
		pace_timer(st);
	} else {
		timers_clear(&mock_server_of(st)->timers, &st->delay.timer);
		if (mock_flush_held_bytes(st) && st->is_held)
			release_held(st);
	}
	mock_conn_process(c);
}

bool mock_stream_batch(void *server, struct batch_seq *seq, int64_t tokens,
		       int64_t due_ns)
{
	struct mock_stream *st =
		(struct mock_stream *)(void *)((char *)seq -
					       offsetof(struct mock_stream, seq));
	struct mock_conn *c = st->conn;

	if (st->is_over)
		return false;
	((struct mock_server *)server)->stepping = st;
	produce(st, tokens, due_ns);
	((struct mock_server *)server)->stepping = NULL;
	if (!st->is_over)
		return true;
	mock_conn_process(c);
	return false;
}
