#include "inference/load/engine/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "inference/load/engine/chunk_json.h"

enum {
	SSE_RESERVE = 512,
	LATE_NS = 50000, /* behind by more than this, look whether several events wait */
	CHUNKS_MAX = 4 * TOKENS_MAX, /* of one answer; 16 bytes are kept of each */
};

/*
 * What the first request that failed was told, in words for a person, without the API key:
 * 'what', then the server's own words or the system's. Of later ones nothing is kept.
 */
static void keep_error(struct stream *s, const char *what, const char *text, size_t len)
{
	const size_t room = sizeof(s->hub->error_text) - 1;
	char *to = s->hub->error_text;
	size_t at = strlen(what);

	if (*to)
		return;
	memcpy(to, what, at);
	for (size_t i = 0; i < len && at < room; i++)
		to[at++] = (unsigned char)text[i] >= ' ' ? text[i] : ' ';
	to[at] = '\0';
	transport_redact(s->hub->config->transport, to, at);
}

/* A piece of a body that is no event stream, with the status that it came with. */
static void keep_error_body(struct stream *s, const char *bytes, size_t len)
{
	char what[32] = "no event stream: ";

	if (s->hub->error_text[0])
		return;
	if (s->reply.status != 200)
		snprintf(what, sizeof(what), "status %d: ", s->reply.status);
	keep_error(s, what, bytes, len);
}

/* A failed request is over: what it ended as, where the server said nothing. */
static void keep_error_of_end(struct stream *s)
{
	static const char *const texts[REQUEST_ENDS] = {
		[REQUEST_TIMEOUT] = "not over within --timeout",
		[REQUEST_STALL] = "the reply paused for longer than --stall",
		[REQUEST_RESET] = "the connection was closed before any reply",
		[REQUEST_TRUNCATED] =
			"the stream ended without [DONE] or a finish_reason",
		[REQUEST_EMPTY] = "a whole stream without a token",
		[REQUEST_PROTOCOL] = "not HTTP, not an event stream or not JSON",
	};
	const struct request_record *r = &s->rec;
	char text[sizeof(s->hub->error_text)] = "";

	if (s->hub->error_text[0])
		return;
	if (r->end == REQUEST_HTTP_STATUS)
		snprintf(text, sizeof(text), "status %d", s->reply.status);
	else if (r->end == REQUEST_WRONG_LENGTH)
		snprintf(text, sizeof(text),
			 "%d prompt and %d output tokens by usage (-1: not said), %d "
			 "counted; %d and %d were asked for",
			 r->prompt_tokens, r->output_tokens, r->received_tokens,
			 r->prompt_wanted, r->output_wanted);
	else if (texts[r->end])
		snprintf(text, sizeof(text), "%s", texts[r->end]);
	keep_error(s, "", text, strlen(text));
}

/* Where the server counts only at the end: its tokens, spread evenly over the chunks. */
static void spread_tokens(struct request_record *r, struct chunk_stamp *chunks)
{
	uint64_t n = r->chunks_nr, total = (uint64_t)r->output_tokens, before = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t now = total * (i + 1) / n;

		chunks[i].tokens = (uint32_t)(now - before);
		before = now;
	}
}

static enum request_end judge_lengths(const struct stream *s)
{
	const struct request_record *r = &s->rec;
	const struct stage_config *c = s->hub->config;
	bool has_usage = c->prompt->dialect.has_stream_usage;
	bool is_counted = s->has_exact_tokens || !has_usage;

	if (c->checks_prompt && has_usage && r->prompt_tokens != r->prompt_wanted)
		return REQUEST_WRONG_LENGTH;
	if (c->checks_output && has_usage && r->output_tokens != r->output_wanted)
		return REQUEST_WRONG_LENGTH;
	if (c->checks_output && is_counted && r->received_tokens != r->output_wanted)
		return REQUEST_WRONG_LENGTH;
	return REQUEST_OK;
}

