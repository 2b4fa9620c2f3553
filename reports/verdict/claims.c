#include "reports/verdict/claims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/document/likeness.h"
#include "core/document/metric.h"
#include "reports/verdict/copies.h"

/* ---- sides ---- */

static struct json_object *arm_of_plan(struct json_object *plan, const char *arm)
{
	return json_member(json_member(plan, "arms"), arm);
}

enum relation claims_relation(struct json_object *plan, const char *a, const char *b)
{
	struct json_object *x = arm_of_plan(plan, a), *y = arm_of_plan(plan, b);
	const char *of_x = json_get_text(x, "same_machine_as", NULL);
	const char *of_y = json_get_text(y, "same_machine_as", NULL);
	bool is_declared = (of_x && strcmp(of_x, b) == 0) ||
			   (of_y && strcmp(of_y, a) == 0) ||
			   (of_x && of_y && strcmp(of_x, of_y) == 0);

	if (!is_declared)
		return RELATION_DIFFERENT;
	return strcmp(json_get_text(x, "target", ""), "vm") == 0 ||
			       strcmp(json_get_text(y, "target", ""), "vm") == 0
		       ? RELATION_SAME_KIND
		       : RELATION_SAME;
}

/*
 * Of a run those of the result's own round: facts of another would stand in for what was taken
 * away. Of a file the arm's only facts will do.
 */
static struct json_object *facts_of(const struct result_set *s, const struct result *r)
{
	struct json_object *facts = result_set_facts_of_round(s, r->arm, r->round);

	if (!facts)
		facts = result_facts(r);
	return facts || s->is_run ? facts : result_set_facts(s, r->arm);
}

static struct claim_side side_of(const struct workload_side *w, size_t at)
{
	const struct result_set *set = w->of->set;
	const struct result *r = &w->results[at];

	return (struct claim_side){
		.label = w->of->label,
		.result = r,
		.facts = facts_of(set, r),
		.first_result = w->results,
		.first_facts = facts_of(set, w->results),
		.target =
			json_get_text(arm_of_plan(set->plan, w->of->arm), "target", NULL),
		.before = set->is_run && at ? &w->results[at - 1] : NULL,
		.step = result_set_step(set, r),
		.step_before = at ? result_set_step(set, &w->results[at - 1]) : NULL,
		.first_step = result_set_step(set, w->results),
	};
}

static void find_gpus(struct claim_pair *p)
{
	for (size_t i = 0; i < 2; i++)
		p->sides[i].gpu = likeness_gpu(p->sides[i].facts, p->sides[1 - i].facts);
}

/* ---- judging ---- */

static void keep(struct claims *c, enum claim_id id, struct claim *one, bool is_first)
{
	if (is_first)
		c->items[id] = *one;
	else
		claim_keep_worse(&c->items[id], one);
}

static void judge_one(struct claims *c, enum claim_id id, const struct claim_pair *p)
{
	struct weighing w;
	struct claim one;

	weighing_init(&w);
	claim_defs[id].check(&w, p);
	one = weighing_end(&w);
	one.round = p->round;
	if (p->kind == WORK_IMPORT)
		one.is_needed = false;
	/* Nothing that both are silent about is shown by it. */
	if (p->kind == WORK_IMPORT && id != CLAIM_SAME_WORK && one.state == CLAIM_SHOWN &&
	    !one.baseline && !one.candidate)
		one.state = CLAIM_NOT_SHOWN;
	one.is_needed = one.is_needed || (claim_defs[id].needed_by & 1u << p->kind);
	keep(c, id, &one, c->pairs == 0);
}

static void judge_pair(struct claims *c, const struct claim_pair *p)
{
	for (int i = 0; i < CLAIM_NR; i++)
		judge_one(c, (enum claim_id)i, p);
	c->pairs++;
}

struct judging {
	struct claims *claims;
	const struct claims_spec *spec;
	enum relation relation;
	bool is_run;
};

static bool counts(const struct result *r)
{
	return r->status != RESULT_FAILED;
}

