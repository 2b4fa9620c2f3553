#include "reports/content/report_telemetry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/machine/telemetry.h"

enum { figures_max = 8, points_max = 600, spans_max = 200, rounds_max = 200 };

static const struct quantity {
	const char *key, *label;
	double scale;
	int colour;
} quantities[] = {
	{"sm_clock_hz", "SM clock, MHz", 1e6, 0},
	{"power_w", "power, W", 1, 1},
	{"temperature_c", "temperature, °C", 1, 2},
};

enum { QUANTITIES = ARRAY_SIZE(quantities) };

static const struct table_column columns[] = {
	{"round", TABLE_LEFT},
	{"SM clock, mean", TABLE_RIGHT},
	{"least", TABLE_RIGHT},
	{"power, mean", TABLE_RIGHT},
	{"temperature, mean", TABLE_RIGHT},
	{"most", TABLE_RIGHT},
	{"watched", TABLE_RIGHT},
	{"slowed down", TABLE_LEFT},
	{NULL, TABLE_LEFT},
};

/* A line over all rounds, one behind the other. */
struct trace {
	double *x, *y;
	size_t nr, alloc;
};

struct watched {
	struct trace traces[QUANTITIES];
	struct plot_span spans[spans_max];
	struct plot_mark marks[rounds_max];
	size_t spans_nr, marks_nr, rounds;
	double end; /* x behind the last round */
	double slowed_s, span_s;
	bool is_told; /* whether it ran slower than asked for, in every round */
};

static void add_point(struct trace *t, double x, double y)
{
	if (t->nr >= t->alloc) {
		t->alloc = t->alloc ? 2 * t->alloc : 64;
		t->x = x_realloc_array(t->x, t->alloc, sizeof(*t->x));
		t->y = x_realloc_array(t->y, t->alloc, sizeof(*t->y));
	}
	t->x[t->nr] = x;
	t->y[t->nr++] = y;
}

static double number_at(struct json_object *list, size_t i)
{
	struct json_object *v = json_object_is_type(list, json_type_array)
					? json_object_array_get_idx(list, i)
					: NULL;

	return json_object_is_type(v, json_type_double) ||
			       json_object_is_type(v, json_type_int)
		       ? json_object_get_double(v)
		       : NAN;
}

/* The least and the most of a stretch, in the order they came: no dip is averaged away. */
static void add_stretch(struct trace *t, struct json_object *times,
			struct json_object *values, size_t from, size_t to, double shift,
			double scale)
{
	size_t low = to, high = to, first, second;

	for (size_t i = from; i < to; i++) {
		double v = number_at(values, i);

		if (!isfinite(v))
			continue;
		low = low == to || v < number_at(values, low) ? i : low;
		high = high == to || v > number_at(values, high) ? i : high;
	}
	if (low == to)
		return;
	first = low < high ? low : high;
	second = low < high ? high : low;
	add_point(t, shift + number_at(times, first), number_at(values, first) / scale);
	if (second != first)
		add_point(t, shift + number_at(times, second),
			  number_at(values, second) / scale);
}

static void add_spans(struct watched *w, struct json_object *times,
		      struct json_object *reasons, size_t nr, double shift, double period)
{
	bool is_open = false;

	for (size_t i = 0; i < nr; i++) {
		double bits = number_at(reasons, i), at = shift + number_at(times, i);
		bool is_told = isfinite(at) && bits >= 0 && bits < 0x1p53;
		bool is_slowed = is_told && ((int64_t)bits & TELEMETRY_SLOWED);

		if (is_slowed && is_open)
			w->spans[w->spans_nr - 1].to = at + period;
		else if (is_slowed && w->spans_nr < spans_max) {
			w->spans[w->spans_nr++] = (struct plot_span){at, at + period};
			is_open = true;
		}
		is_open = is_slowed && is_open;
	}
}

