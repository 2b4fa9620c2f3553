/*
 * What a history says, for people and for programs: since when each series has been at its
 * level, whether a loss stands and whether the newest values fit (reports/history/trend.h), and
 * what changed on the machine when a level did.
 *
 *	history_read(h, &query, &list, &err);
 *	history_judge(&judged, &list, &margins, 0);
 *	history_show(&list, stdout);  or  history_check(h, &list, &judged, stdout, &err);
 */
#ifndef TARE_REPORTS_HISTORY_HISTORY_REPORT_H
#define TARE_REPORTS_HISTORY_HISTORY_REPORT_H

#include "core/base/clock.h"
#include "reports/history/history.h"
#include "reports/verdict/margins.h"
#include "reports/history/trend.h"

#include <stdio.h>

#define HISTORY_SCHEMA "tare.history/1"

struct history_judged {
	struct trend *items; /* in the order of the list */
	double *margins;     /* of each */
	size_t nr;
	size_t of[VERDICT_INVALID + 1]; /* how many gating series have each verdict */
	enum verdict overall;           /* the worst of the gating series */
};

/* 'newest': values at the end of each series that are held against the rest; 0: 1. */
void history_judge(struct history_judged *ret, const struct history_list *l,
		   const struct margins *m, size_t newest);
void history_judged_release(struct history_judged *j);

/* "gemm.flops of gemm on vm (NVIDIA H200 ...)"; free() */
char *history_series_name(const struct history_series *s);
/* "2026-11-22" (UTC), in 'label'. */
const char *history_day(int64_t at_ms, char label[CLOCK_LABEL_SIZE]);

/* A line a series: values, last value, since when it has been at its level. */
void history_show(const struct history_list *l, FILE *to);
/* Each series that does not hold its level, with the reason, and how many there are. */
int history_check(struct history *h, const struct history_list *l,
		  const struct history_judged *j, FILE *to, struct err *err);
/* tare.history/1 (configs/schema/history.json); owned by the caller. NULL: err is filled. */
struct json_object *history_to_json(struct history *h, const struct history_list *l,
				    const struct history_judged *j, struct err *err);

/*
 * A sentence for each result whose date cannot be true or goes back behind what was added
 * before it, at most HISTORY_WARNINGS_MAX and how many more there are.
 */
#define HISTORY_WARNINGS_MAX 5
int history_warnings(struct history *h, const struct history_list *l, struct strvec *ret,
		     struct err *err);

/* Facts of the machine that differ between two results: "GPU driver: 580.65, 580.95". */
int history_differences(struct history *h, int64_t before, int64_t after,
			struct strvec *ret, struct err *err);

#endif
