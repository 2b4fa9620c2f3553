#include "reports/content/report_plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/content/report_telemetry.h"
#include "reports/content/report_text.h"
#include "reports/plot/curve.h"
#include "reports/results/load_stages.h"

enum { curve_plots_max = 9, samples_least = 100 };

/* What one plot is of: a metric's samples, or a distribution of a stage of load. */
struct subject {
	const char *workload;
	const char *metric; /* or NULL: then the next two */
	const char *kind, *stage;
	char title[160];
};

static const struct {
	const char *kind, *title;
} stage_kinds[] = {
	{"ttft", "Time to first token"},
	{"itl", "Time between chunks of tokens"},
	{"latency", "Latency of requests"},
};

static const struct table_column curve_columns[] = {
	{"arm", TABLE_LEFT},   {"rounds", TABLE_RIGHT}, {"samples", TABLE_RIGHT},
	{"mean", TABLE_RIGHT}, {"p50", TABLE_RIGHT},    {"p90", TABLE_RIGHT},
	{"p95", TABLE_RIGHT},  {"p99", TABLE_RIGHT},    {"p99.9", TABLE_RIGHT},
	{NULL, TABLE_LEFT},
};
static const double table_points[] = {0.5, 0.9, 0.95, 0.99, 0.999};

static struct json_object *stage_of(const struct result *r, const char *label)
{
	struct json_object *stages = json_member(r->details, "stages");

	for (size_t i = 0; json_object_is_type(stages, json_type_array) &&
			   i < json_object_array_length(stages);
	     i++) {
		struct json_object *s = json_object_array_get_idx(stages, i);

		if (strcmp(json_get_text(s, "label", ""), label) == 0)
			return s;
	}
	return NULL;
}

static bool curve_of(const struct subject *s, const struct result *r, struct curve *ret)
{
	const struct samples *x;

	if (r->status == RESULT_FAILED)
		return false;
	if (!s->metric)
		return curve_of_json(ret, json_member(json_member(stage_of(r, s->stage),
								  "distributions"),
						      s->kind));
	x = result_metric(r, s->metric);
	if (!x || x->nr < samples_least)
		return false;
	curve_of_samples(ret, x->values, x->nr);
	return true;
}

static void curve_gather(const struct subject *s, const struct report_arm *arm,
			 struct curves *ret)
{
	const struct result *results;
	size_t nr;

	*ret = (struct curves){0};
	results = result_set_range(arm->set, arm->arm, s->workload, &nr);
	for (size_t i = 0; i < nr; i++) {
		struct curve c;

		if (curve_of(s, &results[i], &c))
			curves_add(ret, &c);
	}
}

static void curve_table(struct table *t, const struct report_arms *arms,
			const struct curves *curves)
{
	char text[48];

	table_init(t, curve_columns);
	for (size_t a = 0; a < arms->nr; a++) {
		const struct curves *c = &curves[a];

		if (!c->rounds)
			continue;
		table_add(t, arms->items[a].label);
		table_addf(t, "%zu", c->rounds);
		table_addf(t, "%llu", (unsigned long long)c->nr);
		table_add(t, isfinite(c->average)
				     ? unit_human(c->average, "s", text, sizeof(text))
				     : NULL);
		for (size_t k = 0; k < ARRAY_SIZE(table_points); k++) {
			double v = curves_at(c, table_points[k]);

			table_add(t, isfinite(v) ? unit_human(v, "s", text, sizeof(text))
						 : NULL);
		}
	}
}

static char *curve_describe(const struct subject *s, const struct report_arms *arms,
			    const struct curves *curves)
{
	static const char *const names[] = {"p50", "p90", "p95", "p99", "p99.9"};
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b, "Percentile curves: %s.", s->title);
	for (size_t a = 0; a < arms->nr; a++) {
		const char *before = "";

		if (!curves[a].rounds)
			continue;
		buf_printf(&b, " %s: ", arms->items[a].label);
		for (size_t k = 0; k < ARRAY_SIZE(table_points); k++) {
			double v = curves_at(&curves[a], table_points[k]);
			char text[48];

			if (!isfinite(v))
				continue;
			buf_printf(&b, "%s%s %s", before, names[k],
				   unit_human(v, "s", text, sizeof(text)));
			before = ", ";
		}
		buf_puts(&b, ".");
	}
	return buf_detach(&b);
}

