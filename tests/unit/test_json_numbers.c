/*
 * Lists of numbers read past json-c. The independent source is json-c itself: whatever the
 * document, both ways must accept the same and see the same numbers.
 */
#include "core/document/json_numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/document/metric.h"

/* An ordinary copy: every list that was lifted has its numbers as elements again. */
static struct json_object *plain(struct json_object *o)
{
	struct json_object *copy;
	const double *numbers;
	size_t nr;

	if (json_object_is_type(o, json_type_object)) {
		copy = json_object_new_object();
		json_object_object_foreach(o, key, value)
			json_put(copy, key, plain(value));
		return copy;
	}
	if (!json_object_is_type(o, json_type_array))
		return json_object_is_type(o, json_type_int)
			       ? json_new_real(json_object_get_double(o))
			       : json_object_get(o);
	copy = json_object_new_array();
	numbers = json_numbers(o, &nr);
	for (size_t i = 0; numbers && i < nr; i++)
		json_object_array_add(copy, json_new_real(numbers[i]));
	for (size_t i = 0; i < json_object_array_length(o); i++)
		json_object_array_add(copy, plain(json_object_array_get_idx(o, i)));
	return copy;
}

static void same_both_ways(const char *text)
{
	struct err a = ERR_INIT, b = ERR_INIT;
	struct json_object *fast = json_parse_numbers(text, strlen(text), "doc", &a);
	struct json_object *slow = json_parse(text, strlen(text), "doc", &b);
	struct json_object *x, *y;

	if (!fast != !slow)
		fail_msg("%s: %s", text, fast ? b.text : a.text);
	if (!fast) {
		assert_string_equal(a.text, b.text);
		return;
	}
	x = plain(fast);
	y = plain(slow);
	if (!json_object_equal(x, y))
		fail_msg("%s: %s, expected %s", text, json_line(x), json_line(y));
	json_object_put(x);
	json_object_put(y);
	json_object_put(fast);
	json_object_put(slow);
}

static void documents_mean_the_same(void **state)
{
	static const char *const texts[] = {
		"{\"values\": [1, 2.5, -3e2]}",
		"{\"values\":[]}",
		"{\"values\" : [ 1 ,\n2 ] , \"x\": \"values\"}",
		"[{\"values\":[1]},{\"values\":[2,3]},{\"values\":[]},{\"values\":null}]",
		"{\"values\":{\"values\":[4]},\"x\":[\"values\",[5]]}",
		"{\"a\":\"\\\"values\\\": [1]\", \"values\":[2]}",
		"{\"values\":[1,null]}",
		"{\"values\":[1,\"x\"]}",
		"{\"values\":[[1]]}",
		"{\"values\":[-0, -0.0]}",
		"{\"values\":[18446744073709551615]}",
		"{\"values\":[9007199254740993, 123456789012345, 1000000000000000000]}",
		/* keys that are there twice, or written otherwise */
		"{\"values\":[1],\"values\":[2]}",
		"{\"values\":[1],\"values\":null}",
		"{\"values\":[1],\"values\":[]}",
		"{\"values\":[1],\"v\\u0061lues\":[2]}",
		"{\"values\":[1],\"v\\u0061lues\":[]}",
		"{\"m\":[{\"values\":[1]}],\"m\":[{\"values\":[2]}]}",
		"[{\"values\":[1],\"values\":null},{\"v\\u0061lues\":[]}]",
		/* not valid */
		"{\"values\":[1,]}",
		"{\"values\":[1 2]}",
		"{\"values\":[1",
		"{\"values\":[1]",
		"{\"values\":[1]}}",
		"{\"values\":[1]} x",
		"{\"values\":[01]}",
		"{\"values\":[1e999]}",
		"{\"values\":[NaN]}",
		"{\"values\":[99999999999999999999999999]}",
		"{\"values\":[1],\n\n \"x\": nope}",
		"{\"values",
		"\"values\":[1]",
		"{\"a\\",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		same_both_ways(texts[i]);
}

/* Every way to cut a document short, and every byte of it replaced. */
static void damage_means_the_same(void **state)
{
	static const char text[] =
		"{\"m\":[{\"values\":[1,2.5],\"n\":\"a\"},{\"values\":[]}],\"k\":[1]}";
	static const char bytes[] = "\"\\[],:{} 0x\xff";
	char copy[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		same_both_ways(copy);
		for (size_t k = 0; k < sizeof(bytes) - 1; k++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = bytes[k];
			same_both_ways(copy);
		}
	}
}

static void same_numbers(const char *number)
{
	char text[200];

	snprintf(text, sizeof(text), "{\"values\": [%s, 1]}", number);
	same_both_ways(text);
}

/* Both ends of what a double holds, and what is almost a number. */
static void hard_numbers_are_the_same(void **state)
{
	static const char *const hard[] = {
		"0.0",
		"-0.0",
		"0e5",
		"-17",
		"9007199254740993.0",
		"36028797018963967.5",
		"2.2250738585072014e-308",
		"4.9e-324",
		"2e-324",
		"1.7976931348623157e308",
		"1234567890123456789012.5e-10",
		"1.00000000000000011102230246251565",
		"1E5",
		"1e+5",
		"",
		"-",
		"+1",
		"01",
		".5",
		"1.",
		"1.e5",
		"1e",
		"1e+",
		"NaN",
		"inf",
		"-1e999",
		"--1",
		"e5",
		"Infinity",
		"0x10",
		"1e2e3",
		"3.25.1",
		"-0",
	};
	struct rng rng;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hard); i++)
		same_numbers(hard[i]);
	rng_init(&rng, 20261122);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(&rng);
		char text[64];
		double x;

		memcpy(&x, &bits, sizeof(x));
		snprintf(text, sizeof(text), "%.*g", 1 + i % 21, x);
		same_numbers(text);
	}
}

