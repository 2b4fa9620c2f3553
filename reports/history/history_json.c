#include "reports/history/history_report.h"

#include "core/base/clock.h"

static void put_time(struct json_object *o, const char *key, int64_t at_ms)
{
	char label[CLOCK_LABEL_SIZE];

	clock_label(at_ms * NS_PER_MS, label);
	json_put_text(o, key, label);
}

static struct json_object *interval_json(const struct interval *i)
{
	struct json_object *o = json_object_new_array();

	json_object_array_add(o, json_new_real(i->low));
	json_object_array_add(o, json_new_real(i->high));
	return o;
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
	json_put(o, "ci90", c->has_interval ? interval_json(&c->ci90) : NULL);
	json_put(o, "ci95", c->has_interval ? interval_json(&c->ci95) : NULL);
	json_put_text(o, "verdict", verdict_name(c->verdict));
	return o;
}

static struct json_object *change_json(struct history *h, const struct history_series *s,
				       const struct change_point *c, struct err *err)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
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
	for (size_t i = 0; i < differences.nr; i++)
		json_object_array_add(list, json_new_text(differences.items[i]));
	strvec_release(&differences);
	json_put_real(o, "before", c->before);
	json_put_real(o, "after", c->after);
	json_put_real(o, "p", c->p);
	json_put(o, "changed_with_it", list);
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
	if (t->level.verdict == VERDICT_DEGRADED)
		put_time(o, "loss_since", s->points[t->lost_at].at_ms);
	else
		json_put(o, "loss_since", NULL);
	json_put(o, "verdict",
		 t->verdict == VERDICT_NONE ? NULL
					    : json_new_text(verdict_name(t->verdict)));
	return o;
}

struct json_object *history_to_json(struct history *h, const struct history_list *l,
				    const struct history_judged *j, struct err *err)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_put_text(o, "schema", HISTORY_SCHEMA);
	json_put(o, "verdict",
		 j->overall == VERDICT_NONE ? NULL
					    : json_new_text(verdict_name(j->overall)));
	json_put(o, "series", list);
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
