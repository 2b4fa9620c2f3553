#include "core/options/field.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum colour { RED, GREEN };

struct thing {
	bool flag;
	int64_t n, size, wait_ns;
	double part;
	char *text;
	int colour;
	struct strvec names;
	struct int_list counts;
};

static const char *const colours[] = {"red", "green", NULL};

#define AT(member) .offset = offsetof(struct thing, member)

static const struct field fields[] = {
	{.name = "flag", .kind = FIELD_FLAG, AT(flag), .unset = "true"},
	{.name = "n", .kind = FIELD_INT, AT(n), .unset = "16Ki", .min = 1, .max = 100000},
	{.name = "block-size", .kind = FIELD_BYTES, AT(size)},
	{.name = "wait-seconds",
	 .kind = FIELD_SECONDS,
	 AT(wait_ns),
	 .unset = "250ms",
	 .min = 0,
	 .max = 3600},
	{.name = "part",
	 .kind = FIELD_REAL,
	 AT(part),
	 .unset = "0.5",
	 .min = 0,
	 .max = 1},
	{.name = "text", .kind = FIELD_TEXT, AT(text)},
	{.name = "colour",
	 .kind = FIELD_CHOICE,
	 AT(colour),
	 .choices = colours,
	 .unset = "green"},
	{.name = "name", .kind = FIELD_TEXTS, AT(names)},
	{.name = "counts",
	 .kind = FIELD_INTS,
	 AT(counts),
	 .unset = "1,8",
	 .min = 1,
	 .max = 1000},
	{0},
};

static int set(struct thing *t, const char *name, const char *text, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return field_set_text(field_find(fields, name), t, text, "--x", err);
}

static void defaults_come_from_the_table(void **state)
{
	struct thing t;

	(void)state;
	memset(&t, 0xa5, sizeof(t)); /* nothing may rely on what was there */
	fields_init(fields, &t);
	assert_true(t.flag);
	assert_int_equal(t.n, 16384);
	assert_int_equal(t.size, 0);
	assert_int_equal(t.wait_ns, 250 * NS_PER_MS);
	assert_true(t.part == 0.5);
	assert_null(t.text);
	assert_int_equal(t.colour, GREEN);
	assert_int_equal(t.names.nr, 0);
	assert_int_equal(t.counts.nr, 2);
	assert_int_equal(t.counts.items[1], 8);
	fields_release(fields, &t);
	fields_release(fields, &t);
}

static void typed_texts_are_read(void **state)
{
	struct thing t;
	struct err err;

	(void)state;
	fields_init(fields, &t);
	assert_int_equal(set(&t, "flag", "false", &err), 0);
	assert_false(t.flag);
	assert_int_equal(set(&t, "n", "2k", &err), 0);
	assert_int_equal(t.n, 2000);
	assert_int_equal(set(&t, "block-size", "1.5Gi", &err), 0);
	assert_int_equal(t.size, INT64_C(1610612736));
	assert_int_equal(set(&t, "wait_seconds", "2min", &err), 0);
	assert_int_equal(t.wait_ns, 120 * NS_PER_S);
	assert_int_equal(set(&t, "part", "1e-3", &err), 0);
	assert_true(t.part == 1e-3);
	assert_int_equal(set(&t, "text", "one", &err), 0);
	assert_int_equal(set(&t, "text", "two", &err), 0);
	assert_string_equal(t.text, "two");
	assert_int_equal(set(&t, "colour", "red", &err), 0);
	assert_int_equal(t.colour, RED);
	assert_int_equal(set(&t, "name", "a", &err), 0);
	assert_int_equal(set(&t, "name", "b,c", &err), 0);
	assert_int_equal(t.names.nr, 2);
	assert_string_equal(t.names.items[1], "b,c");
	assert_int_equal(set(&t, "counts", "3,1k", &err), 0);
	assert_int_equal(t.counts.nr, 2);
	assert_int_equal(t.counts.items[1], 1000);
	fields_release(fields, &t);
}