/* How a request ends whose reply is whole. */
static enum request_end judge_reply(struct stream *s)
{
	struct request_record *r = &s->rec;

	if (s->reply.status != 200)
		return REQUEST_HTTP_STATUS;
	if (s->has_content_error)
		return REQUEST_STREAM_ERROR;
	if (!s->reply.is_event_stream)
		return REQUEST_PROTOCOL;
	if (!s->has_done && !s->has_finish)
		return REQUEST_TRUNCATED;
	if (!r->chunks_nr)
		return REQUEST_EMPTY;
	if (!s->has_exact_tokens && r->output_tokens > 0)
		spread_tokens(r, s->chunks);
	return judge_lengths(s);
}

/* Two chunks with one stamp came in one segment, or had been joined by the kernel. */
static void mark_coalesced(struct stream *s, struct chunk_stamp *pair)
{
	if (pair[0].arrival_ns != pair[1].arrival_ns)
		return;
	s->hub->coalesced += pair[0].coalesced ? 1 : 2;
	pair[0].coalesced = pair[1].coalesced = true;
}

static void add_chunk(struct stream *s, uint32_t tokens)
{
	struct request_record *r = &s->rec;

	if (r->chunks_nr == s->chunks_alloc) {
		s->chunks_alloc *= 2;
		s->chunks =
			x_realloc_array(s->chunks, s->chunks_alloc, sizeof(*s->chunks));
	}
	if (!r->chunks_nr) {
		r->first_token_ns = s->stamp_ns;
		counter_add(&s->hub->ttft_nr, 1);
		counter_add(&s->hub->ttft_sum_ns, (uint64_t)(s->stamp_ns - r->sent_ns));
	}
	s->chunks[r->chunks_nr] = (struct chunk_stamp){
		.arrival_ns = s->stamp_ns,
		.tokens = tokens,
	};
	if (r->chunks_nr)
		mark_coalesced(s, &s->chunks[r->chunks_nr - 1]);
	r->chunks_nr++;
	/* A server may claim any number: the sum must not overflow. */
	if (__builtin_add_overflow(r->received_tokens, tokens, &r->received_tokens))
		r->received_tokens = INT32_MAX;
	counter_add(&s->hub->tokens, tokens);
}

/*
 * How many tokens this chunk brought, from the most certain source that it has. A usage
 * that was not there from the first one on counts the whole answer, not this chunk.
 */
static uint32_t count_tokens(struct stream *s, const struct chunk_info *c)
{
	int32_t k = c->has_content;

	if (c->token_ids >= 0) {
		s->has_exact_tokens = true;
		k = c->token_ids;
	} else if (c->completion_tokens >= 0 &&
		   (s->has_exact_tokens || !s->rec.chunks_nr)) {
		s->has_exact_tokens = true;
		k = c->completion_tokens - s->rec.received_tokens;
	}
	return k > 0 ? (uint32_t)k : 0;
}

static void take_usage(struct stream *s, const struct chunk_info *c)
{
	struct request_record *r = &s->rec;

	if (c->prompt_tokens >= 0)
		r->prompt_tokens = c->prompt_tokens;
	if (c->completion_tokens >= 0)
		r->output_tokens = c->completion_tokens;
	if (c->cached_tokens >= 0)
		r->cached_tokens = c->cached_tokens;
}

static void take_id(struct request_record *r, const struct chunk_info *c)
{
	size_t len = c->id_len < RESPONSE_ID_SIZE - 1 ? c->id_len : RESPONSE_ID_SIZE - 1;

	if (!c->id || r->response_id[0])
		return;
	memcpy(r->response_id, c->id, len);
	r->response_id[len] = '\0';
}

