/* A table of fields as JSON and back; values as JSON and as arguments. */
#include "core/options/field_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

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
	const void *m = field_member(f, obj);

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
		char *key = field_json_key(f->name);

		if (value)
			json_put(o, key, value);
		free(key);
	}
	return o;
}

static const char *const kind_names[] = {
	[FIELD_FLAG] = "flag",       [FIELD_INT] = "int",     [FIELD_REAL] = "real",
	[FIELD_SECONDS] = "seconds", [FIELD_BYTES] = "bytes", [FIELD_TEXT] = "text",
	[FIELD_CHOICE] = "choice",   [FIELD_TEXTS] = "texts", [FIELD_INTS] = "ints",
};

static struct json_object *describe_one(const struct field *f)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", f->name);
	json_put_text(o, "kind", kind_names[f->kind]);
	if (f->unset)
		json_put_text(o, "default", f->unset);
	if (field_is_bounded(f)) {
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
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*ret = (enum field_kind)i;
			return 0;
		}
	}
	return -1;
}

static const char *const *copy_choices(struct json_object *list)
{
	size_t nr = json_object_is_type(list, json_type_array)
			    ? json_object_array_length(list)
			    : 0;
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
	size_t nr = json_object_is_type(list, json_type_array)
			    ? json_object_array_length(list)
			    : 0;
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
