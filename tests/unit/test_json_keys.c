/* Keys that are there twice, in what people type. The rule is RFC 8259, section 4. */
#include "core/document/json_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void twice_is_refused_with_key_and_line(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: each key once */
	} cases[] = {
		{"{}", NULL},
		{"[1, 2]", NULL},
		{"{\"a\": 1, \"b\": 2}", NULL},
		{"{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}", NULL},
		{"[{\"a\": 1}, {\"a\": 1}]", NULL},
		{"{\"a\": \"a\", \"b\": [\"a\", \"a\"]}", NULL},
		{"{\"a\": 1, // \"a\": 2\n \"b\": 3 /* \"a\": 4 */ }", NULL},
		{"{\"a\": \"\\\", \\\"a\\\": 1\"}", NULL},
		{"{\"a\": 1, \"a\": 2}", "doc:1: the key 'a' is there twice"},
		{"{\"x\": {\"arms\": 1,\n\n\"arms\" : 2}}", "doc:3: the key 'arms'"},
		{"[[], {\"a\": {}, 'a': 2}]", "the key 'a'"},
		{"{\"a\": 1, \"a\" /* why */ : 2}", "the key 'a'"},
		{"{\"a\": [{\"b\": 1}], \"b\": 1, \"a\": 2}", "the key 'a'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		int rc = json_check_keys(cases[i].text, strlen(cases[i].text), "doc",
					 &err);

		if ((cases[i].words != NULL) != (rc != 0))
			fail_msg("%s: %d %s", cases[i].text, rc, err.text);
		if (rc && !strstr(err.text, cases[i].words))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

/* What is no JSON is json-c's to refuse; here it must only end. */
static void what_is_cut_off_ends(void **state)
{
	static const char text[] =
		"{\"a\\\"b\": [{\"c\": '\\'d'}, // x\n/* y */ {}], \"e\": \"\\";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++)
		assert_int_equal(json_check_keys(text, len, "doc", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_is_refused_with_key_and_line),
		cmocka_unit_test(what_is_cut_off_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
