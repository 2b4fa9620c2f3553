#include "reports/content/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/content/arms.h"
#include "reports/plot/axis.h"
#include "reports/results/load_stages.h"

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

static void add_row(struct table *t, const struct view *view, const char *arm,
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
static void fill_table(struct table *t, const struct view *view, const struct load *l)
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
					add_row(t, view, l->arms->items[k].label,
						&l->curves[k], p);
			}
		}
	}
	strvec_release(&done);
}

static char *describe(const struct load *l, const struct view *v)
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

struct drawn {
	double *x, *line, *band, ring_x, ring_y;
};

static struct drawn scale_to(const struct load *l, size_t a, enum stage_figure f,
			     double scale)
{
	const struct stage_curve *c = &l->curves[a];
	struct drawn d = {.x = x_calloc(c->nr, sizeof(double)),
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

static void extent(const struct load *l, enum stage_figure f, double *least, double *most)
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

static void draw(const struct load *l, const struct view *v, const char *name,
		 struct plot_list *list)
{
	struct plot_series series[3 * REPORT_ARMS_MAX];
	struct plot_mark marks[REPORT_ARMS_MAX];
	struct plot_tic tics[tics_max];
	char texts[tics_max][16];
	struct drawn drawn[REPORT_ARMS_MAX] = {0};
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
	char *alt = describe(l, v);
	char *caption = x_asprintf(
		"%s of workload %s against concurrency. Line: mean over rounds; band: "
		"least to most round. Ring: the stage with the most tokens a second%s.",
		v->title, l->workload,
		isfinite(l->curves[0].saturation) ? ". Dotted: saturation" : "");

	extent(l, v->figure, &least, &most);
	axis = axis_for(most / 3, v->unit);
	xy.y_label = axis.label;
	xy.y_is_log = v->y_is_log && most > 3 * least;
	for (size_t a = 0; a < l->arms->nr; a++) {
		const struct stage_curve *c = &l->curves[a];

		if (!c->nr)
			continue;
		drawn[a] = scale_to(l, a, v->figure, axis.scale);
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
	fill_table(&plot_xy(list, &xy)->table, v, l);
	for (size_t a = 0; a < l->arms->nr; a++) {
		free(drawn[a].x);
		free(drawn[a].line);
		free(drawn[a].band);
	}
	free(alt);
	free(caption);
}

/* False where no arm has two stages: then there is no curve. */
static bool gather(struct load *l, const struct report_arms *arms, const char *workload)
{
	size_t most = 0;

	*l = (struct load){.arms = arms, .workload = workload, .is_closed = true};
	for (size_t a = 0; a < arms->nr; a++) {
		const struct result *results;
		size_t nr;

		results = report_arm_results(&arms->items[a], workload, &nr);
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
		draw(l, both[v], name, list);
	}
}

void report_stages(const struct report *r, struct plot_list *ret)
{
	struct report_arms arms;
	size_t number = 0;

	report_arms_init(&arms, r);
	for (size_t w = 0; w < arms.workloads.nr && number < workloads_max; w++) {
		struct load l;

		if (gather(&l, &arms, arms.workloads.items[w]))
			draw_both(&l, ++number, ret);
		for (size_t a = 0; a < arms.nr; a++)
			stage_curve_release(&l.curves[a]);
	}
	report_arms_release(&arms);
}
