#include "reports/verdict/gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "reports/statistics/bootstrap.h"
#include "reports/verdict/failures.h"
#include "reports/verdict/result_flaw.h"

static const struct statistic {
	const char *name;
	double q; /* 0: the mean */
} statistics[] = {{"mean", 0}, {"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}};

/* The two sides of one workload while its metrics are gone through. */
struct gathering {
	struct judgement *j;
	struct workload_side sides[2]; /* baseline, candidate */
	const char *workload;
	const struct margins *margins;
	const struct strvec *trust;
	char *note; /* for each of the workload's comparisons, or NULL */
	bool is_paired;
};

static const struct result *of_round(const struct workload_side *s, int64_t round)
{
	for (size_t k = 0; k < s->nr; k++)
		if (s->results[k].round == round)
			return &s->results[k];
	return NULL;
}

static const struct samples *usable(const struct result *r, const char *metric)
{
	const struct samples *s;

	if (!r || r->status == RESULT_FAILED)
		return NULL;
	s = result_metric(r, metric);
	return s && s->nr ? s : NULL;
}

static double value_of(const struct samples *s, const struct statistic *st)
{
	double v = 0;

	if (st->q == 0)
		return stats_mean(s->values, s->nr);
	stats_quantile_of(s->values, s->nr, st->q, &v);
	return v;
}

/* The samples that the values come from, for a quantile of all of them. */
static void fill_paired(struct comparison *c, const struct gathering *g,
			const struct statistic *st, struct round_samples *used[2])
{
	const struct workload_side *base = &g->sides[0];

	for (size_t k = 0; k < base->nr; k++) {
		int64_t round = base->results[k].round;
		const struct samples *sb = usable(&base->results[k], c->metric);
		const struct samples *sc =
			usable(of_round(&g->sides[1], round), c->metric);

		if (!sb || !sc)
			continue;
		c->rounds[c->n_baseline] = round;
		used[0][c->n_baseline] = (struct round_samples){sb->values, sb->nr};
		used[1][c->n_candidate] = (struct round_samples){sc->values, sc->nr};
		c->baseline_values[c->n_baseline++] = value_of(sb, st);
		c->candidate_values[c->n_candidate++] = value_of(sc, st);
	}
}

static size_t fill_side(const struct workload_side *side, const char *metric,
			const struct statistic *st, double *values,
			struct round_samples *used)
{
	size_t n = 0;

	for (size_t k = 0; k < side->nr; k++) {
		const struct samples *s = usable(&side->results[k], metric);

		if (s) {
			used[n] = (struct round_samples){s->values, s->nr};
			values[n++] = value_of(s, st);
		}
	}
	return n;
}

/* Samples that gave no value, and the scarcest round so far. */
static void count_samples(const struct workload_side *side, const char *metric,
			  uint64_t *failed, size_t *least)
{
	for (size_t k = 0; k < side->nr; k++) {
		const struct samples *s = result_metric(&side->results[k], metric);

		if (!s)
			continue;
		*failed += s->failed;
		if (s->nr && s->nr < *least)
			*least = s->nr;
	}
}

static void note_failures(struct comparison *c, const struct gathering *g)
{
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < g->sides[i].nr; k++) {
			const struct result *r = &g->sides[i].results[k];

			if (r->status == RESULT_FAILED)
				strvec_addf(&c->notes, "round %lld failed on %s: %s",
					    (long long)r->round, g->sides[i].of->label,
					    r->reasons.nr ? r->reasons.items[0]
							  : "no reason");
		}
	}
}

static void pool_quantile(struct comparison *c, double q,
			  struct round_samples *const used[2])
{
	const struct bootstrap_spec spec = {.q = q, .is_paired = c->is_paired};
	const struct quantile_side sides[2] = {{used[0], c->n_baseline},
					       {used[1], c->n_candidate}};

	c->has_pooled = bootstrap_quantile_ratio(&sides[0], &sides[1], &spec, &c->pooled,
						 c->pooled_values);
	if (!c->is_pooled)
		return;
	/* No round has the quantile: what value_of() gave for it is none. */
	free(c->baseline_values);
	free(c->candidate_values);
	c->baseline_values = c->candidate_values = NULL;
}