static void take_chunk(struct stream *s, const struct chunk_info *c)
{
	uint32_t tokens;

	take_id(&s->rec, c);
	s->has_finish = s->has_finish || c->has_finish;
	if (c->sent_ns)
		lag_add(s->hub->stamp_error,
			s->stamp_ns + s->hub->wall_offset_ns - c->sent_ns);
	if (c->has_choice) {
		tokens = count_tokens(s, c);
		if (tokens)
			add_chunk(s, tokens);
		else if (c->has_role && s->rec.role_ns == RECORD_NONE)
			s->rec.role_ns = s->stamp_ns;
	}
	take_usage(s, c);
}

static bool on_event(void *ctx, const char *data, size_t len)
{
	struct stream *s = ctx;
	struct chunk_info c;

	s->rec.events++;
	s->hub->events++;
	if (len == 6 && !memcmp(data, "[DONE]", 6)) {
		s->has_done = true;
		s->rec.done_ns = s->stamp_ns;
		return true;
	}
	if (!chunk_scan(data, len, &c)) {
		s->is_bad = true;
		keep_error(s, "not JSON: ", data, len);
		return false;
	}
	if (c.has_error) {
		s->has_content_error = true;
		keep_error(s, "", c.error ? c.error : data, c.error ? c.error_len : len);
		return true;
	}
	take_chunk(s, &c);
	if (s->rec.chunks_nr < CHUNKS_MAX)
		return true;
	s->is_bad = true;
	keep_error(s, "an endless stream: ", data, len);
	return false;
}

/* A piece of the body of 'ctx'. False: no more of it can be understood. */
static bool take_body(void *ctx, const char *bytes, size_t len)
{
	struct stream *s = ctx;

	if (s->reply.status == 200 && s->reply.is_event_stream)
		return sse_feed(&s->sse, bytes, len, on_event, s);
	keep_error_body(s, bytes, len);
	return true;
}

void stream_init(struct stream *s, struct stream_hub *hub, uint32_t tag)
{
	int32_t longest = length_largest(&hub->config->prompt->output_rule);

	*s = (struct stream){.phase = STREAM_CLOSED, .hub = hub, .tag = tag};
	sse_init(&s->sse, SSE_RESERVE);
	s->chunks_alloc = (uint32_t)longest + 8;
	s->chunks = x_calloc(s->chunks_alloc, sizeof(*s->chunks));
}

void stream_release(struct stream *s)
{
	link_close(s->link);
	sse_release(&s->sse);
	free(s->chunks);
	free(s->pending);
}

static void drop_link(struct stream *s)
{
	link_close(s->link);
	s->link = NULL;
}

static void connect_link(struct stream *s)
{
	s->link = link_open(s->hub->config->transport, s->hub->share, s->hub->epoll,
			    s->tag);
	s->link_is_fresh = true;
	s->hub->connections++;
}

/* The one place where a request ends. */
static bool finish(struct stream *s, enum request_end end, int64_t end_ns)
{
	struct request_record *r = &s->rec;

	r->end = end;
	r->end_ns = s->free_ns = end_ns;
	r->http_status = s->reply.status;
	r->chunks = s->chunks;
	r->last_token_ns =
		r->chunks_nr ? s->chunks[r->chunks_nr - 1].arrival_ns : RECORD_NONE;
	if (end == REQUEST_OK)
		counter_add(&s->hub->ok, 1);
	if (request_end_is_failure(end)) {
		counter_add(&s->hub->failed, 1);
		keep_error_of_end(s);
	}
	counter_add(&s->hub->in_flight, (uint64_t)-1);
	s->hub->chunks += r->chunks_nr;
	if (end_ns > s->hub->last_end_ns)
		s->hub->last_end_ns = end_ns;
	spool_put(s->hub->spool, s->hub->worker, r);
	/* A connection is used again only where all was sent and all was read. */
	if (s->is_bad || s->reply.state != HTTP_DONE || !s->reply.keeps_alive ||
	    s->pending_at < s->pending_len)
		drop_link(s);
	s->phase = s->link ? STREAM_IDLE : STREAM_CLOSED;
	return true;
}