/* Percentiles as their log odds: the middle is not pressed together and neither tail ends. */
static double odds(double p)
{
	return log10(p / (1 - p));
}

struct curve_drawn {
	double x[CURVE_POINTS], line[CURVE_POINTS], band[2 * CURVE_POINTS];
	size_t nr;
};

/* Without the points that are not there: the line goes on past them. */
static void curve_scale(struct curve_drawn *d, const struct curves *c, double scale)
{
	double high[CURVE_POINTS];

	d->nr = 0;
	for (size_t k = 0; k < CURVE_POINTS; k++) {
		if (!isfinite(c->mean[k]))
			continue;
		d->x[d->nr] = odds(curve_points[k]);
		d->line[d->nr] = c->mean[k] / scale;
		d->band[d->nr] = c->low[k] / scale;
		high[d->nr++] = c->high[k] / scale;
	}
	memcpy(d->band + d->nr, high, d->nr * sizeof(high[0]));
}

static void curve_range(const struct curves *curves, size_t nr, double *low, double *high)
{
	*low = INFINITY;
	*high = 0;
	for (size_t a = 0; a < nr; a++) {
		for (size_t k = 0; curves[a].rounds && k < CURVE_POINTS; k++) {
			*low = fmin(*low, curves[a].low[k]);
			*high = fmax(*high, curves[a].high[k]);
		}
	}
}

static const struct {
	double p;
	const char *label;
} percent_tics[] = {{0.01, "1"},  {0.1, "10"},     {0.5, "50"},      {0.9, "90"},
		    {0.99, "99"}, {0.999, "99.9"}, {0.9999, "99.99"}};

static bool curve_draw(const struct subject *s, const struct report_arms *arms,
		       const struct curves *curves, size_t number, struct plot_list *l)
{
	struct curve_drawn drawn[REPORT_ARMS_MAX];
	struct plot_series series[2 * REPORT_ARMS_MAX];
	struct plot_tic own[ARRAY_SIZE(percent_tics)];
	struct axis axis;
	double low, high;
	char name[32], *alt, *caption;
	size_t nr = 0;

	curve_range(curves, arms->nr, &low, &high);
	if (!(high > 0))
		return false;
	axis = axis_for(low > 0 ? sqrt(low * high) : high, "s");
	for (size_t i = 0; i < ARRAY_SIZE(percent_tics); i++)
		own[i] =
			(struct plot_tic){odds(percent_tics[i].p), percent_tics[i].label};
	for (size_t a = 0; a < arms->nr; a++) {
		if (!curves[a].rounds)
			continue;
		curve_scale(&drawn[a], &curves[a], axis.scale);
		series[nr++] = (struct plot_series){
			NULL, drawn[a].x, drawn[a].band, drawn[a].nr, (int)a, PLOT_BAND};
		series[nr++] = (struct plot_series){
			arms->items[a].label, drawn[a].x, drawn[a].line,
			drawn[a].nr,          (int)a,     PLOT_CURVE};
	}
	snprintf(name, sizeof(name), "curve-%zu", number);
	alt = curve_describe(s, arms, curves);
	caption = x_asprintf("%s. Line: mean over rounds; band: least to most round.",
			     s->title);
	curve_table(&plot_xy(l, &(struct plot_xy){.name = name,
						  .x_label = "percentile",
						  .y_label = axis.label,
						  .caption = caption,
						  .alt = alt,
						  .section = PLOT_DISTRIBUTION,
						  .series = series,
						  .nr = nr,
						  .x_tics = own,
						  .x_tics_nr = ARRAY_SIZE(own),
						  .y_is_log = low > 0 && high / low > 5})
			     ->table,
		    arms, curves);
	free(alt);
	free(caption);
	return true;
}

static bool plot_subject(const struct subject *s, const struct report_arms *arms,
			 size_t number, struct plot_list *l)
{
	struct curves curves[REPORT_ARMS_MAX];

	for (size_t a = 0; a < arms->nr; a++)
		curve_gather(s, &arms->items[a], &curves[a]);
	return curve_draw(s, arms, curves, number, l);
}

static bool is_time(const struct samples *x)
{
	return strcmp(x->def.unit, "s") == 0 && x->nr >= samples_least &&
	       !strchr(x->def.name, '@');
}

