#include "reports/history/history_report.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/document/likeness.h"
#include "core/base/mem.h"
#include "reports/history/history_order.h"
#include "reports/statistics/autocorrelation.h"
#include "reports/text/table.h"

void history_judge(struct history_judged *ret, const struct history_list *l,
		   const struct margins *m, size_t newest)
{
	*ret = (struct history_judged){.nr = l->nr, .overall = VERDICT_NONE};
	ret->items = x_calloc(l->nr + 1, sizeof(*ret->items));
	ret->margins = x_calloc(l->nr + 1, sizeof(*ret->margins));
	for (size_t i = 0; i < l->nr; i++) {
		const struct history_series *s = &l->items[i];
		struct trend_spec spec = {.better = s->better, .newest = newest};
		struct trend *t = &ret->items[i];

		spec.margin = margins_get(m, s->workload, s->metric, "mean", NULL);
		ret->margins[i] = spec.margin;
		trend_judge(s->values, s->nr, s->changes, s->changes_nr, &spec, t);
		if (!s->gate)
			continue;
		ret->of[t->verdict]++;
		if (t->verdict > ret->overall)
			ret->overall = t->verdict;
	}
}

void history_judged_release(struct history_judged *j)
{
	free(j->items);
	free(j->margins);
	*j = (struct history_judged){0};
}

const char *history_day(int64_t at_ms, char label[CLOCK_LABEL_SIZE])
{
	clock_label(at_ms * NS_PER_MS, label);
	label[sizeof("2026-11-22") - 1] = '\0';
	return label;
}

/* Two series of one name are of other parameters: their digest tells them apart. */
static bool is_namesake(const struct history_series *a, const struct history_series *b)
{
	return strcmp(a->machine, b->machine) == 0 && strcmp(a->arm, b->arm) == 0 &&
	       strcmp(a->workload, b->workload) == 0 && strcmp(a->metric, b->metric) == 0;
}

static bool has_namesake(const struct history_list *l, size_t i)
{
	return (i && is_namesake(&l->items[i], &l->items[i - 1])) ||
	       (i + 1 < l->nr && is_namesake(&l->items[i], &l->items[i + 1]));
}

static void show_series(const struct history_list *l, size_t at, struct table *t)
{
	const struct history_series *s = &l->items[at];
	const struct change_point *c =
		s->changes_nr ? &s->changes[s->changes_nr - 1] : NULL;
	char text[48], since[CLOCK_LABEL_SIZE];

	table_add(t, s->machine);
	table_add(t, s->arm);
	if (has_namesake(l, at))
		table_addf(t, "%s (%.8s)", s->workload, s->digest);
	else
		table_add(t, s->workload);
	table_add(t, s->metric);
	table_addf(t, "%zu", s->nr);
	table_add(t, unit_human(s->values[s->nr - 1], s->unit, text, sizeof(text)));
	table_add(t, history_day(s->points[c ? c->at : 0].at_ms, since));
	if (c && c->before != 0)
		table_addf(t, "%+.2f %%", 100 * (c->after / c->before - 1));
	else
		table_add(t, c ? NULL : "no change");
}

void history_show(const struct history_list *l, FILE *to)
{
	static const struct table_column columns[] = {
		{"machine", TABLE_LEFT},     {"arm", TABLE_LEFT},
		{"workload", TABLE_LEFT},    {"metric", TABLE_LEFT},
		{"values", TABLE_RIGHT},     {"last", TABLE_RIGHT},
		{"level since", TABLE_LEFT}, {"change then", TABLE_RIGHT},
		{NULL, TABLE_LEFT},
	};
	struct table t;
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	table_init(&t, columns);
	for (size_t i = 0; i < l->nr; i++)
		show_series(l, i, &t);
	table_text(&t, &b);
	fwrite(b.data, 1, b.len, to);
	table_release(&t);
	buf_release(&b);
}

int history_differences(struct history *h, int64_t before, int64_t after,
			struct strvec *ret, struct err *err)
{
	struct history_origin a, b = {0};
	struct likeness l;
	int rc = history_origin(h, before, &a, err);

