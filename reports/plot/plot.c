#include "reports/plot/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

enum { svg_max = 16 << 20 };
enum { plot_width_wide = 680, plot_width = 420 };

/* Below PLOT_SERIES_COLOURS: the arms' colours, the baseline's first. */
enum plot_colour {
	PLOT_SERIES_COLOURS = 6,
	PLOT_INK = 6,
	PLOT_MUTED,
	PLOT_GRID,
	PLOT_BAND_COLOUR,
	PLOT_SHADE
};

/* What the scripts draw with, and the page's variable that stands in for it. */
static const struct {
	int r, g, b;
	const char *variable;
} colours[] = {
	{31, 95, 168, "--s0"},     {196, 84, 10, "--s1"},      {122, 72, 160, "--s2"},
	{14, 120, 104, "--s3"},    {176, 36, 96, "--s4"},      {110, 92, 20, "--s5"},
	{28, 36, 48, "--ink"},     {90, 100, 112, "--muted"},  {216, 221, 228, "--grid"},
	{205, 228, 214, "--band"}, {250, 222, 200, "--shade"},
};

/* "#1f5fa8". */
static const char *plot_colour(int i, char text[8])
{
	snprintf(text, 8, "#%02x%02x%02x", (unsigned)colours[i].r & 0xff,
		 (unsigned)colours[i].g & 0xff, (unsigned)colours[i].b & 0xff);
	return text;
}

/* In single quotes; what means something to gnuplot or to SVG is a blank. */
static void plot_quoted(struct buf *b, const char *s)
{
	buf_puts(b, "'");
	for (; s && *s; s++) {
		bool is_special = strchr("'\"`\\<>&{}", *s) || (unsigned char)*s < 0x20;

		buf_add(b, is_special ? " " : s, 1);
	}
	buf_puts(b, "'");
}

static void plot_terminal(struct buf *b, const char *name, int width, int height)
{
	buf_printf(b, "# Draw again with: gnuplot %s.gp\n", name);
	buf_printf(b,
		   "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,14' "
		   "linewidth 1.2\n",
		   width, height);
	buf_printf(b, "set encoding utf8\nset output '%s.svg'\n", name);
}

/* Border, tics and grid. */
static void plot_frame(struct buf *b)
{
	char c[8];

	buf_printf(b, "set border 1 lc rgb '%s'\nset tics nomirror out scale 0.6\n",
		   plot_colour(PLOT_MUTED, c));
	buf_printf(b, "set xtics textcolor rgb '%s'\nset ytics textcolor rgb '%s'\n",
		   plot_colour(PLOT_MUTED, c), c);
	buf_printf(b, "set grid x y lt 1 lw 0.6 lc rgb '%s'\n",
		   plot_colour(PLOT_GRID, c));
}

static struct plot *plot_append(struct plot_list *l, const char *name)
{
	GROW(l->items, l->nr, l->alloc);
	l->items[l->nr] = (struct plot){.name = x_strdup(name)};
	return &l->items[l->nr++];
}

struct axis axis_for(double value, const char *unit)
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
	if (strcmp(unit, "FLOP/s") != 0 && strcmp(unit, "Hz") != 0 &&
	    strncmp(unit, "byte", 4) != 0)
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

enum { xy_height = 270, panel_height = 135, panel_room = 75 };

static double top(const struct plot_series *s, size_t i)
{
	return s->style == PLOT_BAND ? s->y[s->nr + i] : s->y[i];
}

static bool is_drawn(const struct plot_series *s, size_t i)
{
	return isfinite(s->x[i]) && isfinite(s->y[i]) && isfinite(top(s, i));
}

/* One empty line is a gap, two begin the next series, and each needs a line of its own. */
static void xy_points(struct buf *data, const struct plot_series *p)
{
	bool is_gap = true;
	size_t drawn = 0;

	for (size_t i = 0; i < p->nr; i++) {
		if (!is_drawn(p, i)) {
			buf_puts(data, is_gap ? "" : "\n");
			is_gap = true;
			continue;
		}
		buf_printf(data, "%.10g %.10g", p->x[i], p->y[i]);
		if (p->style == PLOT_BAND)
			buf_printf(data, " %.10g", top(p, i));
		buf_puts(data, "\n");
		is_gap = false;
		drawn++;
	}
	if (!drawn)
		buf_puts(data, "NaN NaN NaN\n");
}

