/*
 * The mock server as a whole, over real sockets on the loopback address. Instants that
 * are compared are those of its schedule, which no load of the machine can move; of the
 * clock only the order is asserted.
 */
#include "inference/mock.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "tests/support/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { DEADLINE_S = 20, EVENTS_MAX = 64 };

static struct mock *start(const struct mock_config *c)
{
	struct err err = ERR_INIT;
	struct mock *m = mock_start(c, MOCK_THREAD, &err);

	if (!m)
		fail_msg("%s", err.text);
	return m;
}

static void config_init(struct mock_config *c)
{
	fields_init(mock_fields, c);
	c->ttft_ns = 2 * NS_PER_MS;
	c->itl_ns = NS_PER_MS;
}

static int dial(const struct mock *m)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)mock_port(m)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			return; /* it closed on us: the reply tells why */
		text += put;
		len -= (size_t)put;
	}
}

/* Everything until the connection ends, or until 'until' was seen. errno of the end. */
static int hear(int fd, struct buf *ret, const char *until)
{
	int64_t deadline = clock_deadline_ns(DEADLINE_S * NS_PER_S);
	char piece[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (until && ret->len && strstr(ret->data, until))
			return 0;
		if (poll(&p, 1, clock_poll_ms(deadline, 1000)) <= 0) {
			if (clock_passed(deadline))
				fail_msg("no end of: %s", ret->data);
			continue;
		}
		got = recv(fd, piece, sizeof(piece), 0);
		if (got <= 0)
			return got ? errno : 0;
		buf_add(ret, piece, (size_t)got);
	}
}

/* One exchange on a connection of its own; the whole reply. */
static int exchange(const struct mock *m, const char *method, const char *path,
		    const char *headers, const char *body, struct buf *ret)
{
	char *text;
	int fd = dial(m), end;

	buf_init(ret, (size_t)1 << 24);
	if (asprintf(&text,
		     "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s"
		     "Content-Length: %zu\r\n\r\n%s",
		     method, path, headers, strlen(body), body) < 0)
		abort();
	say(fd, text);
	free(text);
	end = hear(fd, ret, NULL);
	close(fd);
	return end;
}

static int status_of(const struct buf *reply)
{
	return reply->len > 12 ? (int)strtol(reply->data + 9, NULL, 10) : 0;
}

static struct json_object *body_of(const struct buf *reply)
{
	const char *body = strstr(reply->data, "\r\n\r\n");
	struct err err = ERR_INIT;
	struct json_object *o;

	assert_non_null(body);
	o = json_parse(body + 4, strlen(body + 4), "reply", &err);
	if (!o)
		fail_msg("%s: %s", err.text, body + 4);
	return o;
}

/* The events of a stream; those that are no JSON are counted apart. */
struct events {
	struct json_object *items[EVENTS_MAX];
	size_t nr;
	int done, bad, errors;
};

static void events_of(const struct buf *reply, struct events *e)
{
	const char *at = reply->data;

	*e = (struct events){0};
	while ((at = strstr(at, "data: "))) {
		const char *end = strstr(at, "\n\n");
		struct json_object *o;

		at += 6;
		if (!end)
			break;
		if (strncmp(at, "[DONE]", 6) == 0) {
			e->done++;
			continue;
		}
		o = json_parse(at, (size_t)(end - at), "event", NULL);
		e->bad += !o;
		e->errors += json_member(o, "error") != NULL;
		if (o && e->nr < EVENTS_MAX)
			e->items[e->nr++] = o;
		else
			json_object_put(o);
	}
}

static void events_release(struct events *e)
{
	for (size_t i = 0; i < e->nr; i++)
		json_object_put(e->items[i]);
}

static int64_t tare_of(struct json_object *event, const char *key)
{
	return json_get_int(json_member(event, "tare"), key, -99);
}

static struct json_object *choice_of(struct json_object *event)
{
	struct json_object *list = json_member(event, "choices");

	return list && json_object_array_length(list) ? json_object_array_get_idx(list, 0)
						      : NULL;
}

#define STREAM(more)                                                                \
	"{\"prompt\":[1,2,3],\"max_tokens\":5,\"stream\":true,\"stream_options\":{" \
	"\"include_usage\":true}" more "}"

