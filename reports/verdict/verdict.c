#include "reports/verdict/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/verdict/failures.h"
#include "reports/verdict/gather.h"
#include "reports/verdict/slow_rounds.h"
#include "reports/verdict/verdict_rule.h"

static void judge_items(struct judgement *j, size_t from, const struct looks *looks,
			const struct judge_options *o)
{
	for (size_t i = from; i < j->nr; i++) {
		struct comparison *c = &j->items[i];
		enum verdict before = c->verdict;
		char *why = NULL;

		c->margin = c->is_failures ? failures_margin(o->margins, c)
					   : margins_get(o->margins, c->workload,
							 c->metric, c->statistic, NULL);
		/* Decided already: what can be shown of it is shown all the same. */
		if (before == VERDICT_INVALID || before == VERDICT_DEGRADED) {
			why = c->reason;
			c->reason = NULL;
		}
		if (c->n_baseline && c->n_candidate)
			comparison_decide(c, looks);
		if (why)
			comparison_conclude(c, before, "%s", why);
		free(why);
	}
}

/* Of a run the first round whose machines are not alike, else the first. */
static void compare_machines(struct likeness *ret, const struct compared_side *b,
			     const struct compared_side *c)
{
	const struct result_set *set = b->set;
	struct likeness other;

	likeness_compare(ret, result_set_facts(b->set, b->arm),
			 result_set_facts(c->set, c->arm));
	for (size_t i = 0; b->set == c->set && i < set->nr && likeness_holds(ret); i++) {
		int64_t round = set->results[i].round;

		if (strcmp(set->results[i].arm, b->arm) != 0)
			continue;
		likeness_compare(&other, result_set_facts_of_round(set, b->arm, round),
				 result_set_facts_of_round(set, c->arm, round));
		if (likeness_holds(&other)) {
			likeness_release(&other);
			continue;
		}
		likeness_release(ret);
		*ret = other;
	}
}

static void add_pair(struct judgement *j, const struct compared_side *b,
		     const struct compared_side *c)
{
	struct judged_pair p = {.baseline = x_strdup(b->label),
				.candidate = x_strdup(c->label),
				.baseline_arm = x_strdup(b->arm),
				.candidate_arm = x_strdup(c->arm)};

	compare_machines(&p.likeness, b, c);
	GROW(j->pairs, j->pairs_nr, j->pairs_alloc);
	j->pairs[j->pairs_nr++] = p;
}

/* What the plan of today's results takes on trust, and what the command does. */
static void take_trust(struct strvec *ret, const struct result_set *today,
		       const struct judge_options *o)
{
	struct json_object *list = json_member(today->plan, "trust");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *name = json_object_array_get_idx(list, i);

		if (json_object_is_type(name, json_type_string))
			strvec_add(ret, json_object_get_string(name));
	}
	for (size_t i = 0; o->trust && i < o->trust->nr; i++)
		strvec_add(ret, o->trust->items[i]);
}

static void judge_pair(struct judgement *j, const struct compared_side *b,
		       const struct compared_side *c, const struct looks *looks,
		       const struct judge_options *o)
{
	struct strvec trust = {0};
	size_t from = j->nr;

	add_pair(j, b, c);
	take_trust(&trust, c->set, o);
	gather_comparisons(j, b, c, o->margins, &trust);
	strvec_release(&trust);
	if (o->floor)
		noise_floor_lend_memory(o->floor, j, from, b->set, b->arm);
	judge_items(j, from, looks, o);
	slow_rounds_explain(j, from, b, c);
	if (o->floor)
		noise_floor_apply(o->floor, j, from, b->set, b->arm);
}

static void note_margins(struct judgement *j, const struct margins *m)
{
	struct strvec metrics = {0};

	for (size_t i = 0; i < j->nr; i++) {
		strvec_add(&metrics, j->items[i].metric);
		strvec_addf(&metrics, "%s/%s", j->items[i].workload, j->items[i].metric);
	}
	margins_unused(m, &metrics, &j->notes);
	strvec_release(&metrics);
}

static void conclude(struct judgement *j, const struct looks *looks,
		     const struct judge_options *o)
{
	size_t gating = 0, worst = 0;
	const struct comparison *first = NULL;

	family_hold(j->items, j->nr, looks);
	note_margins(j, o->margins);
	j->overall = VERDICT_NONE;
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (!c->gate || c->verdict == VERDICT_NONE)
			continue;
		gating++;
		if (c->verdict > j->overall) {
			j->overall = c->verdict;
			worst = 0;
			first = c;
		}
		worst += c->verdict == j->overall;
	}
	if (!gating) {
		j->overall = VERDICT_INCONCLUSIVE;
		j->reason = x_strdup("no metric gates, so nothing can pass or fail");
	} else if (j->overall == VERDICT_EQUIVALENT) {
		j->reason = x_asprintf("%zu of %zu gating metrics equivalent", gating,
				       gating);
	} else {
		j->reason =
			x_asprintf("%zu of %zu gating metrics %s: %s of %s on %s: %s",
				   worst, gating, verdict_name(j->overall), first->metric,
				   first->workload, first->candidate, first->reason);
	}
}

