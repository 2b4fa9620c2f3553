#include "reports/history/history_order.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

int64_t history_date_most_ms(void)
{
	return (clock_wall_ns() + 86400 * NS_PER_S) / NS_PER_MS;
}

bool history_date_is_sound(int64_t at_ms)
{
	return at_ms >= HISTORY_DATE_LEAST_MS && at_ms <= history_date_most_ms();
}

static int by_key(const void *a, const void *b)
{
	const struct history_place *x = a, *y = b;

	if (x->key_ms != y->key_ms)
		return x->key_ms < y->key_ms ? -1 : 1;
	return (x->given > y->given) - (x->given < y->given);
}

/* Rounds of one arm and workload follow each other, whatever the clock did meanwhile. */
static bool is_later_round(const struct history_place *before,
			   const struct history_place *p)
{
	const struct result *a = &before->set->results[before->at];
	const struct result *b = &p->set->results[p->at];

	return p->set->is_run && before->set == p->set && strcmp(a->arm, b->arm) == 0 &&
	       strcmp(a->name, b->name) == 0;
}

static bool has_sound_date(const struct history_place *p, int64_t *ret_ms)
{
	const struct result *r = &p->set->results[p->at];
	int64_t at_ns;

	if (!r->created || !clock_from_label(r->created, &at_ns))
		return false;
	*ret_ms = at_ns / NS_PER_MS;
	return history_date_is_sound(*ret_ms);
}

/* Backwards, for what stands before the first date that can be true; then forwards. */
static void set_keys(struct history_place *places, size_t nr)
{
	int64_t key_ms = clock_wall_ns() / NS_PER_MS, at_ms;

	for (size_t i = nr; i-- > 0;) {
		if (has_sound_date(&places[i], &at_ms))
			key_ms = at_ms;
		places[i].key_ms = key_ms;
	}
	for (size_t i = 1; i < nr; i++) {
		int64_t before_ms = places[i - 1].key_ms;

		if (!has_sound_date(&places[i], &at_ms) ||
		    (is_later_round(&places[i - 1], &places[i]) && at_ms < before_ms))
			places[i].key_ms = before_ms;
	}
}

struct history_place *history_order(const struct result_set *sets, size_t nr,
				    size_t *ret_nr, size_t *ret_unsound)
{
	struct history_place *places = NULL;
	size_t alloc = 0, from;

	*ret_nr = *ret_unsound = 0;
	for (size_t s = 0; s < nr; s++) {
		from = *ret_nr;
		for (size_t i = 0; i < sets[s].nr; i++) {
			if (sets[s].results[i].status != RESULT_OK) {
				(*ret_unsound)++;
				continue;
			}
			GROW(places, *ret_nr, alloc);
			places[*ret_nr] = (struct history_place){&sets[s], i, *ret_nr, 0};
			(*ret_nr)++;
		}
		if (*ret_nr > from)
			set_keys(places + from, *ret_nr - from);
	}
	if (*ret_nr)
		qsort(places, *ret_nr, sizeof(*places), by_key);
	return places;
}