	if (!rc)
		rc = history_origin(h, after, &b, err);
	if (!rc && strcmp(a.version, b.version) != 0)
		strvec_addf(ret, "tare: %s, %s", a.version, b.version);
	if (!rc) {
		likeness_compare(&l, a.facts, b.facts);
		for (size_t i = 0; i < l.nr; i++)
			if (l.rows[i].state == LIKENESS_BREAKS ||
			    l.rows[i].state == LIKENESS_DIFFERS ||
			    l.rows[i].state == LIKENESS_EXPECTED)
				strvec_addf(ret, "%s: %s, %s", l.rows[i].field->label,
					    l.rows[i].baseline, l.rows[i].candidate);
		likeness_release(&l);
	}
	history_origin_release(&a);
	history_origin_release(&b);
	return rc;
}

char *history_series_name(const struct history_series *s)
{
	return x_asprintf("%s of %s on %s (%s)", s->metric, s->workload, s->arm,
			  s->machine);
}

static bool is_decided(enum verdict v)
{
	return v == VERDICT_DEGRADED || v == VERDICT_IMPROVED;
}

/* What the numbers rest on, where that is not what a reader would expect. */
static void say_memory(const struct history_series *s, const struct trend *t,
		       struct buf *b)
{
	if (t->memory > 0)
		buf_printf(b, ", widened since each value remembers %.2f of the last",
			   t->memory);
	else if (s->nr < AUTOCORRELATION_VALUES_MIN)
		buf_printf(b, ", values taken as independent (fewer than %d)",
			   AUTOCORRELATION_VALUES_MIN);
}

static void say_interval(const struct history_series *s, const struct trend *t,
			 const struct trend_claim *c, double margin, struct buf *b)
{
	const bool is_claim = is_decided(c->verdict);
	const struct interval *ci = is_claim ? &c->claim_interval : &c->ci90;
	char low[32], high[32], percent[32];

	percent_text(margin, percent, sizeof(percent));
	if (!c->has_interval) {
		buf_printf(b, "no interval, margin %s", percent);
		return;
	}
	buf_printf(b, "%g %% interval of the ratio %s to %s, margin %s",
		   is_claim ? 100 * c->claim_level : 90,
		   ratio_text(ci->low, low, sizeof(low)),
		   ratio_text(ci->high, high, sizeof(high)), percent);
	say_memory(s, t, b);
}

/* The best level and the present one, and what else changed between. */
static int say_level(struct history *h, const struct history_series *s,
		     const struct trend *t, double margin, struct buf *b, struct err *err)
{
	struct strvec differences = {0};
	char label[CLOCK_LABEL_SIZE], before[48], since[48];
	double best = 0, now = 0;
	int rc;

	stats_median(s->values + t->level.at, t->level.nr, &best);
	stats_median(s->values + t->level_at, s->nr - t->level_at, &now);
	clock_label(s->points[t->lost_at].at_ms * NS_PER_MS, label);
	if (t->level.verdict != VERDICT_DEGRADED)
		buf_puts(b, "a loss beyond the margin is not excluded: ");
	if (t->level.ratio > 0)
		buf_printf(b, "%+.2f %% ", 100 * (t->level.ratio - 1));
	buf_printf(b, "since %s: %s before, %s now, ", label,
		   unit_human(best, s->unit, before, sizeof(before)),
		   unit_human(now, s->unit, since, sizeof(since)));
	say_interval(s, t, &t->level, margin, b);
	rc = history_differences(h, s->points[t->lost_at - 1].result,
				 s->points[t->lost_at].result, &differences, err);
	for (size_t i = 0; i < differences.nr; i++)
		buf_printf(b, "%s%s",
			   i ? "; " : "; changed with it: ", differences.items[i]);
	strvec_release(&differences);
	return rc;
}

/* Values at the end against what they are held against. */
static void say_end(const struct history_series *s, const struct trend *t,
		    const struct trend_claim *c, double margin, struct buf *b)
{
	char label[CLOCK_LABEL_SIZE], ratio[32];

	clock_label(s->points[c->at].at_ms * NS_PER_MS, label);
	if (!c->newest) {
		buf_printf(b, "%zu values before the newest are too few to judge them by",
			   c->nr);
		return;
	}
	if (!c->ratio) {
		buf_puts(b, "a value of 0 or below has no ratio");
		return;
	}
	buf_printf(b, "the newest %zu of %zu value%s are %s of the level since %s, ",
		   c->newest, s->nr, s->nr == 1 ? "" : "s",
		   ratio_text(c->ratio, ratio, sizeof(ratio)), label);
	say_interval(s, t, c, margin, b);
}

