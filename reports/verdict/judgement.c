#include "reports/verdict/judgement.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/document/version.h"

static const struct {
	const char *name;
	int exit_status;
} verdicts[] = {
	[VERDICT_NONE] = {"not judged", EXIT_INCONCLUSIVE},
	[VERDICT_EQUIVALENT] = {"equivalent", EXIT_PASS},
	[VERDICT_IMPROVED] = {"improved", EXIT_PASS},
	[VERDICT_INCONCLUSIVE] = {"inconclusive", EXIT_INCONCLUSIVE},
	[VERDICT_DEGRADED] = {"degraded", EXIT_DEGRADED},
	[VERDICT_INVALID] = {"invalid", EXIT_INVALID},
};

const char *verdict_name(enum verdict v)
{
	return verdicts[v].name;
}

int verdict_exit_status(enum verdict v)
{
	return verdicts[v].exit_status;
}

bool comparison_level(const struct comparison *c, bool is_candidate, double *ret)
{
	size_t nr = is_candidate ? c->n_candidate : c->n_baseline;

	if (!nr)
		return false;
	if (c->is_pooled)
		*ret = c->pooled_values[is_candidate];
	else
		*ret = stats_mean(is_candidate ? c->candidate_values : c->baseline_values,
				  nr);
	return true;
}

static void comparison_release(struct comparison *c)
{
	char *texts[] = {c->metric,   c->workload,  c->unit,  c->statistic,
			 c->baseline, c->candidate, c->reason};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	free(c->baseline_values);
	free(c->candidate_values);
	free(c->rounds);
	free(c->slow.rounds);
	strvec_release(&c->slow.shared);
	strvec_release(&c->notes);
}

void judgement_release(struct judgement *j)
{
	for (size_t i = 0; i < j->nr; i++)
		comparison_release(&j->items[i]);
	for (size_t i = 0; i < j->pairs_nr; i++) {
		free(j->pairs[i].baseline);
		free(j->pairs[i].candidate);
		free(j->pairs[i].baseline_arm);
		free(j->pairs[i].candidate_arm);
		likeness_release(&j->pairs[i].likeness);
	}
	for (size_t i = 0; i < j->works_nr; i++) {
		free(j->works[i].workload);
		claims_release(&j->works[i].claims);
	}
	free(j->items);
	free(j->pairs);
	free(j->works);
	free(j->reason);
	strvec_release(&j->notes);
	*j = (struct judgement){0};
}

const char *ratio_text(double ratio, char *text, size_t size)
{
	if (ratio >= 0.1 && ratio < 10)
		snprintf(text, size, "%.4f", ratio);
	else
		snprintf(text, size, "%.3g", ratio);
	return text;
}

const char *percent_text(double fraction, char *text, size_t size)
{
	snprintf(text, size, "%.3g %%", 100 * fraction);
	return text;
}

char *comparison_metric(const struct comparison *c)
{
	return strcmp(c->statistic, "mean") == 0
		       ? x_strdup(c->metric)
		       : x_asprintf("%s %s", c->metric, c->statistic);
}

void comparison_conclude(struct comparison *c, enum verdict v, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(c->reason);
	c->reason = x_strdup(text);
	c->verdict = v;
}

static bool is_waiting(const struct comparison *c)
{
	return c->gate && c->verdict == VERDICT_INCONCLUSIVE;
}

bool judgement_is_decided(const struct judgement *j)
{
	size_t gating = 0;

	/* The first look is at looks_min rounds; before it nothing may stop the run. */
	if (j->looks_max && j->rounds < j->looks_min)
		return false;
	for (size_t i = 0; i < j->nr; i++) {
		if (is_waiting(&j->items[i]))
			return false;
		gating += j->items[i].gate;
	}
	return gating > 0;
}

void judgement_claims(const struct judgement *j, size_t pair, struct claims *ret)
{
	bool any_gates = false;

	*ret = (struct claims){0};
	for (size_t i = 0; i < j->works_nr; i++)
		any_gates = any_gates || j->works[i].gates;
	for (size_t i = 0; i < j->works_nr; i++) {
		const struct judged_work *w = &j->works[i];

		if ((pair == SIZE_MAX || w->pair == pair) && (w->gates || !any_gates) &&
		    w->claims.pairs)
			claims_merge(ret, &w->claims);
	}
}

