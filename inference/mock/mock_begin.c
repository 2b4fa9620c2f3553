#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

static const int64_t max_tokens_unasked = 16; /* as OpenAI's and vLLM's completions */

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
	struct mock_server *s = mock_server_of(st);
	const struct http_text *spec = http_header(r, "X-Tare-Fault");
	char text[128];

	if (!spec || !s->config->allows_fault_header) {
		st->fault = *mock_fault_pick(s->faults, s->faults_nr, false,
					     s->config->seed, st->answer.serial);
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
	const struct mock_config *c = mock_server_of(st)->config;

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
	struct mock_server *s = mock_server_of(st);

	if (s->config->prefix_cache)
		st->cached_tokens = prefix_look(&s->prefix, q->tokens.ids, q->tokens.nr,
						q->salt, strlen(q->salt));
	st->answer.cached_tokens = st->cached_tokens;
	s->stats.prompt_tokens += (uint64_t)st->prompt_tokens;
}

static bool begin_batch(struct mock_stream *st)
{
	st->seq = (struct batch_seq){
		.prompt_left = st->prompt_tokens - st->cached_tokens,
		.output_left = st->max_tokens,
		.kv_need = st->prompt_tokens + st->max_tokens,
	};
	return batch_add(&mock_server_of(st)->batch, &st->seq, st->arrival_ns);
}

static bool send_head(struct mock_stream *st)
{
	struct segment *g = &mock_server_of(st)->segment;
	int64_t now;

	if (!st->streams || (st->fault.kind == FAULT_RESET && st->fault.after == 0))
		return true;
	segment_clear(g);
	chunk_stream_head(g, &st->answer, st->request_id);
	if (!mock_send_segment(st, g, &now))
		return false;
	return mock_server_of(st)->config->role != MOCK_ROLE_AT_ONCE ||
	       mock_send_role(st, st->arrival_ns);
}

/* Faults that are not tied to a piece. */
static bool begin_faulted(struct mock_stream *st)
{
	struct mock_conn *c = st->conn;
	struct segment *g = &mock_server_of(st)->segment;
	struct answer_piece none = {.finish_reason = "stop"};
	int64_t now;

	st->fault_fired = true;
	switch (st->fault.kind) {
	case FAULT_STATUS:
		mock_stream_end(st, "faulted");
		mock_respond_error(c, (int)st->fault.value, "injected by tare-mock");
		return true;
	case FAULT_EMPTY:
		st->max_tokens = 0;
		if (!st->streams) {
			mock_send_whole(st, st->arrival_ns);
			return true;
		}
		if (!send_head(st) ||
		    (!st->has_sent_role && !mock_send_role(st, st->arrival_ns)))
			return true;
		segment_clear(g);
		chunk_tokens(g, &st->answer, &none);
		if (mock_send_segment(st, g, &now))
			mock_send_ending(st);
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

static struct mock_stream *stream_new(struct mock_conn *c, const struct http_request *r,
				      bool is_chat)
{
	struct mock_server *s = c->server;
	const struct mock_request *q = &s->request;
	struct mock_stream *st = x_calloc(1, sizeof(*st));

	st->conn = c;
	st->arrival_ns = clock_mono_ns();
	st->wall_offset_ns = clock_wall_offset_ns(4);
	st->kernel_wall_ns = c->kernel_wall_ns;
	st->pace = (struct mock_timer){.kind = TIMER_PACE, .owner = st};
	st->delay = (struct mock_timer){.kind = TIMER_DELAY, .owner = st};
	st->streams = q->streams;
	st->include_usage = q->include_usage;
	st->continuous_usage = q->continuous_usage;
	st->answer = (struct answer){
		.is_chat = is_chat,
		.is_chunked = r->minor_version == 1,
		.model = s->config->model,
		.serial = ++s->requests,
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

void mock_stream_begin(struct mock_conn *c, const struct http_request *r, bool is_chat)
{
	struct mock_server *s = c->server;
	struct mock_stream *st = stream_new(c, r, is_chat);
	struct err err = ERR_INIT;

	if (take_fault(st, r, &err) || take_lengths(st, &s->request, &err)) {
		mock_stream_free(st);
		mock_respond_error(c, 400, err.text);
		return;
	}
	look_up_prefix(st, &s->request);
	c->stream = st;
	if (!st->answer.is_chunked)
		c->keeps_alive = c->keeps_alive && !st->streams;
	st->running = ++s->active;
	if (begin_faulted(st))
		return;
	if (s->config->pace == MOCK_BATCH && !begin_batch(st)) {
		mock_stream_end(st, "refused");
		mock_respond_error(c, 503, "the mock's queue is full");
		return;
	}
	if (send_head(st) && s->config->pace == MOCK_FIXED)
		mock_begin_fixed(st);
}
