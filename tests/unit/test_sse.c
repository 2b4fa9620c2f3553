/* Expected events are read off the standard's rules by hand (WHATWG HTML 9.2.6). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "inference/http/sse.h"

struct seen {
	struct buf text; /* events, each ended by '|' */
	int stop_at;
	int nr;
};

static bool on_event(void *ctx, const char *data, size_t len)
{
	struct seen *s = ctx;

	buf_add(&s->text, data, len);
	buf_puts(&s->text, "|");
	return ++s->nr != s->stop_at;
}

/* Pieces come from memory of their own, so that reading beyond one is seen. */
static bool feed(struct sse *s, const char *text, size_t len, struct seen *seen)
{
	char *piece = x_malloc(len ? len : 1);
	bool ok;

	memcpy(piece, text, len);
	ok = sse_feed(s, piece, len, on_event, seen);
	free(piece);
	return ok;
}

static void check(const char *stream, const char *expected, bool expected_ok)
{
	size_t len = strlen(stream);

	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++) {
			struct seen seen = {.nr = 0};
			struct sse s;
			bool ok;

			buf_init(&seen.text, 4096);
			sse_init(&s, a % 2 ? 16 : 0);
			ok = feed(&s, stream, a, &seen) &&
			     feed(&s, stream + a, b - a, &seen) &&
			     feed(&s, stream + b, len - b, &seen);
			assert_int_equal(ok, expected_ok);
			if (ok)
				assert_string_equal(seen.text.data, expected);
			sse_release(&s);
			buf_release(&seen.text);
		}
	}
}

static void test_events(void **state)
{
	(void)state;
	check("data: a\n\ndata: [DONE]\n\n", "a|[DONE]|", true);
	check("data:a\r\n\r\ndata: b\r\n\r\n", "a|b|", true);
	check("data: a\ndata: b\n\n", "a\nb|", true);
	check("data\ndata\n\n", "\n|", true);
	check(": ping\n\nevent: x\nid: 7\nretry: 10\ndata:  two\n\n", " two|", true);
	check("data: unfinished\n", "", true);
	check("\n\n\n", "", true);
}

static void test_not_a_stream(void **state)
{
	(void)state;
	check("data: a\n\nnonsense\n\n", "", false);
	check("{\"error\": 1}\n", "", false);
}

static void test_reader_stops(void **state)
{
	struct seen seen = {.stop_at = 2};
	struct sse s;

	(void)state;
	buf_init(&seen.text, 100);
	sse_init(&s, 0);
	assert_false(
		sse_feed(&s, "data: a\n\ndata: b\n\ndata: c\n\n", 27, on_event, &seen));
	assert_string_equal(seen.text.data, "a|b|");
	sse_release(&s);
	buf_release(&seen.text);
}

static void test_bound(void **state)
{
	struct seen seen = {.nr = 0};
	char *many = x_malloc(SSE_LINE_MAX + 1);
	struct sse s;

	(void)state;
	memset(many, 'x', SSE_LINE_MAX + 1);
	memcpy(many, "data:", 5);
	buf_init(&seen.text, 100);
	sse_init(&s, 0);
	assert_false(sse_feed(&s, many, SSE_LINE_MAX + 1, on_event, &seen));
	sse_reset(&s);
	assert_true(sse_feed(&s, "data: ok\n\n", 10, on_event, &seen));
	assert_string_equal(seen.text.data, "ok|");
	sse_release(&s);
	buf_release(&seen.text);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_not_a_stream),
		cmocka_unit_test(test_reader_stops),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