char *judgement_waits_for(const struct judgement *j)
{
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	for (size_t i = 0; i < j->nr; i++) {
		const struct comparison *c = &j->items[i];
		char ratio[32], half[32];

		if (!is_waiting(c))
			continue;
		buf_printf(&b, "%s%s of %s on %s", b.len ? "; " : "", c->metric,
			   c->workload, c->candidate);
		if (c->has_ratio)
			buf_printf(&b, ": %s",
				   ratio_text(c->ratio, ratio, sizeof(ratio)));
		if (c->has_interval)
			buf_printf(&b, " -+ %s",
				   percent_text(log(c->ci90.high / c->ci90.low) / 2, half,
						sizeof(half)));
		if (c->needed_n > c->n_candidate)
			buf_printf(&b, ", about %zu more rounds",
				   c->needed_n - c->n_candidate);
	}
	return buf_detach(&b);
}

static struct json_object *numbers(const double *x, size_t nr)
{
	struct json_object *list = json_object_new_array_ext((int)nr);

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(list, json_new_real(x[i]));
	return list;
}

struct json_object *interval_to_json(const struct interval *i)
{
	const double ends[] = {i->low, i->high};

	return numbers(ends, ARRAY_SIZE(ends));
}

struct json_object *verdict_to_json(enum verdict v)
{
	return v == VERDICT_NONE ? NULL : json_new_text(verdict_name(v));
}

struct json_object *texts_to_json(const struct strvec *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->nr; i++)
		json_object_array_add(list, json_new_text(v->items[i]));
	return list;
}

/* Of a quantile: what the pooled samples say. */
static struct json_object *pooled(const struct comparison *c)
{
	struct json_object *o;

	if (!c->has_pooled)
		return NULL;
	o = json_object_new_object();
	json_put_real(o, "baseline", c->pooled_values[0]);
	json_put_real(o, "candidate", c->pooled_values[1]);
	json_put_real(o, "log_ratio", c->pooled.mean);
	json_put_real(o, "error", c->pooled.error);
	return o;
}

static struct json_object *rounds(const struct comparison *c)
{
	struct json_object *list;

	if (!c->is_paired)
		return NULL;
	list = json_object_new_array();
	for (size_t i = 0; i < c->n_baseline; i++)
		json_object_array_add(list, json_object_new_int64(c->rounds[i]));
	return list;
}

static struct json_object *slow_rounds(const struct comparison *c)
{
	struct json_object *o, *list;

	if (!c->slow.nr)
		return NULL;
	o = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < c->slow.nr; i++)
		json_object_array_add(list, json_object_new_int64(c->slow.rounds[i]));
	json_put(o, "rounds", list);
	json_put_int(o, "of", (int64_t)c->n_baseline);
	json_put_real(o, "difference", c->slow.difference);
	json_put_text(o, "arm", c->slow.arm);
	json_put(o, "shared", texts_to_json(&c->slow.shared));
	return o;
}

static struct json_object *memory(const struct comparison *c)
{
	struct json_object *o;

	if (!c->is_paired)
		return NULL;
	o = json_object_new_object();
	json_put(o, "seen",
		 c->memory_seen.nr ? json_new_real(c->memory_seen.figure) : NULL);
	json_put(o, "p", c->memory_seen.nr ? json_new_real(c->memory_seen.p) : NULL);
	json_put(o, "used", c->memory.nr ? json_new_real(c->memory.figure) : NULL);
	json_put_text(o, "source",
		      !c->memory.nr           ? NULL
		      : c->is_memory_of_floor ? "noise floor"
					      : "own rounds");
	json_put(o, "rounds",
		 c->memory.nr ? json_object_new_int64((int64_t)c->memory.nr) : NULL);
	return o;
}

static void put_figures(struct json_object *o, const struct comparison *c)
{
	json_put_int(o, "n_baseline", (int64_t)c->n_baseline);
	json_put_int(o, "n_candidate", (int64_t)c->n_candidate);
	json_put(o, "ratio", c->has_ratio ? json_new_real(c->ratio) : NULL);
	json_put(o, "ci90", c->has_interval ? interval_to_json(&c->ci90) : NULL);
	json_put(o, "ci95", c->has_interval ? interval_to_json(&c->ci95) : NULL);
	json_put_real(o, "margin", c->margin);
	json_put(o, "verdict", verdict_to_json(c->verdict));
	json_put_bool(o, "gate", c->gate);
	json_put(o, "needed_n",
		 c->needed_n ? json_object_new_int64((int64_t)c->needed_n) : NULL);
	json_put(o, "smallest_margin",
		 c->smallest_margin > 0 ? json_new_real(c->smallest_margin) : NULL);
	json_put(o, "detectable_loss",
		 c->detectable_loss > 0 ? json_new_real(c->detectable_loss) : NULL);
	json_put(o, "robust_ratio",
		 c->robust_ratio > 0 ? json_new_real(c->robust_ratio) : NULL);
	json_put(o, "slow_rounds", slow_rounds(c));
	json_put(o, "memory", memory(c));
	json_put(o, "noise_floor", c->floor > 0 ? json_new_real(c->floor) : NULL);
	json_put_text(o, "reason", c->reason);
}