static void judge_results(const struct judging *j, size_t a, size_t b)
{
	const struct workload_side *sides = j->spec->sides;
	struct claim_pair p = {.relation = j->relation,
			       .is_run = j->is_run,
			       .sides = {side_of(&sides[0], a), side_of(&sides[1], b)}};

	if (!counts(p.sides[0].result) || !counts(p.sides[1].result))
		return;
	p.round = j->is_run ? p.sides[0].result->round : 0;
	p.kind = j->claims->kind;
	find_gpus(&p);
	judge_pair(j->claims, &p);
	/* Rounds are averaged: the work must be the first round's too. */
	if (a && j->is_run) {
		p.sides[1] = p.sides[0];
		p.sides[0] = side_of(&sides[0], 0);
		judge_one(j->claims, CLAIM_SAME_WORK, &p);
	}
}

static void judge_rounds(const struct judging *j)
{
	const struct workload_side *s = j->spec->sides;

	for (size_t a = 0; a < s[0].nr; a++)
		for (size_t b = 0; b < s[1].nr; b++)
			if (s[0].results[a].round == s[1].results[b].round)
				judge_results(j, a, b);
}

/* Each of either side with the other's first. */
static void judge_unpaired(const struct judging *j)
{
	const struct workload_side *s = j->spec->sides;

	for (size_t b = 0; s[0].nr && b < s[1].nr; b++)
		judge_results(j, 0, b);
	for (size_t a = 1; s[1].nr && a < s[0].nr; a++)
		judge_results(j, a, 0);
}

/* The strictest kind that any pair is of. */
static enum work_kind kind_of(const struct workload_side s[2])
{
	enum work_kind kind = WORK_IMPORT;

	for (size_t i = 0; i < s[0].nr || i < s[1].nr; i++) {
		const struct result *a =
			s[0].nr ? &s[0].results[i < s[0].nr ? i : 0] : NULL;
		const struct result *b =
			s[1].nr ? &s[1].results[i < s[1].nr ? i : 0] : NULL;
		enum work_kind one = work_kind_of(a, b);

		kind = one < kind ? one : kind;
	}
	return kind;
}

/* ---- clocks held down ---- */

static const double share_least = 0.05, share_apart = 4;

static const struct {
	const char *key, *words;
	bool is_cap;
} slowdowns[] = {
	{"hw_thermal", "heat, by the hardware", false},
	{"sw_thermal", "heat, by the driver", false},
	{"hw_power_brake", "the power brake", false},
	{"sync_boost", "another GPU's clock", false},
	{"sw_power_cap", "the power limit", true},
};

/* Of a side's timed spans: their sum, the part slowed down, and the mean clock. */
struct slowed {
	double span_s, slowed_s, clock_hz;
};

static struct slowed slowed_by(const struct workload_side *side, const char *key)
{
	struct slowed sum = {0};
	double clock_s = 0;

	for (size_t i = 0; i < side->nr; i++) {
		struct json_object *t = side->results[i].telemetry;
		double span = json_get_real(t, "span_s", 0);
		double slow = json_get_real(json_member(t, "throttle_s"), key, NAN);
		double clock = json_get_real(json_member(t, "sm_clock_hz"), "mean", NAN);

		if (!(span > 0) || !isfinite(slow))
			continue;
		sum.span_s += span;
		sum.slowed_s += slow;
		if (isfinite(clock)) {
			sum.clock_hz += clock * span;
			clock_s += span;
		}
	}
	sum.clock_hz = clock_s > 0 ? sum.clock_hz / clock_s : 0;
	return sum;
}

static char *say_slowed(const char *words, const struct workload_side *a,
			const struct slowed *x, const struct workload_side *b,
			const struct slowed *y)
{
	char mine[48], theirs[48];

	return x_asprintf(
		"clocks were held down by %s in %.1f %% of %.4g s on %s and in "
		"%.1f %% of %.4g s on %s (mean SM clock %s, %s)",
		words, 100 * x->slowed_s / x->span_s, x->span_s, a->of->label,
		100 * y->slowed_s / y->span_s, y->span_s, b->of->label,
		x->clock_hz > 0 ? unit_human(x->clock_hz, "Hz", mine, sizeof(mine))
				: "not known",
		y->clock_hz > 0 ? unit_human(y->clock_hz, "Hz", theirs, sizeof(theirs))
				: "not known");
}

static bool is_one_sided(const struct slowed *x, const struct slowed *y)
{
	double share_x = x->slowed_s / x->span_s, share_y = y->slowed_s / y->span_s;

	return fmax(share_x, share_y) >= share_least &&
	       fmin(share_x, share_y) * share_apart < fmax(share_x, share_y);
}