static void begin(struct stream *s, uint64_t index, int64_t scheduled_ns)
{
	s->rec = (struct request_record){
		.index = index,
		.scheduled_ns = scheduled_ns,
		.issued_ns = clock_mono_ns(),
		.sent_ns = RECORD_NONE,
		.first_byte_ns = RECORD_NONE,
		.role_ns = RECORD_NONE,
		.first_token_ns = RECORD_NONE,
		.done_ns = RECORD_NONE,
		.prompt_tokens = -1,
		.output_tokens = -1,
		.cached_tokens = -1,
		.worker = s->hub->worker,
	};
	s->has_content_error = s->has_done = s->has_finish = false;
	s->has_exact_tokens = s->is_bad = false;
	s->usual_bytes = 0;
	s->pending_len = s->pending_at = 0;
	http_reply_init(&s->reply);
	sse_reset(&s->sse);
	counter_add(&s->hub->in_flight, 1);
}

static void keep_rest(struct stream *s, const char *bytes, size_t len)
{
	if (len > s->pending_alloc) {
		s->pending = x_realloc_array(s->pending, len, 1);
		s->pending_alloc = len;
	}
	memcpy(s->pending, bytes, len);
	s->pending_len = len;
	s->pending_at = 0;
	s->phase = STREAM_SENDING;
	link_want_write(s->link, true);
}

static bool fail_io(struct stream *s)
{
	const char *text = strerrordesc_np(errno);

	s->rec.os_error = errno;
	keep_error(s, "", text, strlen(text));
	return finish(s, REQUEST_RESET, clock_mono_ns());
}

static bool send_request(struct stream *s)
{
	struct request_record *r = &s->rec;
	const struct stage_config *c = s->hub->config;
	char *start;
	size_t len = prompt_build(c->prompt, c->stage.seed, r->index, s->hub->send_space,
				  &start, &r->prompt_wanted, &r->output_wanted);
	ssize_t n;

	r->reused_connection = !s->link_is_fresh;
	s->link_is_fresh = false;
	r->sent_ns = s->last_byte_ns = clock_mono_ns();
	n = link_send(s->link, start, len);
	/* What this client alone added. On a new connection that ends where connecting
	 * begins, for how long that takes is the server's doing too. */
	lag_add(s->hub->turnaround,
		(r->reused_connection ? r->sent_ns : r->issued_ns) - r->scheduled_ns);
	s->phase = STREAM_WAITING;
	if (n < 0)
		return fail_io(s);
	if ((size_t)n < len)
		keep_rest(s, start + n, len - (size_t)n);
	return false;
}

static bool send_rest(struct stream *s)
{
	ssize_t n = link_send(s->link, s->pending + s->pending_at,
			      s->pending_len - s->pending_at);

	if (n < 0)
		return fail_io(s);
	s->pending_at += (size_t)n;
	if (s->pending_at == s->pending_len) {
		s->phase = STREAM_WAITING;
		link_want_write(s->link, false);
	}
	return false;
}

static bool fail_connect(struct stream *s)
{
	const struct link_failure *f = link_failure(s->link);
	enum request_end end = f->is_refused   ? REQUEST_REFUSED
			       : f->is_timeout ? REQUEST_TIMEOUT
					       : REQUEST_CONNECT;

	s->rec.os_error = f->os_error;
	keep_error(s, "", f->text, strlen(f->text));
	return finish(s, end, clock_mono_ns());
}

/* What follows from the link's state after it was looked at. */
static bool after_progress(struct stream *s, enum link_state state)
{
	if (state == LINK_CONNECTING)
		return false;
	if (s->phase == STREAM_CONNECTING)
		return state == LINK_READY ? send_request(s) : fail_connect(s);
	if (state == LINK_FAILED)
		drop_link(s);
	s->phase = s->link ? STREAM_IDLE : STREAM_CLOSED;
	return false;
}

