/* Requests are taken apart again with json-c, and by the rules of RFC 9112. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/document/json.h"
#include "core/base/mem.h"
#include "inference/load/engine/request_text.h"

static char authority[] = "host:8000", base[] = "/b";
static const struct url_parts url = {.authority = authority, .base = base};

static int order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct prompt make(bool is_chat, int64_t tokens)
{
	static const char *const words[] = {"one", "two", "three",
					    "averyveryverylongword"};
	struct prompt p = {.seed = 7,
			   .prompt_rule = {.mean = tokens},
			   .output_rule = {.mean = 33},
			   .dialect = {true, true, true, true}};

	if (is_chat)
		prompt_use_words(&p, words, ARRAY_SIZE(words), 3);
	else
		prompt_use_ids(&p, 10000, 30000);
	prompt_finish(&p, &url, "k3y", "a \"model\"", "salt");
	return p;
}

/* The request's body as JSON; checks the head on the way. */
static struct json_object *build(const struct prompt *p, uint64_t index, const char *path)
{
	char *space = x_malloc(prompt_size_max(p)), *start, *body;
	int32_t prompt_tokens, output_tokens;
	size_t len =
		prompt_build(p, 99, index, space, &start, &prompt_tokens, &output_tokens);
	struct json_object *o;
	unsigned long length;

	assert_true(start >= space && start + len <= space + prompt_size_max(p));
	assert_int_equal(output_tokens, 33);
	body = memmem(start, len, "\r\n\r\n", 4);
	assert_non_null(body);
	body += 4;
	assert_int_equal(strncmp(start, path, strlen(path)), 0);
	length = strtoul(strstr(start, "\r\nContent-Length: ") + 18, NULL, 10);
	assert_int_equal(length, len - (size_t)(body - start));
	assert_non_null(memmem(start, len, "\r\nHost: host:8000\r\n", 19));
	assert_non_null(memmem(start, len, "\r\nAuthorization: Bearer k3y\r\n", 29));
	o = json_parse(body, length, "body", NULL);
	assert_non_null(o);
	free(space);
	return o;
}

static void test_ids(void **state)
{
	struct prompt p = make(false, 512);
	struct json_object *a = build(&p, 5, "POST /b/v1/completions HTTP/1.1\r\n");
	struct json_object *b = build(&p, 6, "POST /b/v1/completions HTTP/1.1\r\n");
	struct json_object *again = build(&p, 5, "POST ");
	struct json_object *ids = json_member(a, "prompt");

	(void)state;
	assert_int_equal(json_object_array_length(ids), 512);
	for (size_t i = 0; i < 512; i++)
		assert_in_range(json_object_get_int(json_object_array_get_idx(ids, i)),
				10000, 29999);
	assert_string_equal(json_get_text(a, "model", ""), "a \"model\"");
	assert_int_equal(json_get_int(a, "max_tokens", 0), 33);
	assert_int_equal(json_get_int(a, "min_tokens", 0), 33);
	assert_true(json_get_bool(a, "ignore_eos", false));
	assert_true(json_get_bool(a, "stream", false));
	assert_true(json_object_get_boolean(
		json_at(a, "stream_options/continuous_usage_stats")));
	assert_string_equal(json_get_text(a, "cache_salt", ""), "salt");
	assert_true(json_object_equal(a, again));
	/* Other requests begin with other tokens. */
	assert_int_not_equal(json_object_get_int(json_object_array_get_idx(ids, 0)),
			     json_object_get_int(json_object_array_get_idx(
				     json_member(b, "prompt"), 0)));
	json_object_put(a);
	json_object_put(b);
	json_object_put(again);
	prompt_release(&p);
}

/* Three tokens of template and nine words; the word that is too long is left out. */
static void test_words(void **state)
{
	struct prompt p = make(true, 12);
	struct json_object *o = build(&p, 0, "POST /b/v1/chat/completions HTTP/1.1\r\n");
	struct json_object *message =
		json_object_array_get_idx(json_member(o, "messages"), 0);
	const char *text = json_get_text(message, "content", "");
	int spaces = 0;

	(void)state;
	assert_string_equal(json_get_text(message, "role", ""), "user");
	for (const char *c = text; *c; c++)
		spaces += *c == ' ';
	assert_int_equal(spaces, 8);
	assert_null(strstr(text, "averyvery"));
	json_object_put(o);
	prompt_release(&p);
}

static void test_plain_dialect(void **state)
{
	struct prompt p = make(false, 4);
	struct json_object *o;

	(void)state;
	p.dialect = (struct dialect){false, false, false, false};
	prompt_finish(&p, &url, "k3y", "m", "salt");
	o = build(&p, 1, "POST ");
	assert_null(json_member(o, "stream_options"));
	assert_null(json_member(o, "min_tokens"));
	assert_null(json_member(o, "ignore_eos"));
	assert_null(json_member(o, "cache_salt"));
	json_object_put(o);
	prompt_release(&p);
}

/* Of 2000 requests no two share their first four ids. */
static void test_unique(void **state)
{
	enum { NR = 2000 };
	struct prompt p = make(false, 4);
	char(*seen)[32] = x_calloc(NR, sizeof(*seen));

	(void)state;
	for (uint64_t i = 0; i < NR; i++) {
		struct json_object *o = build(&p, i, "POST ");

		memccpy(seen[i], json_line(json_member(o, "prompt")), '\0', 31);
		json_object_put(o);
	}
	qsort(seen, NR, sizeof(*seen), order);
	for (int i = 1; i < NR; i++)
		assert_string_not_equal(seen[i - 1], seen[i]);
	free(seen);
	prompt_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_plain_dialect),
		cmocka_unit_test(test_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