/*
 * A power cap is no reason (the limit is a fact that must agree, and whoever does more meets
 * it sooner): it is a note.
 */
static void judge_slowdowns(struct claims *c, const struct workload_side s[2],
			    char **ret_note)
{
	for (size_t i = 0; i < ARRAY_SIZE(slowdowns); i++) {
		struct slowed x = slowed_by(&s[0], slowdowns[i].key);
		struct slowed y = slowed_by(&s[1], slowdowns[i].key);
		struct claim one = {.state = CLAIM_CONTRADICTED};
		char *text;

		if (!(x.span_s > 0) || !(y.span_s > 0) || !is_one_sided(&x, &y))
			continue;
		text = say_slowed(slowdowns[i].words, &s[0], &x, &s[1], &y);
		if (slowdowns[i].is_cap) {
			free(*ret_note);
			*ret_note = text;
			continue;
		}
		one.sentence = x_asprintf("throttled: %s", text);
		one.source = x_strdup("NVML over the timed span");
		free(text);
		claim_keep_worse(&c->items[CLAIM_CLOCKS], &one);
	}
}

/* ---- what all results of both sides say together ---- */

/* No plan has more; a round's number was written by anyone. */
static const int64_t rounds_most = 1000000;

/* Takes over 'sentence'; NULL: nothing is against it. */
static void hold_against(struct claims *c, enum claim_id id, char *sentence,
			 const char *source)
{
	struct claim one = {.state = CLAIM_CONTRADICTED, .sentence = sentence};

	if (!sentence)
		return;
	one.source = x_strdup(source);
	/* It is of no round, and comes before what any two of them say. */
	one.difference = 1;
	claim_keep_worse(&c->items[id], &one);
}

/* The journal's head has the digest of the plan that the run was made by. */
static char *changed_plan(const struct compared_side *s)
{
	char *now = result_set_plan_digest(s->set), *text = NULL;

	if (now && s->set->digest_at_run && strcmp(now, s->set->digest_at_run) != 0)
		text = x_asprintf(
			"plan-changed: the plan of %s was changed after the run "
			"(digest %.12s, and %.12s by the journal)",
			s->label, now, s->set->digest_at_run);
	free(now);
	return text;
}

static bool has_round(const struct workload_side *s, int64_t round)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->results[i].round == round)
			return true;
	return false;
}

/* The journal has the end of that turn, and that a result was stored. */
static bool was_measured(const struct workload_side *s, int64_t round)
{
	const struct result_set *set = s->of->set;

	for (size_t i = 0; i < set->steps_nr; i++)
		if (set->steps[i].has_result && set->steps[i].round == round &&
		    strcmp(set->steps[i].arm, s->of->arm) == 0 &&
		    strcmp(set->steps[i].workload, s->results->name) == 0)
			return true;
	return false;
}

static int64_t last_round(const struct workload_side *s)
{
	int64_t last = s->nr ? s->results[s->nr - 1].round : 0;

	for (size_t i = 0; i < s->of->set->steps_nr; i++)
		if (s->of->set->steps[i].round > last &&
		    was_measured(s, s->of->set->steps[i].round))
			last = s->of->set->steps[i].round;
	return last;
}

/*
 * A run goes on only when a round is whole, and measures what is missing when it is resumed: a
 * round before the last that has no result had one, and nobody knows what it said.
 */
static char *lost_rounds(const struct workload_side *s)
{
	int64_t last = s->of->set->is_run && s->nr ? last_round(s) : 0;
	struct buf b;
	char *text = NULL;
	size_t nr = 0;

	buf_init(&b, 400);
	for (int64_t round = 1; round <= last && round < rounds_most; round++) {
		if (has_round(s, round))
			continue;
		buf_printf(&b, "%s%lld", nr ? ", " : "", (long long)round);
		nr++;
	}
	if (nr)
		text = x_asprintf("rounds-lost: %s %s of %s %s no result, though %s "
				  "measured: what is taken away counts against it",
				  nr > 1 ? "rounds" : "round", b.data, s->of->label,
				  nr > 1 ? "have" : "has",
				  nr > 1 ? "they were" : "it was");
	buf_release(&b);
	return text;
}

