/* Fields from and to JSON documents. */
#include "core/options/field_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const expected_words[] = {
	[FIELD_FLAG] = "true or false",
	[FIELD_INT] = "a whole number",
	[FIELD_REAL] = "a number",
	[FIELD_SECONDS] = "a number of seconds, or a text such as \"250ms\"",
	[FIELD_BYTES] = "a number of bytes, or a text such as \"64Mi\"",
	[FIELD_TEXT] = "a text",
	[FIELD_CHOICE] = "a text",
	[FIELD_TEXTS] = "a list of texts",
	[FIELD_INTS] = "a list of whole numbers",
};

static int wrong_type(const struct field *f, struct json_object *v, const char *where,
		      struct err *err)
{
	return err_set(err, ERR_USAGE, "%s: expected %s, found %s", where,
		       expected_words[f->kind], json_type_words(v));
}

static bool is_whole(struct json_object *v)
{
	double d = json_object_get_double(v);

	/* json-c holds whole numbers up to 2^64, our members up to 2^63. */
	return (json_object_is_type(v, json_type_int) && d < 0x1p63) ||
	       (json_object_is_type(v, json_type_double) && d == floor(d) &&
		fabs(d) < 0x1p53);
}

static bool is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_int) ||
	       json_object_is_type(v, json_type_double);
}

static int set_list_json(const struct field *f, void *obj, struct json_object *v,
			 const char *where, struct err *err)
{
	size_t nr = json_object_array_length(v);

	if (f->kind == FIELD_INTS)
		field_clear_ints(f, obj);
	else
		strvec_release(field_member(f, obj));
	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(v, i);

		if (f->kind == FIELD_INTS) {
			if (!is_whole(item))
				return wrong_type(f, item, where, err);
			if (field_add_int(f, obj, json_object_get_int64(item), where,
					  err))
				return -1;
		} else if (json_object_is_type(item, json_type_string)) {
			strvec_add(field_member(f, obj), json_object_get_string(item));
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
	double number = is_number(v) ? json_object_get_double(v) : NAN;

	if (is_list && json_object_is_type(v, json_type_array))
		return set_list_json(f, obj, v, where, err);
	if (reads_text(f) && json_object_is_type(v, json_type_string))
		return field_set_text(f, obj, json_object_get_string(v), where, err);
	if (f->kind == FIELD_FLAG && json_object_is_type(v, json_type_boolean)) {
		*(bool *)field_member(f, obj) = json_object_get_boolean(v);
		return 0;
	}
	if ((f->kind == FIELD_INT || f->kind == FIELD_BYTES) && is_number(v) &&
	    is_whole(v))
		return field_put_int(f, obj, json_object_get_int64(v), number, where,
				     err);
	/* A second rounding, of the product, would lose a nanosecond of several weeks. */
	if (f->kind == FIELD_SECONDS && is_number(v) && fabs(number) < 9e9)
		return field_put_int(f, obj,
				     (int64_t)llroundl((long double)number * 1e9L),
				     number, where, err);
	if (f->kind == FIELD_REAL && is_number(v))
		return field_put_real(f, obj, number, where, err);
	if (f->kind == FIELD_INTS && is_number(v) && is_whole(v)) {
		field_clear_ints(f, obj);
		return field_add_int(f, obj, json_object_get_int64(v), where, err);
	}
	return wrong_type(f, v, where, err);
}

/* "prompt-tokens" as it stands in JSON: "prompt_tokens"; free(). */
char *field_json_key(const char *name)
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
		char *name = field_json_key(f->name);

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
		char *key = field_json_key(f->name);
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
