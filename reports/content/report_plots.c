#include "reports/content/report_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/plot/axis.h"

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
	char *caption = x_asprintf("%s%s%s of %s, round by round%s.", c->metric,
				   strcmp(c->statistic, "mean") == 0 ? "" : " ",
				   strcmp(c->statistic, "mean") == 0 ? "" : c->statistic,
				   c->workload, is_far(c) ? " (log scale)" : "");
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
	free(caption);
	free(alt);
}

void report_plots(const struct report *r, struct plot_list *ret)
{
	const struct judgement *j = &r->judgement;
	size_t nr = 0;

	plot_forest(ret, j);
	report_curves(r, ret);
	report_stages(r, ret);
	report_telemetry(r, ret);
	for (size_t i = 0; i < j->nr && nr < round_plots_max; i++) {
		const struct comparison *c = &j->items[i];

		if (c->n_baseline && c->n_candidate && c->has_ratio && !c->is_pooled &&
		    report_part_of(c) != REPORT_STAGES &&
		    (c->gate || c->verdict == VERDICT_DEGRADED))
			plot_rounds(c, ++nr, ret);
	}
}