/* The stage that the plain metrics are of, on the baseline. */
static void of_stages(const struct result *r, const char *workload,
		      const struct report_arms *arms, size_t *number, struct plot_list *l)
{
	const char *stage = json_get_text(r->details, "peak_stage", NULL);

	for (size_t k = 0; stage && k < ARRAY_SIZE(stage_kinds); k++) {
		struct subject s = {.workload = workload,
				    .kind = stage_kinds[k].kind,
				    .stage = stage};

		snprintf(s.title, sizeof(s.title), "%s of %.60s in its stage %.30s",
			 stage_kinds[k].title, workload, stage);
		if (*number < curve_plots_max && plot_subject(&s, arms, *number + 1, l))
			(*number)++;
	}
}

static void of_samples(const struct result *r, const char *workload,
		       const struct report_arms *arms, size_t *number,
		       struct plot_list *l)
{
	for (size_t m = 0; m < r->metrics_nr; m++) {
		struct subject s = {.workload = workload,
				    .metric = r->metrics[m].def.name};

		if (!is_time(&r->metrics[m]))
			continue;
		snprintf(s.title, sizeof(s.title), "%.80s of %.60s", s.metric, workload);
		if (*number < curve_plots_max && plot_subject(&s, arms, *number + 1, l))
			(*number)++;
	}
}

/* Percentile curves of times: by samples, and by the stages of load. */
static void plot_curves(const struct report *r, struct plot_list *ret)
{
	struct report_arms arms;
	size_t number = 0;

	report_arms_init(&arms, r);
	for (size_t w = 0; w < arms.workloads.nr; w++) {
		const char *workload = arms.workloads.items[w];
		const struct result *first = NULL;
		size_t nr = 0;

		for (size_t a = 0; a < arms.nr && !nr; a++)
			first = result_set_range(arms.items[a].set, arms.items[a].arm,
						 workload, &nr);
		if (!nr)
			continue;
		of_stages(first, workload, &arms, &number, ret);
		of_samples(first, workload, &arms, &number, ret);
	}
	report_arms_release(&arms);
}

enum { workloads_max = 6, tics_max = 9 };

/* All arms of one workload. */
struct load {
	const struct report_arms *arms;
	const char *workload;
	struct stage_curve curves[REPORT_ARMS_MAX];
	bool is_closed; /* every stage asks for a concurrency: that is x, else what was seen */
};

enum { columns_max = 3 };

static const struct table_column throughput_columns[] = {
	{"stage", TABLE_LEFT},       {"arm", TABLE_LEFT},
	{"in flight", TABLE_RIGHT},  {"output tokens/s", TABLE_RIGHT},
	{"requests/s", TABLE_RIGHT}, {"rounds", TABLE_RIGHT},
	{"mark", TABLE_LEFT},        {NULL, TABLE_LEFT},
};
static const struct table_column latency_columns[] = {
	{"stage", TABLE_LEFT},
	{"arm", TABLE_LEFT},
	{"p95 of TTFT", TABLE_RIGHT},
	{"p50 of latency", TABLE_RIGHT},
	{"p95 of latency", TABLE_RIGHT},
	{"rounds", TABLE_RIGHT},
	{"mark", TABLE_LEFT},
	{NULL, TABLE_LEFT},
};

/* One figure of the stages as a plot, and the table below it. */
static const struct view {
	enum stage_figure figure;
	const char *title, *unit;
	bool y_is_log;
	const struct table_column *columns;
	enum stage_figure shown[columns_max];
} views[] = {
	{STAGE_TOKENS,
	 "Throughput",
	 "token/s",
	 false,
	 throughput_columns,
	 {STAGE_IN_FLIGHT, STAGE_TOKENS, STAGE_REQUESTS}},
	{STAGE_LATENCY_P95,
	 "p95 of latency",
	 "s",
	 true,
	 latency_columns,
	 {STAGE_TTFT_P95, STAGE_LATENCY_P50, STAGE_LATENCY_P95}},
	/* In its place where the stages were too short for it. */
	{STAGE_LATENCY_P50,
	 "p50 of latency",
	 "s",
	 true,
	 latency_columns,
	 {STAGE_TTFT_P95, STAGE_LATENCY_P50, STAGE_LATENCY_P95}},
};
enum { THROUGHPUT, TAIL, MIDDLE };

