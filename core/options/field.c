#include "core/options/field.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a kind is called, what is expected where its JSON is wrong, and its member's size. */
static const struct {
	const char *name, *expected;
	size_t size;
} kinds[] = {
	[FIELD_FLAG] = {"flag", "true or false", sizeof(bool)},
	[FIELD_INT] = {"int", "a whole number", sizeof(int64_t)},
	[FIELD_REAL] = {"real", "a number", sizeof(double)},
	[FIELD_SECONDS] = {"seconds", "a number of seconds, or a text such as \"250ms\"",
			   sizeof(int64_t)},
	[FIELD_BYTES] = {"bytes", "a number of bytes, or a text such as \"64Mi\"",
			 sizeof(int64_t)},
	[FIELD_TEXT] = {"text", "a text", sizeof(char *)},
	[FIELD_CHOICE] = {"choice", "a text", sizeof(int)},
	[FIELD_TEXTS] = {"texts", "a list of texts", sizeof(struct strvec)},
	[FIELD_INTS] = {"ints", "a list of whole numbers", sizeof(struct int_list)},
};

/* ---- numbers as people type them ---- */

struct suffix {
	const char *text;
	double factor;
};

static const struct suffix count_suffixes[] = {
	{"", 1},        {"k", 1e3},     {"K", 1e3},     {"M", 1e6},
	{"G", 1e9},     {"T", 1e12},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
	{"Gi", 0x1p30}, {"Ti", 0x1p40}, {NULL, 0},
};

static const struct suffix time_suffixes[] = {
	{"", 1e9}, {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},   {"µs", 1e3},
	{"ns", 1}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {NULL, 0},
};

static int parse_suffixed(const char *text, const struct suffix *suffixes, bool whole,
			  const char *example, int64_t *ret, struct err *err)
{
	char *end;
	double number, value;

	errno = 0;
	number = isspace((unsigned char)*text) ? NAN : strtod(text, &end);
	if (isnan(number) || end == text || errno)
		return err_set(err, ERR_USAGE, "'%s' is not a number such as %s", text,
			       example);
	while (suffixes->text && strcmp(suffixes->text, end) != 0)
		suffixes++;
	if (!suffixes->text)
		return err_set(err, ERR_USAGE,
			       "'%s': unknown unit '%s'; write it such as %s", text, end,
			       example);
	value = number * suffixes->factor;
	if (!(fabs(value) < 0x1p63))
		return err_set(err, ERR_USAGE, "'%s' is too large", text);
	if (whole && value != floor(value))
		return err_set(err, ERR_USAGE, "'%s' is not a whole number", text);
	*ret = (int64_t)round(value);
	return 0;
}

int parse_count(const char *text, int64_t *ret, struct err *err)
{
	char *end;
	long long whole;

	/* Exact up to 2^63, which a double is not. */
	errno = 0;
	whole = strtoll(text, &end, 10);
	if (end != text && !*end && !errno && !isspace((unsigned char)*text)) {
		*ret = whole;
		return 0;
	}
	return parse_suffixed(text, count_suffixes, true, "42, 16Ki or 3M", ret, err);
}

int parse_duration_ns(const char *text, int64_t *ret, struct err *err)
{
	return parse_suffixed(text, time_suffixes, false, "1.5, 250ms or 2min", ret, err);
}

/* ---- from text ---- */

static void *member(const struct field *f, const void *obj)
{
	return (char *)(uintptr_t)obj + f->offset;
}

static bool is_bounded(const struct field *f)
{
	return f->min != 0 || f->max != 0;
}

static int check_range(const struct field *f, double value, const char *shown,
		       struct err *err)
{
	if (!isfinite(value))
		return err_set(err, ERR_USAGE, "%s: must be a finite number", shown);
	if (!is_bounded(f) || (value >= f->min && value <= f->max))
		return 0;
	if (isinf(f->max) || f->max >= 0x1p62)
		return err_set(err, ERR_USAGE,
			       "%s: %.10g is out of range: at least %.10g", shown, value,
			       f->min);
	return err_set(err, ERR_USAGE, "%s: %.10g is out of range: from %.10g to %.10g",
		       shown, value, f->min, f->max);
}

static int put_int(const struct field *f, void *obj, int64_t value, double shown_value,
		   const char *shown, struct err *err)
{
	if (check_range(f, shown_value, shown, err))
		return -1;
	*(int64_t *)member(f, obj) = value;
	return 0;
}

static int put_real(const struct field *f, void *obj, double value, const char *shown,
		    struct err *err)
{
	if (check_range(f, value, shown, err))
		return -1;
	*(double *)member(f, obj) = value;
	return 0;
}

