/* What the writers of gnuplot's scripts share; for reports/plot*.c. */
#ifndef TARE_REPORTS_PLOT_PLOT_IMPL_H
#define TARE_REPORTS_PLOT_PLOT_IMPL_H

#include "core/base/buf.h"
#include "reports/plot/plot.h"

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

/* "#1f5fa8"; returns 'text'. */
const char *plot_colour(int i, char text[8]);
/* A text in gnuplot's single quotes; what means something to it or to SVG is a blank. */
void plot_quoted(struct buf *b, const char *s);
/* Terminal and output file; then border, tics and grid. */
void plot_terminal(struct buf *b, const char *name, int width, int height);
void plot_frame(struct buf *b);
struct plot *plot_append(struct plot_list *l, const char *name);

#endif
