#include "reports/content/report_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/results/provenance.h"
#include "reports/statistics/tails.h"

static void interval_text(bool is_there, const struct interval *i, char *text,
			  size_t size)
{
	char low[32], high[32];

	if (is_there)
		snprintf(text, size, "%s to %s", ratio_text(i->low, low, sizeof(low)),
			 ratio_text(i->high, high, sizeof(high)));
	else
		snprintf(text, size, "-");
}

static void level_text(const struct comparison *c, bool is_candidate, char *text,
		       size_t size)
{
	double level;

	if (comparison_level(c, is_candidate, &level))
		unit_human(level, c->unit, text, size);
	else
		snprintf(text, size, "-");
}

void row_texts(const struct comparison *c, struct row_texts *t)
{
	bool is_mean = strcmp(c->statistic, "mean") == 0;
	char margin[32], floor[32];

	snprintf(t->metric, sizeof(t->metric), "%.70s%s%s", c->metric, is_mean ? "" : " ",
		 is_mean ? "" : c->statistic);
	level_text(c, false, t->baseline, sizeof(t->baseline));
	level_text(c, true, t->candidate, sizeof(t->candidate));
	snprintf(t->difference, sizeof(t->difference), "-");
	snprintf(t->ratio, sizeof(t->ratio), "-");
	if (c->has_ratio) {
		ratio_text(c->ratio, t->ratio, sizeof(t->ratio));
		snprintf(t->difference, sizeof(t->difference), "%+.2f %%",
			 100 * (c->ratio - 1));
	}
	interval_text(c->has_interval, &c->ci90, t->ci90, sizeof(t->ci90));
	interval_text(c->has_interval, &c->ci95, t->ci95, sizeof(t->ci95));
	percent_text(c->margin, margin, sizeof(margin));
	snprintf(t->margin, sizeof(t->margin), c->floor > 0 ? "%s, floor %s" : "%s",
		 margin, percent_text(c->floor, floor, sizeof(floor)));
	if (c->is_paired)
		snprintf(t->rounds, sizeof(t->rounds), "%zu", c->n_baseline);
	else
		snprintf(t->rounds, sizeof(t->rounds), "%zu, %zu", c->n_baseline,
			 c->n_candidate);
}

enum report_part report_part_of(const struct comparison *c)
{
	if (c->gate)
		return REPORT_GATING;
	return strchr(c->metric, '@') ? REPORT_STAGES : REPORT_OTHERS;
}

const struct table_column report_columns[] = {
	{"metric", TABLE_LEFT},
	{"workload", TABLE_LEFT},
	{"arm", TABLE_LEFT},
	{"baseline", TABLE_RIGHT},
	{"candidate", TABLE_RIGHT},
	{"difference", TABLE_RIGHT},
	{"90 % interval", TABLE_RIGHT},
	{"margin", TABLE_RIGHT},
	{"n", TABLE_RIGHT},
	{"verdict", TABLE_LEFT},
	{NULL, TABLE_LEFT},
};

void report_row(const struct comparison *c, struct table *t)
{
	struct row_texts x;

	row_texts(c, &x);
	table_add(t, x.metric);
	table_add(t, c->workload);
	table_add(t, c->candidate);
	table_add(t, x.baseline);
	table_add(t, x.candidate);
	table_add(t, x.difference);
	table_add(t, x.ci90);
	table_add(t, x.margin);
	table_add(t, x.rounds);
	table_add(t, verdict_name(c->verdict));
}

void report_rows(const struct report *r, enum report_part part, struct table *t)
{
	table_init(t, report_columns);
	for (size_t i = 0; i < r->judgement.nr; i++)
		if (report_part_of(&r->judgement.items[i]) == part)
			report_row(&r->judgement.items[i], t);
}

void claims_columns(struct table_column ret[CLAIMS_COLUMNS], const char *baseline,
		    const char *candidate)
{
	const struct table_column columns[CLAIMS_COLUMNS] = {
		{"claim", TABLE_LEFT},   {"state", TABLE_LEFT}, {baseline, TABLE_LEFT},
		{candidate, TABLE_LEFT}, {"by", TABLE_LEFT},    {"that is", TABLE_LEFT},
		{NULL, TABLE_LEFT}};

	memcpy(ret, columns, sizeof(columns));
}

static const char *state_text(const struct claim *c)
{
	if (c->is_trusted)
		return "taken on trust";
	return claim_state_name(c->state);
}