static bool is_seconds(enum stage_figure f)
{
	return f >= STAGE_TTFT_P95;
}

static void stage_row(struct table *t, const struct view *view, const char *arm,
		      const struct stage_curve *c, const struct stage_point *p)
{
	char text[48];

	table_add(t, p->label);
	table_add(t, arm);
	for (size_t k = 0; k < columns_max; k++) {
		double v = p->mean[view->shown[k]];

		if (!isfinite(v))
			table_add(t, NULL);
		else if (is_seconds(view->shown[k]))
			table_add(t, unit_human(v, "s", text, sizeof(text)));
		else
			table_addf(t, "%.4g", v);
	}
	table_addf(t, "%zu", p->nr[STAGE_TOKENS]);
	table_addf(t, "%s%s", p == c->peak ? "peak" : "",
		   p->concurrency == c->saturation
			   ? (p == c->peak ? ", saturation" : "saturation")
			   : "");
}

/* Stage by stage, the arms under one another. */
static void stage_table(struct table *t, const struct view *view, const struct load *l)
{
	struct strvec done = {0};

	table_init(t, view->columns);
	for (size_t a = 0; a < l->arms->nr; a++) {
		for (size_t i = 0; i < l->curves[a].nr; i++) {
			const char *label = l->curves[a].items[i].label;

			if (strvec_has(&done, label))
				continue;
			strvec_add(&done, label);
			for (size_t k = a; k < l->arms->nr; k++) {
				const struct stage_point *p =
					stage_curve_find(&l->curves[k], label);

				if (p)
					stage_row(t, view, l->arms->items[k].label,
						  &l->curves[k], p);
			}
		}
	}
	strvec_release(&done);
}

static char *stage_describe(const struct load *l, const struct view *v)
{
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b, "%s of workload %s against concurrency.", v->title, l->workload);
	for (size_t a = 0; a < l->arms->nr; a++) {
		const struct stage_curve *c = &l->curves[a];
		char text[48];

		if (!c->peak)
			continue;
		buf_printf(&b, " %s: peak of %.4g output tokens/s in stage %s",
			   l->arms->items[a].label, c->peak->mean[STAGE_TOKENS],
			   c->peak->label);
		if (isfinite(c->peak->mean[STAGE_LATENCY_P95]))
			buf_printf(&b, ", where the p95 of latency is %s",
				   unit_human(c->peak->mean[STAGE_LATENCY_P95], "s", text,
					      sizeof(text)));
		if (isfinite(c->saturation))
			buf_printf(&b, "; saturated from concurrency %.4g",
				   c->saturation);
		buf_puts(&b, ".");
	}
	return buf_detach(&b);
}

static double x_of(const struct load *l, const struct stage_point *p)
{
	return l->is_closed ? p->concurrency : p->mean[STAGE_IN_FLIGHT];
}

struct stage_drawn {
	double *x, *line, *band, ring_x, ring_y;
};

static struct stage_drawn stage_scale(const struct load *l, size_t a, enum stage_figure f,
				      double scale)
{
	const struct stage_curve *c = &l->curves[a];
	struct stage_drawn d = {.x = x_calloc(c->nr, sizeof(double)),
				.line = x_calloc(c->nr, sizeof(double)),
				.band = x_calloc(2 * c->nr, sizeof(double))};

	for (size_t i = 0; i < c->nr; i++) {
		d.x[i] = x_of(l, &c->items[i]);
		d.line[i] = c->items[i].mean[f] / scale;
		d.band[i] = c->items[i].low[f] / scale;
		d.band[c->nr + i] = c->items[i].high[f] / scale;
	}
	d.ring_x = c->peak ? x_of(l, c->peak) : NAN;
	d.ring_y = c->peak ? c->peak->mean[f] / scale : NAN;
	return d;
}

static void stage_extent(const struct load *l, enum stage_figure f, double *least,
			 double *most)
{
	*least = INFINITY;
	*most = 0;
	for (size_t a = 0; a < l->arms->nr; a++) {
		for (size_t i = 0; i < l->curves[a].nr; i++) {
			*least = fmin(*least, l->curves[a].items[i].mean[f]);
			*most = fmax(*most, l->curves[a].items[i].mean[f]);
		}
	}
}