static void xy_data(struct buf *data, const struct plot_xy *x)
{
	for (size_t s = 0; s < x->nr; s++) {
		const struct plot_series *p = &x->series[s];

		buf_puts(data, "# ");
		for (const char *c = p->label ? p->label : "as above"; *c; c++)
			buf_add(data, (unsigned char)*c < 0x20 ? " " : c, 1);
		buf_puts(data, "\n");
		xy_points(data, p);
		buf_puts(data, "\n\n");
	}
}

struct range {
	double low, high;
};

static void widen(struct range *r, double v)
{
	r->low = fmin(r->low, v);
	r->high = fmax(r->high, v);
}

static void extent(const struct plot_xy *x, struct range *across, struct range *up)
{
	*across = *up = (struct range){INFINITY, -INFINITY};
	for (size_t s = 0; s < x->nr; s++) {
		const struct plot_series *p = &x->series[s];

		for (size_t i = 0; i < p->nr; i++) {
			if (!is_drawn(p, i))
				continue;
			widen(across, p->x[i]);
			widen(up, p->y[i]);
			widen(up, top(p, i));
		}
	}
}

/* gnuplot widens to whole decades and tics: too far for a handful of points. */
static void xy_ranges(struct buf *b, const struct plot_xy *x)
{
	struct range across, up;

	extent(x, &across, &up);
	if (x->x_is_whole)
		buf_printf(b, "set xrange [0.5:%g]\n", fmax(across.high, 1) + 0.5);
	else if (x->x_is_log && across.low > 0)
		buf_printf(b, "set xrange [%.6g:%.6g]\n", across.low / 1.3,
			   across.high * 1.3);
	if (x->y_from_zero)
		buf_printf(b, "set yrange [0:%.6g]\n", up.high > 0 ? up.high * 1.12 : 1);
	else if (x->y_is_log && up.low > 0)
		buf_printf(b, "set yrange [%.6g:%.6g]\n", up.low / 1.25, up.high * 1.25);
	else if (up.low >= 0 && up.high > up.low)
		/* What cannot be negative has no axis below 0. */
		buf_printf(b, "set yrange [%.6g:%.6g]\n",
			   fmax(0, up.low - 0.1 * (up.high - up.low)),
			   up.high + 0.1 * (up.high - up.low));
}

static void xy_label(struct buf *b, const char *axis, const char *text)
{
	char c[8];

	buf_printf(b, "set %slabel ", axis);
	plot_quoted(b, text);
	buf_printf(b, " textcolor rgb '%s'%s\n", plot_colour(PLOT_MUTED, c),
		   *axis == 'x' ? " offset 0,0.3" : "");
}

/* Steps of 1, 2 or 5 that give four to eight tics: gnuplot's own crowd a low plot. */
static void xy_steps(struct buf *b, const struct plot_xy *x)
{
	struct range across, up;
	double step, unit;

	extent(x, &across, &up);
	if (x->y_from_zero)
		up.low = 0;
	if (x->y_is_log || !(up.high > up.low))
		return;
	step = (up.high - up.low) / 4;
	unit = pow(10, floor(log10(step)));
	buf_printf(b, "set ytics %.6g\n",
		   step / unit < 1.5   ? unit
		   : step / unit < 3.5 ? 2 * unit
		   : step / unit < 7.5 ? 5 * unit
				       : 10 * unit);
}

static void xy_tics(struct buf *b, const struct plot_xy *x)
{
	xy_steps(b, x);
	if (x->x_time)
		buf_printf(b,
			   "set xdata time\nset timefmt '%%s'\nset format x '%s'\n"
			   "set xtics %.10g\nset autoscale xfix\nset rmargin 5\n",
			   x->x_time, x->x_step);
	if (x->x_is_log)
		buf_puts(b, "set logscale x\n");
	if (x->y_is_log)
		buf_puts(b, "set logscale y\nset ytics 10\nset mytics 10\n"
			    "set format y '%.3g'\n");
	if (x->x_is_whole)
		buf_puts(b, "set xtics 1\n");
	if (!x->x_tics_nr)
		return;
	buf_puts(b, "set xtics (");
	for (size_t i = 0; i < x->x_tics_nr; i++) {
		buf_puts(b, i ? ", " : "");
		plot_quoted(b, x->x_tics[i].label);
		buf_printf(b, " %.10g", x->x_tics[i].at);
	}
	buf_puts(b, ")\n");
}

