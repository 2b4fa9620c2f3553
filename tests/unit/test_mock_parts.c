/* The mock's timers, prefix cache, tokenizer and request bodies. */
#include "inference/mock/mock_prefix.h"
#include "inference/mock/mock_request.h"
#include "inference/mock/mock_text.h"
#include "inference/mock/mock_timers.h"

#include "core/base/rng.h"
#include "inference/mock/mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int by_due(const void *a, const void *b)
{
	const struct timer *const *x = a, *const *y = b;

	return (*x)->due_ns < (*y)->due_ns ? -1 : (*x)->due_ns > (*y)->due_ns;
}

/* The order that qsort gives, after sets, moves and removals at random. */
static void timers_come_in_order(void **state)
{
	enum { NR = 500 };
	static struct timer t[NR];
	struct timer *sorted[NR];
	struct timers heap = {0};
	struct rng rng;
	size_t nr = 0;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 5 * NR; i++) {
		struct timer *one = &t[rng_below(&rng, NR)];

		if (rng_below(&rng, 3))
			timers_set(&heap, one, (int64_t)rng_below(&rng, 1000000));
		else
			timers_clear(&heap, one);
	}
	for (int i = 0; i < NR; i++)
		if (t[i].place)
			sorted[nr++] = &t[i];
	assert_int_equal(heap.nr, nr);
	qsort(sorted, nr, sizeof(*sorted), by_due);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(timers_first(&heap)->due_ns, sorted[i]->due_ns);
		timers_clear(&heap, timers_first(&heap));
	}
	assert_null(timers_first(&heap));
	timers_release(&heap);
}

static void equal_instants_keep_their_order(void **state)
{
	struct timer t[8] = {0};
	struct timers heap = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		timers_set(&heap, &t[i], 5);
	for (int i = 0; i < 8; i++) {
		assert_ptr_equal(timers_first(&heap), &t[i]);
		timers_clear(&heap, &t[i]);
	}
	timers_release(&heap);
}

static void the_same_beginning_is_known(void **state)
{
	struct prefix_cache p;
	uint32_t tokens[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		tokens[i] = i;
	prefix_init(&p, 1 << 16);
	assert_int_equal(prefix_look(&p, tokens, 100, "", 0), 0);
	assert_int_equal(prefix_look(&p, tokens, 100, "", 0), 96);
	assert_int_equal(prefix_look(&p, tokens, 64, "", 0),
			 48); /* the last is computed */
	assert_int_equal(prefix_look(&p, tokens, 100, "salt", 4), 0);
	assert_int_equal(p.queries, 100 + 100 + 64 + 100);
	assert_int_equal(p.hits, 96 + 48);
	tokens[20] = 7777; /* in the second block: only the first is the same */
	assert_int_equal(prefix_look(&p, tokens, 100, "", 0), 16);
	tokens[0] = 7777; /* equal blocks behind another beginning are not known */
	assert_int_equal(prefix_look(&p, tokens, 100, "", 0), 0);
	prefix_reset(&p);
	assert_int_equal(prefix_look(&p, tokens, 100, "", 0), 0);
	prefix_release(&p);
}

static void ids_survive_as_text(void **state)
{
	static const uint32_t ids[] = {0, 5, 1234, 29999, 2147483647};
	struct token_list t = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 1000);
	tokens_to_text(ids, 5, false, &text);
	assert_string_equal(text.data, "t0 t5 t1234 t29999 t2147483647");
	tokens_add_text(&t, text.data, text.len);
	assert_int_equal(t.nr, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(t.ids[i], ids[i]);
	t.nr = 0;
	tokens_add_text(&t, " any\twords\n t12x ", 17);
	assert_int_equal(t.nr, 3);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(t.ids[i], 1000, 29999);
	tokens_release(&t);
	buf_release(&text);
}

static int parse(const char *body, enum mock_endpoint e, struct mock_request *r,
		 struct err *err)
{
	return mock_request_parse(body, strlen(body), e, r, err);
}

static void bodies_are_read(void **state)
{
	struct mock_request r = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse("{\"model\":\"m\",\"prompt\":[1,2,3],\"max_tokens\":7,"
		      "\"stream\":true,\"stream_options\":{\"include_usage\":true,"
		      "\"continuous_usage_stats\":true},\"cache_salt\":\"s\","
		      "\"ignore_eos\":true}",
		      ENDPOINT_COMPLETIONS, &r, &err),
		0);
	assert_string_equal(r.model, "m");
	assert_string_equal(r.salt, "s");
	assert_int_equal(r.tokens.nr, 3);
	assert_int_equal(r.max_tokens, 7);
	assert_true(r.streams && r.include_usage && r.continuous_usage);
	/* The next one starts afresh. */
	assert_int_equal(parse("{\"prompt\":[[4,5]]}", ENDPOINT_COMPLETIONS, &r, &err),
			 0);
	assert_int_equal(r.tokens.nr, 2);
	assert_false(r.streams || r.include_usage || r.continuous_usage);
	assert_int_equal(r.max_tokens, 0);
	assert_string_equal(r.salt, "");
	assert_int_equal(
		parse("{\"prompt\":\"a b c d\"}", ENDPOINT_COMPLETIONS, &r, &err), 0);
	assert_int_equal(r.tokens.nr, 4);
	assert_int_equal(
		parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a b\"},"
		      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		      "\"c\"}]}]}",
		      ENDPOINT_CHAT, &r, &err),
		0);
	assert_int_equal(r.tokens.nr,
			 2 * MOCK_TOKENS_PER_MESSAGE + 3 + MOCK_TOKENS_TO_ANSWER);
	tokens_release(&r.tokens);
}

static void bad_bodies_are_refused(void **state)
{
	static const struct {
		enum mock_endpoint endpoint;
		const char *body;
	} table[] = {
		{ENDPOINT_COMPLETIONS, ""},
		{ENDPOINT_COMPLETIONS, "[]"},
		{ENDPOINT_COMPLETIONS, "{}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":7}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[1,\"a\"]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[1,-2]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[1,99999999999]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[[1],[2]]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":[null]}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"n\":2}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"max_tokens\":0}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"max_tokens\":1.5}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"stream\":1}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"stream_options\":{}}"},
		{ENDPOINT_COMPLETIONS, "{\"prompt\":\"a\",\"model\":3}"},
		{ENDPOINT_CHAT, "{\"prompt\":\"a\"}"},
		{ENDPOINT_CHAT, "{\"messages\":[]}"},
		{ENDPOINT_CHAT, "{\"messages\":[{}]}"},
		{ENDPOINT_CHAT, "{\"messages\":[7]}"},
		{ENDPOINT_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":[{}]}]}"},
		{ENDPOINT_DETOKENIZE, "{}"},
		{ENDPOINT_TOKENIZE, "{\"prompt\":[1]}"},
	};
	struct mock_request r = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct err err = ERR_INIT;

		if (!parse(table[i].body, table[i].endpoint, &r, &err))
			fail_msg("taken: %s", table[i].body);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_true(err.text[0]);
	}
	tokens_release(&r.tokens);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_come_in_order),
		cmocka_unit_test(equal_instants_keep_their_order),
		cmocka_unit_test(the_same_beginning_is_known),
		cmocka_unit_test(ids_survive_as_text),
		cmocka_unit_test(bodies_are_read),
		cmocka_unit_test(bad_bodies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
