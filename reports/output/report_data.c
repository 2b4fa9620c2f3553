#include "reports/output/report_data.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/content/report_text.h"

/* An empty cell where there is no number. */
static void add_number(struct table *t, bool is_there, double value)
{
	if (is_there)
		table_addf(t, "%.17g", value);
	else
		table_add(t, "");
}

void report_csv(const struct report *r, struct buf *to)
{
	static const struct table_column heads[] = {
		{"workload", 0},
		{"metric", 0},
		{"statistic", 0},
		{"unit", 0},
		{"baseline", 0},
		{"candidate", 0},
		{"baseline_mean", 0},
		{"candidate_mean", 0},
		{"ratio", 0},
		{"ci90_low", 0},
		{"ci90_high", 0},
		{"ci95_low", 0},
		{"ci95_high", 0},
		{"margin", 0},
		{"n_baseline", 0},
		{"n_candidate", 0},
		{"gate", 0},
		{"verdict", 0},
		{NULL, 0},
	};
	struct table t;

	table_init(&t, heads);
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];
		const char *texts[] = {c->workload, c->metric,   c->statistic,
				       c->unit,     c->baseline, c->candidate};
		const double ends[] = {c->ci90.low, c->ci90.high, c->ci95.low,
				       c->ci95.high};

		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			table_add(&t, texts[k]);
		for (int side = 0; side < 2; side++) {
			double level = 0;
			bool is_there = comparison_level(c, side, &level);

			add_number(&t, is_there, level);
		}
		add_number(&t, c->has_ratio, c->ratio);
		for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
			add_number(&t, c->has_interval, ends[k]);
		table_addf(&t, "%.17g", c->margin);
		table_addf(&t, "%zu", c->n_baseline);
		table_addf(&t, "%zu", c->n_candidate);
		table_add(&t, c->gate ? "true" : "false");
		table_add(&t, c->verdict == VERDICT_NONE ? "" : verdict_name(c->verdict));
	}
	table_csv(&t, to);
	table_release(&t);
}

static void put_machine(struct json_object *o, const char *label,
			const struct result_set *s, const char *arm)
{
	json_put(o, label, json_object_get(result_set_facts(s, arm)));
}

/* By what the verdict calls each side: an arm of two runs has a machine in either. */
static struct json_object *machines_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; r->sets_nr == 1 && i < r->sets[0].arms.nr; i++)
		put_machine(o, r->sets[0].arms.items[i], &r->sets[0],
			    r->sets[0].arms.items[i]);
	for (size_t i = 0; r->sets_nr == 2 && i < r->judgement.pairs_nr; i++) {
		const struct judged_pair *p = &r->judgement.pairs[i];

		put_machine(o, p->baseline, &r->sets[0], p->baseline_arm);
		put_machine(o, p->candidate, &r->sets[1], p->candidate_arm);
	}
	return o;
}

struct json_object *report_to_json(const struct report *r)
{
	struct json_object *o = json_object_new_object();
	struct strvec versions = {0}, caveats = {0};
	char *sentence = report_sentence(r), *digest = report_plan_digest(r);

	report_versions(r, &versions);
	report_caveats(r, &caveats);
	json_put_text(o, "schema", "tare.report/1");
	json_put_text(o, "title", r->title);
	json_put_text(o, "created", r->created);
	json_put_text(o, "sentence", sentence);
	json_put(o, "caveats", texts_to_json(&caveats));
	json_put(o, "verdict", judgement_to_json(&r->judgement));
	json_put_text(o, "plan_sha256", digest);
	json_put(o, "repeat", texts_to_json(&r->repeat));
	json_put(o, "versions", texts_to_json(&versions));
	json_put(o, "machines", machines_json(r));
	strvec_release(&versions);
	strvec_release(&caveats);
	free(sentence);
	free(digest);
	return o;
}
