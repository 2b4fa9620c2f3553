#include "reports/content/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/content/arms.h"
#include "reports/plot/axis.h"
#include "reports/plot/curve.h"

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
} kinds[] = {
	{"ttft", "Time to first token"},
	{"itl", "Time between chunks of tokens"},
	{"latency", "Latency of requests"},
};

static const struct table_column columns[] = {
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

static void gather(const struct subject *s, const struct report_arm *arm,
		   struct curves *ret)
{
	const struct result *results;
	size_t nr;

	*ret = (struct curves){0};
	results = report_arm_results(arm, s->workload, &nr);
	for (size_t i = 0; i < nr; i++) {
		struct curve c;

		if (curve_of(s, &results[i], &c))
			curves_add(ret, &c);
	}
}

static void fill_table(struct table *t, const struct report_arms *arms,
		       const struct curves *curves)
{
	char text[48];

	table_init(t, columns);
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

static char *describe(const struct subject *s, const struct report_arms *arms,
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

struct drawn {
	double x[CURVE_POINTS], line[CURVE_POINTS], band[2 * CURVE_POINTS];
	size_t nr;
};

/* Without the points that are not there: the line goes on past them. */
static void scale_to(struct drawn *d, const struct curves *c, double scale)
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

static void range_of(const struct curves *curves, size_t nr, double *low, double *high)
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
} tics[] = {{0.01, "1"},  {0.1, "10"},     {0.5, "50"},      {0.9, "90"},
	    {0.99, "99"}, {0.999, "99.9"}, {0.9999, "99.99"}};

static bool draw(const struct subject *s, const struct report_arms *arms,
		 const struct curves *curves, size_t number, struct plot_list *l)
{
	struct drawn drawn[REPORT_ARMS_MAX];
	struct plot_series series[2 * REPORT_ARMS_MAX];
	struct plot_tic own[ARRAY_SIZE(tics)];
	struct axis axis;
	double low, high;
	char name[32], *alt, *caption;
	size_t nr = 0;

	range_of(curves, arms->nr, &low, &high);
	if (!(high > 0))
		return false;
	axis = axis_for(low > 0 ? sqrt(low * high) : high, "s");
	for (size_t i = 0; i < ARRAY_SIZE(tics); i++)
		own[i] = (struct plot_tic){odds(tics[i].p), tics[i].label};
	for (size_t a = 0; a < arms->nr; a++) {
		if (!curves[a].rounds)
			continue;
		scale_to(&drawn[a], &curves[a], axis.scale);
		series[nr++] = (struct plot_series){
			NULL, drawn[a].x, drawn[a].band, drawn[a].nr, (int)a, PLOT_BAND};
		series[nr++] = (struct plot_series){
			arms->items[a].label, drawn[a].x, drawn[a].line,
			drawn[a].nr,          (int)a,     PLOT_CURVE};
	}
	snprintf(name, sizeof(name), "curve-%zu", number);
	alt = describe(s, arms, curves);
	caption = x_asprintf("%s. Line: mean over rounds; band: least to most round.",
			     s->title);
	fill_table(&plot_xy(l, &(struct plot_xy){.name = name,
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
		gather(s, &arms->items[a], &curves[a]);
	return draw(s, arms, curves, number, l);
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

	for (size_t k = 0; stage && k < ARRAY_SIZE(kinds); k++) {
		struct subject s = {
			.workload = workload, .kind = kinds[k].kind, .stage = stage};

		snprintf(s.title, sizeof(s.title), "%s of %.60s in its stage %.30s",
			 kinds[k].title, workload, stage);
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

void report_curves(const struct report *r, struct plot_list *ret)
{
	struct report_arms arms;
	size_t number = 0;

	report_arms_init(&arms, r);
	for (size_t w = 0; w < arms.workloads.nr; w++) {
		const char *workload = arms.workloads.items[w];
		const struct result *first = NULL;
		size_t nr = 0;

		for (size_t a = 0; a < arms.nr && !nr; a++)
			first = report_arm_results(&arms.items[a], workload, &nr);
		if (!nr)
			continue;
		of_stages(first, workload, &arms, &number, ret);
		of_samples(first, workload, &arms, &number, ret);
	}
	report_arms_release(&arms);
}