void claims_table(struct table *t, const struct table_column *columns,
		  const struct claims *c)
{
	table_init(t, columns);
	for (int i = 0; i < CLAIM_NR; i++) {
		const struct claim *one = &c->items[i];

		if (!claims_applies(c, (enum claim_id)i))
			continue;
		table_addf(t, "%s (%s)", claim_defs[i].title,
			   claim_name((enum claim_id)i));
		table_addf(t, "%s%s", state_text(one),
			   one->state == CLAIM_NOT_SHOWN && !one->is_needed
				   ? ", not needed"
				   : "");
		table_add(t, one->baseline);
		table_add(t, one->candidate);
		table_add(t, one->source);
		table_addf(t, "%s%s%s", one->sentence ? one->sentence : "",
			   one->state == CLAIM_NOT_SHOWN ? "; to show it: " : "",
			   one->state == CLAIM_NOT_SHOWN ? claim_defs[i].remedy : "");
	}
}

void report_caveats(const struct report *r, struct strvec *ret)
{
	struct strvec names = {0};

	report_labels(r, &names);
	for (size_t i = 0; i < names.nr; i++) {
		const char *name = names.items[i], *arm;
		const struct result_set *s = report_side(r, name, &arm);

		if (!s)
			continue;
		if (provenance_is_emulated(result_set_facts(s, arm)))
			strvec_addf(
				ret,
				"%s is a virtual machine whose processor is emulated in "
				"software (QEMU TCG, without KVM): its speed says "
				"nothing "
				"about hardware virtualisation.",
				name);
		if (provenance_has_mock(s, arm))
			strvec_addf(ret,
				    "The load on %s ran against tare's mock server: its "
				    "timing "
				    "is a schedule, not a model's.",
				    name);
	}
	strvec_release(&names);
}

static void describe_machines(const struct report *r, struct buf *b)
{
	struct strvec names = {0};

	report_labels(r, &names);
	for (size_t i = 0; i < names.nr; i++) {
		const char *arm;
		const struct result_set *s = report_side(r, names.items[i], &arm);
		struct json_object *facts = s ? result_set_facts(s, arm) : NULL;
		char *machine = s ? provenance_computed(s, arm) : x_strdup("unknown");

		buf_printf(b, "%s%s: %s%s", i ? "; " : "", names.items[i], machine,
			   provenance_is_emulated(facts) ? ", software emulation" : "");
		free(machine);
	}
	strvec_release(&names);
}

/* The gating comparison that the sentence speaks of: the first of the worst verdict. */
static const struct comparison *spoken(const struct judgement *j, size_t *gating,
				       size_t *same)
{
	const struct comparison *first = NULL;

	*gating = *same = 0;
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (!c->gate || c->verdict == VERDICT_NONE)
			continue;
		(*gating)++;
		if (c->verdict != j->overall)
			continue;
		(*same)++;
		first = first ? first : c;
	}
	return first;
}

static void say_one(struct buf *b, const struct comparison *c)
{
	struct row_texts t;

	row_texts(c, &t);
	buf_printf(b, "%s of %s", t.metric, c->workload);
	if (!c->has_ratio) {
		buf_printf(b, " on %s against %s: %s", c->candidate, c->baseline,
			   c->reason);
		return;
	}
	buf_printf(b, " on %s is %s of %s", c->candidate, t.ratio, c->baseline);
	if (c->has_interval && c->verdict == VERDICT_EQUIVALENT)
		buf_printf(b, " (90 %% interval %s", t.ci90);
	else if (c->has_interval)
		buf_printf(b, " (95 %% interval %s", t.ci95);
	else
		buf_puts(b, " (no interval");
	buf_printf(b, "; margin %s; n = %s%s)", t.margin, t.rounds,
		   c->is_paired ? " paired rounds" : " results");
	if (c->verdict == VERDICT_INVALID)
		buf_printf(b, "; %s", c->reason);
	if (c->verdict == VERDICT_INCONCLUSIVE && c->needed_n)
		buf_printf(b, "; about %zu rounds a side would decide", c->needed_n);
}

static void say_all_equivalent(struct buf *b, const struct judgement *j, size_t gating)
{
	double low = INFINITY, high = 0;
	char from[32], to[32];

	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (!c->gate || !c->has_ratio || c->verdict == VERDICT_NONE)
			continue;
		low = c->ratio < low ? c->ratio : low;
		high = c->ratio > high ? c->ratio : high;
	}
	buf_printf(b,
		   "all %zu gating metrics have their 90 %% interval inside the margin; "
		   "ratios to the baseline from %s to %s",
		   gating, ratio_text(low, from, sizeof(from)),
		   ratio_text(high, to, sizeof(to)));
}