/* Less than a decade has no power of ten in it: steps of 1, 2 and 5 are shown then. */
static void xy_log_steps(struct buf *b, const struct plot_xy *x)
{
	struct range across, up;
	int n = 0;

	extent(x, &across, &up);
	if (!x->y_is_log || !(up.low > 0) || up.high / up.low > 300)
		return;
	buf_puts(b, "unset mytics\nset ytics (");
	for (int e = (int)floor(log10(up.low)) - 1; e <= (int)ceil(log10(up.high)); e++)
		for (int k = 1; k <= 5; k = k == 2 ? 5 : k == 1 ? 2 : 6)
			buf_printf(b, "%s'%.6g' %.6g", n++ ? ", " : "", k * pow(10, e),
				   k * pow(10, e));
	buf_puts(b, ")\n");
}

static void xy_ground(struct buf *b, const struct plot_xy *x)
{
	char c[8];

	for (size_t i = 0; i < x->spans_nr; i++)
		buf_printf(
			b,
			"set object rectangle from %.10g, graph 0 to %.10g, graph 1 back "
			"fs solid noborder fc rgb '%s'\n",
			x->spans[i].from, x->spans[i].to, plot_colour(PLOT_SHADE, c));
	for (size_t i = 0; i < x->marks_nr; i++) {
		int k = x->marks[i].colour;

		buf_printf(b,
			   "set arrow from first %.10g, graph 0 to first %.10g, graph 1 "
			   "nohead %s lc rgb '%s' back\n",
			   x->marks[i].at, x->marks[i].at,
			   k < 0 ? "lw 0.6" : "dt '.' lw 2",
			   plot_colour(k < 0 ? PLOT_MUTED : k % PLOT_SERIES_COLOURS, c));
	}
}

static void xy_mark(struct buf *b, const struct plot_series *p)
{
	static const int points[] = {7, 9, 5, 13, 11, 15};
	static const char *const dashes[] = {"solid", "'-'",   "'.'",
					     "'-.'",  "'--.'", "'..-'"};
	int k = p->colour % PLOT_SERIES_COLOURS;
	char c[8];

	plot_colour(k, c);
	switch (p->style) {
	case PLOT_BAND:
		buf_printf(b,
			   "using 1:2:3 with filledcurves fs transparent solid 0.18 "
			   "noborder lc rgb '%s'",
			   c);
		break;
	case PLOT_CURVE:
		buf_printf(b, "using 1:2 with lines lw 2 dt %s lc rgb '%s'", dashes[k],
			   c);
		break;
	case PLOT_TRACE:
		buf_printf(b, "using 1:2 with lines lw 1.4 lc rgb '%s'", c);
		break;
	case PLOT_DOTS:
		buf_printf(b, "using 1:2 with points pt %d ps 0.4 lc rgb '%s'", points[k],
			   c);
		break;
	case PLOT_STEPS:
		buf_printf(b, "using 1:2 with steps lw 1.8 lc rgb '%s'", c);
		break;
	case PLOT_RINGS:
		buf_printf(b, "using 1:2 with points pt 6 ps 2 lw 1.6 lc rgb '%s'", c);
		break;
	case PLOT_POINTS:
	case PLOT_LINES:
		buf_printf(b, "using 1:2 with %s pt %d ps 0.9 lw 1.6 dt %s lc rgb '%s'",
			   p->style == PLOT_LINES ? "linespoints" : "points", points[k],
			   dashes[k], c);
	}
}

/* 'first': where the series of this plot begin in the data file. */
static void xy_marks(struct buf *b, const struct plot_xy *x, const char *name,
		     size_t first)
{
	buf_puts(b, "plot ");
	for (size_t s = 0; s < x->nr; s++) {
		const struct plot_series *p = &x->series[s];

		buf_printf(b, "%s'%s.dat' index %zu ", s ? ", \\\n  " : "", name,
			   first + s);
		xy_mark(b, p);
		buf_puts(b, p->label ? " title " : " notitle");
		if (p->label)
			plot_quoted(b, p->label);
	}
	buf_puts(b, "\n");
}

static struct plot *finish(struct plot_list *l, const struct plot_xy *x,
			   struct buf *script, struct buf *data)
{
	struct plot *p = plot_append(l, x->name);

