#include "core/document/metric.h"

#include "core/document/json_numbers.h"
#include "core/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const better_names[] = {
	[METRIC_NONE] = "none", [METRIC_HIGHER] = "higher", [METRIC_LOWER] = "lower"};

void samples_init(struct samples *s, const struct metric_def *def)
{
	*s = (struct samples){.def = *def};
}

void samples_reserve(struct samples *s, size_t nr)
{
	if (nr <= s->alloc)
		return;
	s->values = x_realloc_array(s->values, nr, sizeof(*s->values));
	s->alloc = nr;
}

void samples_add(struct samples *s, double value)
{
	if (!isfinite(value)) {
		fprintf(stderr, "tare: bug: %s: a value that is not finite\n",
			s->def.name);
		abort();
	}
	GROW(s->values, s->nr, s->alloc);
	s->values[s->nr++] = value;
}

void samples_release(struct samples *s)
{
	if (s->owns_texts) {
		free((char *)(uintptr_t)s->def.name);
		free((char *)(uintptr_t)s->def.unit);
	}
	free(s->values);
	*s = (struct samples){0};
}

const char *metric_better_name(enum metric_better b)
{
	return better_names[b];
}

struct json_object *samples_to_json(const struct samples *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *values = json_object_new_array_ext((int)s->nr);

	for (size_t i = 0; i < s->nr; i++)
		json_object_array_add(values, json_new_real(s->values[i]));
	json_put_text(o, "name", s->def.name);
	json_put_text(o, "unit", s->def.unit);
	json_put_text(o, "better", better_names[s->def.better]);
	json_put_bool(o, "gate", s->def.gate);
	json_put(o, "values", values);
	json_put_int(o, "warmup", (int64_t)s->warmup);
	json_put_int(o, "failed", (int64_t)s->failed);
	return o;
}

static int read_better(struct json_object *o, enum metric_better *ret)
{
	const char *text = json_get_text(o, "better", "");

	for (size_t i = 0; i < ARRAY_SIZE(better_names); i++) {
		if (strcmp(text, better_names[i]) == 0) {
			*ret = (enum metric_better)i;
			return 0;
		}
	}
	return -1;
}

static int read_values(struct samples *s, struct json_object *values)
{
	const double *numbers;
	size_t nr;

	if (!values)
		return 0; /* null or absent: nothing was measured */
	if (!json_object_is_type(values, json_type_array))
		return -1;
	numbers = json_numbers(values, &nr);
	if (numbers) {
		samples_reserve(s, nr);
		memcpy(s->values, numbers, nr * sizeof(*numbers));
		s->nr = nr;
		return 0;
	}
	nr = json_object_array_length(values);
	samples_reserve(s, nr);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *v = json_object_array_get_idx(values, i);

		if (!json_is_number(v))
			return -1;
		s->values[s->nr++] = json_object_get_double(v);
	}
	return 0;
}

static bool is_count(struct json_object *o, const char *key)
{
	struct json_object *v = json_member(o, key);

	return !v ||
	       (json_object_is_type(v, json_type_int) && json_object_get_int64(v) >= 0);
}

int samples_from_json(struct samples *ret, struct json_object *o, const char *where,
		      struct err *err)
{
	const char *name = json_get_text(o, "name", NULL);
	const char *unit = json_get_text(o, "unit", NULL);

	*ret = (struct samples){0};
	if (!name || !*name || !unit)
		return err_set(err, ERR_USAGE, "%s: a metric needs a 'name' and a 'unit'",
			       where);
	ret->def.name = x_strdup(name);
	ret->def.unit = x_strdup(unit);
	ret->owns_texts = true;
	ret->def.gate = json_get_bool(o, "gate", false);
	ret->warmup = (uint64_t)json_get_int(o, "warmup", 0);
	ret->failed = (uint64_t)json_get_int(o, "failed", 0);
	if (read_better(o, &ret->def.better))
		err_set(err, ERR_USAGE,
			"%s: metric %.80s: 'better' must be higher, lower or none", where,
			name);
	else if (!is_count(o, "warmup") || !is_count(o, "failed"))
		err_set(err, ERR_USAGE,
			"%s: metric %.80s: 'warmup' and 'failed' are counts", where,
			name);
	else if (read_values(ret, json_member(o, "values")))
		err_set(err, ERR_USAGE,
			"%s: metric %.80s: 'values' must be a list of numbers", where,
			name);
	else
		return 0;
	samples_release(ret);
	return -1;
}

struct scale {
	double from;
	const char *prefix;
};

static const struct scale decimal[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"},  {1e6, "M"},
				       {1e3, "k"},  {1, ""},     {1e-3, "m"}, {1e-6, "µ"},
				       {1e-9, "n"}, {0, NULL}};
static const struct scale binary[] = {{0x1p40, "Ti"}, {0x1p30, "Gi"}, {0x1p20, "Mi"},
				      {0x1p10, "Ki"}, {1, ""},        {0, NULL}};
static const struct scale unscaled[] = {{1, ""}, {0, NULL}};

/* How each base unit is shown; what is not here gets no prefix. */
static const struct {
	const char *unit, *shown;
	const struct scale *scales;
} shown_units[] = {
	{"s", "s", decimal},
	{"FLOP/s", "FLOP/s", decimal},
	{"byte", "B", binary},
	{"byte/s", "B/s", decimal},
	{"W", "W", unscaled},
	{"Hz", "Hz", decimal},
	{"token/s", "token/s", unscaled},
	{"request/s", "request/s", unscaled},
	{"1", "", unscaled},
	{"FLOP", "FLOP", decimal},
	{"J", "J", decimal},
};

const char *unit_human(double value, const char *unit, char *text, size_t size)
{
	const struct scale *scale = unscaled;
	const char *shown = unit;

	for (size_t i = 0; i < ARRAY_SIZE(shown_units); i++) {
		if (strcmp(shown_units[i].unit, unit) == 0) {
			scale = shown_units[i].scales;
			shown = shown_units[i].shown;
		}
	}
	while (scale[1].prefix && fabs(value) < scale->from)
		scale++;
	if (value == 0)
		scale = unscaled;
	snprintf(text, size, "%.*g%s%s%s", fabs(value / scale->from) >= 1000 ? 6 : 4,
		 value / scale->from, *shown ? " " : "", scale->prefix, shown);
	return text;
}