static void set_string(const struct field *f, void *obj, const char *text)
{
	char **slot = member(f, obj);
	char *copy = x_strdup(text);

	free(*slot);
	*slot = copy;
}

static int set_choice(const struct field *f, void *obj, const char *text,
		      const char *shown, struct err *err)
{
	char meant[DID_YOU_MEAN_SIZE];
	struct buf all;
	size_t nr = 0;

	for (; f->choices[nr]; nr++) {
		if (strcmp(f->choices[nr], text) == 0) {
			*(int *)member(f, obj) = (int)nr;
			return 0;
		}
	}
	buf_init(&all, 400);
	for (size_t i = 0; i < nr; i++)
		buf_printf(&all, "%s%s", i ? ", " : "", f->choices[i]);
	err_set(err, ERR_USAGE, "%s: '%.60s' is not one of %s%s", shown, text, all.data,
		did_you_mean(meant, text, f->choices, nr, ""));
	buf_release(&all);
	return -1;
}

static int add_int(const struct field *f, void *obj, int64_t value, const char *shown,
		   struct err *err)
{
	struct int_list *list = member(f, obj);

	if (check_range(f, (double)value, shown, err))
		return -1;
	list->items = x_realloc_array(list->items, list->nr + 1, sizeof(*list->items));
	list->items[list->nr++] = value;
	return 0;
}

static void clear_ints(const struct field *f, void *obj)
{
	struct int_list *list = member(f, obj);

	free(list->items);
	*list = (struct int_list){0};
}

/* "1,8,32": a later occurrence replaces an earlier one, the default included. */
static int set_ints(const struct field *f, void *obj, const char *text, const char *shown,
		    struct err *err)
{
	char *copy = x_strdup(text), *rest = *text ? copy : NULL, *t;
	int rc = 0;

	clear_ints(f, obj);
	while (!rc && (t = strsep(&rest, ","))) {
		int64_t value = 0;

		rc = parse_count(t, &value, err);
		if (rc)
			err_wrap(err, "%s", shown);
		else
			rc = add_int(f, obj, value, shown, err);
	}
	if (!rc && !((struct int_list *)member(f, obj))->nr)
		rc = err_set(err, ERR_USAGE, "%s: expected whole numbers such as 1,8,32",
			     shown);
	free(copy);
	return rc;
}

static int set_flag(const struct field *f, void *obj, const char *text, const char *shown,
		    struct err *err)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return err_set(err, ERR_USAGE, "%s: expected true or false, not '%.60s'",
			       shown, text);
	*(bool *)member(f, obj) = yes;
	return 0;
}

static int set_real_text(const struct field *f, void *obj, const char *text,
			 const char *shown, struct err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || isspace((unsigned char)*text))
		return err_set(err, ERR_USAGE, "%s: '%.60s' is not a number", shown,
			       text);
	return put_real(f, obj, value, shown, err);
}

static int set_scaled_text(const struct field *f, void *obj, const char *text,
			   const char *shown, struct err *err)
{
	bool is_time = f->kind == FIELD_SECONDS;
	int64_t value = 0;
	int rc = is_time ? parse_duration_ns(text, &value, err)
			 : parse_count(text, &value, err);

	if (rc)
		return err_wrap(err, "%s", shown);
	return put_int(f, obj, value, is_time ? (double)value / 1e9 : (double)value,
		       shown, err);
}

int field_set_text(const struct field *f, void *obj, const char *text, const char *shown,
		   struct err *err)
{
	switch (f->kind) {
	case FIELD_FLAG:
		return set_flag(f, obj, text, shown, err);
	case FIELD_INT:
	case FIELD_BYTES:
	case FIELD_SECONDS:
		return set_scaled_text(f, obj, text, shown, err);
	case FIELD_REAL:
		return set_real_text(f, obj, text, shown, err);
	case FIELD_TEXT:
		set_string(f, obj, text);
		return 0;
	case FIELD_CHOICE:
		return set_choice(f, obj, text, shown, err);
	case FIELD_TEXTS:
		strvec_add(member(f, obj), text);
		return 0;
	case FIELD_INTS:
		return set_ints(f, obj, text, shown, err);
	}
	return err_set(err, ERR_INTERNAL, "%s: field of an unknown kind", shown);
}

void fields_init(const struct field *fields, void *obj)
{
	for (const struct field *f = fields; f->name; f++) {
		struct err err = ERR_INIT;

		memset(member(f, obj), 0, kinds[f->kind].size);
		if (f->unset && field_set_text(f, obj, f->unset, f->name, &err)) {
			fprintf(stderr, "tare: bug: default of %s: %s\n", f->name,
				err.text);
			abort();
		}
	}
}