	p->script = buf_detach(script);
	p->data = buf_detach(data);
	p->alt = x_strdup(x->alt);
	p->caption = x_strdup(x->caption);
	p->section = x->section;
	p->is_wide = x->is_wide;
	buf_release(script);
	buf_release(data);
	return p;
}

static void xy_axes(struct buf *b, const struct plot_xy *x)
{
	xy_label(b, "y", x->y_label);
	buf_puts(b, "set offsets graph 0.03, graph 0.03, graph 0.08, graph 0.08\n");
	xy_ranges(b, x);
	xy_tics(b, x);
	xy_log_steps(b, x);
	xy_ground(b, x);
}

struct plot *plot_xy(struct plot_list *l, const struct plot_xy *x)
{
	struct buf script, data;
	char c[8];

	buf_init(&script, BUF_UNBOUNDED);
	buf_init(&data, BUF_UNBOUNDED);
	xy_data(&data, x);
	plot_terminal(&script, x->name, x->is_wide ? plot_width_wide : plot_width,
		      xy_height);
	plot_frame(&script);
	xy_label(&script, "x", x->x_label);
	buf_printf(&script,
		   "set key above left horizontal textcolor rgb '%s' samplen 2\n"
		   "set rmargin 2.5\n",
		   plot_colour(PLOT_INK, c));
	xy_axes(&script, x);
	xy_marks(&script, x, x->name, 0);
	return finish(l, x, &script, &data);
}

struct plot *plot_panels(struct plot_list *l, const struct plot_xy *panels, size_t nr)
{
	struct range across = {INFINITY, -INFINITY};
	struct buf script, data;
	size_t first = 0;

	for (size_t i = 0; i < nr; i++) {
		struct range one, up;

		extent(&panels[i], &one, &up);
		widen(&across, one.low);
		widen(&across, one.high);
	}
	buf_init(&script, BUF_UNBOUNDED);
	buf_init(&data, BUF_UNBOUNDED);
	plot_terminal(&script, panels->name,
		      panels->is_wide ? plot_width_wide : plot_width,
		      panel_height * (int)nr + panel_room);
	plot_frame(&script);
	buf_printf(&script,
		   "set multiplot layout %zu,1 margins char 10,3,3.6,0.8 spacing char "
		   "0.8\nset key off\n",
		   nr);
	for (size_t i = 0; i < nr; i++) {
		xy_data(&data, &panels[i]);
		buf_puts(&script, "unset object\nunset arrow\nset autoscale\n"
				  "unset logscale\n");
		xy_axes(&script, &panels[i]);
		buf_printf(&script,
			   "set offsets 0, 0, graph 0.1, graph 0.1\nset xrange "
			   "[%.10g:%.10g]\n",
			   across.low, across.high);
		if (i + 1 == nr) {
			buf_puts(&script, "set format x\n");
			xy_label(&script, "x", panels->x_label);
		} else {
			buf_puts(&script, "set format x ''\n");
		}
		xy_marks(&script, &panels[i], panels->name, first);
		first += panels[i].nr;
	}
	buf_puts(&script, "unset multiplot\n");
	return finish(l, panels, &script, &data);
}

enum { row_height = 50 };

static void forest_widen(struct range *r, double v)
{
	if (isfinite(v) && v > 0) {
		r->low = v < r->low ? v : r->low;
		r->high = v > r->high ? v : r->high;
	}
}

static bool is_in_forest(const struct comparison *c)
{
	return c->gate && c->has_ratio && c->verdict != VERDICT_NONE;
}

static struct range forest_range(const struct judgement *j)
{
	struct range r = {1, 1};

	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];
		struct interval band = margin_band(c->margin);

		if (!is_in_forest(c))
			continue;
		forest_widen(&r, band.low);
		forest_widen(&r, band.high);
		forest_widen(&r, c->ratio);
		if (c->has_interval && c->ci95.high / c->ci95.low < 100) {
			forest_widen(&r, c->ci95.low);
			forest_widen(&r, c->ci95.high);
		}
	}
	return r;
}

static void clip(double *v, const struct range *r)
{
	*v = *v < r->low ? r->low : *v > r->high ? r->high : *v;
}

/* The workload too, where the metric's own name does not say it: "gemm.flops" of "gemm". */
static void forest_label(const struct comparison *c, struct buf *b)
{
	size_t len = strlen(c->workload);
	bool is_said = strncmp(c->metric, c->workload, len) == 0 && c->metric[len] == '.';
	char *metric = comparison_metric(c);

	buf_puts(b, metric);
	free(metric);
	if (!is_said)
		buf_printf(b, " · %s", c->workload);
}