void stream_open(struct stream *s)
{
	connect_link(s);
	s->phase = STREAM_OPENING;
	after_progress(s, link_state(s->link));
}

void stream_issue(struct stream *s, uint64_t index, int64_t scheduled_ns)
{
	enum stream_phase was = s->phase;

	begin(s, index, scheduled_ns);
	s->phase = STREAM_CONNECTING;
	if (was == STREAM_CLOSED)
		connect_link(s);
	after_progress(s, link_state(s->link));
}

static bool on_end_of_bytes(struct stream *s)
{
	int64_t now = clock_mono_ns();

	s->reply.keeps_alive = false;
	if (http_reply_end(&s->reply)) {
		finish(s, judge_reply(s), s->last_byte_ns);
		/* The reply ended with its last byte, but only the close told us, and when
		 * that comes is up to the server: the slot is free from now on. */
		s->free_ns = now;
		return true;
	}
	/* A server that gives up shows as FIN or as RST, by chance: one class for both. */
	if (s->rec.first_byte_ns == RECORD_NONE)
		return finish(s, REQUEST_RESET, now);
	if (s->reply.state > HTTP_HEADER && s->reply.status != 200)
		return finish(s, REQUEST_HTTP_STATUS, now);
	return finish(s, REQUEST_TRUNCATED, now);
}

static bool on_bytes(struct stream *s, size_t len)
{
	uint32_t events = s->rec.events;

	if (s->rec.first_byte_ns == RECORD_NONE)
		s->rec.first_byte_ns = s->stamp_ns;
	s->last_byte_ns = s->stamp_ns;
	if (!http_reply_feed(&s->reply, s->hub->recv_space, len, take_body, s)) {
		s->is_bad = true;
		return finish(s, REQUEST_PROTOCOL, s->stamp_ns);
	}
	if (s->rec.events == events + 1)
		s->usual_bytes = len;
	if (s->reply.state != HTTP_DONE)
		return false;
	return finish(s, judge_reply(s), s->stamp_ns);
}

static void stamp(struct stream *s, int64_t kernel_ns)
{
	int64_t now = clock_mono_ns();

	s->hub->reads++;
	s->stamp_ns = kernel_ns ? kernel_ns - s->hub->wall_offset_ns : now;
	s->hub->is_late = now - s->stamp_ns > LATE_NS;
	if (kernel_ns)
		lag_add(s->hub->lag, now - s->stamp_ns);
	else
		s->hub->unstamped++;
	/* A step of the wall clock must not turn time around. */
	if (s->stamp_ns < s->last_byte_ns && s->phase == STREAM_WAITING)
		s->stamp_ns = s->last_byte_ns;
}

/* One read of at most 'size' bytes and what follows from it. '*is_over': as on_bytes(). */
static ssize_t read_once(struct stream *s, size_t size, int64_t *stamp_ns, bool *is_over)
{
	int64_t kernel_ns;
	ssize_t n = link_recv(s->link, s->hub->recv_space, size, &kernel_ns);

	*is_over = false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (!stream_is_busy(s)) {
		/* Nothing was asked: the server closed, or talks out of turn. */
		drop_link(s);
		s->phase = STREAM_CLOSED;
		return -1;
	}
	if (n <= 0) {
		*is_over = n < 0 ? fail_io(s) : on_end_of_bytes(s);
		return -1;
	}
	*stamp_ns = kernel_ns ? kernel_ns : *stamp_ns;
	stamp(s, *stamp_ns);
	*is_over = on_bytes(s, (size_t)n);
	return n;
}

/* Bytes up to and including the next blank line, which is where an event may end. */
static size_t to_event_end(const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (at < end && *at == '\n')
			return (size_t)(at + 1 - bytes);
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return (size_t)(at + 2 - bytes);
	}
	return len;
}

/*
 * Several events wait, each in segments of its own: reading them one at a time gives each
 * its own stamp, where one read of all would give all of them the last one's.
 */