static void stream(const struct mock *m, const char *fault, struct buf *reply,
		   struct events *e)
{
	char header[80] = "";

	if (fault)
		snprintf(header, sizeof(header), "X-Tare-Fault: %s\r\n", fault);
	exchange(m, "POST", "/v1/completions", header, STREAM(""), reply);
	events_of(reply, e);
}

static void a_stream_keeps_its_schedule(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct events e;

	(void)state;
	config_init(&c);
	c.prefill_per_token_ns = 100 * NS_PER_US;
	m = start(&c);
	stream(m, NULL, &reply, &e);
	assert_int_equal(status_of(&reply), 200);
	assert_non_null(strstr(reply.data, "Server: tare-mock\r\n"));
	assert_int_equal(e.nr, 6); /* five tokens and usage */
	assert_int_equal(e.done, 1);
	for (size_t i = 0; i < 5; i++) {
		struct json_object *choice = choice_of(e.items[i]);
		int64_t due = tare_of(e.items[i], "due_ns");

		assert_int_equal(tare_of(e.items[i], "index"), i);
		assert_int_equal(tare_of(e.items[i], "tokens"), 1);
		assert_int_equal(due - tare_of(e.items[0], "due_ns"),
				 (int64_t)i * NS_PER_MS);
		assert_true(tare_of(e.items[i], "sent_ns") >= due);
		assert_string_equal(json_get_text(choice, "finish_reason", "none"),
				    i < 4 ? "none" : "length");
		assert_true(strlen(json_get_text(choice, "text", "")) > 0);
		assert_string_equal(json_get_text(e.items[i], "model", ""), "tare-mock");
	}
	assert_null(choice_of(e.items[5]));
	assert_int_equal(json_get_int(json_at(e.items[5], "usage"), "prompt_tokens", 0),
			 3);
	assert_int_equal(
		json_get_int(json_at(e.items[5], "usage"), "completion_tokens", 0), 5);
	events_release(&e);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void chunks_carry_several_tokens(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct events e;
	int64_t total = 0;

	(void)state;
	config_init(&c);
	c.tokens_per_chunk = 2;
	m = start(&c);
	exchange(m, "POST", "/v1/chat/completions", "",
		 "{\"messages\":[{\"role\":\"user\",\"content\":\"a "
		 "b\"}],\"max_tokens\":5,"
		 "\"stream\":true,\"return_token_ids\":true,\"stream_options\":{"
		 "\"include_usage\":true,\"continuous_usage_stats\":true}}",
		 &reply);
	events_of(&reply, &e);
	assert_int_equal(e.nr, 5); /* role, 2 + 2 + 1 tokens, usage */
	assert_string_equal(
		json_get_text(json_at(choice_of(e.items[0]), "delta"), "role", ""),
		"assistant");
	assert_int_equal(tare_of(e.items[0], "tokens"), 0);
	for (size_t i = 1; i < 4; i++) {
		struct json_object *ids = json_member(choice_of(e.items[i]), "token_ids");

		total += tare_of(e.items[i], "tokens");
		assert_int_equal(json_object_array_length(ids),
				 tare_of(e.items[i], "tokens"));
		assert_int_equal(json_get_int(json_at(e.items[i], "usage"),
					      "completion_tokens", 0),
				 total);
	}
	assert_int_equal(total, 5);
	/* 4 for the message, 2 words, 3 to answer: what /tokenize says too. */
	assert_int_equal(json_get_int(json_at(e.items[4], "usage"), "prompt_tokens", 0),
			 9);
	events_release(&e);
	buf_release(&reply);
	exchange(m, "POST", "/tokenize", "",
		 "{\"messages\":[{\"role\":\"user\",\"content\":\"a b\"}]}", &reply);
	struct json_object *o = body_of(&reply);
	assert_int_equal(json_get_int(o, "count", 0), 9);
	json_object_put(o);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void an_answer_need_not_be_streamed(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct json_object *o;

	(void)state;
	config_init(&c);
	m = start(&c);
	exchange(m, "POST", "/v1/completions", "X-Request-Id: r-1\r\n",
		 "{\"prompt\":\"one two\",\"max_tokens\":3}", &reply);
	assert_non_null(strstr(reply.data, "X-Request-Id: r-1\r\n"));
	o = body_of(&reply);
	assert_int_equal(json_get_int(json_at(o, "usage"), "total_tokens", 0), 5);
	assert_true(tare_of(o, "sent_ns") >= tare_of(o, "due_ns"));
	json_object_put(o);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void every_fault_breaks_what_it_says(void **state)
{
	static const struct {
		const char *spec;
		int status, events, done, bad, errors;
	} table[] = {
		{"status=429", 429, 0, 0, 0, 0},
		{"stream-error,after=2", 200, 3, 1, 0, 1},
		{"truncate,after=2", 200, 2, 0, 0, 0},
		{"cut,after=3", 200, 3, 0, 0, 0},
		{"stall=5ms,after=1", 200, 6, 1, 0, 0},
		{"length=2", 200, 3, 1, 0, 0},
		{"usage=99", 200, 6, 1, 0, 0},
		{"no-usage", 200, 5, 1, 0, 0},
		{"empty", 200, 2, 1, 0, 0},
		{"bad-json,after=1", 200, 6, 1, 1, 0},
		{"bad-sse,after=1", 200, 6, 1, 0, 0},
		{"bad-chunk,after=1", 200, 2, 0, 0, 0},
		{"split", 200, 6, 1, 0, 0},
		{"coalesce=3", 200, 6, 1, 0, 0},
	};
	struct mock_config c;
	struct mock *m;

	(void)state;
	config_init(&c);
	for (int pace = MOCK_FIXED; pace <= MOCK_BATCH; pace++) {
		c.pace = pace;
		c.step_base_ns = NS_PER_MS;
		m = start(&c);
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
			struct buf reply;
			struct events e;

			stream(m, table[i].spec, &reply, &e);
			if (status_of(&reply) != table[i].status ||
			    (int)e.nr != table[i].events || e.done != table[i].done ||
			    e.bad != table[i].bad || e.errors != table[i].errors)
				fail_msg(
					"%s: %zu events, %d done, %d bad, %d errors:\n%s",
					table[i].spec, e.nr, e.done, e.bad, e.errors,
					reply.data);
			events_release(&e);
			buf_release(&reply);
		}
		mock_stop(m);
	}
	fields_release(mock_fields, &c);
}

static void a_reset_is_a_reset(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;

	(void)state;
	config_init(&c);
	m = start(&c);
	for (int whole = 0; whole < 2; whole++) {
		assert_int_equal(
			exchange(m, "POST", "/v1/completions", "X-Tare-Fault: reset\r\n",
				 whole ? "{\"prompt\":[1]}" : STREAM(""), &reply),
			ECONNRESET);
		assert_int_equal(reply.len, 0);
		buf_release(&reply);
	}
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void faults_come_by_number(void **state)
{
	struct mock_config c;
	struct mock *m;

	(void)state;
	config_init(&c);
	strvec_add(&c.faults, "status=503,every=3");
	strvec_add(&c.faults, "status=500,nth=2");
	m = start(&c);
	for (int i = 1; i <= 6; i++) {
		struct buf reply;
		struct events e;

		stream(m, NULL, &reply, &e);
		assert_int_equal(status_of(&reply), i % 3 == 0 ? 503
						    : i == 2   ? 500
							       : 200);
		events_release(&e);
		buf_release(&reply);
	}
	mock_stop(m);
	fields_release(mock_fields, &c);
}

/* Three requests in one write, answered in order on the same connection. */
static void connections_are_kept_and_pipelined(void **state)
{
	static const char three[] =
		"GET /version HTTP/1.1\r\n\r\n"
		"POST /v1/completions HTTP/1.1\r\nContent-Length: 43\r\n\r\n"
		"{\"prompt\":[1],\"stream\":true,\"max_tokens\":2}"
		"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n";
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	const char *version, *stream_at, *health;
	int fd;

	(void)state;
	config_init(&c);
	m = start(&c);
	fd = dial(m);
	buf_init(&reply, 1 << 20);
	say(fd, three);
	assert_int_equal(hear(fd, &reply, NULL), 0);
	version = strstr(reply.data, "tare-mock " /* the version's text */);
	stream_at = strstr(reply.data, "text/event-stream");
	health = strstr(reply.data, "Content-Length: 0");
	assert_non_null(version);
	assert_non_null(stream_at);
	assert_non_null(health);
	assert_true(version < stream_at && stream_at < strstr(reply.data, "[DONE]") &&
		    strstr(reply.data, "[DONE]") < health);
	close(fd);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void say_slowly(int fd, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		char one[2] = {text[i], '\0'};

		say(fd, one);
	}
}

static void requests_arrive_in_pieces(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int fd;

	(void)state;
	config_init(&c);
	m = start(&c);
	fd = dial(m);
	buf_init(&reply, 1 << 20);
	say_slowly(fd, "POST /v1/completions HTTP/1.1\r\nConnection: close\r\n"
		       "Expect: 100-continue\r\nContent-Length: 29\r\n\r\n");
	hear(fd, &reply, "100 Continue");
	say_slowly(fd, "{\"prompt\":[1],\"max_tokens\":2}");
	assert_int_equal(hear(fd, &reply, NULL), 0);
	assert_non_null(strstr(reply.data, "\"completion_tokens\":2"));
	close(fd);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void what_it_cannot_take_is_refused(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int status;
	} table[] = {
		{"GET", "/nothing", "", 404},
		{"GET", "/v1/completions", "", 405},
		{"POST", "/v1/completions", "{", 400},
		{"POST", "/v1/completions", "{\"prompt\":[1,2,3],\"max_tokens\":98}",
		 400},
		{"POST", "/v1/completions", "{\"prompt\":[1],\"model\":\"llama\"}", 404},
		{"POST", "/v1/completions", "{\"prompt\":[1],\"model\":\"tare-mock\"}",
		 200},
	};
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	char *big = calloc(1, 3000);

	(void)state;
	config_init(&c);
	c.max_model_len = 100;
	c.strict_model = true;
	c.body_max = 2048;
	m = start(&c);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		exchange(m, table[i].method, table[i].path, "", table[i].body, &reply);
		assert_int_equal(status_of(&reply), table[i].status);
		buf_release(&reply);
	}
	memset(big, 'a', 2999);
	assert_int_equal(exchange(m, "POST", "/v1/completions", "", big, &reply), 0);
	assert_int_equal(status_of(&reply), 413);
	buf_release(&reply);
	free(big);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static double metric(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	at = strstr(at, "} ");
	assert_non_null(at);
	return strtod(at + 2, NULL);
}

static void metrics_count_what_was_served(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct events e;
	const char body[] = "{\"prompt\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],"
			    "\"max_tokens\":2}";

	(void)state;
	config_init(&c);
	m = start(&c);
	stream(m, NULL, &reply, &e);
	events_release(&e);
	buf_release(&reply);
	for (int i = 0; i < 2; i++) {
		exchange(m, "POST", "/v1/completions", "", body, &reply);
		buf_release(&reply);
	}
	exchange(m, "GET", "/metrics", "", "", &reply);
	assert_float_equal(metric(reply.data, "\nvllm:prompt_tokens_total{"), 3 + 34, 0);
	assert_float_equal(metric(reply.data, "\nvllm:generation_tokens_total{"), 9, 0);
	assert_float_equal(metric(reply.data, "\nvllm:prefix_cache_queries_total{"), 37,
			   0);
	assert_float_equal(metric(reply.data, "\nvllm:prefix_cache_hits_total{"), 16, 0);
	assert_float_equal(metric(reply.data, "\nvllm:num_requests_running{"), 0, 0);
	assert_float_equal(
		metric(reply.data, "\nvllm:time_to_first_token_seconds_count{"), 3, 0);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

/* The truth file says the same as the stream, and has the kernel's stamp. */
static void the_truth_is_written(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err), *path;
	struct mock_config c;
	struct mock *m;
	struct buf reply, text;
	struct events e;
	struct json_object *o, *sent;

	(void)state;
	assert_non_null(dir);
	path = path_join(dir, "truth.jsonl");
	config_init(&c);
	c.truth_file = strdup(path);
	m = mock_start(&c, MOCK_PROCESS, &err);
	assert_non_null(m);
	assert_true(mock_pid(m) > 0);
	stream(m, NULL, &reply, &e);
	mock_stop(m);
	assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
	o = json_parse(text.data, text.len, "truth", &err);
	assert_non_null(o);
	sent = json_member(o, "sent_ns");
	assert_int_equal(json_object_array_length(sent), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
			json_object_get_int64(json_object_array_get_idx(sent, i)),
			tare_of(e.items[i], "sent_ns"));
	assert_string_equal(json_get_text(o, "outcome", ""), "done");
	assert_string_equal(json_get_text(o, "response_id", ""),
			    json_get_text(e.items[0], "id", "-"));
	assert_int_equal(json_get_int(o, "arrival_kernel_ns", 0) > 0,
			 kernel_stamps_arrivals());
	assert_true(json_get_int(o, "arrival_kernel_ns", 0) <=
		    json_get_int(o, "arrival_ns", 0));
	json_object_put(o);
	events_release(&e);
	buf_release(&reply);
	buf_release(&text);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
	fields_release(mock_fields, &c);
}

static void a_client_that_leaves_is_forgotten(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int64_t deadline = clock_deadline_ns(DEADLINE_S * NS_PER_S);
	double running = 1;

	(void)state;
	config_init(&c);
	c.pace = MOCK_BATCH;
	m = start(&c);
	for (int i = 0; i < 3; i++) {
		int fd = dial(m);

		buf_init(&reply, 1 << 20);
		say(fd, "POST /v1/completions HTTP/1.1\r\nContent-Length: 47\r\n\r\n"
			"{\"prompt\":[1],\"stream\":true,\"max_tokens\":90000}");
		hear(fd, &reply, "data: ");
		buf_release(&reply);
		close(fd);
	}
	while (running > 0) {
		assert_false(clock_passed(deadline));
		exchange(m, "GET", "/metrics", "", "", &reply);
		running = metric(reply.data, "\nvllm:num_requests_running{");
		buf_release(&reply);
	}
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void a_full_queue_answers_503(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int fds[2];

	(void)state;
	config_init(&c);
	c.pace = MOCK_BATCH;
	c.max_num_seqs = 1;
	c.queue_max = 1;
	m = start(&c);
	for (int i = 0; i < 2; i++) {
		fds[i] = dial(m);
		buf_init(&reply, 1 << 20);
		say(fds[i], "POST /v1/completions HTTP/1.1\r\nContent-Length: 47\r\n\r\n"
			    "{\"prompt\":[1],\"stream\":true,\"max_tokens\":90000}");
		hear(fds[i], &reply, i ? "\r\n\r\n" : "data: ");
		buf_release(&reply);
	}
	exchange(m, "POST", "/v1/completions", "", "{\"prompt\":[1]}", &reply);
	assert_int_equal(status_of(&reply), 503);
	buf_release(&reply);
	close(fds[0]);
	close(fds[1]);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void it_must_say_that_it_is_a_mock(void **state)
{
	struct mock_config c;
	struct err err = ERR_INIT;

	(void)state;
	fields_init(mock_fields, &c);
	free(c.model);
	c.model = strdup("llama-3");
	assert_null(mock_start(&c, MOCK_THREAD, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	fields_release(mock_fields, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_keeps_its_schedule),
		cmocka_unit_test(chunks_carry_several_tokens),
		cmocka_unit_test(an_answer_need_not_be_streamed),
		cmocka_unit_test(every_fault_breaks_what_it_says),
		cmocka_unit_test(a_reset_is_a_reset),
		cmocka_unit_test(faults_come_by_number),
		cmocka_unit_test(connections_are_kept_and_pipelined),
		cmocka_unit_test(requests_arrive_in_pieces),
		cmocka_unit_test(what_it_cannot_take_is_refused),
		cmocka_unit_test(metrics_count_what_was_served),
		cmocka_unit_test(the_truth_is_written),
		cmocka_unit_test(a_client_that_leaves_is_forgotten),
		cmocka_unit_test(a_full_queue_answers_503),
		cmocka_unit_test(it_must_say_that_it_is_a_mock),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
