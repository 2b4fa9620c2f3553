/*
 * Replies as other servers write them, byte by byte, and what a request then comes to: the
 * words are those of RFC 9110, RFC 9112 and of the servers' own streams, not the mock's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "inference/load/server_discovery.h"
#include "tests/support/load_rig.h"

/* Says the same to every connection: serve() or serve_early(). */
struct server {
	int fd;
	const char *reply;
	pthread_t thread;
	char url[64];
};

/* A whole request: head, and as much body as it says. */
static bool read_request(int fd)
{
	char text[16384];
	size_t len = 0;

	while (len < sizeof(text) - 1) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		const char *end, *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (end && length && strlen(end + 4) >= strtoul(length + 16, NULL, 10))
			return true;
	}
	return false;
}

/* One request to a connection, which its reply ends. */
static void *serve(void *ctx)
{
	struct server *s = ctx;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		if (read_request(fd))
			send(fd, s->reply, strlen(s->reply), MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *s, const char *reply, void *(*how)(void *))
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*s = (struct server){.reply = reply};
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, how, s), 0);
}

static void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* 'nr' requests of 10 tokens, one at a time, each answered by 'reply'. */
static void ask(struct load_rig *r, const char *reply, size_t nr,
		struct request_record *records)
{
	struct server s;

	server_start(&s, reply, serve);
	load_rig_start(r, NULL, NULL);
	r->transport.url = s.url;
	r->config.stage.concurrency = 1;
	r->config.threads = 1;
	r->config.requests_max = nr;
	r->config.checks_prompt = false;
	load_rig_run(r);
	assert_int_equal(load_rig_collect(r, records), nr);
	server_stop(&s);
}

/* An event stream to the connection's end. */
static char *stream_of(const char *const *events)
{
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_puts(&b, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	for (; *events; events++)
		buf_printf(&b, "data: %s\n\n", *events);
	return buf_detach(&b);
}

#define TEXT(t) "{\"id\":\"x\",\"choices\":[{\"text\":\"" t "\",\"finish_reason\":null}]}"
#define USAGE \
	"\"usage\":{\"prompt_tokens\":16,\"completion_tokens\":10,\"total_tokens\":26}"

static void check_tokens(const char *const *events, size_t chunks, const uint32_t *tokens)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;
	char *reply = stream_of(events);

	ask(&r, reply, 1, records);
	assert_int_equal(records[0].end, REQUEST_OK);
	assert_int_equal(records[0].output_tokens, 10);
	assert_int_equal(records[0].chunks_nr, chunks);
	for (size_t i = 0; i < chunks; i++)
		assert_int_equal(records[0].chunks[i].tokens, tokens[i]);
	load_rig_forget(records);
	load_rig_end(&r);
	free(reply);
}

/* Five tokens a chunk, and usage only in the chunk that ends the answer. */
static void test_usage_with_the_end(void **state)
{
	static const char *const events[] = {TEXT("abcde"), TEXT("fghij"),
					     "{\"id\":\"x\",\"choices\":[{\"text\":\"\","
					     "\"finish_reason\":\"length\"}]," USAGE "}",
					     "[DONE]", NULL};
	static const uint32_t tokens[] = {5, 5};

	(void)state;
	check_tokens(events, 2, tokens);
}

/* A text in more chunks than it has tokens: ten in all, not one for each chunk. */
static void test_more_chunks_than_tokens(void **state)
{
	static const char *const events[] = {
		TEXT("a"), TEXT("b"),
		TEXT("c"), TEXT("d"),
		TEXT("e"), TEXT("f"),
		TEXT("g"), TEXT("h"),
		TEXT("i"), TEXT("j"),
		TEXT("k"), TEXT("l"),
		TEXT("m"), TEXT("n"),
		TEXT("o"), "{\"id\":\"x\",\"choices\":[]," USAGE "}",
		"[DONE]",  NULL};
	static const uint32_t tokens[] = {0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1};

	(void)state;
	check_tokens(events, 15, tokens);
}

/* More tokens than an int32_t holds, and then some. */
static void test_too_many_tokens(void **state)
{
	static const char *const events[] = {
		"{\"choices\":[{\"text\":\"a\"}],\"usage\":{\"prompt_tokens\":16,"
		"\"completion_tokens\":2147483647}}",
		"{\"choices\":[{\"text\":\"b\",\"token_ids\":[1,2]}]}", "[DONE]", NULL};
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;
	char *reply = stream_of(events);

	(void)state;
	ask(&r, reply, 1, records);
	assert_int_equal(records[0].end, REQUEST_WRONG_LENGTH);
	assert_int_equal(records[0].received_tokens, INT32_MAX);
	load_rig_forget(records);
	load_rig_end(&r);
	free(reply);
}