/* The claim that decided. */
static int say_reason(struct history *h, const struct history_series *s,
		      const struct trend *t, double margin, struct buf *b,
		      struct err *err)
{
	if (t->level.verdict == t->verdict)
		return say_level(h, s, t, margin, b, err);
	if (t->newest.verdict == t->verdict || t->hidden.verdict != t->verdict) {
		say_end(s, t, &t->newest, margin, b);
		return 0;
	}
	buf_puts(b, "a loss beyond the margin could hide at the end: ");
	say_end(s, t, &t->hidden, margin, b);
	return 0;
}

static int say_series(struct history *h, const struct history_list *l,
		      const struct history_judged *j, size_t i, struct buf *b,
		      struct err *err)
{
	const struct history_series *s = &l->items[i];
	const struct trend *t = &j->items[i];
	char *name = history_series_name(s);
	int rc;

	buf_printf(b, "%s: %s: ", verdict_name(t->verdict), name);
	free(name);
	rc = say_reason(h, s, t, j->margins[i], b, err);
	buf_puts(b, s->gate ? "\n" : " (informational)\n");
	return rc;
}

int history_check(struct history *h, const struct history_list *l,
		  const struct history_judged *j, FILE *to, struct err *err)
{
	size_t gating = 0;
	struct buf b;
	int rc = 0;

	buf_init(&b, BUF_UNBOUNDED);
	for (int v = VERDICT_DEGRADED; v >= VERDICT_IMPROVED && !rc; v--)
		for (size_t i = 0; i < l->nr && !rc; i++)
			if (j->items[i].verdict == (enum verdict)v)
				rc = say_series(h, l, j, i, &b, err);
	for (size_t i = 0; i < l->nr; i++)
		gating += l->items[i].gate;
	buf_printf(&b, "%zu gating series", gating);
	for (int v = VERDICT_DEGRADED; v >= VERDICT_NONE; v--)
		if (j->of[v])
			buf_printf(&b, ", %zu %s", j->of[v],
				   verdict_name((enum verdict)v));
	buf_puts(&b, "\n");
	if (!rc)
		fwrite(b.data, 1, b.len, to);
	buf_release(&b);
	return rc;
}

static void put_time(struct json_object *o, const char *key, int64_t at_ms)
{
	char label[CLOCK_LABEL_SIZE];

	clock_label(at_ms * NS_PER_MS, label);
	json_put_text(o, key, label);
}

/* null where nothing is claimed. */
static struct json_object *claim_json(const struct trend_claim *c)
{
	struct json_object *o;

	if (c->verdict == VERDICT_NONE || !c->newest)
		return NULL;
	o = json_object_new_object();
	json_put_int(o, "n_before", (int64_t)c->nr);
	json_put_int(o, "n", (int64_t)c->newest);
	json_put(o, "ratio", c->ratio > 0 ? json_new_real(c->ratio) : NULL);
	json_put(o, "ci90", c->has_interval ? interval_to_json(&c->ci90) : NULL);
	json_put(o, "ci95", c->has_interval ? interval_to_json(&c->ci95) : NULL);
	json_put(o, "claim_level",
		 c->has_interval ? json_new_real(c->claim_level) : NULL);
	json_put(o, "claim_interval",
		 c->has_interval ? interval_to_json(&c->claim_interval) : NULL);
	json_put_text(o, "verdict", verdict_name(c->verdict));
	return o;
}

static struct json_object *change_json(struct history *h, const struct history_series *s,
				       const struct change_point *c, struct err *err)
{
	struct json_object *o = json_object_new_object();
	struct history_origin origin;
	struct strvec differences = {0};
	int rc = history_origin(h, s->points[c->at].result, &origin, err);

	if (!rc) {
		json_put_text(o, "created", origin.created);
		json_put_text(o, "result", origin.id);
		json_put_text(o, "version", origin.version);
		history_origin_release(&origin);
		rc = history_differences(h, s->points[c->at - 1].result,
					 s->points[c->at].result, &differences, err);
	}
	json_put_real(o, "before", c->before);
	json_put_real(o, "after", c->after);
	json_put_real(o, "p", c->p);
	json_put(o, "changed_with_it", texts_to_json(&differences));
	strvec_release(&differences);
	if (!rc)
		return o;
	json_object_put(o);
	return NULL;
}