static void judge_sides(struct claims *c, const struct workload_side s[2])
{
	hold_against(c, CLAIM_SAME_WORK, copies_find(s), "ids and values of all results");
	for (size_t i = 0; i < 2; i++) {
		hold_against(c, CLAIM_SAME_WORK, changed_plan(s[i].of),
			     "the run's journal");
		hold_against(c, CLAIM_TIME, lost_rounds(&s[i]),
			     "the run's rounds and its journal");
	}
}

static void take_trust(struct claims *c, const struct strvec *trust)
{
	for (int i = 0; trust && i < CLAIM_NR; i++)
		c->items[i].is_trusted = c->items[i].state == CLAIM_NOT_SHOWN &&
					 strvec_has(trust, claim_name((enum claim_id)i));
}

void claims_judge(struct claims *ret, const struct claims_spec *spec, char **ret_note)
{
	const struct workload_side *s = spec->sides;
	struct judging j = {.claims = ret, .spec = spec};

	*ret = (struct claims){.kind = kind_of(s)};
	*ret_note = NULL;
	for (int i = 0; i < CLAIM_NR; i++)
		ret->items[i].state = CLAIM_NOT_SHOWN;
	j.is_run = s[0].of->set == s[1].of->set && s[0].of->set->is_run;
	j.relation =
		j.is_run ? claims_relation(s[0].of->set->plan, s[0].of->arm, s[1].of->arm)
			 : RELATION_ANY;
	if (j.is_run)
		judge_rounds(&j);
	else
		judge_unpaired(&j);
	judge_slowdowns(ret, s, ret_note);
	judge_sides(ret, s);
	take_trust(ret, spec->trust);
}

void claims_of_machines(struct claims *ret, const char *const labels[2],
			struct json_object *const facts[2], enum relation relation)
{
	struct claim_pair p = {.relation = relation};

	*ret = (struct claims){.kind = WORK_UNKNOWN};
	for (size_t i = 0; i < 2; i++)
		p.sides[i] = (struct claim_side){
			.label = labels[i], .facts = facts[i], .first_facts = facts[i]};
	p.kind = json_length(json_member(facts[0], "gpus")) ||
				 json_length(json_member(facts[1], "gpus"))
			 ? WORK_GPU
			 : WORK_CPU;
	ret->kind = p.kind;
	find_gpus(&p);
	judge_pair(ret, &p);
}

void claims_release(struct claims *c)
{
	for (int i = 0; i < CLAIM_NR; i++)
		claim_release(&c->items[i]);
	*c = (struct claims){0};
}

/* ---- words ---- */

bool claims_applies(const struct claims *c, enum claim_id id)
{
	static const unsigned of_gpu = 1u << CLAIM_WHOLE_DEVICE | 1u << CLAIM_CLOCKS |
				       1u << CLAIM_POWER | 1u << CLAIM_ALONE |
				       1u << CLAIM_PATH | 1u << CLAIM_HEALTH;

	return c->kind != WORK_CPU || !(of_gpu & 1u << id) ||
	       c->items[id].state == CLAIM_CONTRADICTED;
}

static bool is_lacking(const struct claim *c)
{
	return c->state == CLAIM_NOT_SHOWN && c->is_needed && !c->is_trusted;
}

static void add_contradicted(const struct claims *c, struct buf *b)
{
	for (int i = 0; i < CLAIM_NR; i++) {
		const struct claim *one = &c->items[i];

		if (one->state != CLAIM_CONTRADICTED)
			continue;
		buf_printf(b, "%s%s", b->len ? "; " : "", one->sentence);
		if (one->round > 1)
			buf_printf(b, " in round %lld", (long long)one->round);
	}
}

static void add_lacking(const struct claims *c, struct buf *b)
{
	const struct claim *first = NULL;
	const char *remedy = NULL, *name = NULL;
	struct buf names;

	buf_init(&names, BUF_UNBOUNDED);
	for (int i = 0; i < CLAIM_NR; i++) {
		if (!is_lacking(&c->items[i]))
			continue;
		buf_printf(&names, "%s%s", names.len ? ", " : "",
			   claim_name((enum claim_id)i));
		if (!first) {
			first = &c->items[i];
			remedy = claim_defs[i].remedy;
			name = claim_name((enum claim_id)i);
		}
	}
	if (first)
		buf_printf(b,
			   "%snot shown: %s (%.160s); %s, or take it on trust by name: "
			   "--trust %s",
			   b->len ? "; " : "", names.data, first->sentence, remedy, name);
	buf_release(&names);
}