static void fill(struct comparison *c, const struct gathering *g,
		 const struct statistic *st)
{
	size_t nb = g->sides[0].nr, nc = g->sides[1].nr, least = 0;
	struct round_samples *used[2];

	c->baseline_values = x_calloc(nb + 1, sizeof(double));
	c->candidate_values = x_calloc(nb + nc + 1, sizeof(double));
	c->rounds = x_calloc(nb + 1, sizeof(*c->rounds));
	used[0] = x_calloc(nb + 1, sizeof(**used));
	used[1] = x_calloc(nb + nc + 1, sizeof(**used));
	count_samples(&g->sides[0], c->metric, &c->failed_baseline, &least);
	count_samples(&g->sides[1], c->metric, &c->failed_candidate, &least);
	note_failures(c, g);
	if (g->note)
		strvec_add(&c->notes, g->note);
	if (c->is_paired) {
		fill_paired(c, g, st, used);
	} else {
		c->n_baseline = fill_side(&g->sides[0], c->metric, st, c->baseline_values,
					  used[0]);
		c->n_candidate = fill_side(&g->sides[1], c->metric, st,
					   c->candidate_values, used[1]);
	}
	if (st->q > 0)
		pool_quantile(c, st->q, used);
	free(used[0]);
	free(used[1]);
}

static struct comparison *new_comparison(const struct gathering *g,
					 const struct samples *s,
					 const struct statistic *st, bool gate)
{
	struct judgement *j = g->j;

	GROW(j->items, j->nr, j->alloc);
	j->items[j->nr] =
		(struct comparison){.metric = x_strdup(s->def.name),
				    .workload = x_strdup(g->workload),
				    .unit = x_strdup(s->def.unit),
				    .statistic = x_strdup(st->name),
				    .baseline = x_strdup(g->sides[0].of->label),
				    .candidate = x_strdup(g->sides[1].of->label),
				    .better = s->def.better,
				    .gate = gate,
				    .is_paired = g->is_paired,
				    .method = ""};
	return &j->items[j->nr++];
}

/* The first round in which a side's value is 0 or below; 0: in none. */
static int64_t round_at_zero(const struct comparison *c, const double *values, size_t nr)
{
	for (size_t i = 0; values && i < nr; i++)
		if (values[i] <= 0)
			return c->is_paired ? c->rounds[i] : (int64_t)i + 1;
	return 0;
}

static bool has_samples(const struct workload_side *side, const char *metric)
{
	for (size_t k = 0; k < side->nr; k++)
		if (usable(&side->results[k], metric))
			return true;
	return false;
}

/* What has no ratio because one side did nothing at all: that is a finding. */
static bool conclude_collapse(struct comparison *c, const struct gathering *g)
{
	int64_t none, of_baseline;

	if (!c->gate || c->better == METRIC_NONE)
		return false;
	if (!c->n_candidate && c->failed_candidate &&
	    has_samples(&g->sides[0], c->metric)) {
		comparison_conclude(c, VERDICT_DEGRADED,
				    "collapse: none of %llu samples on %s gave a value",
				    (unsigned long long)c->failed_candidate,
				    c->candidate);
		return true;
	}
	none = round_at_zero(c, c->candidate_values, c->n_candidate);
	of_baseline = round_at_zero(c, c->baseline_values, c->n_baseline);
	if (c->better != METRIC_HIGHER || (!none && !of_baseline))
		return false;
	if (of_baseline)
		comparison_conclude(c, VERDICT_INVALID,
				    "collapse: the baseline %s did nothing in round %lld "
				    "(0 %s), so there is nothing to compare with",
				    c->baseline, (long long)of_baseline, c->unit);
	else
		comparison_conclude(c, VERDICT_DEGRADED,
				    "collapse: %s did nothing in round %lld (0 %s)",
				    c->candidate, (long long)none, c->unit);
	return true;
}

static void add_comparison(const struct gathering *g, const struct samples *s,
			   const struct statistic *st, bool gate, const char *why_invalid)
{
	struct comparison *c = new_comparison(g, s, st, gate);

	fill(c, g, st);
	if (why_invalid)
		comparison_conclude(c, VERDICT_INVALID, "%s", why_invalid);
	else if (conclude_collapse(c, g))
		return;
	else if (!c->n_baseline || !c->n_candidate)
		comparison_conclude(c, VERDICT_INVALID, "no %s has a value of it on %s",
				    c->is_paired ? "pair of rounds" : "result",
				    c->n_candidate ? c->baseline
						   : (c->n_baseline || !c->is_paired
							      ? c->candidate
							      : "both sides"));
}

