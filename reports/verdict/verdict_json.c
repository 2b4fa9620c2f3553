#include "reports/verdict/verdict.h"

#include "core/base/clock.h"
#include "core/document/version.h"
#include "reports/statistics/sequential.h"

static struct json_object *numbers(const double *x, size_t nr)
{
	struct json_object *list = json_object_new_array_ext((int)nr);

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(list, json_new_real(x[i]));
	return list;
}

static struct json_object *interval(bool is_there, const struct interval *i)
{
	const double ends[] = {i->low, i->high};

	return is_there ? numbers(ends, 2) : NULL;
}

static struct json_object *texts(const struct strvec *v)
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

static void put_figures(struct json_object *o, const struct comparison *c)
{
	json_put_int(o, "n_baseline", (int64_t)c->n_baseline);
	json_put_int(o, "n_candidate", (int64_t)c->n_candidate);
	json_put(o, "ratio", c->has_ratio ? json_new_real(c->ratio) : NULL);
	json_put(o, "ci90", interval(c->has_interval, &c->ci90));
	json_put(o, "ci95", interval(c->has_interval, &c->ci95));
	json_put_real(o, "margin", c->margin);
	json_put(o, "verdict",
		 c->verdict == VERDICT_NONE ? NULL
					    : json_new_text(verdict_name(c->verdict)));
	json_put_bool(o, "gate", c->gate);
	json_put(o, "needed_n",
		 c->needed_n ? json_object_new_int64((int64_t)c->needed_n) : NULL);
	json_put(o, "smallest_margin",
		 c->smallest_margin > 0 ? json_new_real(c->smallest_margin) : NULL);
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
	json_put(o, "notes", texts(&c->notes));
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
	json_put(o, "notes", texts(&j->notes));
	return o;
}