static void what_does_not_fit_is_refused_in_words(void **state)
{
	static const struct {
		const char *field, *text, *want;
	} cases[] = {
		{"flag", "yes", "--x: expected true or false, not 'yes'"},
		{"n", "0", "--x: 0 is out of range: from 1 to 100000"},
		{"n", "100001", "--x: 100001 is out of range"},
		{"n", "x", "'x' is not a number such as 42"},
		{"n", "", "'' is not a number"},
		{"n", " 1", "is not a number"},
		{"n", "1.5", "'1.5' is not a whole number"},
		{"n", "12Q", "'12Q': unknown unit 'Q'"},
		{"n", "nan", "not a number"},
		{"n", "1e300", "too large"},
		{"block-size", "99999999999G", "too large"},
		{"wait-seconds", "2h", "7200 is out of range: from 0 to 3600"},
		{"wait-seconds", "5days", "unknown unit 'days'"},
		{"part", "1.01", "out of range"},
		{"part", "inf", "finite"},
		{"part", "0.5x", "'0.5x' is not a number"},
		{"colour", "gren",
		 "'gren' is not one of red, green; did you mean 'green'?"},
		{"colour", "turquoise", "'turquoise' is not one of red, green"},
		{"counts", "1,0", "0 is out of range"},
		{"counts", "", "expected whole numbers"},
		{"counts", "1,x", "--x: 'x' is not a number"},
	};
	struct thing t;

	(void)state;
	fields_init(fields, &t);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err;

		if (set(&t, cases[i].field, cases[i].text, &err) != -1)
			fail_msg("%s took '%s'", cases[i].field, cases[i].text);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].want))
			fail_msg("%s '%s': %s", cases[i].field, cases[i].text, err.text);
	}
	assert_int_equal(t.n, 16384); /* a refused value changes nothing */
	assert_int_equal(t.colour, GREEN);
	fields_release(fields, &t);
}

/* Factors by SI and IEC 80000-13. */
static void numbers_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t count, ns;
	} cases[] = {
		{"0", 0, 0},
		{"7", 7, INT64_C(7000000000)},
		{"-3", -3, INT64_C(-3000000000)},
		{"9223372036854775807", INT64_MAX, -1},
		{"1Ki", 1024, -1},
		{"3M", 3000000, -1},
		{"0.5Ti", INT64_C(549755813888), -1},
		{"1us", -1, 1000},
		{"250ms", -1, 250000000},
		{"1.5", -1, 1500000000},
		{"2min", -1, INT64_C(120000000000)},
		{"1h", -1, INT64_C(3600000000000)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		int64_t got = -99;

		if (cases[i].count != -1) {
			assert_int_equal(parse_count(cases[i].text, &got, &err), 0);
			assert_true(got == cases[i].count);
		}
		if (cases[i].ns != -1) {
			assert_int_equal(parse_duration_ns(cases[i].text, &got, &err), 0);
			assert_true(got == cases[i].ns);
		}
	}
}

static int bind(struct thing *t, const char *json, const char *const *others,
		struct err *err)
{
	struct json_object *o = json_parse(json, strlen(json), "test", err);
	int rc;

	assert_non_null(o);
	*err = (struct err)ERR_INIT;
	rc = fields_bind_json(fields, t, o, "plan.json", "/arms/vm", others, err);
	json_object_put(o);
	return rc;
}

static void a_json_object_is_bound(void **state)
{
	static const char *const others[] = {"elsewhere", NULL};
	struct thing t;
	struct err err;

	(void)state;
	fields_init(fields, &t);
	if (bind(&t,
		 "{\"flag\": false, \"n\": 5, \"block_size\": \"64Mi\","
		 " \"wait_seconds\": 1.5, \"part\": 1, \"text\": \"t\","
		 " \"colour\": \"red\", \"name\": [\"a\", \"b\"], \"counts\": [2, 3, 4],"
		 " \"elsewhere\": {}}",
		 others, &err))
		fail_msg("%s", err.text);
	assert_false(t.flag);
	assert_int_equal(t.n, 5);
	assert_int_equal(t.size, 64 << 20);
	assert_int_equal(t.wait_ns, 1500 * NS_PER_MS);
	assert_true(t.part == 1);
	assert_string_equal(t.text, "t");
	assert_int_equal(t.colour, RED);
	assert_int_equal(t.names.nr, 2);
	assert_int_equal(t.counts.nr, 3);
	assert_int_equal(
		bind(&t, "{\"name\": \"one\", \"counts\": 9, \"n\": 7.0}", NULL, &err),
		0);
	assert_int_equal(t.counts.nr, 1);
	assert_int_equal(t.n, 7);
	fields_release(fields, &t);
}

