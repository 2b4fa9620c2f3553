/*
 * Texts as vLLM's and OpenAI's references show them; what is JSON at all is judged by
 * json-c in its strict mode.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/document/json.h"
#include "core/base/mem.h"
#include "inference/load/engine/chunk_json.h"

static bool scan(const char *text, struct chunk_info *c)
{
	size_t len = strlen(text);
	char *copy = x_malloc(len ? len : 1);
	bool ok;

	/* Exactly so long: reading beyond the end is seen. */
	memcpy(copy, text, len);
	ok = chunk_scan(copy, len, c);
	if (c->id)
		c->id = text + (c->id - copy);
	if (c->error)
		c->error = text + (c->error - copy);
	free(copy);
	return ok;
}

static void test_completion(void **state)
{
	struct chunk_info c;

	(void)state;
	assert_true(
		scan("{\"id\":\"cmpl-7\",\"object\":\"text_completion\",\"created\":1,"
		     "\"choices\":[{\"index\":0,\"text\":\" a\",\"logprobs\":null,"
		     "\"finish_reason\":null,\"token_ids\":[5,6]}],"
		     "\"usage\":{\"prompt_tokens\":512,\"total_tokens\":514,"
		     "\"completion_tokens\":2,\"prompt_tokens_details\":"
		     "{\"cached_tokens\":16}},\"tare\":{\"mock\":true,"
		     "\"sent_ns\":1795379152513766562}}",
		     &c));
	assert_true(c.has_choice && c.has_content && c.has_usage);
	assert_false(c.has_role || c.has_finish || c.has_error);
	assert_int_equal(c.token_ids, 2);
	assert_int_equal(c.prompt_tokens, 512);
	assert_int_equal(c.completion_tokens, 2);
	assert_int_equal(c.cached_tokens, 16);
	assert_true(c.sent_ns == 1795379152513766562);
	assert_int_equal(c.id_len, 6);
	assert_memory_equal(c.id, "cmpl-7", 6);
}

static void test_chat(void **state)
{
	struct chunk_info c;

	(void)state;
	assert_true(scan(
		"{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
		&c));
	assert_true(c.has_choice && c.has_role && !c.has_content);
	assert_int_equal(c.token_ids, -1);
	assert_int_equal(c.completion_tokens, -1);
	assert_true(
		scan("{\"choices\":[{\"delta\":{\"content\":\"\\u00e9\\\"\"}}]}", &c));
	assert_true(c.has_content && !c.has_role);
	assert_true(
		scan("{\"choices\":[{\"delta\":{\"reasoning_content\":\"x\"}}]}", &c));
	assert_true(c.has_content);
	assert_true(scan("{\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]}", &c));
	assert_true(c.has_content);
	assert_true(scan("{\"choices\":[{\"delta\":{\"content\":null},"
			 "\"finish_reason\":\"length\"}]}",
			 &c));
	assert_true(c.has_finish && !c.has_content);
	assert_true(scan(" {\"choices\" : [ ] , \"usage\" : null } ", &c));
	assert_false(c.has_choice || c.has_usage);
}

static void test_error(void **state)
{
	struct chunk_info c;

	(void)state;
	assert_true(scan("{\"error\":{\"message\":\"out of memory\",\"code\":500}}", &c));
	assert_true(c.has_error);
	assert_int_equal(c.error_len, 13);
	assert_memory_equal(c.error, "out of memory", 13);
	assert_true(scan("{\"error\":null,\"choices\":[]}", &c));
	assert_false(c.has_error);
	assert_true(scan("{\"error\":\"no\"}", &c));
	assert_true(c.has_error && c.error_len == 2);
}

/*
 * With every byte replaced: what json-c refuses is refused. (json-c takes some texts that
 * RFC 8259 forbids, such as numbers with a leading zero; those are refused here.)
 */
static void test_agrees_with_json_c(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,-2.5e+3,true,false,null,{\"b\":\"\\u00e9\\n\"}],\"c\":\"\"}",
		"{\"usage\":{\"completion_tokens\":12.0,\"prompt_tokens\":-0}}",
		"{\"choices\":[{\"text\":7,\"delta\":[],\"token_ids\":[[]]}],\"id\":{}}",
	};
	static const char bytes[] = "\"\\{}[]:,0-.eEtfn x";
	struct chunk_info c;

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		char text[256];
		size_t len = strlen(texts[t]);

		for (size_t at = 0; at < len; at++) {
			for (size_t b = 0; b < sizeof(bytes); b++) {
				struct json_object *o;
				bool theirs;

				memcpy(text, texts[t], len + 1);
				text[at] = bytes[b];
				if (strlen(text) == 0)
					continue;
				o = json_parse(text, strlen(text), "t", NULL);
				theirs = json_object_is_type(o, json_type_object);
				json_object_put(o);
				if (scan(text, &c) && !theirs)
					fail_msg("json-c refuses %s", text);
			}
		}
	}
}

static void test_numbers(void **state)
{
	struct chunk_info c;

	(void)state;
	assert_true(scan("{\"usage\":{\"completion_tokens\":2147483648}}", &c));
	assert_int_equal(c.completion_tokens, -1);
	assert_true(
		scan("{\"usage\":{\"completion_tokens\":99999999999999999999999}}", &c));
	assert_int_equal(c.completion_tokens, -1);
	assert_true(scan("{\"usage\":{\"completion_tokens\":-4}}", &c));
	assert_int_equal(c.completion_tokens, -1);
	assert_false(scan("{\"usage\":{\"completion_tokens\":01}}", &c));
}

static void test_depth(void **state)
{
	char text[200] = "{\"a\":";
	struct chunk_info c;

	(void)state;
	memset(text + strlen(text), '[', CHUNK_DEPTH_MAX + 1);
	assert_false(scan(text, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_chat),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_agrees_with_json_c),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