/* y  ratio  low90 high90  low95 high95  band-low band-high  verdict */
static size_t forest_rows(struct buf *data, struct buf *script, const struct judgement *j,
			  const struct range *r)
{
	size_t rows = 0, y;
	char c[8];

	for (size_t i = 0; i < j->nr; i++)
		rows += is_in_forest(&j->items[i]);
	buf_puts(
		data,
		"# row ratio low90 high90 low95 high95 band_low band_high kind metric\n");
	y = rows;
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *o = &j->items[i];
		struct interval band = margin_band(o->margin);
		struct interval i90 = o->ci90, i95 = o->ci95;
		struct buf label;

		if (!is_in_forest(o))
			continue;
		if (!o->has_interval)
			i90 = i95 = (struct interval){o->ratio, o->ratio};
		clip(&i90.low, r);
		clip(&i90.high, r);
		clip(&i95.low, r);
		clip(&i95.high, r);
		buf_init(&label, 200);
		forest_label(o, &label);
		buf_printf(&label, " · %s · %s", o->candidate, verdict_name(o->verdict));
		buf_printf(data, "%zu %.10g %.10g %.10g %.10g %.10g %.10g %.10g %d # ", y,
			   o->ratio, i90.low, i90.high, i95.low, i95.high, band.low,
			   band.high, (int)o->verdict);
		for (const char *p = label.data; *p; p++)
			buf_add(data, (unsigned char)*p < 0x20 ? " " : p, 1);
		buf_puts(data, "\n");
		buf_puts(script, "set label ");
		plot_quoted(script, label.data);
		buf_printf(
			script,
			" at graph 0, first %g left offset character 0,0 textcolor rgb "
			"'%s' front\n",
			(double)y + 0.37, plot_colour(PLOT_INK, c));
		buf_release(&label);
		y--;
	}
	return rows;
}

static void forest_axis(struct buf *b, const struct range *r, size_t rows, bool is_log)
{
	char c[8];

	if (is_log)
		/* Steps of two over many decades would write over each other. */
		buf_printf(b, "set logscale x %d\nset xtics %d\nset format x '%%.3g'\n",
			   r->high / r->low > 64 ? 10 : 2,
			   r->high / r->low > 64 ? 10 : 2);
	else
		buf_puts(b, "set format x '%.4g'\n");
	buf_printf(b, "set xrange [%.8g:%.8g]\nset yrange [0.4:%g]\nunset ytics\n",
		   r->low, r->high, (double)rows + 0.75);
	buf_puts(b, "set grid noy\nunset key\nset lmargin 2\nset rmargin 3\n"
		    "set tmargin 0.3\nset bmargin 3.2\n");
	buf_printf(
		b,
		"set xlabel 'candidate / baseline%s' textcolor rgb '%s' offset 0,0.3\n",
		is_log ? " (log scale)" : "", plot_colour(PLOT_MUTED, c));
	buf_printf(
		b,
		"set arrow from first 1, graph 0 to first 1, graph 1 nohead dt 2 lw 1 lc "
		"rgb '%s' back\n",
		plot_colour(PLOT_MUTED, c));
}

static void forest_marks(struct buf *b)
{
	char c[8];

	buf_printf(b,
		   "plot 'forest.dat' using 2:1:7:8:($1-0.30):($1+0.14) with boxxyerror "
		   "fill solid noborder lc rgb '%s' notitle, \\\n",
		   plot_colour(PLOT_BAND_COLOUR, c));
	buf_printf(b,
		   "  '' using 2:1:5:6 with xerrorbars pt 0 lw 1.2 lc rgb '%s' notitle, "
		   "\\\n",
		   plot_colour(PLOT_INK, c));
	buf_printf(b,
		   "  '' using 3:1:($4-$3):(0) with vectors nohead lw 4.5 lc rgb '%s' "
		   "notitle, \\\n",
		   plot_colour(0, c));
	buf_printf(
		b,
		"  '' using ($9==4||$9==5?NaN:$2):1 with points pt 7 ps 1.0 lc rgb '%s' "
		"notitle, \\\n",
		plot_colour(PLOT_INK, c));
	buf_printf(
		b,
		"  '' using ($9==4||$9==5?$2:NaN):1 with points pt 13 ps 1.3 lc rgb '%s' "
		"notitle\n",
		plot_colour(1, c));
}