/* Most stages, of all arms together, have the figure. */
static bool is_common(const struct load *l, enum stage_figure f)
{
	size_t all = 0, have = 0;

	for (size_t a = 0; a < l->arms->nr; a++) {
		for (size_t i = 0; i < l->curves[a].nr; i++) {
			all++;
			have += l->curves[a].items[i].nr[f] > 0;
		}
	}
	return 2 * have > all;
}

/* Concurrencies are few and chosen: they are the tics, where they do not crowd. */
static size_t tics_of(const struct load *l, struct plot_tic *tics,
		      char texts[tics_max][16])
{
	double last = 0;
	size_t nr = 0;

	for (size_t a = 0; l->is_closed && a < l->arms->nr; a++) {
		for (size_t i = 0; i < l->curves[a].nr && nr < tics_max; i++) {
			double c = l->curves[a].items[i].concurrency;

			if (c < 1.4 * last)
				continue;
			snprintf(texts[nr], sizeof(texts[nr]), "%g", c);
			tics[nr] = (struct plot_tic){c, texts[nr]};
			last = c;
			nr++;
		}
	}
	return nr;
}

static void stage_draw(const struct load *l, const struct view *v, const char *name,
		       struct plot_list *list)
{
	struct plot_series series[3 * REPORT_ARMS_MAX];
	struct plot_mark marks[REPORT_ARMS_MAX];
	struct plot_tic tics[tics_max];
	char texts[tics_max][16];
	struct stage_drawn drawn[REPORT_ARMS_MAX] = {0};
	double least, most;
	struct axis axis;
	struct plot_xy xy = {.name = name,
			     .x_label = l->is_closed ? "concurrency"
						     : "requests in flight (mean)",
			     .section = PLOT_LOAD,
			     .series = series,
			     .marks = marks,
			     .x_tics = tics,
			     .x_is_log = true,
			     .y_from_zero = !v->y_is_log};
	char *alt = stage_describe(l, v);
	char *caption = x_asprintf(
		"%s of workload %s against concurrency. Line: mean over rounds; band: "
		"least to most round. Ring: the stage with the most tokens a second%s.",
		v->title, l->workload,
		isfinite(l->curves[0].saturation) ? ". Dotted: saturation" : "");

	stage_extent(l, v->figure, &least, &most);
	axis = axis_for(most / 3, v->unit);
	xy.y_label = axis.label;
	xy.y_is_log = v->y_is_log && most > 3 * least;
	for (size_t a = 0; a < l->arms->nr; a++) {
		const struct stage_curve *c = &l->curves[a];

		if (!c->nr)
			continue;
		drawn[a] = stage_scale(l, a, v->figure, axis.scale);
		series[xy.nr++] = (struct plot_series){NULL,  drawn[a].x, drawn[a].band,
						       c->nr, (int)a,     PLOT_BAND};
		series[xy.nr++] = (struct plot_series){l->arms->items[a].label,
						       drawn[a].x,
						       drawn[a].line,
						       c->nr,
						       (int)a,
						       PLOT_LINES};
		series[xy.nr++] = (struct plot_series){
			NULL, &drawn[a].ring_x, &drawn[a].ring_y, 1, (int)a, PLOT_RINGS};
		if (isfinite(c->saturation))
			marks[xy.marks_nr++] = (struct plot_mark){c->saturation, (int)a};
	}
	xy.x_tics_nr = tics_of(l, tics, texts);
	xy.alt = alt;
	xy.caption = caption;
	stage_table(&plot_xy(list, &xy)->table, v, l);
	for (size_t a = 0; a < l->arms->nr; a++) {
		free(drawn[a].x);
		free(drawn[a].line);
		free(drawn[a].band);
	}
	free(alt);
	free(caption);
}

/* False where no arm has two stages: then there is no curve. */
static bool stage_gather(struct load *l, const struct report_arms *arms,
			 const char *workload)
{
	size_t most = 0;

	*l = (struct load){.arms = arms, .workload = workload, .is_closed = true};
	for (size_t a = 0; a < arms->nr; a++) {
		const struct result *results;
		size_t nr;

		results = result_set_range(arms->items[a].set, arms->items[a].arm,
					   workload, &nr);
		stage_curve_read(&l->curves[a], results, nr);
		most = l->curves[a].nr > most ? l->curves[a].nr : most;
		for (size_t i = 0; i < l->curves[a].nr; i++)
			l->is_closed = l->is_closed &&
				       isfinite(l->curves[a].items[i].concurrency);
	}
	return most >= 2;
}

