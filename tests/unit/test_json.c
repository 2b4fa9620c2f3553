#include "core/document/json.h"

#include "core/base/file.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct json_object *parse(const char *text, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return json_parse(text, strlen(text), "doc", err);
}

static void refuses(const char *text, const char *want)
{
	struct err err;

	if (parse(text, &err))
		fail_msg("'%s' was accepted", text);
	assert_int_equal(err.kind, ERR_USAGE);
	if (!strstr(err.text, want))
		fail_msg("'%s' gave '%s', expected '%s'", text, err.text, want);
}

static void any_value_is_a_document(void **state)
{
	static const char *const good[] = {
		"{}", "[]", " [1, 2] \n", "1", "-0.5e3", "\"x\"", "true", "{\"a\": null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct err err;
		struct json_object *o = parse(good[i], &err);

		if (!o)
			fail_msg("'%s': %s", good[i], err.text);
		json_object_put(o);
	}
}

static void mistakes_are_refused_with_their_place(void **state)
{
	(void)state;
	refuses("", "doc: is empty, where JSON was expected");
	refuses("{\"a\": 1", "doc:1:8: not valid JSON: unexpected end");
	refuses("{\n  \"a\": 1,\n  b\n}", "doc:3:3: not valid JSON");
	refuses("{} x", "doc:1:4: text behind the end");
	refuses("[1,]", "not valid JSON");
	refuses("['a']", "not valid JSON");
	refuses("[1] // comment", "text behind the end");
	refuses("null", "null alone is not a document");
	refuses("[NaN]", "NaN, infinite or too large");
	refuses("{\"a\": [-Infinity]}", "NaN, infinite or too large");
	refuses("1e999", "NaN, infinite or too large");
	refuses("\"\xff\"", "not valid JSON");
	refuses("[99999999999999999999999999]", "too large");
	refuses("-99999999999999999999999999", "too large");
}

static void depth_is_bounded(void **state)
{
	char deep[200] = {0};
	struct err err;
	struct json_object *o;

	(void)state;
	memset(deep, '[', 31);
	memset(deep + 31, ']', 31);
	o = parse(deep, &err);
	assert_non_null(o);
	json_object_put(o);
	memset(deep, '[', 100);
	memset(deep + 100, ']', 99);
	refuses(deep, "not valid JSON");
}

/* The text need not end with NUL, and what lies behind 'len' is not looked at. */
static void only_len_bytes_are_read(void **state)
{
	static const char bytes[] = {'[', '1', ']', 'x'};
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(bytes, 3, "doc", &err);

	(void)state;
	assert_non_null(o);
	json_object_put(o);
	o = json_parse("12", 1, "doc", &err);
	assert_int_equal(json_object_get_int(o), 1);
	json_object_put(o);
	assert_null(json_parse("[1]\0x", 5, "doc", &err));
}

static void reals_read_back_exactly(void **state)
{
	static const double values[] = {
		0.0,
		-0.0,
		0.1,
		1.0 / 3,
		1e300,
		5e-324,
		1,
		1e21,
		DBL_MAX,
		DBL_MIN,
		-DBL_EPSILON,
		53.9e12,
		3,
		1e15 + 1,
		0.1 + 0.2,
		123456789.0,
		9007199254740993.0,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct json_object *o = json_new_real(values[i]), *back;
		struct err err;
		double got;

		back = parse(json_line(o), &err);
		assert_true(json_object_is_type(back, json_type_double));
		got = json_object_get_double(back);
		assert_memory_equal(&got, &values[i], sizeof(got));
		json_object_put(o);
		json_object_put(back);
	}
	assert_null(json_new_real(NAN));
	assert_null(json_new_real(INFINITY));
}

/* Well-formed and ill-formed sequences of table 3-7 in the Unicode standard. */
static void texts_are_always_utf8(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"abc", "abc"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xff", "\xef\xbf\xbd"},
		{"a\xc3", "a\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x82"
		 "b",
		 "\xef\xbf\xbd\xef\xbf\xbd"
		 "b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_object *o = json_new_text(cases[i].text), *back;
		struct err err;

		assert_string_equal(json_object_get_string(o), cases[i].want);
		back = parse(json_line(o), &err);
		assert_string_equal(json_object_get_string(back), cases[i].want);
		json_object_put(back);
		json_object_put(o);
	}
	assert_null(json_new_text(NULL));
}