static struct json_object *changes_json(struct history *h, const struct history_series *s,
					struct err *err)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->changes_nr; i++) {
		struct json_object *o = change_json(h, s, &s->changes[i], err);

		if (!o) {
			json_object_put(list);
			return NULL;
		}
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *series_json(const struct history_series *s,
				       const struct trend *t, double margin)
{
	struct json_object *o = json_object_new_object();
	double level = 0;

	json_put_text(o, "machine", s->machine);
	json_put_text(o, "arm", s->arm);
	json_put_text(o, "workload", s->workload);
	json_put_text(o, "digest", s->digest);
	json_put_text(o, "metric", s->metric);
	json_put_text(o, "unit", s->unit);
	json_put_text(o, "better", metric_better_name(s->better));
	json_put_bool(o, "gate", s->gate);
	json_put_int(o, "values", (int64_t)s->nr);
	put_time(o, "first_created", s->points[0].at_ms);
	put_time(o, "last_created", s->points[s->nr - 1].at_ms);
	json_put_real(o, "last", s->values[s->nr - 1]);
	stats_median(s->values + t->level_at, s->nr - t->level_at, &level);
	json_put_real(o, "level", level);
	put_time(o, "level_since", s->points[t->level_at].at_ms);
	json_put_real(o, "margin", margin);
	json_put(o, "newest", claim_json(&t->newest));
	json_put(o, "loss", claim_json(&t->level));
	json_put(o, "hidden", claim_json(&t->hidden));
	json_put_real(o, "memory", t->memory);
	if (t->level.verdict == VERDICT_DEGRADED)
		put_time(o, "loss_since", s->points[t->lost_at].at_ms);
	else
		json_put(o, "loss_since", NULL);
	json_put(o, "verdict", verdict_to_json(t->verdict));
	return o;
}

/* Results that were named already: a result has a value in many series. */
struct named {
	int64_t *items;
	size_t nr, alloc;
};

static bool name_once(struct named *n, int64_t result)
{
	for (size_t i = 0; i < n->nr; i++)
		if (n->items[i] == result)
			return false;
	GROW(n->items, n->nr, n->alloc);
	n->items[n->nr++] = result;
	return true;
}

static int warn_of_point(struct history *h, const struct history_series *s, size_t at,
			 bool is_sound, struct strvec *ret, struct err *err)
{
	struct history_origin o;

	if (history_origin(h, s->points[at].result, &o, err))
		return -1;
	strvec_addf(
		ret,
		"result %s of %s on %s (%s) is dated %s, %s: it is judged by the order of adding",
		o.id, s->workload, s->arm, s->machine, o.created,
		is_sound ? "before what was added before it" : "which cannot be");
	history_origin_release(&o);
	return 0;
}

static int warn_of_series(struct history *h, const struct history_series *s,
			  struct named *named, struct strvec *ret, struct err *err)
{
	int64_t before_ms = INT64_MIN;

	for (size_t i = 0; i < s->nr; i++) {
		int64_t at_ms = s->points[i].at_ms;
		bool is_sound = history_date_is_sound(at_ms);
		bool is_fine = is_sound && at_ms >= before_ms;

		if (is_sound)
			before_ms = at_ms;
		if (is_fine || !name_once(named, s->points[i].result) ||
		    named->nr > HISTORY_WARNINGS_MAX)
			continue;
		if (warn_of_point(h, s, i, is_sound, ret, err))
			return -1;
	}
	return 0;
}

int history_warnings(struct history *h, const struct history_list *l, struct strvec *ret,
		     struct err *err)
{
	struct named named = {0};
	int rc = 0;

	for (size_t i = 0; i < l->nr && !rc; i++)
		rc = warn_of_series(h, &l->items[i], &named, ret, err);
	if (named.nr > HISTORY_WARNINGS_MAX)
		strvec_addf(ret, "and %zu more results with such dates",
			    named.nr - HISTORY_WARNINGS_MAX);
	free(named.items);
	return rc;
}

struct json_object *history_to_json(struct history *h, const struct history_list *l,
				    const struct history_judged *j, struct err *err)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct strvec warnings = {0};
	int rc = history_warnings(h, l, &warnings, err);

	json_put_text(o, "schema", HISTORY_SCHEMA);
	json_put(o, "verdict", verdict_to_json(j->overall));
	json_put(o, "warnings", texts_to_json(&warnings));
	strvec_release(&warnings);
	json_put(o, "series", list);
	if (rc) {
		json_object_put(o);
		return NULL;
	}
	for (size_t i = 0; i < l->nr; i++) {
		struct json_object *s =
			series_json(&l->items[i], &j->items[i], j->margins[i]);
		struct json_object *changes = changes_json(h, &l->items[i], err);

		json_object_array_add(list, s);
		if (!changes) {
			json_object_put(o);
			return NULL;
		}
		json_put(s, "changes", changes);
	}
	return o;
}
