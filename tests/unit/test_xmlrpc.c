/*
 * XML-RPC values and replies. What is right and wrong follows from xmlrpc.com/spec.md;
 * the transport's failures come from the fake front-end.
 */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "harness/provision/opennebula/xmlrpc.h"
#include "tests/support/fake_opennebula.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Far more than any call takes. */
static const int64_t patience_ns = 60 * NS_PER_S;

#define HEAD "<?xml version=\"1.0\"?><methodResponse><params><param><value>"
#define TAIL "</value></param></params></methodResponse>"

static int read_reply(const char *text, const struct xmlrpc_stream *s,
		      struct xmlrpc_reply *ret, struct err *err)
{
	struct xmlrpc_reader *r = xmlrpc_reader_new(s);
	int bad = xmlrpc_reader_feed(r, text, strlen(text), err) ||
		  xmlrpc_reader_finish(r, ret, err);

	xmlrpc_reader_free(r);
	return bad ? -1 : 0;
}

static void values_of_every_type(void **state)
{
	struct xmlrpc_reply r;
	const struct xmlrpc_value *v;

	(void)state;
	assert_int_equal(
		read_reply(
			HEAD
			"<array><data><value><i4>-7</i4></value><value><int>2147483647"
			"</int></value><value><i8>9223372036854775807</i8></value>"
			"<value><boolean>1</boolean></value><value>bare &lt;&#65;</value>"
			"<value><string><![CDATA[<a>]]></string></value><value/>"
			"<value><struct><member><name>a</name><value><i4>1</i4></value>"
			"</member><member><name>b</name><value>x</value></member></"
			"struct>"
			"</value></data></array>" TAIL,
			NULL, &r, NULL),
		0);
	v = r.value.items;
	assert_int_equal(r.value.nr, 8);
	assert_int_equal(v[0].integer, -7);
	assert_int_equal(v[1].integer, INT32_MAX);
	assert_int_equal(v[2].integer, INT64_MAX);
	assert_int_equal(v[3].type, XMLRPC_BOOL);
	assert_string_equal(v[4].text, "bare <A");
	assert_string_equal(v[5].text, "<a>");
	assert_string_equal(v[6].text, "");
	assert_string_equal(xmlrpc_member(&v[7], "b")->text, "x");
	assert_null(xmlrpc_member(&v[7], "c"));
	xmlrpc_value_release(&r.value);
}

static void what_is_no_reply(void **state)
{
	static const char *const wrong[] = {
		"",
		"hello",
		"<methodCall/>",
		"<methodResponse/>",
		"<methodResponse></methodResponse>",
		"<methodResponse><params/></methodResponse>",
		"<methodResponse><params><param/></params></methodResponse>",
		HEAD "<i4>1x</i4>" TAIL,
		HEAD "<i4></i4>" TAIL,
		HEAD "<i4>2147483648</i4>" TAIL,
		HEAD "<i8>9223372036854775808</i8>" TAIL,
		HEAD "<boolean>2</boolean>" TAIL,
		HEAD "<boolean>true</boolean>" TAIL,
		HEAD "<double>1.5</double>" TAIL,
		HEAD "<float>1</float>" TAIL,
		HEAD "<i4>1</i4><i4>2</i4>" TAIL,
		HEAD "text<i4>1</i4>" TAIL,
		HEAD "<i4>1</i4>text" TAIL,
		HEAD "<array></array>" TAIL,
		HEAD "<array><data>text</data></array>" TAIL,
		HEAD "<struct><member><name>a</name></member></struct>" TAIL,
		HEAD "<struct><member><value>a</value></member></struct>" TAIL,
		HEAD "</value></param><param><value></value></param></params></"
		     "methodResponse>",
		HEAD TAIL "<methodResponse/>",
		"<!DOCTYPE a [<!ENTITY b \"c\">]>" HEAD "&b;" TAIL,
		HEAD "&unknown;" TAIL,
		HEAD "<string>\xff\xfe</string>" TAIL,
		HEAD "<string>\x01</string>" TAIL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct xmlrpc_reply r;
		struct err err = ERR_INIT;

		if (!read_reply(wrong[i], NULL, &r, &err))
			fail_msg("taken as a reply: %s", wrong[i]);
		assert_string_equal(err.origin, "xmlrpc-reply");
	}
}

