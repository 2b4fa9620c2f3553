#include "reports/verdict/machines.h"

#include <string.h>

/* The facts of an arm in a round: the harness's, else the result's own; NULL: none. */
static struct json_object *facts_in(const struct gather_side *s, int64_t round)
{
	const struct result_set *set = s->set;

	for (size_t i = 0; i < set->machines_nr; i++)
		if (set->machines[i].round == round &&
		    strcmp(set->machines[i].arm, s->arm) == 0)
			return set->machines[i].facts;
	for (size_t i = 0; i < set->nr; i++)
		if (set->results[i].round == round &&
		    strcmp(set->results[i].arm, s->arm) == 0 &&
		    json_object_is_type(set->results[i].machine, json_type_object) &&
		    json_object_object_length(set->results[i].machine) > 0)
			return set->results[i].machine;
	return NULL;
}

/* Replaces *best where the other one breaks likeness and it does not. */
static bool take_worse(struct likeness *best, struct json_object *a,
		       struct json_object *b)
{
	struct likeness other;

	if (!a || !b || !likeness_holds(best))
		return false;
	likeness_compare(&other, a, b);
	if (likeness_holds(&other)) {
		likeness_release(&other);
		return false;
	}
	likeness_release(best);
	*best = other;
	return true;
}

static void by_rounds(struct likeness *ret, const struct gather_side *b,
		      const struct gather_side *c, int64_t *ret_round)
{
	const struct result_set *set = b->set;

	for (size_t i = 0; i < set->nr; i++) {
		int64_t round = set->results[i].round;

		if (strcmp(set->results[i].arm, b->arm) == 0 &&
		    take_worse(ret, facts_in(b, round), facts_in(c, round))) {
			*ret_round = round;
			return;
		}
	}
}

static void with_first(struct likeness *ret, struct json_object *first,
		       const struct gather_side *s)
{
	const struct result_set *set = s->set;

	for (size_t i = 0; i < set->machines_nr; i++)
		if (strcmp(set->machines[i].arm, s->arm) == 0 &&
		    take_worse(ret, first, set->machines[i].facts))
			return;
	for (size_t i = 0; i < set->nr && !set->machines_nr; i++)
		if (strcmp(set->results[i].arm, s->arm) == 0 &&
		    json_object_is_type(set->results[i].machine, json_type_object) &&
		    json_object_object_length(set->results[i].machine) > 0 &&
		    take_worse(ret, first, set->results[i].machine))
			return;
}

void machines_compare(struct likeness *ret, const struct gather_side *b,
		      const struct gather_side *c, int64_t *ret_round)
{
	bool is_run = b->set == c->set && b->set->is_run;
	struct json_object *first = result_set_facts(b->set, b->arm);

	likeness_compare(ret, first, result_set_facts(c->set, c->arm));
	*ret_round = is_run ? 1 : 0;
	if (is_run) {
		by_rounds(ret, b, c, ret_round);
	} else {
		with_first(ret, first, b);
		with_first(ret, first, c);
	}
}
