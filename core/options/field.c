#include "core/options/field.h"

#include "core/options/field_impl.h"
#include "core/base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *field_member(const struct field *f, const void *obj)
{
	return (char *)(uintptr_t)obj + f->offset;
}

bool field_is_bounded(const struct field *f)
{
	return f->min != 0 || f->max != 0;
}

static int check_range(const struct field *f, double value, const char *shown,
		       struct err *err)
{
	if (!isfinite(value))
		return err_set(err, ERR_USAGE, "%s: must be a finite number", shown);
	if (!field_is_bounded(f) || (value >= f->min && value <= f->max))
		return 0;
	if (isinf(f->max) || f->max >= 0x1p62)
		return err_set(err, ERR_USAGE,
			       "%s: %.10g is out of range: at least %.10g", shown, value,
			       f->min);
	return err_set(err, ERR_USAGE, "%s: %.10g is out of range: from %.10g to %.10g",
		       shown, value, f->min, f->max);
}

int field_put_int(const struct field *f, void *obj, int64_t value, double shown_value,
		  const char *shown, struct err *err)
{
	if (check_range(f, shown_value, shown, err))
		return -1;
	*(int64_t *)field_member(f, obj) = value;
	return 0;
}

int field_put_real(const struct field *f, void *obj, double value, const char *shown,
		   struct err *err)
{
	if (check_range(f, value, shown, err))
		return -1;
	*(double *)field_member(f, obj) = value;
	return 0;
}

static void set_string(const struct field *f, void *obj, const char *text)
{
	char **slot = field_member(f, obj);
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
			*(int *)field_member(f, obj) = (int)nr;
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

int field_add_int(const struct field *f, void *obj, int64_t value, const char *shown,
		  struct err *err)
{
	struct int_list *list = field_member(f, obj);

	if (check_range(f, (double)value, shown, err))
		return -1;
	list->items = x_realloc_array(list->items, list->nr + 1, sizeof(*list->items));
	list->items[list->nr++] = value;
	return 0;
}

void field_clear_ints(const struct field *f, void *obj)
{
	struct int_list *list = field_member(f, obj);

	free(list->items);
	*list = (struct int_list){0};
}

/* "1,8,32": a later occurrence replaces an earlier one, the default included. */
static int set_ints(const struct field *f, void *obj, const char *text, const char *shown,
		    struct err *err)
{
	char *copy = x_strdup(text), *rest = *text ? copy : NULL, *t;
	int rc = 0;

	field_clear_ints(f, obj);
	while (!rc && (t = strsep(&rest, ","))) {
		int64_t value = 0;

		rc = parse_count(t, &value, err);
		if (rc)
			err_wrap(err, "%s", shown);
		else
			rc = field_add_int(f, obj, value, shown, err);
	}
	if (!rc && !((struct int_list *)field_member(f, obj))->nr)
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
	*(bool *)field_member(f, obj) = yes;
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
	return field_put_real(f, obj, value, shown, err);
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
	return field_put_int(f, obj, value, is_time ? (double)value / 1e9 : (double)value,
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
		strvec_add(field_member(f, obj), text);
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

		switch (f->kind) {
		case FIELD_FLAG:
			*(bool *)field_member(f, obj) = false;
			break;
		case FIELD_REAL:
			*(double *)field_member(f, obj) = 0;
			break;
		case FIELD_TEXT:
			*(char **)field_member(f, obj) = NULL;
			break;
		case FIELD_CHOICE:
			*(int *)field_member(f, obj) = 0;
			break;
		case FIELD_TEXTS:
			*(struct strvec *)field_member(f, obj) = (struct strvec){0};
			break;
		case FIELD_INTS:
			*(struct int_list *)field_member(f, obj) = (struct int_list){0};
			break;
		default:
			*(int64_t *)field_member(f, obj) = 0;
			break;
		}
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
			free(*(char **)field_member(f, obj));
			*(char **)field_member(f, obj) = NULL;
		} else if (f->kind == FIELD_TEXTS) {
			strvec_release(field_member(f, obj));
		} else if (f->kind == FIELD_INTS) {
			field_clear_ints(f, obj);
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
