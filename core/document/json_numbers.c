#include "core/document/json_numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"

struct numbers {
	double *values;
	size_t nr, alloc;
};

/* The lists of one document in the order they stand in, and the document without them. */
struct lifted {
	struct numbers *lists;
	size_t nr, alloc, placed;
	struct buf rest;
};

static const char *skip_blank(const char *s)
{
	while (*s == ' ' || *s == '\n' || *s == '\t' || *s == '\r')
		s++;
	return s;
}

/* Behind the closing quote of the string that begins at 's'; NULL: it has none. */
static const char *skip_string(const char *s, const char *end, bool *is_escaped)
{
	*is_escaped = false;
	for (s++; s < end && *s != '"'; s++) {
		if (*s == '\\') {
			*is_escaped = true;
			s++;
		}
	}
	return s < end ? s + 1 : NULL;
}

static const char *skip_digits(const char *s)
{
	return s + strspn(s, "0123456789");
}

/*
 * The number at 's' as JSON writes it (RFC 8259, section 6) and what is behind it. NULL where
 * there is none, it is out of range, or it is a whole number that may be too large for a
 * double to hold, or "-0": those json-c treats apart.
 */
static const char *read_number(const char *s, double *ret)
{
	const char *digits = s + (*s == '-'), *end = skip_digits(digits), *whole = end;

	if (end == digits || (*digits == '0' && end > digits + 1))
		return NULL;
	if (*end == '.') {
		end = skip_digits(end + 1);
		if (end[-1] == '.')
			return NULL;
	}
	if (*end == 'e' || *end == 'E') {
		const char *exponent = end + 1 + (end[1] == '-' || end[1] == '+');

		end = skip_digits(exponent);
		if (end == exponent)
			return NULL;
	}
	*ret = strtod(s, NULL);
	if (end == whole && (whole - digits > 18 || (*s == '-' && *ret == 0)))
		return NULL;
	return isfinite(*ret) ? end : NULL;
}

/* Behind the ']' of a list of nothing but numbers that begins at 's'; NULL: it is not. */
static const char *read_list(struct numbers *to, const char *s)
{
	s = skip_blank(s + 1);
	while (*s != ']') {
		GROW(to->values, to->nr, to->alloc);
		s = read_number(s, &to->values[to->nr]);
		if (!s)
			return NULL;
		to->nr++;
		s = skip_blank(s);
		if (*s == ',') {
			s = skip_blank(s + 1);
			if (*s == ']')
				return NULL;
		} else if (*s != ']') {
			return NULL;
		}
	}
	return s + 1;
}

/* Takes the list at 's' out; where it goes on, or NULL with nothing taken. */
static const char *lift_list(struct lifted *l, const char *s)
{
	struct numbers list = {0};
	const char *behind = read_list(&list, s);

	if (!behind) {
		free(list.values);
		return NULL;
	}
	GROW(l->lists, l->nr, l->alloc);
	l->lists[l->nr++] = list;
	return behind;
}

static bool is_values(const char *s, const char *behind)
{
	static const char key[] = "\"values\"";

	return (size_t)(behind - s) == sizeof(key) - 1 &&
	       memcmp(s, key, sizeof(key) - 1) == 0;
}

/*
 * In valid JSON a string with a ':' behind it is a key, whatever surrounds it, and a list
 * of numbers may be put in the place of an empty one. So nothing else need be understood
 * here; json-c refuses what is not valid in what is left. False where a key is escaped.
 */
static bool lift(struct lifted *l, const char *text, const char *end)
{
	const char *kept = text, *s = text;

	while ((s = memchr(s, '"', (size_t)(end - s)))) {
		bool is_escaped;
		const char *behind = skip_string(s, end, &is_escaped), *next;

		if (!behind)
			return false;
		next = skip_blank(behind);
		if (*next == ':' && is_escaped)
			return false;
		if (*next == ':' && is_values(s, behind)) {
			const char *list = skip_blank(next + 1);
			const char *past = *list == '[' ? lift_list(l, list) : NULL;

			if (past) {
				buf_add(&l->rest, kept, (size_t)(list - kept));
				buf_puts(&l->rest, "[]");
				kept = behind = past;
			}
		}
		s = behind;
	}
	buf_add(&l->rest, kept, (size_t)(end - kept));
	return true;
}

static void free_numbers(struct json_object *o, void *data)
{
	struct numbers *list = data;

	(void)o;
	free(list->values);
	free(list);
}

/* Gives the empty lists of the parsed rest their numbers, in the order of the text. */
static bool place(struct lifted *l, struct json_object *o)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			if (!place(l, json_object_array_get_idx(o, i)))
				return false;
		return true;
	}
	if (!json_object_is_type(o, json_type_object))
		return true;
	json_object_object_foreach(o, key, value)
	{
		if (strcmp(key, "values") != 0 ||
		    !json_object_is_type(value, json_type_array) ||
		    json_object_array_length(value)) {
			if (!place(l, value))
				return false;
			continue;
		}
		if (l->placed == l->nr)
			return false;
		if (l->lists[l->placed].nr) {
			struct numbers *own = x_malloc(sizeof(*own));

			*own = l->lists[l->placed];
			l->lists[l->placed] = (struct numbers){0};
			json_object_set_userdata(value, own, free_numbers);
		}
		l->placed++;
	}
	return true;
}

struct json_object *json_parse_numbers(const char *text, size_t len, const char *name,
				       struct err *err)
{
	struct lifted l = {0};
	struct json_object *o = NULL;

	buf_init(&l.rest, BUF_UNBOUNDED);
	if (lift(&l, text, text + len) && l.nr)
		o = json_parse(l.rest.data, l.rest.len, name, NULL);
	/* Of a key that is there twice json-c keeps one, and then the numbers are not known. */
	if (o && (!place(&l, o) || l.placed != l.nr)) {
		json_object_put(o);
		o = NULL;
	}
	for (size_t i = 0; i < l.nr; i++)
		free(l.lists[i].values);
	free(l.lists);
	buf_release(&l.rest);
	return o ? o : json_parse(text, len, name, err);
}

struct json_object *json_read_numbers(const char *path, size_t max, struct err *err)
{
	struct json_object *o;
	struct buf text;

	if (file_read(path, max, &text, err))
		return NULL;
	o = json_parse_numbers(text.data, text.len, path, err);
	buf_release(&text);
	return o;
}

const double *json_numbers(struct json_object *list, size_t *ret_nr)
{
	const struct numbers *n = json_object_is_type(list, json_type_array)
					  ? json_object_get_userdata(list)
					  : NULL;

	if (!n)
		return NULL;
	*ret_nr = n->nr;
	return n->values;
}
