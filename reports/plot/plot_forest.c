#include "reports/plot/plot_impl.h"

#include <math.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict_rule.h"

enum { row_height = 50 };

struct range {
	double low, high;
};

static void widen(struct range *r, double v)
{
	if (isfinite(v) && v > 0) {
		r->low = v < r->low ? v : r->low;
		r->high = v > r->high ? v : r->high;
	}
}

static bool is_drawn(const struct comparison *c)
{
	return c->gate && c->has_ratio && c->verdict != VERDICT_NONE;
}

static struct range forest_range(const struct judgement *j)
{
	struct range r = {1, 1};

	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];
		struct interval band = margin_band(c->margin);

		if (!is_drawn(c))
			continue;
		widen(&r, band.low);
		widen(&r, band.high);
		widen(&r, c->ratio);
		if (c->has_interval && c->ci95.high / c->ci95.low < 100) {
			widen(&r, c->ci95.low);
			widen(&r, c->ci95.high);
		}
	}
	return r;
}

static void clip(double *v, const struct range *r)
{
	*v = *v < r->low ? r->low : *v > r->high ? r->high : *v;
}

/* The workload too, where the metric's own name does not say it: "gemm.flops" of "gemm". */
static void name_of(const struct comparison *c, struct buf *b)
{
	size_t len = strlen(c->workload);
	bool is_said = strncmp(c->metric, c->workload, len) == 0 && c->metric[len] == '.';

	buf_puts(b, c->metric);
	if (strcmp(c->statistic, "mean") != 0)
		buf_printf(b, " %s", c->statistic);
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
		rows += is_drawn(&j->items[i]);
	buf_puts(
		data,
		"# row ratio low90 high90 low95 high95 band_low band_high kind metric\n");
	y = rows;
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *o = &j->items[i];
		struct interval band = margin_band(o->margin);
		struct interval i90 = o->ci90, i95 = o->ci95;
		struct buf label;

		if (!is_drawn(o))
			continue;
		if (!o->has_interval)
			i90 = i95 = (struct interval){o->ratio, o->ratio};
		clip(&i90.low, r);
		clip(&i90.high, r);
		clip(&i95.low, r);
		clip(&i95.high, r);
		buf_init(&label, 200);
		name_of(o, &label);
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

static void forest_marks(struct buf *b, bool is_log)
{
	char c[8];

	(void)is_log;
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

		if (!is_drawn(c))
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
		forest_marks(&script, is_log);
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
