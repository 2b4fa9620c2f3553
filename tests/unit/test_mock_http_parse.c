/* Requests and refusals after RFC 9112 and RFC 9110. */
#include "inference/mock/mock_http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BODY_MAX = 1000 };

/* In memory of exactly its size, so that a sanitizer sees a step too far. */
static enum http_verdict parse(const char *text, size_t len, struct http_request *r,
			       char **ret_copy)
{
	*ret_copy = malloc(len ? len : 1);
	memcpy(*ret_copy, text, len);
	return http_parse(*ret_copy, len, BODY_MAX, r);
}

static enum http_verdict verdict(const char *text)
{
	struct http_request r;
	char *copy;
	enum http_verdict v = parse(text, strlen(text), &r, &copy);

	free(copy);
	return v;
}

static void a_request_has_its_parts(void **state)
{
	static const char text[] =
		"POST /v1/completions?a=b HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 5\r\nX-Request-Id: \t seven \r\n\r\nhello";
	struct http_request r;
	char *copy;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &r, &copy), HTTP_WHOLE);
	assert_true(http_text_is(&r.method, "POST"));
	assert_true(http_text_is(&r.path, "/v1/completions"));
	assert_true(http_text_is(&r.query, "a=b"));
	assert_true(http_text_is(&r.body, "hello"));
	assert_true(http_text_is(http_header(&r, "x-request-id"), "seven"));
	assert_null(http_header(&r, "Connection"));
	assert_true(r.keeps_alive);
	assert_int_equal(r.size, strlen(text));
	free(copy);
}

static void every_beginning_wants_more(void **state)
{
	static const char *const texts[] = {
		"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
		"POST /a HTTP/1.1\r\nTransfer-Encoding: "
		"chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo"
		"\r\n0\r\nT: 1\r\n\r\n",
	};

	(void)state;
	for (size_t t = 0; t < 2; t++) {
		size_t len = strlen(texts[t]);
		struct http_request r;
		char *copy;

		for (size_t n = 0; n < len; n++) {
			enum http_verdict v = parse(texts[t], n, &r, &copy);

			assert_true(v == HTTP_WANT_MORE || v == HTTP_WANT_BODY);
			free(copy);
		}
		assert_int_equal(parse(texts[t], len, &r, &copy), HTTP_WHOLE);
		assert_true(http_text_is(&r.body, "hello"));
		assert_int_equal(r.size, len);
		free(copy);
	}
}

static void requests_follow_each_other(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.1\n\nrest";
	struct http_request r;
	char *copy;
	size_t first;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &r, &copy), HTTP_WHOLE);
	first = r.size;
	assert_int_equal(first, strlen("GET /a HTTP/1.1\r\n\r\n"));
	assert_int_equal(http_parse(copy + first, strlen(text) - first, BODY_MAX, &r),
			 HTTP_WHOLE);
	assert_true(http_text_is(&r.path, "/b"));
	assert_int_equal(strlen(text) - first - r.size, 4);
	free(copy);
}

static void what_is_wrong_has_its_status(void **state)
{
	static const struct {
		const char *text;
		int verdict;
	} table[] = {
		{"GET\r\n\r\n", 400},
		{"GET /\r\n\r\n", 400},
		{"GET / HTTP/1.1 \r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\n\r\n", 400},
		{"GET a HTTP/1.1\r\n\r\n", 400},
		{"GET /\x01 HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTQ/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.2\r\n\r\n", 505},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA : c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n folded\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: b\r\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nA: \x02\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n: c\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
		 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n",
		 400},
		{"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
		 400},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: "
		 "chunked\r\n\r\nffffffffffffffff\r\n",
		 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if ((int)verdict(table[i].text) != table[i].verdict)
			fail_msg("%s: %d", table[i].text, (int)verdict(table[i].text));
	assert_int_equal(verdict("POST / HTTP/1.1\r\nContent-Length: "
				 "1\r\nContent-Length: 1\r\n\r\na"),
			 HTTP_WHOLE);
}

static void a_head_without_end_is_refused(void **state)
{
	static char text[HTTP_HEAD_MAX + 1];
	char *at = text;

	(void)state;
	memset(text, 'a', HTTP_HEAD_MAX);
	assert_int_equal(verdict(text), HTTP_BIG_HEAD);
	at += snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		at += snprintf(at, 10, "A: b\r\n");
	memcpy(at, "\r\n", 3);
	assert_int_equal(verdict(text), HTTP_WHOLE);
	memcpy(at, "A: b\r\n\r\n", 9);
	assert_int_equal(verdict(text), HTTP_BIG_HEAD);
}

static void connections_are_kept_as_asked(void **state)
{
	static const struct {
		const char *text;
		bool keeps;
	} table[] = {
		{"GET / HTTP/1.1\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct http_request r;
		char *copy;

		assert_int_equal(parse(table[i].text, strlen(table[i].text), &r, &copy),
				 HTTP_WHOLE);
		assert_int_equal(r.keeps_alive, table[i].keeps);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_its_parts),
		cmocka_unit_test(every_beginning_wants_more),
		cmocka_unit_test(requests_follow_each_other),
		cmocka_unit_test(what_is_wrong_has_its_status),
		cmocka_unit_test(a_head_without_end_is_refused),
		cmocka_unit_test(connections_are_kept_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
