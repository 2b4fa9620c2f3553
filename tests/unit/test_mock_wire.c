/*
 * The mock's faults and its HTTP on the wire, as a client with plain sockets sees them.
 */
#include "tests/support/mock_client.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"

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
	mock_client_config(&c);
	for (int pace = MOCK_FIXED; pace <= MOCK_BATCH; pace++) {
		c.pace = pace;
		c.step_base_ns = NS_PER_MS;
		m = mock_client_start(&c);
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
			struct buf reply;
			struct mock_events e;

			mock_stream(m, table[i].spec, &reply, &e);
			if (mock_status_of(&reply) != table[i].status ||
			    (int)e.nr != table[i].events || e.done != table[i].done ||
			    e.bad != table[i].bad || e.errors != table[i].errors)
				fail_msg(
					"%s: %zu events, %d done, %d bad, %d errors:\n%s",
					table[i].spec, e.nr, e.done, e.bad, e.errors,
					reply.data);
			mock_events_release(&e);
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
	mock_client_config(&c);
	m = mock_client_start(&c);
	for (int whole = 0; whole < 2; whole++) {
		assert_int_equal(
			mock_exchange(
				m, "POST", "/v1/completions", "X-Tare-Fault: reset\r\n",
				whole ? "{\"prompt\":[1]}" : MOCK_STREAM(""), &reply),
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
	mock_client_config(&c);
	strvec_add(&c.faults, "status=503,every=3");
	strvec_add(&c.faults, "status=500,nth=2");
	m = mock_client_start(&c);
	for (int i = 1; i <= 6; i++) {
		struct buf reply;
		struct mock_events e;

		mock_stream(m, NULL, &reply, &e);
		assert_int_equal(mock_status_of(&reply), i % 3 == 0 ? 503
							 : i == 2   ? 500
								    : 200);
		mock_events_release(&e);
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
	mock_client_config(&c);
	m = mock_client_start(&c);
	fd = mock_dial(m);
	buf_init(&reply, 1 << 20);
	mock_say(fd, three);
	assert_int_equal(mock_hear(fd, &reply, NULL), 0);
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

		mock_say(fd, one);
	}
}

static void requests_arrive_in_pieces(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int fd;

	(void)state;
	mock_client_config(&c);
	m = mock_client_start(&c);
	fd = mock_dial(m);
	buf_init(&reply, 1 << 20);
	say_slowly(fd, "POST /v1/completions HTTP/1.1\r\nConnection: close\r\n"
		       "Expect: 100-continue\r\nContent-Length: 29\r\n\r\n");
	mock_hear(fd, &reply, "100 Continue");
	say_slowly(fd, "{\"prompt\":[1],\"max_tokens\":2}");
	assert_int_equal(mock_hear(fd, &reply, NULL), 0);
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
	mock_client_config(&c);
	c.max_model_len = 100;
	c.strict_model = true;
	c.body_max = 2048;
	m = mock_client_start(&c);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		mock_exchange(m, table[i].method, table[i].path, "", table[i].body,
			      &reply);
		assert_int_equal(mock_status_of(&reply), table[i].status);
		buf_release(&reply);
	}
	memset(big, 'a', 2999);
	assert_int_equal(mock_exchange(m, "POST", "/v1/completions", "", big, &reply), 0);
	assert_int_equal(mock_status_of(&reply), 413);
	buf_release(&reply);
	free(big);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_breaks_what_it_says),
		cmocka_unit_test(a_reset_is_a_reset),
		cmocka_unit_test(faults_come_by_number),
		cmocka_unit_test(connections_are_kept_and_pipelined),
		cmocka_unit_test(requests_arrive_in_pieces),
		cmocka_unit_test(what_it_cannot_take_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