static void say_shown(const struct report *r, struct buf *b)
{
	struct claims c;
	char *line;

	judgement_claims(&r->judgement, SIZE_MAX, &c);
	line = claims_line(&c);
	buf_printf(b, "Shown: %s.", line);
	free(line);
	claims_release(&c);
}

/* Does anything that decides rest on the mock server's schedule? */
static bool rests_on_mock(const struct report *r)
{
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];

		if (!c->gate || c->verdict == VERDICT_NONE)
			continue;
		for (size_t k = 0; k < r->sets_nr; k++) {
			const struct result_set *s = &r->sets[k];

			for (size_t n = 0; n < s->nr; n++)
				if (strcmp(s->results[n].name, c->workload) == 0 &&
				    provenance_is_mock(&s->results[n]))
					return true;
		}
	}
	return false;
}

char *report_sentence(const struct report *r)
{
	const struct judgement *j = &r->judgement;
	const char *name = verdict_name(j->overall);
	struct strvec caveats = {0};
	size_t gating, same;
	const struct comparison *c = spoken(j, &gating, &same);
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b, "%c%s: ", name[0] - 'a' + 'A', name + 1);
	if (rests_on_mock(r))
		buf_puts(&b, "against tare's mock server, no model: ");
	if (!c)
		buf_puts(&b, j->reason);
	else if (j->overall == VERDICT_EQUIVALENT && gating > 1)
		say_all_equivalent(&b, j, gating);
	else
		say_one(&b, c);
	if (c && j->overall != VERDICT_EQUIVALENT && gating > 1)
		buf_printf(&b, "; %zu of %zu gating metrics %s %s", same, gating,
			   same == 1 ? "is" : "are", name);
	buf_puts(&b, ". ");
	describe_machines(r, &b);
	buf_puts(&b, ". ");
	say_shown(r, &b);
	report_caveats(r, &caveats);
	for (size_t i = 0; i < caveats.nr; i++)
		buf_printf(&b, " %s", caveats.items[i]);
	strvec_release(&caveats);
	return buf_detach(&b);
}

char *report_plan_digest(const struct report *r)
{
	return result_set_plan_digest(&r->sets[0]);
}

/* Who answered a load: "vllm 0.20.2, model /models/x, revision ab12". NULL: no load. */
static char *server_text(const struct result *result)
{
	static const char *const members[] = {"model", "revision"};
	struct json_object *server = json_member(result->details, "server");
	struct json_object *started = json_member(server, "tare_serve");
	struct buf b;

	if (!server)
		return NULL;
	buf_init(&b, BUF_UNBOUNDED);
	if (json_get_bool(server, "is_mock", false))
		buf_puts(&b, "tare's mock server, no model");
	else
		buf_printf(&b, "model server %s %s",
			   json_get_text(started, "kind", "of unknown kind"),
			   json_get_text(server, "version", "(version unknown)"));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *at = json_get_text(server, members[i], NULL);

		if (!at)
			at = json_get_text(started, members[i], NULL);
		if (at)
			buf_printf(&b, ", %s %s", members[i], at);
	}
	return buf_detach(&b);
}

static void add_once(struct strvec *v, char *text)
{
	if (text && !strvec_has(v, text))
		strvec_add(v, text);
	free(text);
}

void report_versions(const struct report *r, struct strvec *ret)
{
	for (size_t s = 0; s < r->sets_nr; s++) {
		for (size_t i = 0; i < r->sets[s].nr; i++) {
			struct json_object *tool = r->sets[s].results[i].tool;
			char *text =
				x_asprintf("%s %s (commit %s; %s)",
					   json_get_text(tool, "name", "unknown"),
					   json_get_text(tool, "version", "?"),
					   json_get_text(tool, "commit", "unknown"),
					   json_get_text(tool, "build", "build unknown"));

			add_once(ret, text);
			add_once(ret, server_text(&r->sets[s].results[i]));
		}
	}
}

/* The paired gating comparison whose intervals were widened most for its memory, or any. */
static const struct comparison *most_memory(const struct judgement *j)
{
	const struct comparison *found = NULL;

	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (c->gate && c->is_paired && c->has_interval && !c->is_pooled &&
		    (!found || c->memory.figure > found->memory.figure))
			found = c;
	}
	return found;
}

