#include "reports/plot/plot_impl.h"

#include <math.h>

#include "core/base/mem.h"

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
