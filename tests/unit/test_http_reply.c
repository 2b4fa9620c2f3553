/* Messages follow RFC 9112; each is read whole and in every pair of pieces. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "inference/http/http_reply.h"

static bool on_body(void *ctx, const char *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return true;
}

struct expected {
	const char *text;
	const char *body; /* NULL: must be refused */
	int status;
	bool keeps_alive, is_event_stream;
	bool needs_close; /* ends with the connection */
};

static const struct expected cases[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, true, false,
	 false},
	{"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n"
	 "Content-Type: text/event-stream; charset=utf-8\r\n\r\n"
	 "5\r\nhello\r\n1;ext=1\r\n!\r\n0\r\nTrailer: x\r\n\r\n",
	 "hello!", 200, true, true, false},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nConnection: close\r\n"
	 "Content-Length: 0\r\n\r\n",
	 "", 503, false, false, false},
	/* RFC 9110, section 7.6.1: a list, and 'close' settles it. */
	{"HTTP/1.1 200 OK\r\nConnection: Close, X-Hop\r\nContent-Length: 0\r\n\r\n", "",
	 200, false, false, false},
	{"HTTP/1.1 200 OK\r\nConnection: x-hop ,close\r\nConnection: keep-alive\r\n"
	 "Content-Length: 0\r\n\r\n",
	 "", 200, false, false, false},
	{"HTTP/1.0 200 OK\r\nConnection: x-hop, Keep-Alive\r\nContent-Length: 0\r\n\r\n",
	 "", 200, true, false, false},
	{"HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n", "", 200,
	 true, false, false},
	{"HTTP/1.0 200 OK\r\n\r\nrest", "rest", 200, false, false, true},
	{"HTTP/1.1 204 No Content\r\n\r\n", "", 204, true, false, false},
	{"HTTP/1.1 200\nContent-Length: 2\n\nok", "ok", 200, true, false, false},
	{"HTTP/2 200 OK\r\n\r\n", NULL, 0, false, false, false},
	{"SSH-2.0-OpenSSH\r\n", NULL, 0, false, false, false},
	{"HTTP/1.1 2x0 OK\r\n\r\n", NULL, 0, false, false, false},
	{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", NULL, 0, false, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", NULL, 0, false, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", NULL, 0,
	 false, false, false},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", NULL, 0, false, false,
	 false},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", NULL, 0, false,
	 false, false},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", NULL, 0,
	 false, false, false},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	 NULL, 0, false, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", NULL, 0, false, false, false},
};

static void check(const struct expected *e, size_t cut)
{
	size_t len = strlen(e->text);
	struct http_reply r;
	struct buf body;
	bool ok;

	buf_init(&body, 1000);
	http_reply_init(&r);
	ok = http_reply_feed(&r, e->text, cut, on_body, &body) &&
	     http_reply_feed(&r, e->text + cut, len - cut, on_body, &body);
	assert_int_equal(ok, e->body != NULL);
	if (!e->body) {
		assert_int_equal(r.state, HTTP_BAD);
		buf_release(&body);
		return;
	}
	assert_int_equal(r.state == HTTP_DONE, !e->needs_close);
	assert_true(http_reply_end(&r));
	assert_string_equal(body.data, e->body);
	assert_int_equal(r.status, e->status);
	assert_int_equal(r.keeps_alive, e->keeps_alive);
	assert_int_equal(r.is_event_stream, e->is_event_stream);
	buf_release(&body);
}

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t cut = 0; cut <= strlen(cases[i].text); cut++)
			check(&cases[i], cut);
}

static void test_early_end(void **state)
{
	const char *text = cases[1].text;
	struct http_reply r;
	struct buf body;

	(void)state;
	for (size_t cut = 0; cut < strlen(text); cut++) {
		buf_init(&body, 100);
		http_reply_init(&r);
		assert_true(http_reply_feed(&r, text, cut, on_body, &body));
		assert_false(http_reply_end(&r));
		buf_release(&body);
	}
}

static void test_endless_head(void **state)
{
	struct http_reply r;
	bool ok = true;

	(void)state;
	http_reply_init(&r);
	assert_true(http_reply_feed(&r, "HTTP/1.1 200 OK\r\n", 17, on_body, NULL));
	for (int i = 0; ok && i < 10000; i++)
		ok = http_reply_feed(&r, "Name: value, and more\r\n", 23, on_body, NULL);
	assert_false(ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_early_end),
		cmocka_unit_test(test_endless_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