void fields_release(const struct field *fields, void *obj)
{
	for (const struct field *f = fields; f->name; f++) {
		if (f->kind == FIELD_TEXT) {
			free(*(char **)member(f, obj));
			*(char **)member(f, obj) = NULL;
		} else if (f->kind == FIELD_TEXTS) {
			strvec_release(member(f, obj));
		} else if (f->kind == FIELD_INTS) {
			clear_ints(f, obj);
		}
	}
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

const struct field *field_find(const struct field *fields, const char *name)
{
	for (const struct field *f = fields; f->name; f++)
		if (same_name(f->name, name))
			return f;
	return NULL;
}

/* ---- from JSON ---- */

static int wrong_type(const struct field *f, struct json_object *v, const char *where,
		      struct err *err)
{
	return err_set(err, ERR_USAGE, "%s: expected %s, found %s", where,
		       kinds[f->kind].expected, json_type_words(v));
}

static bool is_whole(struct json_object *v)
{
	double d = json_object_get_double(v);

	/* json-c holds whole numbers up to 2^64, our members up to 2^63. */
	return (json_object_is_type(v, json_type_int) && d < 0x1p63) ||
	       (json_object_is_type(v, json_type_double) && d == floor(d) &&
		fabs(d) < 0x1p53);
}

static int set_list_json(const struct field *f, void *obj, struct json_object *v,
			 const char *where, struct err *err)
{
	size_t nr = json_object_array_length(v);

	if (f->kind == FIELD_INTS)
		clear_ints(f, obj);
	else
		strvec_release(member(f, obj));
	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(v, i);

		if (f->kind == FIELD_INTS) {
			if (!is_whole(item))
				return wrong_type(f, item, where, err);
			if (add_int(f, obj, json_object_get_int64(item), where, err))
				return -1;
		} else if (json_object_is_type(item, json_type_string)) {
			strvec_add(member(f, obj), json_object_get_string(item));
		} else {
			return wrong_type(f, item, where, err);
		}
	}
	return 0;
}

/* What the command line accepts as text is accepted as a JSON text too, where it fits. */
static bool reads_text(const struct field *f)
{
	return f->kind == FIELD_SECONDS || f->kind == FIELD_BYTES ||
	       f->kind == FIELD_TEXT || f->kind == FIELD_CHOICE || f->kind == FIELD_TEXTS;
}

static int set_json(const struct field *f, void *obj, struct json_object *v,
		    const char *where, struct err *err)
{
	bool is_list = f->kind == FIELD_TEXTS || f->kind == FIELD_INTS;
	double number = json_real(v, NAN);

	if (is_list && json_object_is_type(v, json_type_array))
		return set_list_json(f, obj, v, where, err);
	if (reads_text(f) && json_object_is_type(v, json_type_string))
		return field_set_text(f, obj, json_object_get_string(v), where, err);
	if (f->kind == FIELD_FLAG && json_object_is_type(v, json_type_boolean)) {
		*(bool *)member(f, obj) = json_object_get_boolean(v);
		return 0;
	}
	if ((f->kind == FIELD_INT || f->kind == FIELD_BYTES) && json_is_number(v) &&
	    is_whole(v))
		return put_int(f, obj, json_object_get_int64(v), number, where, err);
	/* A second rounding, of the product, would lose a nanosecond of several weeks. */
	if (f->kind == FIELD_SECONDS && json_is_number(v) && fabs(number) < 9e9)
		return put_int(f, obj, (int64_t)llroundl((long double)number * 1e9L),
			       number, where, err);
	if (f->kind == FIELD_REAL && json_is_number(v))
		return put_real(f, obj, number, where, err);
	if (f->kind == FIELD_INTS && json_is_number(v) && is_whole(v)) {
		clear_ints(f, obj);
		return add_int(f, obj, json_object_get_int64(v), where, err);
	}
	return wrong_type(f, v, where, err);
}

/* "prompt-tokens" as it stands in JSON: "prompt_tokens"; free(). */
static char *json_key(const char *name)
{
	char *key = x_strdup(name);

	for (char *p = key; *p; p++)
		if (*p == '-')
			*p = '_';
	return key;
}

static int unknown_key(const struct field *fields, const char *const *others,
		       const char *key, const char *where, struct err *err)
{
	struct strvec names = {0};
	char meant[DID_YOU_MEAN_SIZE];

	for (const struct field *f = fields; f->name; f++) {
		char *name = json_key(f->name);

		strvec_add(&names, name);
		free(name);
	}
	if (others)
		strvec_add_all(&names, others);
	err_set(err, ERR_USAGE, "%s: unknown key '%.80s'%s", where, key,
		did_you_mean(meant, key, strvec_argv(&names), names.nr, ""));
	strvec_release(&names);
	return -1;
}