static bool read_apart(struct stream *s)
{
	int64_t last_ns, stamp_ns = 0;
	ssize_t n = link_peek(s->link, s->hub->peek_space, s->hub->recv_size, &last_ns),
		got;
	bool is_over = false;

	for (ssize_t at = 0; n > 0 && at < n; at += got) {
		size_t left = (size_t)(n - at);
		bool is_last_segment = at && stamp_ns == last_ns;

		got = read_once(s,
				is_last_segment
					? left
					: to_event_end(s->hub->peek_space + at, left),
				&stamp_ns, &is_over);
		if (got < 0 || is_over)
			return is_over;
	}
	/* A socket tells its error once, and link_peek() was told: another read would see
	 * an orderly end. */
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return fail_io(s);
	return n == 0 ? on_end_of_bytes(s) : is_over;
}

/* Only when late: otherwise what waits came within LATE_NS, and one stamp will do. */
static bool may_be_several(const struct stream *s)
{
	return s->hub->is_late &&
	       (!s->usual_bytes ||
		link_waiting(s->link) > (ssize_t)(s->usual_bytes + s->usual_bytes / 2));
}

static bool read_link(struct stream *s)
{
	bool is_over = false;
	int64_t stamp_ns = 0;

	if (stream_is_busy(s) && !link_must_drain(s->link) && may_be_several(s))
		return read_apart(s);
	while (read_once(s, s->hub->recv_size, &stamp_ns, &is_over) >= 0 && !is_over &&
	       s->link && link_must_drain(s->link))
		;
	return is_over;
}

bool stream_event(struct stream *s, int fd, uint32_t events)
{
	if (s->phase == STREAM_CLOSED)
		return false;
	if (s->phase == STREAM_OPENING || s->phase == STREAM_CONNECTING)
		return after_progress(s, link_progress(s->link, fd, events));
	if (s->phase == STREAM_SENDING && (events & EPOLLOUT) && send_rest(s))
		return true;
	return events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? read_link(s) : false;
}

int64_t stream_wake_ns(const struct stream *s)
{
	const struct stage_config *c = s->hub->config;
	int64_t total, stall;

	if (s->phase == STREAM_OPENING)
		return link_deadline_ns(s->link);
	if (!stream_is_busy(s))
		return CLOCK_NEVER;
	total = s->rec.issued_ns + c->timeout_ns;
	if (s->phase == STREAM_CONNECTING) {
		int64_t link = link_deadline_ns(s->link);

		return link < total ? link : total;
	}
	stall = s->last_byte_ns + c->stall_ns;
	return stall < total ? stall : total;
}

/* What came while this client was held up is no pause of the server's. */
static bool catch_up(struct stream *s, int64_t now_ns)
{
	int64_t before = RECORD_NONE;

	while (s->phase == STREAM_WAITING && s->last_byte_ns != before &&
	       now_ns >= stream_wake_ns(s)) {
		before = s->last_byte_ns;
		if (read_link(s))
			return true;
	}
	return false;
}

bool stream_tick(struct stream *s, int64_t now_ns)
{
	if (now_ns < stream_wake_ns(s))
		return false;
	if (stream_is_busy(s) &&
	    now_ns >= s->rec.issued_ns + s->hub->config->timeout_ns) {
		s->is_bad = true;
		return finish(s, REQUEST_TIMEOUT, now_ns);
	}
	if (s->phase == STREAM_OPENING || s->phase == STREAM_CONNECTING)
		return after_progress(s, link_progress(s->link, -1, 0));
	if (catch_up(s, now_ns))
		return true;
	if (!stream_is_busy(s) || now_ns < stream_wake_ns(s))
		return false;
	s->is_bad = true;
	return finish(s, REQUEST_STALL, now_ns);
}

void stream_cancel(struct stream *s, int64_t now_ns)
{
	if (!stream_is_busy(s))
		return;
	s->is_bad = true;
	finish(s, REQUEST_CANCELLED, now_ns);
}
