/*
 * Plots as SVG, drawn by gnuplot; plot.c alone writes its scripts and runs it. Each plot is
 * kept as its script and data too, so that a person can draw it again:
 * "cd plots && gnuplot forest.gp" writes forest.svg.
 *
 * In the inlined form the colours are the page's CSS variables, so that one drawing suits
 * light and dark.
 */
#ifndef TARE_REPORTS_PLOT_PLOT_H
#define TARE_REPORTS_PLOT_PLOT_H

#include "core/base/err.h"
#include "reports/text/table.h"
#include "reports/verdict/judgement.h"

#include <stdbool.h>
#include <stddef.h>

/* The parts of a page that plots go to, in its order. */
enum plot_section {
	PLOT_FOREST,
	PLOT_DISTRIBUTION,
	PLOT_LOAD,
	PLOT_ROUNDS,
	PLOT_TELEMETRY,
	PLOT_HISTORY,
	PLOT_SECTIONS
};

struct plot {
	char *name;   /* "forest": names forest.gp, forest.dat, forest.svg */
	char *script; /* gnuplot's */
	char *data;
	char *svg;     /* as gnuplot drew it; NULL where it could not */
	char *inlined; /* the <svg> element for a page; NULL likewise */
	char *alt;     /* the text alternative: what the plot shows, with numbers */
	char *caption;
	enum plot_section section;
	bool is_wide; /* across the page, else two beside one another */
	/* Its figures, shown below it; without columns: the page has them elsewhere. */
	struct table table;
};

struct plot_list {
	struct plot *items;
	size_t nr, alloc;
};

void plot_list_release(struct plot_list *l);

/* One unit for a whole axis: the base unit with the prefix that suits its values. */
struct axis {
	double scale; /* divide values by it */
	char label[64];
};

/* 'value' is a typical one, 'unit' a base unit (core/document/metric.h). */
struct axis axis_for(double value, const char *unit);

/* Forest plot: ratio and intervals of each gating comparison, its margin as a shaded band. */
void plot_forest(struct plot_list *l, const struct judgement *j);

enum plot_style {
	PLOT_POINTS,
	PLOT_LINES, /* with points */
	PLOT_CURVE, /* a line without */
	PLOT_TRACE, /* a thin line, solid for every arm */
	PLOT_STEPS,
	PLOT_BAND, /* a pale area: y has its nr lower edges, then the upper ones */
	PLOT_DOTS, /* small */
	PLOT_RINGS /* large, open: around points of another series */
};

/* A value that is not finite breaks a line and is no point. */
struct plot_series {
	const char *label;   /* NULL: not in the key */
	const double *x, *y; /* borrowed */
	size_t nr;
	int colour; /* 0: the baseline's, 1 and up: the candidates' */
	enum plot_style style;
};

/* A stretch of x that is shaded: where a clock was throttled. */
struct plot_span {
	double from, to;
};

/* A dotted line across the plot at x. */
struct plot_mark {
	double at;
	int colour; /* as a series'; below 0: pale */
};

struct plot_tic {
	double at;
	const char *label;
};

struct plot_xy {
	const char *name, *x_label, *y_label, *caption, *alt;
	/* With x_time, x is seconds since 1970, shown so (strftime), a label each x_step. */
	const char *x_time;
	double x_step;
	enum plot_section section;
	const struct plot_series *series;
	size_t nr;
	const struct plot_span *spans;
	size_t spans_nr;
	const struct plot_mark *marks;
	size_t marks_nr;
	const struct plot_tic *x_tics; /* NULL: gnuplot's own */
	size_t x_tics_nr;
	bool x_is_log, y_is_log, x_is_whole, y_from_zero;
	bool is_wide;
};

/* Both return the new plot, whose table may be filled before the next one is added. */
struct plot *plot_xy(struct plot_list *l, const struct plot_xy *p);
/*
 * Panels over each other with one x axis; name, x_label, caption, alt, section and tics are
 * the first one's. The same colours mean the same in all.
 */
struct plot *plot_panels(struct plot_list *l, const struct plot_xy *panels, size_t nr);

/*
 * Runs gnuplot once over all of them. Without gnuplot, or where it fails, 'svg' stays
 * NULL and *ret_why (free()) says so; that is no error.
 */
int plot_draw(struct plot_list *l, char **ret_why, struct err *err);
/* NAME.gp, NAME.dat and, where drawn, NAME.svg into 'dir', which is made. */
int plot_save(const struct plot_list *l, const char *dir, struct err *err);

#endif