static bool is_in(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* In JSON only the underscore spelling is a key; "n-gpus" would be a second name. */
static const struct field *field_of_key(const struct field *fields, const char *key)
{
	return strchr(key, '-') ? NULL : field_find(fields, key);
}

static int check_required(const struct field *fields, struct json_object *o,
			  const char *where, struct err *err)
{
	for (const struct field *f = fields; f->name; f++) {
		char *key = json_key(f->name);
		bool missing = f->is_required && !json_member(o, key);

		if (missing)
			err_set(err, ERR_USAGE, "%s: the key '%s' is missing (%s)", where,
				key, f->help);
		free(key);
		if (missing)
			return -1;
	}
	return 0;
}

/* Stores a member, or only tries to: the two walk a document in the same way. */
typedef int take_member(const struct field *f, void *obj, struct json_object *value,
			const char *where, struct err *err);

union any_member {
	bool flag;
	int choice;
	int64_t number;
	double real;
	char *text;
	struct strvec texts;
	struct int_list ints;
};

static int try_member(const struct field *f, void *obj, struct json_object *value,
		      const char *where, struct err *err)
{
	struct field alone[2] = {*f, {0}};
	union any_member scratch;
	int rc;

	(void)obj;
	alone[0].offset = 0;
	alone[0].unset = NULL;
	fields_init(alone, &scratch);
	rc = set_json(&alone[0], &scratch, value, where, err);
	fields_release(alone, &scratch);
	return rc;
}

static int take_all(const struct field *fields, void *obj, take_member *take,
		    struct json_object *o, const char *file, const char *pointer,
		    const char *const *others, const char *where, struct err *err)
{
	json_object_object_foreach(o, key, value)
	{
		const struct field *f = field_of_key(fields, key);
		char *at;
		int rc;

		if (!f && is_in(others, key))
			continue;
		if (!f)
			return unknown_key(fields, others, key, where, err);
		at = x_asprintf("%s: %s/%s", file, pointer, key);
		rc = take(f, obj, value, at, err);
		free(at);
		if (rc)
			return -1;
	}
	return check_required(fields, o, where, err);
}

static int walk(const struct field *fields, void *obj, take_member *take,
		struct json_object *o, const char *file, const char *pointer,
		const char *const *others, struct err *err)
{
	char *where = x_asprintf("%s: %s", file, *pointer ? pointer : "/");
	int rc;

	if (json_object_is_type(o, json_type_object))
		rc = take_all(fields, obj, take, o, file, pointer, others, where, err);
	else
		rc = err_set(err, ERR_USAGE, "%s: expected an object, found %s", where,
			     json_type_words(o));
	free(where);
	return rc;
}

int fields_bind_json(const struct field *fields, void *obj, struct json_object *o,
		     const char *file, const char *pointer, const char *const *others,
		     struct err *err)
{
	return walk(fields, obj, set_json, o, file, pointer, others, err);
}

int fields_check_json(const struct field *fields, struct json_object *o, const char *file,
		      const char *pointer, const char *const *others, struct err *err)
{
	return walk(fields, NULL, try_member, o, file, pointer, others, err);
}

/* ---- to JSON, and to arguments ---- */

static struct json_object *seconds_to_json(int64_t ns)
{
	if (ns % NS_PER_S == 0)
		return json_object_new_int64(ns / NS_PER_S);
	return json_new_real((double)ns / 1e9);
}

static struct json_object *texts_to_json(const struct strvec *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->nr; i++)
		json_object_array_add(list, json_object_new_string(v->items[i]));
	return list;
}

static struct json_object *ints_to_json(const struct int_list *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->nr; i++)
		json_object_array_add(list, json_object_new_int64(v->items[i]));
	return list;
}

static struct json_object *value_to_json(const struct field *f, const void *obj)
{
	const void *m = member(f, obj);

	switch (f->kind) {
	case FIELD_FLAG:
		return json_object_new_boolean(*(const bool *)m);
	case FIELD_INT:
	case FIELD_BYTES:
		return json_object_new_int64(*(const int64_t *)m);
	case FIELD_SECONDS:
		return seconds_to_json(*(const int64_t *)m);
	case FIELD_REAL:
		return json_new_real(*(const double *)m);
	case FIELD_TEXT:
		return json_new_text(*(char *const *)m);
	case FIELD_CHOICE:
		return json_object_new_string(f->choices[*(const int *)m]);
	case FIELD_TEXTS:
		return texts_to_json(m);
	case FIELD_INTS:
		return ints_to_json(m);
	}
	return NULL;
}