static size_t rounds_for(size_t samples, size_t a_round)
{
	size_t n = a_round ? (samples + a_round - 1) / a_round : 0;

	return n && n < BOOTSTRAP_ROUNDS_MIN ? BOOTSTRAP_ROUNDS_MIN : n;
}

/*
 * A quantile that must gate and that the samples of a round cannot support: all rounds
 * together may.
 */
static void add_scarce(const struct gathering *g, const struct samples *s,
		       const struct statistic *st, size_t least, const char *why_invalid)
{
	struct comparison *c = new_comparison(g, s, st, true);

	c->is_pooled = true;
	fill(c, g, st);
	if (why_invalid) {
		comparison_conclude(c, VERDICT_INVALID, "%s", why_invalid);
		return;
	}
	if (c->has_pooled)
		return;
	c->n_baseline = c->n_candidate = 0;
	c->verdict = VERDICT_INCONCLUSIVE;
	c->needed_n = rounds_for(stats_quantile_min(st->q), least);
	c->reason = x_asprintf(
		"%s needs %zu samples a round, or as many in all from %d rounds "
		"or more; the scarcest round has %zu",
		st->name, stats_quantile_min(st->q), BOOTSTRAP_ROUNDS_MIN, least);
}

/* Did the user name "metric:p99", with or without the workload? */
static bool is_named(const struct gathering *g, const char *metric, const char *statistic)
{
	char *plain = x_asprintf("%s:%s", metric, statistic);
	char *full = x_asprintf("%s/%s", g->workload, plain);
	bool is = false;

	for (size_t i = 0; g->margins && i < g->margins->nr; i++)
		is = is || strcmp(g->margins->items[i].name, plain) == 0 ||
		     strcmp(g->margins->items[i].name, full) == 0;
	free(plain);
	free(full);
	return is;
}

static void add_statistics(const struct gathering *g, const struct samples *s,
			   const char *why_invalid)
{
	size_t least = SIZE_MAX;
	uint64_t failed = 0;

	count_samples(&g->sides[0], s->def.name, &failed, &least);
	count_samples(&g->sides[1], s->def.name, &failed, &least);
	add_comparison(g, s, &statistics[0], s->def.gate, why_invalid);
	for (size_t i = 1; i < ARRAY_SIZE(statistics); i++) {
		const struct statistic *st = &statistics[i];
		bool gate = is_named(g, s->def.name, st->name);
		bool is_there = least != SIZE_MAX && least >= stats_quantile_min(st->q);

		if (is_there && s->def.better != METRIC_NONE)
			add_comparison(g, s, st, gate, why_invalid);
		else if (gate)
			add_scarce(g, s, st, least == SIZE_MAX ? 0 : least, why_invalid);
	}
}

static char *say_units(const struct gathering *g, const struct samples *s, size_t side,
		       const char *other)
{
	return x_asprintf("other-unit: %s of %s is in '%s' in one result and in '%s' in "
			  "another (%s): values in different units are not compared",
			  s->def.name, g->workload, s->def.unit, other,
			  g->sides[side].of->label);
}

/* A metric must be one thing on both sides, and what its name says: why not, or NULL; free(). */
static char *flaw_of_metric(const struct gathering *g, const struct samples *s)
{
	char *flaw = NULL;

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < g->sides[i].nr; k++) {
			const struct result *r = &g->sides[i].results[k];
			const struct samples *o = result_metric(r, s->def.name);

			if (o && strcmp(o->def.unit, s->def.unit) != 0) {
				free(flaw);
				return say_units(g, s, i, o->def.unit);
			}
			if (o && !flaw)
				flaw = metric_flaw(r, o);
		}
	}
	return flaw;
}

static bool is_known(const struct gathering *g, size_t from, const char *metric)
{
	for (size_t i = from; i < g->j->nr; i++)
		if (strcmp(g->j->items[i].metric, metric) == 0)
			return true;
	return false;
}