static void nested_too_deeply(void **state)
{
	struct buf b;
	struct xmlrpc_reply r;

	(void)state;
	for (int depth = XMLRPC_DEPTH_MAX; depth <= 200; depth += 184) {
		buf_init(&b, BUF_UNBOUNDED);
		buf_puts(&b, HEAD);
		for (int i = 0; i < depth; i++)
			buf_puts(&b, "<array><data><value>");
		for (int i = 0; i < depth; i++)
			buf_puts(&b, "</value></data></array>");
		buf_puts(&b, TAIL);
		if (depth == XMLRPC_DEPTH_MAX) {
			assert_int_equal(read_reply(b.data, NULL, &r, NULL), 0);
			xmlrpc_value_release(&r.value);
		} else {
			assert_int_equal(read_reply(b.data, NULL, &r, NULL), -1);
		}
		buf_release(&b);
	}
}

struct collected {
	struct buf b;
	unsigned pieces;
};

static bool wants_second(void *ctx, const struct xmlrpc_value *outer)
{
	(void)ctx;
	return outer->nr == 1;
}

static int collect(void *ctx, const char *data, size_t len, struct err *err)
{
	struct collected *c = ctx;

	(void)err;
	buf_add(&c->b, data, len);
	c->pieces++;
	return 0;
}

static int refuse(void *ctx, const char *data, size_t len, struct err *err)
{
	(void)ctx, (void)data, (void)len;
	return err_set(err, ERR_INTERNAL, "enough");
}

/* Six million characters are more than is kept of a text; streamed, they pass. */
static void a_long_text_as_a_stream(void **state)
{
	struct collected c = {.pieces = 0};
	struct xmlrpc_stream s = {wants_second, collect, &c};
	struct xmlrpc_stream ends = {wants_second, refuse, NULL};
	struct err err = ERR_INIT;
	struct xmlrpc_reply r;
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	buf_init(&c.b, BUF_UNBOUNDED);
	buf_puts(&b,
		 HEAD "<array><data><value><boolean>1</boolean></value><value><string>");
	for (int i = 0; i < 1000000; i++)
		buf_puts(&b, "&lt;abcde");
	buf_puts(&b, "</string></value><value>kept</value></data></array>" TAIL);
	assert_int_equal(read_reply(b.data, NULL, &r, NULL), -1);
	assert_int_equal(read_reply(b.data, &s, &r, NULL), 0);
	assert_int_equal(c.b.len, 6000000);
	assert_memory_equal(c.b.data + 5999994, "<abcde", 6);
	assert_true(c.pieces > 100);
	assert_null(r.value.items[1].text);
	assert_string_equal(r.value.items[2].text, "kept");
	xmlrpc_value_release(&r.value);
	assert_int_equal(read_reply(b.data, &ends, &r, &err), -1);
	assert_string_equal(err.text, "enough");
	buf_release(&b);
	buf_release(&c.b);
}

