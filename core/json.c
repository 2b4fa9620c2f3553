#include "core/json.h"

#include "core/file.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int depth_max = 32;

/*
 * json-c takes NaN and Infinity as numbers and cuts a whole number that does not fit into
 * 64 bits to the nearest that does; a document that tare reads may have neither.
 */
static bool has_odd_number(struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_double:
		return !isfinite(json_object_get_double(o));
	case json_type_int:
		return json_object_get_uint64(o) == UINT64_MAX ||
		       json_object_get_int64(o) == INT64_MIN;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(o); i++)
			if (has_odd_number(json_object_array_get_idx(o, i)))
				return true;
		return false;
	case json_type_object: {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			if (has_odd_number(value))
				return true;
		}
		return false;
	}
	default:
		return false;
	}
}

static void line_and_column(const char *text, size_t at, size_t *line, size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		(*column)++;
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		}
	}
}

static bool only_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

static struct json_object *parse(const char *text, size_t len, const char *name,
				 int flags, struct err *err)
{
	struct json_tokener *tok = json_tokener_new_ex(depth_max);
	struct json_object *o;
	enum json_tokener_error why;
	size_t used, line, column;

	if (len > (size_t)1 << 30) {
		json_tokener_free(tok);
		err_set(err, ERR_USAGE, "%s: more than 1 GiB of JSON", name);
		return NULL;
	}
	json_tokener_set_flags(tok, flags | JSON_TOKENER_VALIDATE_UTF8);
	/* The terminating NUL is fed too: only then does a bare number at the end count.
	 */
	o = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	if (why == json_tokener_continue && len) {
		json_object_put(o);
		o = json_tokener_parse_ex(tok, "\0", 1);
		why = json_tokener_get_error(tok);
		used = len;
	} else {
		used = json_tokener_get_parse_end(tok);
	}
	json_tokener_free(tok);
	if (why != json_tokener_success) {
		line_and_column(text, used < len ? used : len, &line, &column);
		err_set(err, ERR_USAGE, "%s:%zu:%zu: not valid JSON: %s", name, line,
			column,
			why == json_tokener_continue ? "it ends too early"
						     : json_tokener_error_desc(why));
		json_object_put(o);
		return NULL;
	}
	if (used < len && !only_blank(text + used, len - used)) {
		line_and_column(text, used, &line, &column);
		err_set(err, ERR_USAGE, "%s:%zu:%zu: text behind the end of the document",
			name, line, column);
		json_object_put(o);
		return NULL;
	}
	if (!o) {
		err_set(err, ERR_USAGE, "%s: null alone is not a document", name);
		return NULL;
	}
	if (has_odd_number(o)) {
		err_set(err, ERR_USAGE, "%s: a number is NaN, infinite or too large",
			name);
		json_object_put(o);
		return NULL;
	}
	return o;
}

struct json_object *json_parse(const char *text, size_t len, const char *name,
			       struct err *err)
{
	return parse(text, len, name,
		     JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS, err);
}

static struct json_object *read_with(const char *path, size_t max, int flags,
				     struct err *err)
{
	struct json_object *o;
	struct buf text;

	if (file_read(path, max, &text, err))
		return NULL;
	o = parse(text.data, text.len, path, flags, err);
	buf_release(&text);
	return o;
}

struct json_object *json_read_file(const char *path, size_t max, struct err *err)
{
	return read_with(path, max,
			 JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS, err);
}

/*
 * json-c reads comments only outside its strict mode, which also lets trailing commas
 * and single quotes pass; both are harmless in a file that a person types.
 */
struct json_object *json_read_commented(const char *path, size_t max, struct err *err)
{
	return read_with(path, max, 0, err);
}

int json_write_file(const char *path, struct json_object *o, mode_t mode, struct err *err)
{
	const char *text = json_text(o);

	return file_write(path, text, strlen(text), mode, err);
}

const char *json_text(struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			   JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? text : "null";
}

const char *json_line(struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? text : "null";
}

struct json_object *json_member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &value);
	return value;
}

const char *json_get_text(struct json_object *o, const char *key, const char *fallback)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v)
							: fallback;
}

static bool is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_double) ||
	       json_object_is_type(v, json_type_int);
}

double json_get_real(struct json_object *o, const char *key, double fallback)
{
	struct json_object *v = json_member(o, key);

	return is_number(v) ? json_object_get_double(v) : fallback;
}

int64_t json_get_int(struct json_object *o, const char *key, int64_t fallback)
{
	struct json_object *v = json_member(o, key);

	return is_number(v) ? json_object_get_int64(v) : fallback;
}

bool json_get_bool(struct json_object *o, const char *key, bool fallback)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_boolean) ? json_object_get_boolean(v)
							 : fallback;
}

/* The element that a decimal index names; NULL when there is none. */
static struct json_object *element_at(struct json_object *array, const char *key)
{
	char *end;
	unsigned long i = strtoul(key, &end, 10);

	if (end == key || *end || i >= json_object_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, i);
}

struct json_object *json_at(struct json_object *o, const char *path)
{
	char *copy = x_strdup(path), *save = NULL;

	for (char *key = strtok_r(copy, "/", &save); key && o;
	     key = strtok_r(NULL, "/", &save)) {
		if (json_object_is_type(o, json_type_array))
			o = element_at(o, key);
		else
			o = json_member(o, key);
	}
	free(copy);
	return o;
}

struct json_object *json_new_real(double value)
{
	char text[40];

	if (!isfinite(value))
		return NULL;
	snprintf(text, sizeof(text), "%.17g", value);
	if (!strpbrk(text, ".en"))
		memcpy(text + strlen(text), ".0", 3);
	return json_object_new_double_s(value, text);
}

/* Length of the well-formed character at 's' (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte, the second */
		size_t len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (*s < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = 2;

		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (s[1] < forms[i].low || s[1] > forms[i].high)
			return 0;
		while (n < forms[i].len && (s[n] & 0xc0) == 0x80)
			n++;
		return n == forms[i].len ? n : 0;
	}
	return 0;
}

/* Bytes that came from outside must not make our document unreadable. */
struct json_object *json_new_text(const char *text)
{
	struct json_object *o;
	struct buf clean;

	if (!text)
		return NULL;
	buf_init(&clean, BUF_UNBOUNDED);
	while (*text) {
		size_t len = utf8_length((const unsigned char *)text);

		if (len)
			buf_add(&clean, text, len);
		else
			buf_puts(&clean, "\xef\xbf\xbd"); /* U+FFFD */
		text += len ? len : 1;
	}
	o = json_object_new_string(clean.data);
	buf_release(&clean);
	return o;
}

void json_put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

void json_put_text(struct json_object *o, const char *key, const char *text)
{
	json_put(o, key, json_new_text(text));
}

void json_put_real(struct json_object *o, const char *key, double value)
{
	json_put(o, key, json_new_real(value));
}

void json_put_int(struct json_object *o, const char *key, int64_t value)
{
	json_put(o, key, json_object_new_int64(value));
}

void json_put_bool(struct json_object *o, const char *key, bool value)
{
	json_put(o, key, json_object_new_boolean(value));
}

const char *json_type_words(struct json_object *o)
{
	static const char *const words[] = {
		[json_type_null] = "null",        [json_type_boolean] = "true or false",
		[json_type_double] = "a number",  [json_type_int] = "a whole number",
		[json_type_object] = "an object", [json_type_array] = "a list",
		[json_type_string] = "a text",
	};

	return words[json_object_get_type(o)];
}