struct json_object *fields_to_json(const struct field *fields, const void *obj)
{
	struct json_object *o = json_object_new_object();

	for (const struct field *f = fields; f->name; f++) {
		struct json_object *value = value_to_json(f, obj);
		char *key = json_key(f->name);

		if (value)
			json_put(o, key, value);
		free(key);
	}
	return o;
}

static struct json_object *describe_one(const struct field *f)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", f->name);
	json_put_text(o, "kind", kinds[f->kind].name);
	if (f->unset)
		json_put_text(o, "default", f->unset);
	if (is_bounded(f)) {
		json_put_real(o, "min", f->min);
		json_put_real(o, "max", f->max);
	}
	if (f->kind == FIELD_CHOICE) {
		struct json_object *list = json_object_new_array();

		for (const char *const *c = f->choices; *c; c++)
			json_object_array_add(list, json_object_new_string(*c));
		json_put(o, "choices", list);
	}
	json_put_text(o, "help", f->help);
	json_put_bool(o, "required", f->is_required);
	if (f->is_hidden)
		json_put_bool(o, "hidden", true);
	return o;
}

struct json_object *fields_describe(const struct field *fields)
{
	struct json_object *list = json_object_new_array();

	for (const struct field *f = fields; f->name; f++)
		json_object_array_add(list, describe_one(f));
	return list;
}

static int find_kind(const char *name, enum field_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum field_kind)i;
			return 0;
		}
	}
	return -1;
}

static const char *const *copy_choices(struct json_object *list)
{
	size_t nr = json_length(list);
	const char **choices = x_calloc(nr + 1, sizeof(*choices));

	for (size_t i = 0; i < nr; i++) {
		const char *text =
			json_object_get_string(json_object_array_get_idx(list, i));

		choices[i] = x_strdup(text ? text : "");
	}
	return choices;
}

static int read_description(struct field *f, struct json_object *o)
{
	const char *name = json_get_text(o, "name", NULL);

	if (!name || find_kind(json_get_text(o, "kind", ""), &f->kind))
		return -1;
	f->name = x_strdup(name);
	f->min = json_get_real(o, "min", 0);
	f->max = json_get_real(o, "max", 0);
	f->is_required = json_get_bool(o, "required", false);
	f->is_hidden = json_get_bool(o, "hidden", false);
	f->help = x_strdup(json_get_text(o, "help", ""));
	if (f->kind == FIELD_CHOICE)
		f->choices = copy_choices(json_member(o, "choices"));
	return 0;
}

struct field *fields_from_description(struct json_object *list, const char *where,
				      struct err *err)
{
	size_t nr = json_length(list);
	struct field *fields = x_calloc(nr + 1, sizeof(*fields));

	for (size_t i = 0; i < nr; i++) {
		if (!read_description(&fields[i], json_object_array_get_idx(list, i)))
			continue;
		err_set(err, ERR_INTERNAL,
			"%s: option %zu of its description makes no sense", where, i);
		fields_free_described(fields);
		return NULL;
	}
	return fields;
}

void fields_free_described(struct field *fields)
{
	for (struct field *f = fields; f && f->name; f++) {
		for (const char *const *c = f->choices; c && *c; c++)
			free((char *)(uintptr_t)*c);
		free((void *)(uintptr_t)f->choices);
		free((char *)(uintptr_t)f->name);
		free((char *)(uintptr_t)f->help);
	}
	free(fields);
}

static void add_list(const struct field *f, struct json_object *list, struct strvec *args)
{
	struct buf joined;

	buf_init(&joined, BUF_UNBOUNDED);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *item =
			json_object_get_string(json_object_array_get_idx(list, i));

		if (f->kind == FIELD_TEXTS)
			strvec_addf(args, "--%s=%s", f->name, item);
		else
			buf_printf(&joined, "%s%s", i ? "," : "", item);
	}
	if (f->kind == FIELD_INTS)
		strvec_addf(args, "--%s=%s", f->name, joined.data);
	buf_release(&joined);
}

void field_json_to_args(const struct field *f, struct json_object *value,
			struct strvec *args)
{
	if (f->kind == FIELD_FLAG)
		strvec_addf(args, "--%s%s", json_object_get_boolean(value) ? "" : "no-",
			    f->name);
	else if (json_object_is_type(value, json_type_array))
		add_list(f, value, args);
	else
		strvec_addf(args, "--%s=%s", f->name, json_object_get_string(value));
}