static struct json_object *comparison_to_json(const struct comparison *c)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "metric", c->metric);
	json_put_text(o, "statistic", c->statistic);
	json_put_text(o, "workload", c->workload);
	json_put_text(o, "unit", c->unit);
	json_put_text(o, "better", metric_better_name(c->better));
	json_put_text(o, "baseline", c->baseline);
	json_put_text(o, "candidate", c->candidate);
	put_figures(o, c);
	json_put_bool(o, "paired", c->is_paired);
	json_put_text(o, "method", c->method);
	json_put_real(o, "alpha_equivalence", c->alpha_equivalence);
	json_put_real(o, "alpha_degraded", c->alpha_degraded);
	json_put(o, "rounds", rounds(c));
	json_put(o, "baseline_values",
		 numbers(c->baseline_values, c->is_pooled ? 0 : c->n_baseline));
	json_put(o, "candidate_values",
		 numbers(c->candidate_values, c->is_pooled ? 0 : c->n_candidate));
	json_put(o, "pooled", pooled(c));
	json_put_int(o, "failed_baseline", (int64_t)c->failed_baseline);
	json_put_int(o, "failed_candidate", (int64_t)c->failed_candidate);
	json_put(o, "tried_baseline",
		 c->is_failures ? json_object_new_int64((int64_t)c->tried_baseline)
				: NULL);
	json_put(o, "tried_candidate",
		 c->is_failures ? json_object_new_int64((int64_t)c->tried_candidate)
				: NULL);
	json_put(o, "notes", texts_to_json(&c->notes));
	return o;
}

static struct json_object *pair_to_json(const struct judged_pair *p)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "baseline", p->baseline);
	json_put_text(o, "candidate", p->candidate);
	json_put(o, "likeness", likeness_to_json(&p->likeness));
	return o;
}

/* What each workload's verdicts rest on. */
static struct json_object *works_to_json(const struct judgement *j)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < j->works_nr; i++) {
		const struct judged_work *w = &j->works[i];
		struct json_object *o = json_object_new_object();
		char *line = claims_line(&w->claims);

		json_put_text(o, "baseline", j->pairs[w->pair].baseline);
		json_put_text(o, "candidate", j->pairs[w->pair].candidate);
		json_put_text(o, "workload", w->workload);
		json_put_text(o, "kind", work_kind_name(w->claims.kind));
		json_put_text(o, "line", line);
		json_put(o, "rows", claims_to_json(&w->claims));
		json_object_array_add(list, o);
		free(line);
	}
	return list;
}

struct json_object *judgement_to_json(const struct judgement *j)
{
	struct json_object *o = json_object_new_object();
	struct json_object *items = json_object_new_array();
	struct json_object *pairs = json_object_new_array();
	char label[CLOCK_LABEL_SIZE];

	for (size_t i = 0; i < j->nr; i++)
		json_object_array_add(items, comparison_to_json(&j->items[i]));
	for (size_t i = 0; i < j->pairs_nr; i++)
		json_object_array_add(pairs, pair_to_json(&j->pairs[i]));
	clock_label(clock_wall_ns(), label);
	json_put_text(o, "schema", VERDICT_SCHEMA);
	json_put_text(o, "created", label);
	json_put(o, "tool", version_to_json("tare"));
	json_put_text(o, "verdict", verdict_name(j->overall));
	json_put_int(o, "exit_status", verdict_exit_status(j->overall));
	json_put_text(o, "reason", j->reason);
	json_put(o, "rounds", j->rounds ? json_object_new_int64(j->rounds) : NULL);
	if (j->looks_max) {
		struct json_object *looks = json_object_new_object();

		json_put_int(looks, "min", j->looks_min);
		json_put_int(looks, "max", j->looks_max);
		json_put(o, "looks", looks);
	} else {
		json_put(o, "looks", NULL);
	}
	json_put(o, "comparisons", items);
	json_put(o, "pairs", pairs);
	json_put(o, "claims", works_to_json(j));
	json_put(o, "notes", texts_to_json(&j->notes));
	return o;
}