char *claims_reason(const struct claims *c)
{
	struct buf b;
	char *text = NULL;

	if (!c->pairs)
		return NULL;
	buf_init(&b, BUF_UNBOUNDED);
	add_contradicted(c, &b);
	add_lacking(c, &b);
	if (b.len)
		text = buf_detach(&b);
	buf_release(&b);
	return text;
}

/* What a reader asks first. */
static const enum claim_id headline[] = {CLAIM_WHO,   CLAIM_BOUNDARY, CLAIM_CLOCKS,
					 CLAIM_ALONE, CLAIM_CPU_FREE, CLAIM_SAME_WORK};

/* "two machines; same GPU by serial" has commas where it is one of several. */
static void add_clause(struct buf *b, const char *text)
{
	if (b->len)
		buf_puts(b, ", ");
	for (const char *s = text; *s; s++)
		buf_add(b, *s == ';' ? "," : s, 1);
}

static void add_shown(const struct claims *c, struct buf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(headline); i++) {
		enum claim_id id = headline[i];
		bool is_told = id == CLAIM_CPU_FREE    ? c->kind == WORK_CPU
			       : id == CLAIM_SAME_WORK ? c->kind == WORK_IMPORT
						       : claims_applies(c, id);

		if (is_told && c->items[id].state == CLAIM_SHOWN)
			add_clause(b, c->items[id].sentence);
	}
}

static void add_names(const struct claims *c, struct buf *b, const char *words,
		      enum claim_state state, bool is_trusted)
{
	size_t nr = 0;

	for (int i = 0; i < CLAIM_NR; i++) {
		if (c->items[i].state != state || c->items[i].is_trusted != is_trusted ||
		    !claims_applies(c, (enum claim_id)i))
			continue;
		if (!nr++)
			buf_printf(b, "%s%s: %s", b->len ? "; " : "", words,
				   claim_name((enum claim_id)i));
		else
			buf_printf(b, ", %s", claim_name((enum claim_id)i));
	}
}

char *claims_line(const struct claims *c)
{
	struct buf b;

	if (!c->pairs)
		return x_strdup(
			"nothing: no result of one side has its like on the other");
	buf_init(&b, BUF_UNBOUNDED);
	add_shown(c, &b);
	add_names(c, &b, "contradicted", CLAIM_CONTRADICTED, false);
	if (c->kind == WORK_IMPORT && c->items[CLAIM_WHO].state == CLAIM_NOT_SHOWN)
		buf_printf(&b, "%swhich machines these were, and all else, is not shown",
			   b.len ? "; " : "");
	else
		add_names(c, &b, "not shown", CLAIM_NOT_SHOWN, false);
	add_names(c, &b, "taken on trust", CLAIM_NOT_SHOWN, true);
	return buf_detach(&b);
}

static char *copied(const char *s)
{
	return s ? x_strdup(s) : NULL;
}

void claims_merge(struct claims *into, const struct claims *c)
{
	for (int i = 0; i < CLAIM_NR; i++) {
		const struct claim *from = &c->items[i];
		struct claim one = *from;

		one.baseline = copied(from->baseline);
		one.candidate = copied(from->candidate);
		one.source = copied(from->source);
		one.sentence = copied(from->sentence);
		keep(into, (enum claim_id)i, &one, into->pairs == 0);
	}
	into->kind = into->pairs && into->kind < c->kind ? into->kind : c->kind;
	into->pairs += c->pairs;
}

struct json_object *claims_to_json(const struct claims *c)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < CLAIM_NR; i++) {
		const struct claim *one = &c->items[i];
		struct json_object *o = json_object_new_object();

		json_put_text(o, "id", claim_name((enum claim_id)i));
		json_put_text(o, "title", claim_defs[i].title);
		json_put_text(o, "state", claim_state_name(one->state));
		json_put_bool(o, "needed", one->is_needed);
		json_put_bool(o, "trusted", one->is_trusted);
		json_put_text(o, "baseline", one->baseline);
		json_put_text(o, "candidate", one->candidate);
		json_put_text(o, "source", one->source);
		json_put_text(o, "sentence", one->sentence);
		json_put(o, "round",
			 one->round ? json_object_new_int64(one->round) : NULL);
		json_put_text(o, "remedy",
			      one->state == CLAIM_NOT_SHOWN ? claim_defs[i].remedy
							    : NULL);
		json_object_array_add(list, o);
	}
	return list;
}