static double slowed_s(struct json_object *telemetry, struct buf *by)
{
	struct json_object *throttle = json_member(telemetry, "throttle_s");
	double sum = 0;

	if (!json_object_is_type(throttle, json_type_object))
		return NAN;
	json_object_object_foreach(throttle, key, value)
	{
		double s = json_object_get_double(value);

		if (!value || !(s > 0) || isinf(s))
			continue;
		sum += s;
		buf_printf(by, "%s%.2f s by ", by->len ? ", " : "", s);
		for (const char *c = key; *c; c++)
			buf_add(by, *c == '_' ? " " : c, 1);
	}
	return sum;
}

static void add_of(struct table *t, struct json_object *telemetry, const char *path,
		   const char *unit)
{
	struct json_object *v = json_at(telemetry, path);
	char text[48];

	if (!json_object_is_type(v, json_type_double) &&
	    !json_object_is_type(v, json_type_int))
		table_add(t, NULL);
	else
		table_add(t, unit_human(json_object_get_double(v), unit, text,
					sizeof(text)));
}

static void add_row(struct table *t, struct watched *w, const struct result *r)
{
	double span = json_get_real(r->telemetry, "span_s", NAN), s;
	struct buf by;

	buf_init(&by, 1000);
	s = slowed_s(r->telemetry, &by);
	if (r->round)
		table_addf(t, "%lld", (long long)r->round);
	else
		table_addf(t, "result %zu", w->rounds);
	add_of(t, r->telemetry, "sm_clock_hz/mean", "Hz");
	add_of(t, r->telemetry, "sm_clock_hz/least", "Hz");
	add_of(t, r->telemetry, "power_w/mean", "W");
	add_of(t, r->telemetry, "temperature_c/mean", "°C");
	add_of(t, r->telemetry, "temperature_c/most", "°C");
	add_of(t, r->telemetry, "span_s", "s");
	table_add(t, isnan(s) ? NULL : s > 0 ? by.data : "never");
	w->is_told = isfinite(s) && (w->is_told || w->rounds == 1);
	w->slowed_s += isfinite(s) ? s : 0;
	w->span_s += isfinite(span) ? span : 0;
	buf_release(&by);
}

static void add_round(struct watched *w, const struct result *r, size_t rounds,
		      struct table *t)
{
	struct json_object *series = json_member(r->telemetry, "series");
	struct json_object *times = json_member(series, "t_s");
	double period = json_get_real(r->telemetry, "period_s", 0), shift, last;
	size_t nr = json_object_is_type(times, json_type_array)
			    ? json_object_array_length(times)
			    : 0;
	size_t bins = points_max / 2 / (rounds ? rounds : 1);

	period = json_get_real(series, "period_s",
			       period); /* of a point; older: a reading */
	if (nr < 2 || !isfinite(number_at(times, 0)) || w->rounds >= rounds_max)
		return;
	if (w->rounds)
		w->marks[w->marks_nr++] = (struct plot_mark){w->end, -1};
	shift = w->end - number_at(times, 0);
	bins = bins < 8 ? 8 : bins > nr ? nr : bins;
	for (size_t q = 0; q < QUANTITIES; q++) {
		struct json_object *values = json_member(series, quantities[q].key);

		if (w->rounds)
			add_point(&w->traces[q], NAN, NAN);
		for (size_t b = 0; b < bins; b++)
			add_stretch(&w->traces[q], times, values, b * nr / bins,
				    (b + 1) * nr / bins, shift, quantities[q].scale);
	}
	add_spans(w, times, json_member(series, "reasons"), nr, shift, period);
	last = number_at(times, nr - 1);
	w->end = isfinite(last) ? shift + last + period : w->end;
	w->rounds++;
	add_row(t, w, r);
}

static char *describe(const struct watched *w, const struct report_arm *arm,
		      const char *workload)
{
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b,
		   "SM clock, power and temperature of the GPU of %s during %s over %zu "
		   "round%s:",
		   arm->label, workload, w->rounds, w->rounds == 1 ? "" : "s");
	for (size_t q = 0; q < QUANTITIES; q++) {
		double low = INFINITY, high = -INFINITY;

		for (size_t i = 0; i < w->traces[q].nr; i++) {
			low = fmin(low, w->traces[q].y[i]);
			high = fmax(high, w->traces[q].y[i]);
		}
		if (low <= high)
			buf_printf(&b, "%s %s from %.4g to %.4g", q ? ";" : "",
				   quantities[q].label, low, high);
	}
	buf_printf(&b, "; slowed down for %.2f s of %.1f s.", w->slowed_s, w->span_s);
	return buf_detach(&b);
}