static void a_json_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{"[]", "plan.json: /arms/vm: expected an object, found a list"},
		{"{\"colr\": 1}", "/arms/vm: unknown key 'colr'; did you mean 'colour'?"},
		{"{\"zzzzzzzzzzzz\": 1}", "unknown key 'zzzzzzzzzzzz'"},
		{"{\"block-size\": 1}", "did you mean 'block_size'?"},
		{"{\"n\": \"5\"}", "/arms/vm/n: expected a whole number, found a text"},
		{"{\"n\": 1.5}", "/arms/vm/n: expected a whole number, found a number"},
		{"{\"n\": null}", "found null"},
		{"{\"n\": 0}", "/arms/vm/n: 0 is out of range"},
		{"{\"n\": 18446744073709551614}", "/arms/vm/n:"},
		{"{\"block_size\": 18446744073709551614}", "expected a number of bytes"},
		{"{\"flag\": 1}", "expected true or false, found a whole number"},
		{"{\"part\": \"x\"}", "expected a number, found a text"},
		{"{\"wait_seconds\": 1e12}", "/arms/vm/wait_seconds"},
		{"{\"text\": 5}", "expected a text"},
		{"{\"colour\": \"blue\"}", "/arms/vm/colour: 'blue' is not one of"},
		{"{\"name\": [1]}", "expected a list of texts, found a whole number"},
		{"{\"counts\": [1.5]}", "expected a list of whole numbers"},
		{"{\"counts\": [0]}", "0 is out of range"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thing t;
		struct err err;

		fields_init(fields, &t);
		if (bind(&t, cases[i].json, NULL, &err) != -1)
			fail_msg("%s was accepted", cases[i].json);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].want))
			fail_msg("%s: %s", cases[i].json, err.text);
		fields_release(fields, &t);
	}
}

static void a_required_key_must_be_there(void **state)
{
	static const struct field required[] = {
		{.name = "the-host",
		 .kind = FIELD_TEXT,
		 AT(text),
		 .is_required = true,
		 .help = "Where."},
		{0},
	};
	struct json_object *o = json_object_new_object();
	struct thing t;
	struct err err = ERR_INIT;

	(void)state;
	fields_init(required, &t);
	assert_int_equal(fields_bind_json(required, &t, o, "f", "", NULL, &err), -1);
	assert_string_equal(err.text, "f: /: the key 'the_host' is missing (Where.)");
	json_put_text(o, "the_host", "x");
	assert_int_equal(fields_bind_json(required, &t, o, "f", "", NULL, &err), 0);
	fields_release(required, &t);
	json_object_put(o);
}

static void values_go_to_json_and_back(void **state)
{
	struct thing a, b;
	struct json_object *o, *again;
	struct err err = ERR_INIT;

	(void)state;
	fields_init(fields, &a);
	fields_init(fields, &b);
	set(&a, "wait-seconds", "0.001", &err);
	set(&a, "part", "0.1", &err);
	set(&a, "name", "x", &err);
	set(&a, "n", "77", &err);
	o = fields_to_json(fields, &a);
	assert_null(json_member(o, "text"));
	assert_int_equal(fields_bind_json(fields, &b, o, "f", "", NULL, &err), 0);
	again = fields_to_json(fields, &b);
	assert_string_equal(json_line(again), json_line(o));
	assert_int_equal(b.wait_ns, NS_PER_MS);
	assert_true(b.part == 0.1);
	json_object_put(o);
	json_object_put(again);
	fields_release(fields, &a);
	fields_release(fields, &b);
}

static void names_match_with_dashes_and_underscores(void **state)
{
	(void)state;
	assert_ptr_equal(field_find(fields, "block-size"), &fields[2]);
	assert_ptr_equal(field_find(fields, "block_size"), &fields[2]);
	assert_null(field_find(fields, "block"));
	assert_null(field_find(fields, "block-sizes"));
	assert_null(field_find(fields, ""));
}

static void a_table_describes_itself(void **state)
{
	struct json_object *list = fields_describe(fields);
	struct json_object *n = json_object_array_get_idx(list, 1);
	struct json_object *colour = json_object_array_get_idx(list, 6);

	(void)state;
	assert_int_equal(json_object_array_length(list), ARRAY_SIZE(fields) - 1);
	assert_string_equal(json_get_text(n, "name", ""), "n");
	assert_string_equal(json_get_text(n, "kind", ""), "int");
	assert_string_equal(json_get_text(n, "default", ""), "16Ki");
	assert_true(json_get_real(n, "max", 0) == 100000);
	assert_string_equal(json_line(json_member(colour, "choices")),
			    "[\"red\",\"green\"]");
	json_object_put(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(typed_texts_are_read),
		cmocka_unit_test(what_does_not_fit_is_refused_in_words),
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(a_json_object_is_bound),
		cmocka_unit_test(a_json_mistake_is_told_with_its_place),
		cmocka_unit_test(a_required_key_must_be_there),
		cmocka_unit_test(values_go_to_json_and_back),
		cmocka_unit_test(names_match_with_dashes_and_underscores),
		cmocka_unit_test(a_table_describes_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