static char *forest_alt(const struct judgement *j)
{
	struct buf b;

	buf_init(&b, 4000);
	buf_puts(&b, "Forest plot of candidate over baseline.");
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];
		char ratio[32], low[32], high[32], margin[32];

		if (!is_in_forest(c))
			continue;
		buf_printf(&b, " %s %s on %s: %s", c->metric, c->statistic, c->candidate,
			   ratio_text(c->ratio, ratio, sizeof(ratio)));
		if (c->has_interval)
			buf_printf(&b, ", 95 %% interval %s to %s",
				   ratio_text(c->ci95.low, low, sizeof(low)),
				   ratio_text(c->ci95.high, high, sizeof(high)));
		buf_printf(&b, ", margin %s, %s.",
			   percent_text(c->margin, margin, sizeof(margin)),
			   verdict_name(c->verdict));
	}
	return buf_detach(&b);
}

void plot_forest(struct plot_list *l, const struct judgement *j)
{
	struct range r = forest_range(j);
	bool is_log = r.high / r.low > 2;
	double room =
		is_log ? pow(r.high / r.low, 0.06) : 1 + 0.12 * (r.high / r.low - 1);
	struct buf script, data, rows;
	struct plot *p;
	size_t nr;

	r.low /= room;
	r.high *= room;
	buf_init(&script, BUF_UNBOUNDED);
	buf_init(&data, BUF_UNBOUNDED);
	buf_init(&rows, BUF_UNBOUNDED);
	nr = forest_rows(&data, &rows, j, &r);
	if (nr) {
		plot_terminal(&script, "forest", plot_width_wide,
			      70 + row_height * (int)nr);
		plot_frame(&script);
		forest_axis(&script, &r, nr, is_log);
		buf_puts(&script, rows.data);
		forest_marks(&script);
		p = plot_append(l, "forest");
		p->script = buf_detach(&script);
		p->data = buf_detach(&data);
		p->alt = forest_alt(j);
		p->section = PLOT_FOREST;
		p->is_wide = true;
		p->caption = x_strdup(
			"Ratio of candidate to baseline. Shaded: the margin. "
			"Thick bar: 90 % interval, which must lie inside the "
			"margin for 'equivalent'. Thin bar: 95 % interval, which "
			"must lie wholly outside it for 'degraded' or "
			"'improved'. A diamond marks degraded or invalid.");
	}
	buf_release(&script);
	buf_release(&data);
	buf_release(&rows);
}

void plot_list_release(struct plot_list *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct plot *p = &l->items[i];
		char *texts[] = {p->name,    p->script, p->data,   p->svg,
				 p->inlined, p->alt,    p->caption};

		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free(texts[t]);
		table_release(&p->table);
	}
	free(l->items);
	*l = (struct plot_list){0};
}

/* "rgb( 31,  95, 168)" at s: the variable for it and the length; 0 when it is no colour. */
static size_t colour_at(const char *s, const char **variable)
{
	int r, g, b, len = 0;

	if (strncmp(s, "rgb(", 4) != 0 ||
	    sscanf(s, "rgb(%d,%d,%d)%n", &r, &g, &b, &len) < 3)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++) {
		if (colours[i].r == r && colours[i].g == g && colours[i].b == b) {
			*variable = colours[i].variable;
			return (size_t)len;
		}
	}
	return 0;
}

/* Names that gnuplot gives to parts and refers to; two plots of a page must differ. */
static size_t name_at(const char *s)
{
	static const char *const names[] = {"gpDot", "gpPt", "gnuplot_", "textbox",
					    "greybox"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(s, names[i], strlen(names[i])) == 0)
			return strlen(names[i]);
	return 0;
}

static const char *skip_element(const char *s, const char *open, const char *close)
{
	const char *end;

	if (strncmp(s, open, strlen(open)) != 0)
		return s;
	end = strstr(s, close);
	return end ? end + strlen(close) : s;
}

/* Behind a group that holds nothing, of which gnuplot writes dozens; else 's'. */
static const char *skip_empty_group(const char *s)
{
	const char *end;

	if (strncmp(s, "<g ", 3) != 0)
		return s;
	end = strchr(s, '>');
	if (!end)
		return s;
	end += 1 + strspn(end + 1, " \t\r\n");
	return strncmp(end, "</g>", 4) == 0 ? end + 4 + strspn(end + 4, " \t\r\n") : s;
}

