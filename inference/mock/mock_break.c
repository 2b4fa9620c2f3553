#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"

static enum mock_effect end_faulted(struct mock_stream *st)
{
	mock_stream_finish(st, "faulted");
	return MOCK_OVER;
}

static enum mock_effect close_faulted(struct mock_stream *st, bool resets)
{
	struct mock_conn *c = st->conn;

	if (!resets && !mock_flush_held_bytes(st))
		return MOCK_OVER;
	mock_stream_end(st, "faulted");
	mock_conn_close(c, resets);
	return MOCK_OVER;
}

static enum mock_effect send_raw(struct mock_stream *st, const char *payload)
{
	struct segment *g = &mock_server_of(st)->segment;
	int64_t now;

	segment_clear(g);
	chunk_raw(g, &st->answer, payload);
	return mock_send_segment(st, g, &now) ? MOCK_GOES_ON : MOCK_OVER;
}

static enum mock_effect end_early(struct mock_stream *st, bool with_error)
{
	struct segment *g = &mock_server_of(st)->segment;
	int64_t now;

	if (!mock_flush_held_bytes(st))
		return MOCK_OVER;
	segment_clear(g);
	if (with_error) {
		chunk_error(g, &st->answer);
		chunk_done(g, &st->answer);
	}
	chunk_end(g, &st->answer);
	if (!g->text.len || mock_send_segment(st, g, &now))
		return end_faulted(st);
	return MOCK_OVER;
}

enum mock_effect mock_hold(struct mock_stream *st)
{
	struct mock_server *s = mock_server_of(st);

	st->is_held = true;
	if (st->fault.value)
		timers_set(&s->timers, &st->delay.timer,
			   clock_mono_ns() + st->fault.value);
	return MOCK_HELD;
}

static enum mock_effect break_chunk(struct mock_stream *st)
{
	static const char bad[] = "zz\r\ndata: {}\n\n\r\n";

	if (!mock_conn_send(st->conn, bad, sizeof(bad) - 1))
		return MOCK_OVER;
	return close_faulted(st, false);
}

/* Before piece number 'pieces', and before the end: what happens there? */
enum mock_effect mock_apply_fault(struct mock_stream *st)
{
	const struct mock_fault *f = &st->fault;

	if (st->fault_fired || f->after != st->pieces)
		return MOCK_GOES_ON;
	st->fault_fired = f->kind != FAULT_NONE;
	switch (f->kind) {
	case FAULT_STREAM_ERROR:
	case FAULT_TRUNCATE:
		return end_early(st, f->kind == FAULT_STREAM_ERROR);
	case FAULT_CUT:
	case FAULT_RESET:
		return close_faulted(st, f->kind == FAULT_RESET);
	case FAULT_STALL:
		return mock_hold(st);
	case FAULT_BAD_JSON:
		return send_raw(
			st, "data: {\"id\":\"cmpl-mock\",\"choices\":[{\"text\":}\n\n");
	case FAULT_BAD_SSE:
		return send_raw(st, "this line is no event\n\n");
	case FAULT_BAD_CHUNK:
		return break_chunk(st);
	default:
		return MOCK_GOES_ON;
	}
}

/* Faults of an answer that is not a stream, whose pieces are one body. */
bool mock_break_whole(struct mock_stream *st)
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
		mock_stream_end(st, "faulted");
		mock_respond_error(c, 500, "injected by tare-mock");
	} else if (kind == FAULT_BAD_JSON || kind == FAULT_BAD_SSE) {
		mock_stream_end(st, "faulted");
		mock_respond(c, 200, "application/json", "{\"id\":\"cmpl-mock\",", 18,
			     "");
	} else {
		st->fault_fired = kind != FAULT_NONE && kind != FAULT_SPLIT &&
				  kind != FAULT_COALESCE;
		return false;
	}
	return true;
}