/*
 * What vLLM 0.20.2 sent for a model whose every token was a special one: no text at all, and
 * a usage that counts on.
 */
static void test_tokens_without_text(void **state)
{
	static const uint32_t tokens[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const char *const finish[] = {"null", "\"length\""};
	char *events[12] = {NULL}, *reply;
	int64_t token_ns;
	struct server_facts facts = {.model = NULL};
	struct err err = ERR_INIT;
	struct load_rig r;
	struct server s;

	(void)state;
	for (int i = 0; i < 10; i++)
		events[i] = x_asprintf("{\"id\":\"x\",\"choices\":[{\"text\":\"\","
				       "\"finish_reason\":%s,\"token_ids\":null}],"
				       "\"usage\":{\"prompt_tokens\":16,"
				       "\"completion_tokens\":%d}}",
				       finish[i == 9], i + 1);
	events[10] = x_strdup("[DONE]");
	check_tokens((const char *const *)events, 10, tokens);

	reply = stream_of((const char *const *)events);
	server_start(&s, reply, serve);
	load_rig_start(&r, NULL, NULL);
	r.transport.url = s.url;
	assert_int_equal(server_find_dialect(&r.transport, &r.url, &r.prompt, "m", "salt",
					     &facts, &token_ns, &err),
			 0);
	assert_true(facts.dialect.has_stream_usage);
	load_rig_end(&r);
	server_stop(&s);
	free(reply);
	for (int i = 0; i < 11; i++)
		free(events[i]);
}

struct ending {
	const char *reply;
	enum request_end end;
	const char *said; /* part of what the first of them was told */
};

/* Each closes the connection behind 'reply'. */
static const struct ending endings[] = {
	{"", REQUEST_RESET, "before any reply"},
	{"HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nboom", REQUEST_HTTP_STATUS,
	 "status 500: boom"},
	{"HTTP/1.1 429 Slow down\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
	 REQUEST_HTTP_STATUS, "status 429"},
	{"HTTP/1.1 307 Away\r\nLocation: /v2\r\nContent-Length: 0\r\n\r\n",
	 REQUEST_HTTP_STATUS, "status 307"},
	{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n"
	 "\r\n{\"error\":\"gone\"}",
	 REQUEST_PROTOCOL, "no event stream: {\"error\""},
	{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {,}\n\n",
	 REQUEST_PROTOCOL, "not JSON: {,}"},
	{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " TEXT(
		 "a") "\n\n",
	 REQUEST_TRUNCATED, "without [DONE]"},
	{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " TEXT(
		 "a") "\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":16,"
		      "\"completion_tokens\":1}}\n\ndata: [DONE]\n\n",
	 REQUEST_WRONG_LENGTH,
	 "16 prompt and 1 output tokens by usage (-1: not said), 1 counted; 16 and 10"},
};

static void test_endings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		struct request_record records[RIG_REQUESTS] = {{0}};
		struct load_rig r;

		ask(&r, endings[i].reply, 1, records);
		assert_int_equal(records[0].end, endings[i].end);
		if (!strstr(r.outcome.error_text, endings[i].said))
			fail_msg("'%s' does not say '%s'", r.outcome.error_text,
				 endings[i].said);
		load_rig_forget(records);
		load_rig_end(&r);
	}
}

/*
 * Where a reply ends with its connection, the next request is not due before that: how long
 * the server takes to close is not this client's delay.
 */
static void test_due_after_close(void **state)
{
	static const char *const events[] = {TEXT("abcdefghij"),
					     "{\"id\":\"x\",\"choices\":[]," USAGE "}",
					     "[DONE]", NULL};
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;
	char *reply = stream_of(events);

	(void)state;
	ask(&r, reply, 2, records);
	assert_int_equal(records[0].end, REQUEST_OK);
	assert_int_equal(records[1].end, REQUEST_OK);
	assert_true(records[0].end_ns == records[0].done_ns);
	assert_true(records[1].scheduled_ns > records[0].end_ns);
	load_rig_forget(records);
	load_rig_end(&r);
	free(reply);
}

/* Answers whole, keeping the connection, once it has read a byte; reads no more. */
static void *serve_early(void *ctx)
{
	struct server *s = ctx;
	int fds[RIG_REQUESTS], nr = 0;
	char byte;

	while (nr < RIG_REQUESTS && (fds[nr] = accept(s->fd, NULL, NULL)) >= 0) {
		if (recv(fds[nr], &byte, 1, 0) == 1)
			send(fds[nr], s->reply, strlen(s->reply), MSG_NOSIGNAL);
		nr++;
	}
	while (nr)
		close(fds[--nr]);
	return NULL;
}