static void a_list_is_an_array_with_numbers_beside_it(void **state)
{
	const char *text = "{\"values\":[1.5,2.5], \"other\":[1.5], \"null\":null}";
	struct json_object *o = json_parse_numbers(text, strlen(text), "doc", NULL);
	size_t nr = 0;
	const double *x = json_numbers(json_member(o, "values"), &nr);

	(void)state;
	assert_non_null(x);
	assert_int_equal(nr, 2);
	assert_true(x[0] == 1.5 && x[1] == 2.5);
	assert_int_equal(json_object_array_length(json_member(o, "values")), 0);
	assert_null(json_numbers(json_member(o, "other"), &nr));
	assert_null(json_numbers(json_member(o, "null"), &nr));
	json_object_put(o);
}

/* Samples come out of either kind of document, exactly as they were written. */
static void samples_read_back_exactly(void **state)
{
	static const struct metric_def def = {.name = "x", .unit = "s"};
	const double values[] = {0.1, 1e-7, 123456.789, 6.6e13, 5};
	struct samples s, again;
	struct json_object *o, *read;
	const char *text;

	(void)state;
	samples_init(&s, &def);
	for (size_t i = 0; i < 5; i++)
		samples_add(&s, values[i]);
	o = samples_to_json(&s);
	text = json_text(o);
	read = json_parse_numbers(text, strlen(text), "doc", NULL);
	assert_non_null(json_numbers(json_member(read, "values"), &(size_t){0}));
	assert_int_equal(samples_from_json(&again, read, "doc", NULL), 0);
	assert_int_equal(again.nr, 5);
	assert_memory_equal(again.values, values, sizeof(values));
	samples_release(&s);
	samples_release(&again);
	json_object_put(o);
	json_object_put(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_mean_the_same),
		cmocka_unit_test(damage_means_the_same),
		cmocka_unit_test(hard_numbers_are_the_same),
		cmocka_unit_test(a_list_is_an_array_with_numbers_beside_it),
		cmocka_unit_test(samples_read_back_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