static void gather_result(const struct gathering *g, const struct result *r, size_t from,
			  const char *why)
{
	for (size_t m = 0; m < r->metrics_nr; m++) {
		const struct samples *s = &r->metrics[m];
		char *flaw;

		if (is_known(g, from, s->def.name))
			continue;
		flaw = flaw_of_metric(g, s);
		add_statistics(g, s, flaw ? flaw : why);
		free(flaw);
	}
}

/* One part of several that an arm measured, beside the whole GPU. */
static bool is_part_of_sweep(const struct result *r)
{
	return json_get_text(json_member(r->details, "mig"), "whole", NULL) != NULL;
}

static bool has_sweep(const struct compared_side *side)
{
	for (size_t i = 0; i < side->set->nr; i++)
		if (strcmp(side->set->results[i].arm, side->arm) == 0 &&
		    is_part_of_sweep(&side->set->results[i]))
			return true;
	return false;
}

/*
 * A sweep over a GPU's slices beside an arm that does not sweep: what only the sweep has
 * is shown in its table, and nothing is missing on the other side.
 */
static bool is_of_sweep_alone(const struct gathering *g)
{
	for (size_t i = 0; i < 2; i++) {
		const struct workload_side *has = &g->sides[i], *lacks = &g->sides[1 - i];

		if (has->nr && !lacks->nr && is_part_of_sweep(has->results) &&
		    !has_sweep(lacks->of))
			return true;
	}
	return false;
}

static void note_sweep(const struct gathering *g)
{
	const struct workload_side *has = &g->sides[g->sides[0].nr ? 0 : 1];

	strvec_addf(&g->j->notes, "%s: only %s ran on that slice of the GPU; not judged",
		    g->workload, has->of->label);
}

/* The figure of a product gates, but where the plan says otherwise. */
static char *flaw_of_gate(const struct result_set *s, const struct result *r)
{
	const struct samples *flops = result_metric(r, "gemm.flops");

	if (!flops || flops->def.gate || strcmp(r->kind, "gemm") != 0 ||
	    !json_get_bool(result_set_planned(s, r->name), "gate", true))
		return NULL;
	return x_strdup(
		"other-metric: gemm.flops takes part in a verdict, and here it does "
		"not, though no plan says so");
}

/* The size of a product is the plan's, where that gives one. */
static char *flaw_of_size(const struct result_set *s, const struct result *r)
{
	static const char *const keys[] = {"n", "m", "k"};
	struct json_object *asked = json_member(result_set_planned(s, r->name), "gemm");

	for (size_t i = 0; s->is_run && i < ARRAY_SIZE(keys); i++) {
		double x = json_get_real(asked, keys[i], NAN);
		double y = json_get_real(r->params, keys[i], NAN);

		if (isfinite(x) && isfinite(y) && x != y)
			return x_asprintf("other work: the plan has %s = %.0f, and the "
					  "result %.0f",
					  keys[i], x, y);
	}
	return NULL;
}

/* What a result found out about itself; NULL: nothing. free() */
static char *own_flaw(const struct gathering *g)
{
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < g->sides[i].nr; k++) {
			const struct result *r = &g->sides[i].results[k];
			char *flaw = result_flaw(r), *text;

			if (!flaw)
				flaw = flaw_of_gate(g->sides[i].of->set, r);
			if (!flaw)
				flaw = flaw_of_size(g->sides[i].of->set, r);
			if (!flaw && g->sides[i].of->set->is_run && r->round < 1)
				flaw = x_strdup("round: a run counts its rounds from 1");
			if (!flaw)
				continue;
			text = x_asprintf("round %lld on %s: %s", (long long)r->round,
					  g->sides[i].of->label, flaw);
			free(flaw);
			return text;
		}
	}
	return NULL;
}

/* From this on a pause between two rounds is told: what else happened then nobody saw. */
static const double break_s = 3600, break_share = 5;

/* Seconds from the end of the result before to the start of this one; 0: not known. */
static double pause_before(const struct workload_side *s, size_t at)
{
	int64_t before, from;

	if (!clock_from_label(
		    json_get_text(json_member(s->results[at - 1].evidence, "span"),
				  "ended", ""),
		    &before) ||
	    !clock_from_label(json_get_text(json_member(s->results[at].evidence, "span"),
					    "started", ""),
			      &from))
		return 0;
	return (double)(from - before) / 1e9;
}

