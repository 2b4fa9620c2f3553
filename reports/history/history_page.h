/* A history as a page, and its trend plots. */
#ifndef TARE_REPORTS_HISTORY_HISTORY_PAGE_H
#define TARE_REPORTS_HISTORY_HISTORY_PAGE_H

#include "reports/history/history_report.h"

/*
 * One HTML file that needs no network: every series with its change points, and a plot of
 * the first HISTORY_PLOTS_MAX. Without gnuplot a sentence stands in the plots' place.
 */
#define HISTORY_PLOTS_MAX 60
int history_page(struct history *h, const struct history_list *l,
		 const struct history_judged *j, const char *title, const char *path,
		 struct err *err);
/* The same plots as files, with script and data: DIR/history-1.svg ... */
int history_plots(const struct history_list *l, const char *dir, struct err *err);

#endif