/*
 * A request of some 6 MB, more than the kernel takes, is answered before it is sent: what
 * follows on that connection would be read as its rest, so the next one has its own.
 */
static void test_answered_before_it_is_sent(void **state)
{
	static const char *const events[] = {TEXT("abcdefghij"),
					     "{\"id\":\"x\",\"choices\":[]," USAGE "}",
					     "[DONE]", NULL};
	struct request_record records[RIG_REQUESTS] = {{0}};
	char *stream = stream_of(events), *body = strstr(stream, "\r\n\r\n") + 4;
	char *reply = x_asprintf("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				 "Content-Length: %zu\r\n\r\n%s",
				 strlen(body), body);
	struct load_rig r;
	struct server s;

	(void)state;
	server_start(&s, reply, serve_early);
	load_rig_start(&r, NULL, NULL);
	r.transport.url = s.url;
	r.prompt.prompt_rule.mean = 1000000;
	r.config.stage.concurrency = r.config.threads = 1;
	r.config.requests_max = 3;
	r.config.checks_prompt = false;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(records[i].end, REQUEST_OK);
		assert_false(records[i].reused_connection);
	}
	assert_int_equal(r.outcome.connections, 3);
	server_stop(&s);
	load_rig_forget(records);
	load_rig_end(&r);
	free(reply);
	free(stream);
}

/* Whole, and cut where the text is: 255 bytes are kept, 'status 401: ' among them. */
static void test_echoed_key(void **state)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	char body[300], reply[600];
	struct load_rig r;
	struct server s;

	(void)state;
	memset(body, '-', sizeof(body));
	memcpy(body + 10, "s3cret-key", 10);
	memcpy(body + 240 - 2, "s3cret-key", 10);
	snprintf(reply, sizeof(reply),
		 "HTTP/1.1 401 No\r\nContent-Length: 300\r\n\r\n%.300s", body);
	server_start(&s, reply, serve);
	load_rig_start(&r, NULL, NULL);
	r.transport.url = s.url;
	r.transport.bearer = "s3cret-key";
	r.config.stage.concurrency = r.config.threads = r.config.requests_max = 1;
	load_rig_run(&r);
	assert_non_null(strstr(r.outcome.error_text, "status 401: ----------*****"));
	assert_null(strstr(r.outcome.error_text, "s3"));
	load_rig_collect(&r, records);
	load_rig_forget(records);
	load_rig_end(&r);
	server_stop(&s);
}

enum { GOOD_ONES = 150 };

/* As serve(), but from some request on each is refused. */
static void *serve_worse(void *ctx)
{
	static const char refusal[] =
		"HTTP/1.1 500 Worn out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	struct server *s = ctx;
	int fd, nr = 0;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		if (read_request(fd)) {
			const char *text = nr < GOOD_ONES ? s->reply : refusal;

			send(fd, text, strlen(text), MSG_NOSIGNAL);
			nr++;
		}
		close(fd);
	}
	return NULL;
}

/*
 * All of the newest requests fail, and most of all so far did not: the rate is that of the
 * newest. At 200 a second it would take ten times as long until 95 % of all had failed.
 */
static void test_failures_of_late(void **state)
{
	static const char *const events[] = {TEXT("abcdefghij"),
					     "{\"id\":\"x\",\"choices\":[]," USAGE "}",
					     "[DONE]", NULL};
	char *reply = stream_of(events);
	struct load_rig r;
	struct server s;

	(void)state;
	server_start(&s, reply, serve_worse);
	load_rig_start(&r, NULL, NULL);
	r.transport.url = s.url;
	r.config.stage.kind = STAGE_CONSTANT;
	r.config.stage.rate_per_s = 200;
	r.config.connections_max = 1; /* it accepts one at a time */
	r.config.requests_max = 0;
	r.config.duration_ns = 10 * NS_PER_S;
	r.config.error_rate_max = 0.95;
	load_rig_run(&r);
	assert_true(r.outcome.is_aborted);
	server_stop(&s);
	load_rig_end(&r);
	free(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage_with_the_end),
		cmocka_unit_test(test_more_chunks_than_tokens),
		cmocka_unit_test(test_too_many_tokens),
		cmocka_unit_test(test_tokens_without_text),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_echoed_key),
		cmocka_unit_test(test_due_after_close),
		cmocka_unit_test(test_answered_before_it_is_sent),
		cmocka_unit_test(test_failures_of_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