static void lookups_check_types(void **state)
{
	struct err err;
	struct json_object *o =
		parse("{\"t\": \"x\", \"i\": 7, \"r\": 1.5, \"b\": true, \"n\": null,"
		      " \"o\": {\"deep\": {\"er\": 3}}}",
		      &err);

	(void)state;
	assert_string_equal(json_get_text(o, "t", "?"), "x");
	assert_string_equal(json_get_text(o, "i", "?"), "?");
	assert_string_equal(json_get_text(o, "n", "?"), "?");
	assert_null(json_get_text(o, "absent", NULL));
	assert_int_equal(json_get_int(o, "i", -1), 7);
	assert_int_equal(json_get_int(o, "t", -1), -1);
	assert_true(json_get_real(o, "r", -1) == 1.5);
	assert_true(json_get_real(o, "i", -1) == 7);
	assert_true(json_get_real(o, "b", -1) == -1);
	assert_true(json_get_bool(o, "b", false));
	assert_true(json_get_bool(o, "i", true));
	assert_int_equal(json_object_get_int(json_at(o, "o/deep/er")), 3);
	assert_null(json_at(o, "o/deep/no/such"));
	assert_null(json_at(o, "t/x"));
	assert_null(json_member(NULL, "x"));
	json_object_put(o);
}

static void types_have_words(void **state)
{
	static const char *const cases[][2] = {
		{"1.5", "a number"}, {"1", "a whole number"}, {"\"\"", "a text"},
		{"[]", "a list"},    {"{}", "an object"},     {"true", "true or false"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err;
		struct json_object *o = parse(cases[i][0], &err);

		assert_string_equal(json_type_words(o), cases[i][1]);
		json_object_put(o);
	}
	assert_string_equal(json_type_words(NULL), "null");
}

static struct json_object *read_text(const char *path, const char *text, bool commented,
				     struct err *err)
{
	*err = (struct err)ERR_INIT;
	assert_int_equal(file_write(path, text, strlen(text), 0600, err), 0);
	return commented ? json_read_commented(path, 100, err)
			 : json_read_file(path, 100, err);
}

static void files_are_read_with_and_without_comments(void **state)
{
	static const char commented[] = "// a plan\n{ /* block */ \"a\": 1, // "
					"one\n\"b\": \"// not\" }\n// end\n";
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err);
	char *path = path_join(dir, "f.json");
	struct json_object *o;

	(void)state;
	o = read_text(path, commented, true, &err);
	if (!o)
		fail_msg("%s", err.text);
	assert_int_equal(json_get_int(o, "a", 0), 1);
	assert_string_equal(json_get_text(o, "b", ""), "// not");
	json_object_put(o);
	assert_null(read_text(path, commented, false, &err));
	assert_null(read_text(path, "{} {}", true, &err));
	assert_null(read_text(path, "{\"a\": NaN}", true, &err));
	assert_null(read_text(path, "", true, &err));
	assert_null(json_read_file(path, 100, &err));
	o = json_parse("{\"x\": [1, 0.5, \"y\"]}", 20, "doc", &err);
	assert_int_equal(json_write_file(path, o, 0600, &err), 0);
	json_object_put(o);
	o = json_read_file(path, 100, &err);
	assert_string_equal(json_line(o), "{\"x\":[1,0.5,\"y\"]}");
	json_object_put(o);
	assert_null(json_read_file(path, 5, &err));
	assert_non_null(strstr(err.text, "larger than the 5 bytes"));
	assert_int_equal(dir_remove(dir, &err), 0);
	assert_null(json_read_file(path, 100, &err));
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_value_is_a_document),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(only_len_bytes_are_read),
		cmocka_unit_test(reals_read_back_exactly),
		cmocka_unit_test(texts_are_always_utf8),
		cmocka_unit_test(lookups_check_types),
		cmocka_unit_test(types_have_words),
		cmocka_unit_test(files_are_read_with_and_without_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