static char *caption_of(const struct watched *w, const struct report_arm *arm,
			const char *workload)
{
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b,
		   "%s during %s, rounds one after another, what came before the timed "
		   "part included.",
		   arm->label, workload);
	if (w->spans_nr)
		buf_puts(&b, " Shaded: the GPU ran slower than asked for (power cap, "
			     "temperature, power brake).");
	else if (w->slowed_s > 0)
		buf_printf(&b,
			   " The GPU ran slower than asked for during %.2f s, by its "
			   "own count; no reading fell into them.",
			   w->slowed_s);
	else if (w->is_told)
		buf_puts(&b, " The GPU never ran slower than asked for.");
	return buf_detach(&b);
}

/* A quantity that no reading tells, as an old board's temperature, has no panel. */
static bool is_told(const struct trace *t)
{
	for (size_t i = 0; i < t->nr; i++)
		if (isfinite(t->y[i]))
			return true;
	return false;
}

static void draw(const struct watched *w, const struct report_arm *arm,
		 const char *workload, size_t number, struct table *table,
		 struct plot_list *l)
{
	struct plot_series series[QUANTITIES];
	struct plot_xy panels[QUANTITIES];
	char name[32];
	char *alt = describe(w, arm, workload);
	char *caption = caption_of(w, arm, workload);
	size_t nr = 0;

	snprintf(name, sizeof(name), "telemetry-%zu", number);
	for (size_t q = 0; q < QUANTITIES; q++) {
		const struct trace *t = &w->traces[q];

		if (!is_told(t))
			continue;
		series[nr] =
			(struct plot_series){quantities[q].label,  t->x,      t->y, t->nr,
					     quantities[q].colour, PLOT_TRACE};
		panels[nr] = (struct plot_xy){.name = name,
					      .x_label = "seconds of measurement",
					      .y_label = quantities[q].label,
					      .caption = caption,
					      .alt = alt,
					      .section = PLOT_TELEMETRY,
					      .series = &series[nr],
					      .nr = 1,
					      .spans = w->spans,
					      .spans_nr = w->spans_nr,
					      .marks = w->marks,
					      .marks_nr = w->marks_nr,
					      .is_wide = true};
		nr++;
	}
	if (nr) {
		plot_panels(l, panels, nr)->table = *table;
		*table = (struct table){0};
	}
	free(alt);
	free(caption);
}

static bool plot_one(const struct report_arm *arm, const char *workload, size_t number,
		     struct plot_list *l)
{
	const struct result *results;
	struct watched *w = x_calloc(1, sizeof(*w));
	struct table table;
	size_t nr;
	bool is_there;

	results = result_set_range(arm->set, arm->arm, workload, &nr);
	table_init(&table, columns);
	for (size_t i = 0; i < nr; i++)
		add_round(w, &results[i], nr, &table);
	is_there = w->rounds > 0;
	if (is_there)
		draw(w, arm, workload, number, &table, l);
	table_release(&table);
	for (size_t q = 0; q < QUANTITIES; q++) {
		free(w->traces[q].x);
		free(w->traces[q].y);
	}
	free(w);
	return is_there;
}

void report_telemetry(const struct report *r, struct plot_list *ret)
{
	struct report_arms arms;
	size_t number = 0;

	report_arms_init(&arms, r);
	for (size_t i = 0; i < arms.workloads.nr; i++)
		for (size_t a = 0; a < arms.nr && number < figures_max; a++)
			if (plot_one(&arms.items[a], arms.workloads.items[i], number + 1,
				     ret))
				number++;
	report_arms_release(&arms);
}
