#include "core/document/json.h"

#include "core/base/file.h"
#include "core/document/json_keys.h"
#include "core/base/mem.h"

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

static int wrong_at(const char *name, const char *text, size_t at, const char *what,
		    const char *detail, struct err *err)
{
	size_t line, column;

	line_and_column(text, at, &line, &column);
	return err_set(err, ERR_USAGE, "%s:%zu:%zu: %s%s", name, line, column, what,
		       detail);
}

static int read_text(const char *text, size_t len, const char *name, int flags,
		     struct json_object **ret, struct err *err)
{
	struct json_tokener *tok = json_tokener_new_ex(depth_max);
	enum json_tokener_error why;
	size_t used;

	json_tokener_set_flags(tok, flags | JSON_TOKENER_VALIDATE_UTF8);
	/* The terminating NUL is fed too: only then does a bare number at the end count.
	 */
	*ret = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	used = json_tokener_get_parse_end(tok);
	if (why == json_tokener_continue) {
		json_object_put(*ret);
		*ret = json_tokener_parse_ex(tok, "\0", 1);
		why = json_tokener_get_error(tok);
		used = len;
	}
	json_tokener_free(tok);
	if (why != json_tokener_success)
		return wrong_at(name, text, used < len ? used : len, "not valid JSON: ",
				why == json_tokener_continue
					? "it ends too early"
					: json_tokener_error_desc(why),
				err);
	if (used < len && !only_blank(text + used, len - used))
		return wrong_at(name, text, used, "text behind the end of the document",
				"", err);
	return 0;
}

static struct json_object *parse(const char *text, size_t len, const char *name,
				 int flags, struct err *err)
{
	struct json_object *o = NULL;
	int rc;

	/* A mark that some editors put first; RFC 8259 lets a reader pass over it. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len > (size_t)1 << 30)
		rc = err_set(err, ERR_USAGE, "%s: more than 1 GiB of JSON", name);
	else if (only_blank(text, len))
		rc = err_set(err, ERR_USAGE, "%s: is empty, where JSON was expected",
			     name);
	else
		rc = read_text(text, len, name, flags, &o, err);
	if (!rc && !o)
		rc = err_set(err, ERR_USAGE, "%s: null alone is not a document", name);
	if (!rc && has_odd_number(o))
		rc = err_set(err, ERR_USAGE, "%s: a number is NaN, infinite or too large",
			     name);
	if (rc) {
		json_object_put(o);
		o = NULL;
	}
	return o;
}

struct json_object *json_parse(const char *text, size_t len, const char *name,
			       struct err *err)
{
	return parse(text, len, name,
		     JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS, err);
}

struct json_object *json_read_file(const char *path, size_t max, struct err *err)
{
	struct json_object *o;
	struct buf text;

	if (file_read(path, max, &text, err))
		return NULL;
	o = json_parse(text.data, text.len, path, err);
	buf_release(&text);
	return o;
}

/*
 * json-c reads comments only outside its strict mode, which also lets trailing commas
 * and single quotes pass; both are harmless in a file that a person types.
 */
struct json_object *json_read_commented(const char *path, size_t max, struct err *err)
{
	struct json_object *o = NULL;
	struct buf text;

	if (file_read(path, max, &text, err))
		return NULL;
	o = parse(text.data, text.len, path, 0, err);
	if (o && json_check_keys(text.data, text.len, path, err)) {
		json_object_put(o);
		o = NULL;
	}
	buf_release(&text);
	return o;
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

bool json_is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_double) ||
	       json_object_is_type(v, json_type_int);
}

size_t json_length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list)
							  : 0;
}

double json_real(struct json_object *value, double fallback)
{
	return json_is_number(value) ? json_object_get_double(value) : fallback;
}

double json_get_real(struct json_object *o, const char *key, double fallback)
{
	return json_real(json_member(o, key), fallback);
}

int64_t json_get_int(struct json_object *o, const char *key, int64_t fallback)
{
	struct json_object *v = json_member(o, key);

	return json_is_number(v) ? json_object_get_int64(v) : fallback;
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
