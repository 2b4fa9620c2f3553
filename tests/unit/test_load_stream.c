/*
 * One stream by itself, in this thread, with the server's end of its connection in this
 * test's hand: what is sent, in how many pieces, and when the stream looks at it, is decided
 * here. Expected values are what was sent, and the times that the stream was given.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "inference/load/engine/stream.h"

enum { ROOM = 64 << 10, PATIENCE_MS = 20000, FRAME_S = 120 };

struct one {
	struct stream s;
	struct stream_hub hub;
	struct stage_config config;
	struct transport transport;
	struct url_parts url;
	struct prompt prompt;
	struct spool *spool;
	char address[64];
	int listener, peer;
};

static int listen_anywhere(char url[64])
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(url, 64, "http://127.0.0.1:%d", ntohs(at.sin_port));
	return fd;
}

/* The next event of the stream's descriptors: true when its request is over. */
static bool step(struct one *o)
{
	struct epoll_event e;

	assert_int_equal(epoll_wait(o->hub.epoll, &e, 1, PATIENCE_MS), 1);
	return stream_event(&o->s, (int)(uint32_t)e.data.u64, e.events);
}

/* A connection ahead of any request, and its other end. */
static void connect_ahead(struct one *o)
{
	int yes = 1;

	stream_open(&o->s);
	while (o->s.phase == STREAM_OPENING)
		assert_false(step(o));
	assert_int_equal(o->s.phase, STREAM_IDLE);
	o->peer = accept4(o->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(o->peer >= 0);
	setsockopt(o->peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

/* With 'prompt' tokens; 10 tokens are asked for. */
static void begin_with(struct one *o, int64_t prompt)
{
	*o = (struct one){.peer = -1};
	o->listener = listen_anywhere(o->address);
	o->transport =
		(struct transport){.url = o->address, .connect_timeout_ns = 5 * NS_PER_S};
	assert_int_equal(transport_init(NULL), 0);
	assert_int_equal(url_split(o->address, &o->url, NULL), 0);
	o->prompt = (struct prompt){.seed = 1,
				    .prompt_rule = {.mean = prompt},
				    .output_rule = {.mean = 10},
				    .dialect = {true, true, true, true}};
	prompt_use_ids(&o->prompt, 10000, 30000);
	prompt_finish(&o->prompt, &o->url, NULL, "m", "salt");
	o->config = (struct stage_config){
		.stage = {.kind = STAGE_CONCURRENT, .concurrency = 1, .seed = 5},
		.transport = &o->transport,
		.prompt = &o->prompt,
		.timeout_ns = 20 * NS_PER_S,
		.stall_ns = 10 * NS_PER_S,
		.checks_output = true,
	};
	o->spool = spool_new(1, NULL);
	o->hub = (struct stream_hub){
		.config = &o->config,
		.share = link_share_new(),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.wall_offset_ns = clock_wall_offset_ns(32),
		.spool = o->spool,
		.send_space = x_malloc(prompt_size_max(&o->prompt)),
		.recv_space = x_malloc(ROOM),
		.peek_space = x_malloc(ROOM),
		.recv_size = ROOM,
		.lag = x_calloc(1, sizeof(struct lag)),
		.stamp_error = x_calloc(1, sizeof(struct lag)),
		.turnaround = x_calloc(1, sizeof(struct lag)),
	};
	stream_init(&o->s, &o->hub, 7);
	connect_ahead(o);
}

static void begin(struct one *o)
{
	begin_with(o, 16);
}

static void end(struct one *o)
{
	stream_release(&o->s);
	link_share_free(o->hub.share);
	close(o->hub.epoll);
	free(o->hub.send_space);
	free(o->hub.recv_space);
	free(o->hub.peek_space);
	free(o->hub.lag);
	free(o->hub.stamp_error);
	free(o->hub.turnaround);
	spool_free(o->spool);
	prompt_release(&o->prompt);
	url_parts_release(&o->url);
	close(o->peer);
	close(o->listener);
}

/* Sends request 'index', and reads it at the other end. */
static void ask(struct one *o, uint64_t index)
{
	char text[ROOM];

	stream_issue(&o->s, index, clock_mono_ns());
	while (o->s.phase == STREAM_CONNECTING)
		assert_false(step(o));
	assert_int_equal(o->s.phase, STREAM_WAITING);
	assert_true(recv(o->peer, text, sizeof(text), 0) > 0);
	while (recv(o->peer, text, sizeof(text), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(o->hub.in_flight, 1);
}

static void say(struct one *o, const char *text)
{
	assert_int_equal(send(o->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Until the stream's end has 'bytes', which it has not read. */
static void wait_for(struct one *o, size_t bytes)
{
	int64_t deadline = clock_deadline_ns(PATIENCE_MS * NS_PER_MS);

	while (link_waiting(o->s.link) < (ssize_t)bytes)
		assert_false(clock_passed(deadline));
}

/* Until the request is over. */
static void finish(struct one *o)
{
	while (!step(o))
		;
	assert_int_equal(o->hub.in_flight, 0);
}

#define HEAD \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %zu\r\n\r\n"
#define TEXT(t) "data: {\"id\":\"x\",\"choices\":[{\"text\":\"" t "\"}]}\n\n"
#define IDS(ids) "data: {\"choices\":[{\"text\":\"t\",\"token_ids\":[" ids "]}]}\n\n"
#define LAST \
	"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":16,\"completion_tokens\":10}}\n\n"
#define DONE "data: [DONE]\n\n"

/* A head for a body of 'len' bytes, on a connection that stays. */
static void say_head(struct one *o, size_t len)
{
	char head[256];

	snprintf(head, sizeof(head), HEAD, len);
	say(o, head);
}

static void say_whole(struct one *o, const char *body)
{
	say_head(o, strlen(body));
	say(o, body);
}

static const char ten[] = IDS("1,2,3,4,5,6,7,8,9,10") LAST DONE;

/* Whatever a chunk says of itself is in the record, and the counters follow. */
static void test_what_is_kept(void **state)
{
	static const char body[] =
		"data: {\"id\":\"0123456789012345678901234567890123456789012345678901234"
		"567890123456789\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"
		"data: {\"id\":\"another\",\"choices\":[{\"delta\":{\"content\":\"abc\"},"
		"\"token_ids\":[1,2,3]}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"d\"},"
		"\"token_ids\":[4,5,6,7,8,9,10],\"finish_reason\":\"length\"}]}\n\n"
		"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":16,"
		"\"completion_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":7}"
		"}}\n\n";
	const struct request_record *r;
	struct one o;

	(void)state;
	begin(&o);
	r = &o.s.rec;
	ask(&o, 3);
	say_whole(&o, body);
	finish(&o);
	assert_int_equal(r->end, REQUEST_OK); /* a finish_reason is an end as [DONE] is */
	assert_int_equal(r->index, 3);
	assert_int_equal(r->http_status, 200);
	assert_int_equal(strlen(r->response_id), RESPONSE_ID_SIZE - 1);
	assert_memory_equal(
		r->response_id,
		"012345678901234567890123456789012345678901234567890123456789012", 63);
	assert_int_equal(r->events, 4);
	assert_int_equal(o.hub.events, 4);
	assert_int_equal(r->chunks_nr, 2);
	assert_int_equal(o.hub.chunks, 2);
	assert_int_equal(r->chunks[0].tokens, 3);
	assert_int_equal(r->chunks[1].tokens, 7);
	assert_int_equal(r->received_tokens, 10);
	assert_int_equal(r->prompt_tokens, 16);
	assert_int_equal(r->prompt_wanted, 16);
	assert_int_equal(r->output_tokens, 10);
	assert_int_equal(r->output_wanted, 10);
	assert_int_equal(r->cached_tokens, 7);
	assert_true(r->first_byte_ns <= r->role_ns && r->role_ns <= r->first_token_ns);
	assert_int_equal(r->first_token_ns, r->chunks[0].arrival_ns);
	assert_int_equal(r->last_token_ns, r->chunks[1].arrival_ns);
	assert_true(r->done_ns == RECORD_NONE);
	assert_int_equal(o.hub.ok, 1);
	assert_int_equal(o.hub.failed, 0);
	assert_int_equal(o.hub.tokens, 10);
	assert_int_equal(o.hub.ttft_nr, 1);
	assert_int_equal(o.hub.ttft_sum_ns, r->first_token_ns - r->sent_ns);
	assert_int_equal(o.hub.last_end_ns, r->end_ns);
	assert_string_equal(o.hub.error_text, "");
	end(&o);
}

/* A connection carries one request after another; what the client adds is told apart. */
static void test_one_after_another(void **state)
{
	const struct request_record *r;
	int64_t first_ns;
	struct one o;

	(void)state;
	begin(&o);
	r = &o.s.rec;
	ask(&o, 0);
	assert_false(r->reused_connection);
	first_ns = r->issued_ns - r->scheduled_ns;
	assert_int_equal(o.hub.turnaround->max, first_ns);
	say_whole(&o, ten);
	finish(&o);
	assert_int_equal(o.s.phase, STREAM_IDLE);
	assert_int_equal(o.s.free_ns, r->end_ns);
	ask(&o, 1);
	assert_true(r->reused_connection);
	assert_true(o.hub.turnaround->max >= r->sent_ns - r->scheduled_ns);
	assert_true(o.hub.turnaround->sum ==
		    (double)first_ns + (double)(r->sent_ns - r->scheduled_ns));
	/* Nothing of the first one is left in the second. */
	assert_int_equal(r->chunks_nr, 0);
	assert_true(r->prompt_tokens == -1 && r->output_tokens == -1);
	assert_int_equal(r->cached_tokens, -1);
	assert_true(r->first_byte_ns == RECORD_NONE && r->first_token_ns == RECORD_NONE);
	say_whole(&o, TEXT("a") LAST);
	finish(&o);
	assert_int_equal(r->end, REQUEST_TRUNCATED); /* the [DONE] was the first one's */
	assert_int_equal(o.s.phase, STREAM_IDLE);
	assert_int_equal(o.hub.connections, 1);
	end(&o);
}

/* Prompt and output by usage, and output by count: each that is wrong fails the request. */
static void test_wrong_lengths(void **state)
{
#define USED(prompt, output)                                         \
	"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":" prompt \
	",\"completion_tokens\":" output "}}\n\n"
	static const char *const wrong[] = {
		IDS("1,2,3,4,5,6,7,8,9,10") USED("17", "10") DONE,
		IDS("1,2,3,4,5,6,7,8,9,10") USED("16", "11") DONE,
		IDS("1,2,3,4,5,6,7,8,9") USED("16", "10") DONE,
	};
	struct one o;

	(void)state;
	begin(&o);
	o.config.checks_prompt = true;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ask(&o, i);
		say_whole(&o, wrong[i]);
		finish(&o);
		assert_int_equal(o.s.rec.end, REQUEST_WRONG_LENGTH);
		assert_int_equal(o.hub.failed, i + 1);
	}
	ask(&o, 3);
	say_whole(&o, ten);
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	end(&o);
}

/* More chunks than an answer of ten tokens needs. */
static void test_chunks_beyond_expectation(void **state)
{
	enum { NR = 100 };
	struct one o;

	(void)state;
	begin(&o);
	o.config.checks_output = false;
	ask(&o, 0);
	say_head(&o, NR * strlen(IDS("1,2")) + strlen(DONE));
	for (int i = 0; i < NR; i++)
		say(&o, IDS("1,2"));
	say(&o, DONE);
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	assert_int_equal(o.s.rec.chunks_nr, NR);
	assert_int_equal(o.s.rec.received_tokens, 2 * NR);
	for (int i = 0; i < NR; i++) {
		assert_int_equal(o.s.rec.chunks[i].tokens, 2);
		assert_true(i == 0 || o.s.rec.chunks[i].arrival_ns >=
					      o.s.rec.chunks[i - 1].arrival_ns);
	}
	end(&o);
}

/* What shares its stamp with a neighbour says so; the hub counts each once. */
static void check_coalesced(const struct one *o)
{
	const struct chunk_stamp *c = o->s.rec.chunks;
	uint64_t nr = 0;

	for (uint32_t i = 0; i < o->s.rec.chunks_nr; i++) {
		bool shares = (i && c[i].arrival_ns == c[i - 1].arrival_ns) ||
			      (i + 1 < o->s.rec.chunks_nr &&
			       c[i].arrival_ns == c[i + 1].arrival_ns);

		assert_int_equal(c[i].coalesced, shares);
		nr += shares;
	}
	assert_int_equal(o->hub.coalesced, nr);
}

static void test_in_one_segment(void **state)
{
	struct one o;

	(void)state;
	begin(&o);
	o.config.checks_output = false;
	ask(&o, 0);
	say_whole(&o, TEXT("a") TEXT("b") TEXT("c") LAST DONE);
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	assert_int_equal(o.hub.coalesced, 3);
	check_coalesced(&o);
	end(&o);
}

/*
 * A client that was held up finds a head and five events waiting. It reads them one at a
 * time, whatever ends their lines, and none is lost or read twice.
 */
static void check_late(const char *const *pieces, size_t nr)
{
	struct one o;
	size_t len = 0;
	bool is_whole = false; /* the last read of one event was of one piece */

	begin(&o);
	o.config.checks_output = false;
	ask(&o, 0);
	for (size_t i = 0; i < nr; i++)
		len += strlen(pieces[i]);
	say_head(&o, len);
	wait_for(&o, 60);
	o.hub.is_late = true;
	len += (size_t)link_waiting(o.s.link);
	for (size_t i = 0; i < nr; i++)
		say(&o, pieces[i]);
	wait_for(&o, len);
	assert_true(step(&o)); /* of one look at it */
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	assert_int_equal(o.s.rec.events, 5);
	for (size_t i = 0; i < nr; i++)
		is_whole |= o.s.usual_bytes == strlen(pieces[i]);
	assert_true(is_whole || !o.s.usual_bytes);
	assert_int_equal(o.s.rec.chunks_nr, 3);
	assert_int_equal(o.s.rec.received_tokens, 10);
	assert_true(o.hub.reads >= 2 && o.hub.reads <= 6);
	assert_int_equal(o.hub.reads, o.hub.lag->nr + o.hub.unstamped);
	assert_true(o.s.rec.first_byte_ns >= o.s.rec.sent_ns);
	check_coalesced(&o);
	assert_int_equal(o.s.phase, STREAM_IDLE);
	end(&o);
}

static void test_late(void **state)
{
	static const char *const pieces[] = {IDS("1,2,3"), IDS("4,5,6"), IDS("7,8,9,10"),
					     LAST, DONE};
	static const char *const crlf[] = {
		"data: {\"choices\":[{\"text\":\"t\",\"token_ids\":[1,2,3]}]}\r\n\r\n",
		"data: {\"choices\":[{\"text\":\"t\",\"token_ids\":[4,5,6]}]}\r\n\r\n",
		"data: {\"choices\":[{\"text\":\"t\",\"token_ids\":[7,8,9,10]}]}\r\n\r\n",
		"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":16,"
		"\"completion_tokens\":10}}\r\n\r\n",
		"data: [DONE]\r\n\r\n"};

	(void)state;
	check_late(pieces, ARRAY_SIZE(pieces));
	check_late(crlf, ARRAY_SIZE(crlf));
}

/* The same, with the server gone behind it: the end of the bytes is the reply's. */
static void test_late_to_the_end(void **state)
{
	struct one o;

	(void)state;
	begin(&o);
	ask(&o, 0);
	say(&o, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	say(&o, ten);
	shutdown(o.peer, SHUT_WR);
	o.hub.is_late = true;
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	assert_true(o.s.rec.end_ns == o.s.rec.done_ns);
	assert_true(o.s.free_ns >= o.s.rec.end_ns);
	assert_int_equal(o.s.phase, STREAM_CLOSED);
	end(&o);
}

static void reset(struct one *o)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(o->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(o->peer);
	o->peer = -1;
}

/* Late or not, a reset is one, and says so. */
static void test_reset(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct one o;

		begin(&o);
		ask(&o, 0);
		reset(&o);
		o.hub.is_late = late;
		finish(&o);
		assert_int_equal(o.s.rec.end, REQUEST_RESET);
		assert_int_equal(o.s.rec.os_error, ECONNRESET);
		assert_int_equal(o.s.rec.http_status, 0);
		assert_string_equal(o.hub.error_text, "Connection reset by peer");
		assert_int_equal(o.hub.failed, 1);
		assert_int_equal(o.hub.ok, 0);
		assert_int_equal(o.s.phase, STREAM_CLOSED);
		end(&o);
	}
}

/* Between two requests the server closes, or speaks: the next one has a new connection. */
static void test_out_of_turn(void **state)
{
	(void)state;
	for (int speaks = 0; speaks < 2; speaks++) {
		struct one o;

		begin(&o);
		ask(&o, 0);
		say_whole(&o, ten);
		finish(&o);
		if (speaks)
			say(&o, "HTTP/1.1 408 Request Timeout\r\n\r\n");
		else
			shutdown(o.peer, SHUT_WR);
		assert_false(step(&o));
		assert_int_equal(o.s.phase, STREAM_CLOSED);
		assert_int_equal(o.hub.failed, 0);
		close(o.peer);
		stream_issue(&o.s, 1, clock_mono_ns());
		while (o.s.phase == STREAM_CONNECTING)
			assert_false(step(&o));
		assert_int_equal(o.s.phase, STREAM_WAITING);
		assert_false(o.s.rec.reused_connection);
		assert_int_equal(o.hub.connections, 2);
		o.peer = accept4(o.listener, NULL, NULL, SOCK_CLOEXEC);
		say_whole(&o, ten);
		finish(&o);
		assert_int_equal(o.s.rec.end, REQUEST_OK);
		assert_int_equal(o.s.rec.index, 1);
		end(&o);
	}
}

/* Everything that the other end has not read yet. */
static void drain(struct one *o, struct buf *to)
{
	char text[ROOM];
	ssize_t n;

	while ((n = recv(o->peer, text, sizeof(text), MSG_DONTWAIT)) > 0)
		buf_add(to, text, (size_t)n);
}

/* 6 MB of request go as the server takes them, whole and in order, while none is answered. */
static void test_a_long_request(void **state)
{
	struct buf got;
	struct one o;
	int32_t prompt, output;
	char *space, *want;
	size_t len;

	(void)state;
	begin_with(&o, 1000000);
	space = x_malloc(prompt_size_max(&o.prompt));
	len = prompt_build(&o.prompt, 5, 0, space, &want, &prompt, &output);
	buf_init(&got, BUF_UNBOUNDED);
	stream_issue(&o.s, 0, clock_mono_ns());
	assert_int_equal(o.s.phase, STREAM_SENDING);
	while (o.s.phase == STREAM_SENDING) {
		drain(&o, &got);
		assert_false(step(&o));
	}
	assert_int_equal(o.s.phase, STREAM_WAITING);
	while (got.len < len)
		drain(&o, &got);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.data, want, len);
	say_whole(&o, ten);
	finish(&o); /* by an event of its own: nothing is written any more */
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	assert_int_equal(o.s.phase, STREAM_IDLE);
	buf_release(&got);
	free(space);
	end(&o);
}

/* Each limit ends a request at its instant, not a nanosecond before. */
static void test_limits(void **state)
{
	struct one o;
	int64_t wake;

	(void)state;
	for (int which = 0; which < 2; which++) {
		begin(&o);
		assert_true(stream_wake_ns(&o.s) == CLOCK_NEVER);
		if (which)
			o.config.stall_ns = 600 * NS_PER_S;
		o.config.timeout_ns = 300 * NS_PER_S;
		ask(&o, 0);
		wake = which ? o.s.rec.issued_ns + 300 * NS_PER_S
			     : o.s.rec.sent_ns + 10 * NS_PER_S;
		assert_int_equal(stream_wake_ns(&o.s), wake);
		assert_false(stream_tick(&o.s, wake - 1));
		assert_true(stream_tick(&o.s, wake));
		assert_int_equal(o.s.rec.end, which ? REQUEST_TIMEOUT : REQUEST_STALL);
		assert_int_equal(o.s.rec.end_ns, wake);
		assert_int_equal(o.s.phase, STREAM_CLOSED); /* its reply may still come */
		assert_non_null(
			strstr(o.hub.error_text, which ? "--timeout" : "--stall"));
		end(&o);
	}
}

/* As many connections as the listener's queue takes; the next one waits for its answer. */
static size_t fill_queue(const struct one *o, int *fds, size_t most)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	size_t nr = 0;
	int rc;

	assert_int_equal(getsockname(o->listener, (struct sockaddr *)&at, &len), 0);
	do {
		struct pollfd p = {.events = POLLOUT};

		fds[nr] = p.fd =
			socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fds[nr++], (struct sockaddr *)&at, sizeof(at));
		rc = poll(&p, 1, 50);
	} while (rc == 1 && nr < most);
	return nr;
}

/* A server that lets nobody in: the request ends when --connect-timeout is over. */
static void test_connect_timeout(void **state)
{
	int fds[64];
	struct one o;
	size_t nr;

	(void)state;
	begin(&o);
	ask(&o, 0);
	stream_cancel(&o.s, clock_mono_ns());
	assert_int_equal(listen(o.listener, 0), 0);
	nr = fill_queue(&o, fds, ARRAY_SIZE(fds));
	o.transport.connect_timeout_ns = 100 * NS_PER_MS;
	stream_issue(&o.s, 1, clock_mono_ns());
	assert_int_equal(o.s.phase, STREAM_CONNECTING);
	assert_true(stream_wake_ns(&o.s) <= o.s.rec.issued_ns + 5 * NS_PER_S);
	while (stream_is_busy(&o.s)) {
		struct epoll_event e;

		if (epoll_wait(o.hub.epoll, &e, 1, 10) == 1)
			stream_event(&o.s, (int)(uint32_t)e.data.u64, e.events);
		else
			stream_tick(&o.s, clock_mono_ns());
		assert_true(clock_mono_ns() < o.s.rec.issued_ns + 15 * NS_PER_S);
	}
	assert_int_equal(o.s.rec.end, REQUEST_TIMEOUT);
	assert_true(o.s.rec.sent_ns == RECORD_NONE);
	assert_true(o.s.rec.end_ns - o.s.rec.issued_ns >= 90 * NS_PER_MS);
	assert_int_equal(o.hub.failed, 1);
	while (nr)
		close(fds[--nr]);
	end(&o);
}

/* What waits to be read when the limit is looked at came in time. */
static void test_limit_of_a_late_client(void **state)
{
	struct one o;
	int64_t wake, before;

	(void)state;
	begin(&o);
	o.config.timeout_ns = 600 * NS_PER_S;
	ask(&o, 0);
	say_head(&o, strlen(ten));
	wait_for(&o, 60);
	wake = stream_wake_ns(&o.s);
	before = o.s.last_byte_ns;
	assert_false(stream_tick(&o.s, wake));
	assert_true(o.s.last_byte_ns > before);
	assert_int_equal(stream_wake_ns(&o.s), o.s.last_byte_ns + 10 * NS_PER_S);
	say(&o, ten);
	wait_for(&o, strlen(ten));
	assert_true(stream_tick(&o.s, stream_wake_ns(&o.s)));
	assert_int_equal(o.s.rec.end, REQUEST_OK);
	end(&o);
}

static void test_cancel(void **state)
{
	struct one o;
	int64_t now;

	(void)state;
	begin(&o);
	stream_cancel(&o.s, 1);
	assert_int_equal(o.s.phase, STREAM_IDLE); /* nothing to cancel */
	ask(&o, 0);
	now = clock_mono_ns();
	stream_cancel(&o.s, now);
	assert_int_equal(o.s.rec.end, REQUEST_CANCELLED);
	assert_int_equal(o.s.rec.end_ns, now);
	assert_int_equal(o.s.phase, STREAM_CLOSED);
	assert_int_equal(o.hub.failed, 0);
	assert_int_equal(o.hub.in_flight, 0);
	assert_string_equal(o.hub.error_text, "");
	end(&o);
}

/* Connecting ahead, to a port that nobody has: no request, so no failure. */
static void test_refused_ahead(void **state)
{
	struct one o;

	(void)state;
	begin(&o);
	ask(&o, 0);
	stream_cancel(&o.s, clock_mono_ns());
	shutdown(o.listener, SHUT_RDWR);
	close(o.listener);
	stream_open(&o.s);
	while (o.s.phase == STREAM_OPENING) {
		assert_true(stream_wake_ns(&o.s) != CLOCK_NEVER);
		assert_false(step(&o));
	}
	assert_int_equal(o.s.phase, STREAM_CLOSED);
	assert_int_equal(o.hub.failed, 0);
	stream_issue(&o.s, 1, clock_mono_ns());
	while (stream_is_busy(&o.s))
		step(&o);
	assert_int_equal(o.s.rec.end, REQUEST_REFUSED);
	assert_int_equal(o.s.rec.os_error, ECONNREFUSED);
	assert_int_equal(o.hub.failed, 1);
	assert_true(o.hub.error_text[0] != '\0');
	o.listener = -1;
	end(&o);
}

/* The first error's words are kept, as many as there is room for, in one line. */
static void test_words_of_an_error(void **state)
{
	const size_t room = sizeof(((struct stream_hub *)0)->error_text) - 1;
	char body[600], reply[800];
	struct one o;

	(void)state;
	begin(&o);
	memset(body, 'b', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	memcpy(body, "no\tsuch\n", 8);
	snprintf(reply, sizeof(reply),
		 "HTTP/1.1 503 Busy\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
		 body);
	ask(&o, 0);
	say(&o, reply);
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_HTTP_STATUS);
	assert_int_equal(o.s.rec.http_status, 503);
	assert_int_equal(strlen(o.hub.error_text), room);
	assert_memory_equal(o.hub.error_text, "status 503: no such bbbb", 24);
	assert_int_equal(o.hub.error_text[room - 1], 'b');
	assert_int_equal(o.s.phase, STREAM_IDLE); /* it was read to its end */
	ask(&o, 1);
	say(&o, "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nother");
	finish(&o);
	assert_memory_equal(o.hub.error_text, "status 503: no such bbbb", 24);
	assert_int_equal(o.hub.failed, 2);
	assert_true(o.hub.connections == 1 && o.s.rec.reused_connection);
	end(&o);
}

/* An error inside a stream fails the request and not the connection. */
static void test_error_in_a_stream(void **state)
{
	struct one o;

	(void)state;
	begin(&o);
	ask(&o, 0);
	say_whole(&o,
		  TEXT("a") "data: {\"error\":{\"message\":\"out of blocks\"}}\n\n" DONE);
	finish(&o);
	assert_int_equal(o.s.rec.end, REQUEST_STREAM_ERROR);
	assert_string_equal(o.hub.error_text, "out of blocks");
	assert_int_equal(o.s.phase, STREAM_IDLE);
	end(&o);
}

/* What is in the record is in the spool. */
static void test_spooled(void **state)
{
	struct spool_reader *reader;
	struct request_record r;
	struct one o;

	(void)state;
	begin(&o);
	ask(&o, 9);
	say_whole(&o, ten);
	finish(&o);
	assert_int_equal(spool_finish(o.spool, NULL), 0);
	reader = spool_read(o.spool);
	assert_int_equal(spool_reader_next(reader, &r, NULL), 1);
	assert_int_equal(r.index, 9);
	assert_int_equal(r.end_ns, o.s.rec.end_ns);
	assert_int_equal(r.chunks_nr, 1);
	assert_int_equal(spool_reader_next(reader, &r, NULL), 0);
	spool_reader_free(reader);
	end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_one_after_another),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_chunks_beyond_expectation),
		cmocka_unit_test(test_in_one_segment),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_to_the_end),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_out_of_turn),
		cmocka_unit_test(test_a_long_request),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limit_of_a_late_client),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_refused_ahead),
		cmocka_unit_test(test_words_of_an_error),
		cmocka_unit_test(test_error_in_a_stream),
		cmocka_unit_test(test_spooled),
	};

	alarm(FRAME_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