/* gnuplot's file as an element of a page: own names, page colours, no tooltips. */
static char *inline_svg(const char *svg, const char *name)
{
	const char *s = strstr(svg, "<svg"), *variable = NULL;
	struct buf b;

	if (!s)
		return NULL;
	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b, "<svg aria-hidden=\"true\" focusable=\"false\"");
	s += 4;
	while (*s) {
		const char *after = skip_element(s, "<title>", "</title>");
		size_t len;

		after = skip_element(after, "<desc>", "</desc>");
		after = skip_empty_group(after);
		if (after != s) {
			s = after;
		} else if ((len = colour_at(s, &variable))) {
			buf_printf(&b, "var(%s)", variable);
			s += len;
		} else if ((len = name_at(s))) {
			buf_printf(&b, "%s-%.*s", name, (int)len, s);
			s += len;
		} else {
			buf_add(&b, s++, 1);
		}
	}
	return buf_detach(&b);
}

static int write_sources(const struct plot *p, const char *dir, struct err *err)
{
	char *script = x_asprintf("%s/%s.gp", dir, p->name);
	char *data = x_asprintf("%s/%s.dat", dir, p->name);
	int rc = file_write(script, p->script, strlen(p->script), 0644, err);

	if (!rc)
		rc = file_write(data, p->data, strlen(p->data), 0644, err);
	free(script);
	free(data);
	return rc;
}

static int run_gnuplot(const struct plot_list *l, const char *dir, struct err *err)
{
	struct proc_outcome out;
	struct strvec argv = {0};
	struct proc_spec spec = {
		.dir = dir, .timeout_ns = 60 * NS_PER_S, .output_max = 4096};
	int rc;

	strvec_add(&argv, "gnuplot");
	for (size_t i = 0; i < l->nr; i++) {
		strvec_add(&argv,
			   "-e"); /* each plot starts from gnuplot's own defaults */
		strvec_addf(&argv, "reset; load '%s.gp'", l->items[i].name);
	}
	spec.argv = strvec_argv(&argv);
	rc = proc_run_ok(&spec, &out, err);
	if (!rc)
		proc_outcome_release(&out);
	strvec_release(&argv);
	return rc;
}

static int draw_in(struct plot_list *l, const char *dir, struct err *err)
{
	for (size_t i = 0; i < l->nr; i++)
		if (write_sources(&l->items[i], dir, err))
			return -1;
	if (run_gnuplot(l, dir, err))
		return -1;
	for (size_t i = 0; i < l->nr; i++) {
		struct plot *p = &l->items[i];
		char *path = x_asprintf("%s/%s.svg", dir, p->name);
		struct buf svg;
		int rc = file_read(path, svg_max, &svg, err);

		free(path);
		if (rc)
			return -1;
		p->svg = buf_detach(&svg);
		p->inlined = inline_svg(p->svg, p->name);
		buf_release(&svg);
	}
	return 0;
}

int plot_draw(struct plot_list *l, char **ret_why, struct err *err)
{
	struct err why = ERR_INIT;
	char *dir;

	*ret_why = NULL;
	if (!l->nr)
		return 0;
	dir = dir_make_temporary("tare-plots", err);
	if (!dir)
		return -1;
	if (draw_in(l, dir, &why))
		*ret_why =
			x_asprintf("The plots could not be drawn (%s). The tables hold "
				   "every figure; plots/ has the data, which 'gnuplot' "
				   "(Debian: gnuplot-nox) draws.",
				   why.text);
	dir_remove(dir, NULL);
	free(dir);
	return 0;
}

int plot_save(const struct plot_list *l, const char *dir, struct err *err)
{
	if (!l->nr)
		return 0;
	if (dir_make(dir, 0755, err))
		return -1;
	for (size_t i = 0; i < l->nr; i++) {
		const struct plot *p = &l->items[i];
		char *path = x_asprintf("%s/%s.svg", dir, p->name);
		int rc = write_sources(p, dir, err);

		if (!rc && p->svg)
			rc = file_write(path, p->svg, strlen(p->svg), 0644, err);
		free(path);
		if (rc)
			return -1;
	}
	return 0;
}