static void note_break(const struct gathering *g)
{
	const struct workload_side *s = &g->sides[0];
	double longest = 0, all = 0;
	size_t at = 0;

	for (size_t i = 1; i < s->nr && g->is_paired; i++) {
		double pause = pause_before(s, i);

		all += pause;
		if (pause > longest) {
			longest = pause;
			at = i;
		}
	}
	if (longest > break_s &&
	    longest * (double)(s->nr - 2) > break_share * (all - longest))
		strvec_addf(&g->j->notes,
			    "%s: a break of %.1f h between rounds %lld and %lld",
			    g->workload, longest / 3600,
			    (long long)s->results[at - 1].round,
			    (long long)s->results[at].round);
}

static struct judged_work *new_work(const struct gathering *g)
{
	struct judgement *j = g->j;

	GROW(j->works, j->works_nr, j->works_alloc);
	j->works[j->works_nr] = (struct judged_work){.workload = x_strdup(g->workload),
						     .pair = j->pairs_nr - 1};
	return &j->works[j->works_nr++];
}

static void gather_workload(struct gathering *g)
{
	size_t from = g->j->nr;
	struct judged_work *w;
	char *why;

	for (size_t i = 0; i < 2; i++)
		g->sides[i].results =
			result_set_range(g->sides[i].of->set, g->sides[i].of->arm,
					 g->workload, &g->sides[i].nr);
	if (is_of_sweep_alone(g)) {
		note_sweep(g);
		return;
	}
	note_break(g);
	w = new_work(g);
	claims_judge(&w->claims,
		     &(struct claims_spec){.sides = {g->sides[0], g->sides[1]},
					   .trust = g->trust},
		     &g->note);
	why = own_flaw(g);
	if (!why)
		why = claims_reason(&w->claims);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < g->sides[i].nr; k++)
			gather_result(g, &g->sides[i].results[k], from, why);
	if (!why)
		failures_gather(g->j, g->sides, g->workload);
	for (size_t i = from; i < g->j->nr; i++)
		w->gates = w->gates || g->j->items[i].gate;
	free(why);
	free(g->note);
	g->note = NULL;
}

static bool is_gating(struct json_object *planned)
{
	return json_get_bool(planned, "gate", true);
}

static bool has_results(const struct result_set *s, const char *workload)
{
	for (size_t i = 0; i < s->workloads.nr; i++)
		if (result_set_planned(s, s->workloads.items[i]) &&
		    strcmp(json_get_text(result_set_planned(s, s->workloads.items[i]),
					 "name", ""),
			   workload) == 0)
			return true;
	return false;
}

/* What the plan has and nobody measured: a slow workload's results can be taken away. */
static void gather_unmeasured(struct gathering *g, const struct result_set *s)
{
	static const struct samples none = {
		.def = {"results", "1", METRIC_NONE, true, ""}};
	struct json_object *list = json_member(s->plan, "workloads");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *name = json_get_text(o, "name", NULL);

		if (!name || !is_gating(o) || has_results(s, name))
			continue;
		g->workload = name;
		comparison_conclude(new_comparison(g, &none, &statistics[0], true),
				    VERDICT_INVALID,
				    "not-measured: the plan's workload '%.80s' has no "
				    "result on either side",
				    name);
	}
}

void gather_comparisons(struct judgement *j, const struct compared_side *b,
			const struct compared_side *c, const struct margins *margins,
			const struct strvec *trust)
{
	struct gathering g = {.j = j,
			      .sides = {{.of = b}, {.of = c}},
			      .margins = margins,
			      .trust = trust};
	const struct strvec *lists[] = {&b->set->workloads, &c->set->workloads};

	g.is_paired = b->set == c->set && b->set->is_run;
	for (size_t l = 0; l < 2; l++) {
		for (size_t i = 0; i < lists[l]->nr; i++) {
			g.workload = lists[l]->items[i];
			if (l == 0 || !strvec_has(lists[0], g.workload))
				gather_workload(&g);
		}
	}
	if (b->set->is_run)
		gather_unmeasured(&g, b->set);
	if (c->set->is_run && c->set != b->set)
		gather_unmeasured(&g, c->set);
}