/* The rounds after which the plan has verdicts looked at. */
static void take_looks(struct judgement *j, const struct result_set *run,
		       struct looks *ret)
{
	struct json_object *rounds =
		run->plan ? json_at(run->plan, "schedule/rounds") : NULL;
	int64_t min = json_get_int(rounds, "min", 0);
	int64_t max = json_get_int(rounds, "max", 0);

	if (min < 2)
		min = 2;
	if (max > min) {
		j->looks_min = min;
		j->looks_max = max;
	}
	looks_init(ret, min, max);
}

static void count_rounds(struct judgement *j, const struct result_set *run)
{
	for (size_t i = 0; i < run->nr; i++)
		if (run->results[i].round > j->rounds)
			j->rounds = run->results[i].round;
}

static const char *find_baseline(const struct result_set *run, const char *wanted,
				 struct err *err)
{
	const char *name = wanted ? wanted : run->baseline;

	if (!name)
		return run->arms.items[0];
	if (strvec_has(&run->arms, name))
		return name;
	err_set(err, ERR_USAGE, "%s: no results of the baseline arm '%s'", run->source,
		name);
	return NULL;
}

int judge_run(struct judgement *ret, const struct result_set *run, const char *baseline,
	      const struct judge_options *o, struct err *err)
{
	struct compared_side b = {.set = run}, c = {.set = run};
	struct looks looks;

	*ret = (struct judgement){0};
	b.arm = b.label = find_baseline(run, baseline, err);
	if (!b.arm)
		return -1;
	if (run->arms.nr < 2)
		return err_set(err, ERR_USAGE,
			       "%s: one arm ('%s') is nothing to compare with",
			       run->source, b.arm);
	count_rounds(ret, run);
	take_looks(ret, run, &looks);
	for (size_t i = 0; i < run->arms.nr; i++) {
		c.arm = c.label = run->arms.items[i];
		if (strcmp(c.arm, b.arm) != 0)
			judge_pair(ret, &b, &c, &looks, o);
	}
	conclude(ret, &looks, o);
	return 0;
}

/* "vm (perf.json)"; the whole source where both end alike. */
static char *label_of(const struct compared_side *s, const struct compared_side *other)
{
	const char *base = path_base(s->set->source);
	bool is_clear = *base && strcmp(base, path_base(other->set->source)) != 0;

	return x_asprintf("%s (%s)", s->arm, is_clear ? base : s->set->source);
}

/*
 * Two results of one arm name are told apart by where they came from, and several such
 * pairs by their arms too.
 */
static void judge_across(struct judgement *j, struct compared_side *b,
			 struct compared_side *c, const struct looks *looks,
			 const struct judge_options *o)
{
	bool are_same = strcmp(b->arm, c->arm) == 0;
	bool are_many = b->set->arms.nr > 1 || c->set->arms.nr > 1;
	char *base = label_of(b, c), *candidate = label_of(c, b);

	b->label = !are_same ? b->arm : are_many ? base : b->set->source;
	c->label = !are_same ? c->arm : are_many ? candidate : c->set->source;
	judge_pair(j, b, c, looks, o);
	free(base);
	free(candidate);
}

int judge_sets(struct judgement *ret, const struct result_set *baseline,
	       const struct result_set *candidate, const struct judge_options *o,
	       struct err *err)
{
	struct compared_side b = {.set = baseline}, c = {.set = candidate};
	struct looks looks;

	*ret = (struct judgement){0};
	looks_init(&looks, 0, 0);
	if (baseline->arms.nr == 1 && candidate->arms.nr == 1) {
		b.arm = baseline->arms.items[0];
		c.arm = candidate->arms.items[0];
		judge_across(ret, &b, &c, &looks, o);
	} else {
		for (size_t i = 0; i < baseline->arms.nr; i++) {
			b.arm = c.arm = baseline->arms.items[i];
			if (strvec_has(&candidate->arms, c.arm))
				judge_across(ret, &b, &c, &looks, o);
		}
	}
	if (!ret->pairs_nr)
		return err_set(
			err, ERR_USAGE,
			"%s and %s have no arm of the same name ('%s' ... and '%s' "
			"...); 'tare baseline save --arm NAME' takes one out of a "
			"run, to be compared with anything",
			baseline->source, candidate->source, baseline->arms.items[0],
			candidate->arms.items[0]);
	conclude(ret, &looks, o);
	return 0;
}
