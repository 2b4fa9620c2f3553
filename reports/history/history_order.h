/*
 * The order in which results that are added at once go into a history: by creation, rounds of
 * a run in the order of rounds. A date that cannot be true counts as that of the result
 * before it in its set, or of the first in its set that can, or as now.
 */
#ifndef TARE_REPORTS_HISTORY_HISTORY_ORDER_H
#define TARE_REPORTS_HISTORY_HISTORY_ORDER_H

#include "reports/results/result_set.h"

/* 2020-01-01: long before any program whose results are read; a clock that was reset shows less. */
#define HISTORY_DATE_LEAST_MS (INT64_C(1577836800) * 1000)
int64_t history_date_most_ms(void); /* a day ahead of this machine's clock */
bool history_date_is_sound(int64_t at_ms);

struct history_place {
	const struct result_set *set;
	size_t at;    /* in the set */
	size_t given; /* the how manieth it was */
	int64_t key_ms;
};

/* The sound results of all sets in order; free(). 'ret_unsound' counts the others. */
struct history_place *history_order(const struct result_set *sets, size_t nr,
				    size_t *ret_nr, size_t *ret_unsound);

#endif