static void arguments_that_xml_cannot_hold(void **state)
{
	static const char *const bad[] = {
		"a\x01",        "\x7f\xff",         "\xc0\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbf\xbf"};
	struct xmlrpc_arg arg = XMLRPC_ARG_TEXT("q\"<x> & \xc3\xa9\r\n");
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(xmlrpc_encode(&b, "m", &arg, 1, NULL), 0);
	assert_non_null(
		strstr(b.data, "<string>q\"&lt;x&gt; &amp; \xc3\xa9&#13;\n</string>"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		arg.text = bad[i];
		assert_int_equal(xmlrpc_encode(&b, "m", &arg, 1, NULL), -1);
	}
	buf_release(&b);
	buf_init(&b, 100);
	arg.text = "x";
	assert_int_equal(xmlrpc_encode(&b, "m", &arg, 1, NULL), -1);
	buf_release(&b);
}

static int call(const char *endpoint, int64_t timeout_ns, size_t max, struct err *err)
{
	struct xmlrpc_params p = {.endpoint = endpoint, .reply_max = max};
	struct xmlrpc_arg arg = XMLRPC_ARG_TEXT("oneadmin:lab-opennebula");
	struct xmlrpc_value v = {.type = XMLRPC_NIL};
	struct xmlrpc *x = xmlrpc_new(&p, err);
	int bad = -1;

	if (x) {
		bad = xmlrpc_call(x, "one.system.version", &arg, 1, timeout_ns, NULL, &v,
				  err);
		xmlrpc_value_release(&v);
	}
	xmlrpc_free(x);
	return bad;
}

static void failures_are_told_apart(void **state)
{
	static const struct {
		enum fake_one_fault fault;
		const char *origin, *part;
		long code;
	} cases[] = {
		{FAKE_ONE_HTTP_404, "http", "/RPC2", 404},
		{FAKE_ONE_HTTP_503, "http", "oned", 503},
		{FAKE_ONE_FAULT, "xmlrpc", "Not enough parameters", -501},
		{FAKE_ONE_TRUNCATED, "xmlrpc-reply", "", 0},
		{FAKE_ONE_GARBAGE, "xmlrpc-reply", "", 0},
		{FAKE_ONE_RESET, "curl", "", 56},
		{FAKE_ONE_EMPTY, "curl", "without an answer", 52},
		{FAKE_ONE_HANG, "curl", "call_timeout", 28},
	};
	struct fake_one *f = fake_one_start(0);

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		fake_one_fail_at(f, 1, cases[i].fault, false);
		assert_int_equal(
			call(fake_one_endpoint(f),
			     cases[i].fault == FAKE_ONE_HANG ? NS_PER_S / 5 : patience_ns,
			     0, &err),
			-1);
		assert_string_equal(err.origin, cases[i].origin);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.text, cases[i].part));
		assert_ptr_equal(strstr(err.text, "one.system.version"), err.text);
		assert_null(strstr(err.text, "lab-opennebula"));
	}
	fake_one_stop(f);
}

static void endpoints(void **state)
{
	static const char *const bad[] = {"frontend", "ftp://frontend/RPC2", "",
					  "http://user:secret@frontend/RPC2"};
	struct fake_one *f = fake_one_start(0);
	struct err err = ERR_INIT;
	struct xmlrpc_params p = {.endpoint = "http://10.0.0.1:2633/RPC2"};
	struct xmlrpc *x;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err_clear(&err);
		assert_int_equal(call(bad[i], NS_PER_S, 0, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(strstr(err.text, "secret@"));
	}
	err_clear(&err);
	assert_int_equal(call(fake_one_endpoint(f), patience_ns, 0, &err), 0);
	assert_int_equal(call(fake_one_endpoint(f), patience_ns, 50, &err), -1);
	assert_non_null(strstr(err.text, "larger than 50 bytes"));
	x = xmlrpc_new(&p, NULL);
	assert_true(xmlrpc_is_exposed(x));
	xmlrpc_free(x);
	p.endpoint = fake_one_endpoint(f);
	x = xmlrpc_new(&p, NULL);
	assert_false(xmlrpc_is_exposed(x));
	xmlrpc_free(x);
	fake_one_stop(f);
}

/* Where the secret goes in clear: loopback is 127/8 (RFC 1122, 3.2.1.3) and ::1. */
static void what_is_exposed(void **state)
{
	static const struct {
		const char *endpoint;
		bool is_exposed;
	} cases[] = {
		{"http://127.0.0.1:2633/RPC2", false},
		{"http://127.8.9.10:2633/RPC2", false},
		{"http://[::1]:2633/RPC2", false},
		{"http://localhost:2633/RPC2", false},
		{"https://frontend/RPC2", false},
		{"http://frontend:2633/RPC2", true},
		{"http://127.example.org:2633/RPC2", true},
		{"http://127.0.0.1.example.org:2633/RPC2", true},
		{"http://128.0.0.1:2633/RPC2", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct xmlrpc_params p = {.endpoint = cases[i].endpoint};
		struct xmlrpc *x = xmlrpc_new(&p, NULL);

		assert_non_null(x);
		if (xmlrpc_is_exposed(x) != cases[i].is_exposed)
			fail_msg("%s: exposed: %d", cases[i].endpoint,
				 xmlrpc_is_exposed(x));
		xmlrpc_free(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_every_type),
		cmocka_unit_test(what_is_no_reply),
		cmocka_unit_test(nested_too_deeply),
		cmocka_unit_test(a_long_text_as_a_stream),
		cmocka_unit_test(arguments_that_xml_cannot_hold),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(what_is_exposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
