/*
 * Margins: the relative difference that the user calls 'no overhead', by metric name.
 *
 * A margins document is one JSON object of numbers, 0 < margin < 1 (of failures also 0):
 *
 *	{ "gemm.flops": 0.01, "gemm.gap:p99": 0.10, "opt/load.itl_p50_s": 0.04 }
 *
 * From the most to the least special, the first that is there holds:
 * "workload/metric:quantile", "workload/metric", "metric:quantile", "metric", then the
 * built-in table by the same names (configs/margins/default.json shows it), then
 * MARGIN_FALLBACK. A metric of one stage ("load.ttft_p50_s@c8") without an entry of its own
 * has that of the metric, and so has a cell ("link.h2d.gpu0" that of "link.h2d").
 */
#ifndef TARE_REPORTS_VERDICT_MARGINS_H
#define TARE_REPORTS_VERDICT_MARGINS_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "core/base/strvec.h"

#include <stddef.h>

#define MARGIN_FALLBACK 0.05

struct margin_default {
	const char *name;
	double value;
};

enum { MARGIN_DEFAULTS = 19 };
extern const struct margin_default
	margin_defaults[MARGIN_DEFAULTS]; /* the built-in table */

struct margin {
	char *name;
	double value;
};

struct margins {
	struct margin *items;
	size_t nr, alloc;
};

void margins_init(struct margins *m); /* nothing but the built-in table */
void margins_release(struct margins *m);

/* Adds or replaces from an object such as a plan's 'margins'; 'where' is for messages. */
int margins_add_json(struct margins *m, struct json_object *o, const char *where,
		     struct err *err);
int margins_read(struct margins *m, const char *path,
		 struct err *err); /* with comments */

/* 'statistic' is "mean" or "p50" ...; 'ret_name' (may be NULL) gets the name that held. */
double margins_get(const struct margins *m, const char *workload, const char *metric,
		   const char *statistic, const char **ret_name);

/*
 * A sentence into 'ret' for each entry that was meant for one of these metrics ("metric" and
 * "workload/metric"), by its kind or a name nearly the same, and is none of them nor one of
 * the built-in table's: mistyped, it has left its metric with another margin.
 */
void margins_unused(const struct margins *m, const struct strvec *metrics,
		    struct strvec *ret);

#endif
