/*
 * XML-RPC as a real front-end speaks it (tests/support/recordings.h): requests byte by
 * byte, responses in pieces of any size. Expected values are INDEX.md's.
 */
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "harness/provision/opennebula/xmlrpc.h"
#include "tests/support/recordings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void requests_byte_by_byte(void **state)
{
	struct recordings *r = *state;
	size_t compared = 0;

	for (size_t i = 0; i < r->nr; i++) {
		size_t len;
		char *text = recording_text(r, r->cases[i].name, ".request.xml", &len);
		struct recorded_request q;
		struct buf b;

		if (!text) /* one case has a response only */
			continue;
		recorded_request_read(&q, text, len);
		buf_init(&b, RECORDING_MAX);
		if (q.is_plain) {
			assert_int_equal(xmlrpc_encode(&b, q.method, q.args, q.nr, NULL),
					 0);
			if (b.len != len || memcmp(b.data, text, len) != 0)
				fail_msg("%s: recorded\n%s\nours\n%s", r->cases[i].name,
					 text, b.data);
			compared++;
		}
		buf_release(&b);
		recorded_request_release(&q);
		free(text);
	}
	assert_true(compared > 100);
}

static size_t characters(const char *s)
{
	size_t nr = 0;

	for (; *s; s++)
		nr += ((unsigned char)*s & 0xc0) != 0x80;
	return nr;
}

/* INDEX.md cuts long values: "beginning… (1234 chars)". */
static void compare_text(const struct recording *e, const char *have)
{
	const char *cut = strstr(e->value, "\xe2\x80\xa6 (");
	size_t len = cut ? (size_t)(cut - e->value) : strlen(e->value);

	if (strncmp(have, e->value, len) != 0 || (!cut && have[len]))
		fail_msg("%s: '%.120s' is not '%.120s'", e->name, have, e->value);
	if (cut && characters(have) != strtoul(cut + 5, NULL, 10))
		fail_msg("%s: %zu characters, not%s", e->name, characters(have), cut + 4);
}

static void compare_value(const struct recording *e, const struct xmlrpc_value *v)
{
	char number[32];

	if (v->type == XMLRPC_TEXT) {
		compare_text(e, v->text);
		return;
	}
	assert_int_equal(v->type, XMLRPC_INT);
	snprintf(number, sizeof(number), "%lld", (long long)v->integer);
	assert_string_equal(number, e->value);
}

static void compare_reply(const struct recording *e, const struct xmlrpc_reply *reply)
{
	const struct xmlrpc_value *v = &reply->value;

	if (!strcmp(e->ok, "FAULT")) {
		assert_true(reply->is_fault);
		assert_int_equal(xmlrpc_member(v, "faultCode")->integer, e->code);
		compare_text(e, xmlrpc_member(v, "faultString")->text);
		return;
	}
	assert_false(reply->is_fault);
	assert_int_equal(v->type, XMLRPC_ARRAY);
	assert_int_equal(v->items[0].type, XMLRPC_BOOL);
	if (!strcmp(e->ok, "True")) {
		assert_int_equal(v->nr, 3);
		assert_int_equal(v->items[0].integer, 1);
		compare_value(e, &v->items[1]);
	} else {
		assert_int_equal(v->nr, 5);
		assert_int_equal(v->items[0].integer, 0);
		compare_text(e, v->items[1].text);
		assert_int_equal(v->items[2].integer, e->code);
		assert_int_equal(v->items[4].integer, -1); /* an <i8> */
	}
}

static void responses_in_pieces_of_any_size(void **state)
{
	static const size_t pieces[] = {RECORDING_MAX, 1, 7};
	struct recordings *r = *state;

	for (size_t i = 0; i < r->nr * ARRAY_SIZE(pieces); i++) {
		const struct recording *e = &r->cases[i / ARRAY_SIZE(pieces)];
		size_t piece = pieces[i % ARRAY_SIZE(pieces)], len;
		char *text = recording_text(r, e->name, ".response.xml", &len);
		struct xmlrpc_reader *reader = xmlrpc_reader_new(NULL);
		struct xmlrpc_reply reply = {.is_fault = false};
		struct err err = ERR_INIT;

		assert_non_null(text);
		for (size_t at = 0; at < len; at += piece)
			if (xmlrpc_reader_feed(reader, text + at,
					       len - at < piece ? len - at : piece, &err))
				fail_msg("%s: %s", e->name, err.text);
		if (xmlrpc_reader_finish(reader, &reply, &err))
			fail_msg("%s: %s", e->name, err.text);
		compare_reply(e, &reply);
		xmlrpc_value_release(&reply.value);
		xmlrpc_reader_free(reader);
		free(text);
	}
}

/* Any recording that is cut anywhere is an error, never half a document. */
static void cut_responses(void **state)
{
	struct recordings *r = *state;
	size_t len;
	char *text = recording_text(r, "vm.info.boot_failure", ".response.xml", &len);

	while (len && strchr("\r\n ", text[len - 1]))
		len--;
	for (size_t cut = 0; cut < len; cut++) {
		struct xmlrpc_reader *reader = xmlrpc_reader_new(NULL);
		struct xmlrpc_reply reply;

		if (!xmlrpc_reader_feed(reader, text, cut, NULL))
			assert_int_equal(xmlrpc_reader_finish(reader, &reply, NULL), -1);
		xmlrpc_reader_free(reader);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_byte_by_byte),
		cmocka_unit_test(responses_in_pieces_of_any_size),
		cmocka_unit_test(cut_responses),
	};

	if (recordings_missing())
		return 77;
	return cmocka_run_group_tests(tests, recordings_set_up, recordings_tear_down);
}