static void draw_both(const struct load *l, size_t number, struct plot_list *list)
{
	const struct view *both[] = {
		&views[THROUGHPUT],
		&views[is_common(l, STAGE_LATENCY_P95) ? TAIL : MIDDLE]};

	for (size_t v = 0; v < ARRAY_SIZE(both); v++) {
		char name[32];

		snprintf(name, sizeof(name), "load-%zu-%zu", number, v + 1);
		stage_draw(l, both[v], name, list);
	}
}

/* Throughput and latency over the stages of load. */
static void plot_stages(const struct report *r, struct plot_list *ret)
{
	struct report_arms arms;
	size_t number = 0;

	report_arms_init(&arms, r);
	for (size_t w = 0; w < arms.workloads.nr && number < workloads_max; w++) {
		struct load l;

		if (stage_gather(&l, &arms, arms.workloads.items[w]))
			draw_both(&l, ++number, ret);
		for (size_t a = 0; a < arms.nr; a++)
			stage_curve_release(&l.curves[a]);
	}
	report_arms_release(&arms);
}

/* More than this many plots of rounds are left to the tables. */
static const size_t round_plots_max = 12;

static bool is_far(const struct comparison *c)
{
	return c->has_ratio && (c->ratio > 2 || c->ratio < 0.5);
}

static double *scaled(const double *x, size_t nr, double scale)
{
	double *y = x_calloc(nr + 1, sizeof(*y));

	for (size_t i = 0; i < nr; i++)
		y[i] = x[i] / scale;
	return y;
}

static double *positions(const struct comparison *c, size_t nr)
{
	double *x = x_calloc(nr + 1, sizeof(*x));

	for (size_t i = 0; i < nr; i++)
		x[i] = c->is_paired ? (double)c->rounds[i] : (double)(i + 1);
	return x;
}

static void plot_rounds(const struct comparison *c, size_t nr, struct plot_list *l)
{
	struct axis a = axis_for(c->candidate_values[0] > c->baseline_values[0]
					 ? c->baseline_values[0]
					 : c->candidate_values[0],
				 c->unit);
	double *bx = positions(c, c->n_baseline), *cx = positions(c, c->n_candidate);
	double *by = scaled(c->baseline_values, c->n_baseline, a.scale);
	double *cy = scaled(c->candidate_values, c->n_candidate, a.scale);
	struct plot_series series[] = {
		{c->baseline, bx, by, c->n_baseline, 0, PLOT_POINTS},
		{c->candidate, cx, cy, c->n_candidate, 1, PLOT_POINTS},
	};
	char name[32];
	char *metric = comparison_metric(c);
	char *caption = x_asprintf("%s of %s, round by round%s.", metric, c->workload,
				   is_far(c) ? " (log scale)" : "");
	char *alt =
		x_asprintf("%s The values are in the table of raw data below.", caption);
	struct plot_xy xy = {.name = name,
			     .section = PLOT_ROUNDS,
			     .x_label = c->is_paired ? "round" : "result",
			     .y_label = a.label,
			     .caption = caption,
			     .alt = alt,
			     .series = series,
			     .nr = 2,
			     .x_is_whole = c->n_baseline <= 16,
			     .y_is_log = is_far(c)};

	snprintf(name, sizeof(name), "rounds-%zu", nr);
	plot_xy(l, &xy);
	free(bx);
	free(by);
	free(cx);
	free(cy);
	free(metric);
	free(caption);
	free(alt);
}

void report_plots(const struct report *r, struct plot_list *ret)
{
	const struct judgement *j = &r->judgement;
	size_t nr = 0;

	plot_forest(ret, j);
	plot_curves(r, ret);
	plot_stages(r, ret);
	report_telemetry(r, ret);
	for (size_t i = 0; i < j->nr && nr < round_plots_max; i++) {
		const struct comparison *c = &j->items[i];

		if (c->n_baseline && c->n_candidate && c->has_ratio && !c->is_pooled &&
		    report_part_of(c) != REPORT_STAGES &&
		    (c->gate || c->verdict == VERDICT_DEGRADED))
			plot_rounds(c, ++nr, ret);
	}
}