/* What is assumed of rounds, which no interval can tell by itself. */
static void say_assumptions(const struct judgement *j, struct strvec *ret)
{
	const struct comparison *c = most_memory(j);

	if (!c)
		return;
	if (c->memory.nr)
		strvec_addf(ret,
			    "Neighbouring rounds resemble each other (correlation %.2f, "
			    "seen over %zu rounds of %s), so they say less than as many "
			    "independent ones: the intervals are widened by that.",
			    c->memory.figure, c->memory.nr,
			    c->is_memory_of_floor ? "'tare aa'" : "this run");
	else
		strvec_addf(ret,
			    "Assumed, not measured: that a round does not resemble the "
			    "one before it. If rounds of this machine do, the intervals "
			    "are too narrow. 'tare aa' over %d rounds or more measures "
			    "it, and 'tare report --aa' widens the intervals by it.",
			    MEMORY_ROUNDS_MIN);
	strvec_addf(
		ret,
		"What strikes seldom may not have struck: a slowdown of fewer than "
		"%.2g %% of rounds leaves all of %zu rounds untouched more often than "
		"once in twenty runs.",
		100 * tails_unseen(c->n_baseline), c->n_baseline);
}

void report_method(const struct report *r, struct strvec *ret)
{
	const struct judgement *j = &r->judgement;

	strvec_add(ret,
		   "The value of a round is the mean over the iterations of one "
		   "execution (or the named quantile of its samples). Uncertainty is "
		   "taken between rounds only: iterations inside one process are not "
		   "independent. A quantile must also hold in a bootstrap over rounds of "
		   "the pooled samples: the wider ends of both intervals count.");
	if (r->sets_nr == 1)
		strvec_add(
			ret,
			"Rounds pair by number: where the arms take turns in "
			"alternating order, which the claim 'time' holds their clocks "
			"against, a slow drift cancels. The interval is "
			"Student's t on the logarithm of candidate over baseline. It is "
			"of the mean, which users pay: rounds that stand out count, and "
			"the end on the worse side lies farther out where the noise is "
			"lopsided or some rounds are slow.");
	else
		strvec_add(ret, "The two sides were not measured in turns, so they are "
				"compared unpaired: Welch's t on the logarithms. A drift "
				"between the two is part of the difference.");
	strvec_add(
		ret,
		"Equivalent: the 90 % interval lies inside the margin (two one-sided "
		"tests at 5 %). Degraded or improved: the 95 % interval lies wholly "
		"beyond it. A margin m is the band from 1 - m to 1 / (1 - m). "
		"Anything else is inconclusive; the absence of a difference is never "
		"taken as proof. An eighth of each error is kept back for data that are "
		"not quite normal, so the intervals hold at 90 % and 95 % at least. "
		"Gating metrics are held to one error rate together: a degraded or "
		"improved must stand among all of them (Holm).");
	say_assumptions(j, ret);
	if (j->looks_max)
		strvec_addf(
			ret,
			"Rounds were added until every gating metric was decided, "
			"looking after each from %lld to at most %lld. The intervals are "
			"widened for that (group-sequential alpha spending), so they "
			"hold "
			"whenever the run stopped.",
			(long long)j->looks_min, (long long)j->looks_max);
	if (r->floor.source)
		strvec_addf(
			ret,
			"Floor: the noise floor, measured by 'tare aa' (%s): the farther "
			"end of the 90 %% interval between two sides that are the same. "
			"A difference below it is one that this set-up shows where "
			"there is none.",
			r->floor.source);
	else
		strvec_add(ret,
			   "The noise floor of this set-up was not measured: 'tare aa' "
			   "does, and 'tare report --aa' prints it beside every "
			   "claim.");
	strvec_add(ret, "The overall verdict is the worst of the gating metrics. "
			"Informational metrics are shown and never gate.");
}

void report_notes(const struct report *r, struct strvec *ret)
{
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];
		struct row_texts t;

		if (report_part_of(c) != REPORT_GATING)
			continue;
		row_texts(c, &t);
		for (size_t n = 0; n < c->notes.nr; n++)
			strvec_addf(ret, "%s of %s on %s: %s", t.metric, c->workload,
				    c->candidate, c->notes.items[n]);
	}
}

void report_limits(const struct report *r, struct strvec *ret)
{
	strvec_add(ret,
		   "The claim holds for these machines, this work, these versions and "
		   "this time. It says nothing about metrics that are not in the table.");
	report_caveats(r, ret);
	for (size_t i = 0; i < r->judgement.notes.nr; i++)
		strvec_add(ret, r->judgement.notes.items[i]);
}
