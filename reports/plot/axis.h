/* One unit for a whole axis: the base unit with the prefix that suits its values. */
#ifndef TARE_REPORTS_PLOT_AXIS_H
#define TARE_REPORTS_PLOT_AXIS_H

struct axis {
	double scale; /* divide values by it */
	char label[64];
};

/* 'value' is a typical one, 'unit' a base unit (core/document/metric.h). */
struct axis axis_for(double value, const char *unit);

#endif
