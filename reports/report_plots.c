#include "reports/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* More than this many plots of rounds are left to the tables. */
static const size_t round_plots_max = 12;

struct axis {
	double scale;
	char label[64];
};

/*
 * One unit for the whole axis: the value's own scaled by the power of ten that
 * unit_human() would choose for it.
 */
static struct axis axis_for(double value, const char *unit)
{
	static const struct {
		double scale;
		const char *prefix;
	} steps[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
	static const struct {
		double scale;
		const char *prefix;
	} small[] = {{1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}};
	struct axis a = {.scale = 1};

	snprintf(a.label, sizeof(a.label), "%.40s", unit);
	if (strcmp(unit, "s") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
			a.scale = small[i].scale;
			snprintf(a.label, sizeof(a.label), "%s%.40s", small[i].prefix,
				 unit);
			if (value >= small[i].scale)
				break;
		}
		return a;
	}
	if (strcmp(unit, "FLOP/s") != 0 && strncmp(unit, "byte", 4) != 0)
		return a;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (value < steps[i].scale)
			continue;
		a.scale = steps[i].scale;
		snprintf(a.label, sizeof(a.label), "%s%.40s", steps[i].prefix, unit);
		break;
	}
	return a;
}

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
	for (size_t i = 0; i < j->nr && nr < round_plots_max; i++) {
		const struct comparison *c = &j->items[i];

		if (c->n_baseline && c->n_candidate && c->has_ratio &&
		    (c->gate || c->verdict == VERDICT_DEGRADED))
			plot_rounds(c, ++nr, ret);
	}
}
