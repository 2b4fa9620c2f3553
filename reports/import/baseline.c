#include "reports/import/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/version.h"
#include "reports/results/provenance.h"
#include "reports/statistics/stats.h"
#include "reports/text/table.h"

static bool is_wanted(const struct result *r, const struct baseline_options *o)
{
	return !o->arm || strcmp(r->arm, o->arm) == 0;
}

static struct json_object *machines_of(const struct result_set *s,
				       const struct baseline_options *o)
{
	struct json_object *machines = json_object_new_object();

	for (size_t i = 0; i < s->arms.nr; i++) {
		const char *arm = s->arms.items[i];

		if (!o->arm || strcmp(arm, o->arm) == 0)
			json_put(machines, arm,
				 json_object_get(result_set_facts(s, arm)));
	}
	return machines;
}

static struct json_object *document(const struct result_set *s,
				    const struct baseline_options *o,
				    struct json_object *results)
{
	struct json_object *doc = json_object_new_object();
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	json_put_text(doc, "schema", BASELINE_SCHEMA);
	json_put_text(doc, "name", o->name ? o->name : path_base(s->source));
	json_put_text(doc, "note", o->note);
	json_put_text(doc, "created", label);
	json_put(doc, "tool", version_to_json("tare"));
	json_put_text(doc, "source", s->source);
	json_put(doc, "plan", json_object_get(s->plan));
	json_put(doc, "machines", machines_of(s, o));
	json_put(doc, "results", results);
	return doc;
}

static int no_such_arm(const struct result_set *s, const char *arm, struct err *err)
{
	struct buf names;

	buf_init(&names, 400);
	for (size_t i = 0; i < s->arms.nr; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", s->arms.items[i]);
	err_set(err, ERR_USAGE, "%s: no results of arm '%.60s'; there are those of %s",
		s->source, arm, names.data);
	buf_release(&names);
	return -1;
}

int baseline_save(const struct result_set *s, const struct baseline_options *o,
		  const char *path, struct err *err)
{
	struct json_object *results = json_object_new_array(), *doc;
	int rc;

	if (!o->replace && file_exists(path)) {
		json_object_put(results);
		return err_set(
			err, ERR_USAGE,
			"%s: there already; a baseline is replaced only when asked to "
			"(--replace)",
			path);
	}
	for (size_t i = 0; i < s->nr; i++) {
		const struct result *r = &s->results[i];

		if (!is_wanted(r, o))
			continue;
		if (r->status != RESULT_OK) {
			json_object_put(results);
			return err_set(err, ERR_INVALID,
				       "%s: %s (%s): only sound results make a baseline",
				       s->paths[i], result_status_name(r->status),
				       r->reasons.nr ? r->reasons.items[0] : "no reason");
		}
		json_object_array_add(results, result_to_json(r));
	}
	if (!json_length(results)) {
		json_object_put(results);
		return no_such_arm(s, o->arm ? o->arm : "", err);
	}
	doc = document(s, o, results);
	rc = json_write_file(path, doc, 0644, err);
	json_object_put(doc);
	return rc;
}

static int add_results(struct result_set *s, struct json_object *list, const char *where,
		       struct err *err)
{
	for (size_t i = 0; i < json_length(list); i++) {
		char *place = x_asprintf("%s: /results/%zu", where, i);
		struct result r;
		int rc = result_from_json(&r, json_object_array_get_idx(list, i), place,
					  err);

		if (!rc)
			result_set_add(s, &r, place);
		free(place);
		if (rc)
			return -1;
	}
	return 0;
}

int baseline_from_json(struct result_set *s, struct json_object *o, const char *where,
		       struct err *err)
{
	struct json_object *list = json_member(o, "results");
	struct json_object *machines = json_member(o, "machines");

	if (!json_length(list))
		return err_set(err, ERR_USAGE, "%s: a baseline without results", where);
	if (add_results(s, list, where, err))
		return -1;
	if (json_object_is_type(json_member(o, "plan"), json_type_object) && !s->plan)
		s->plan = json_object_get(json_member(o, "plan"));
	if (!json_object_is_type(machines, json_type_object))
		return 0;
	json_object_object_foreach(machines, arm, facts)
	{
		result_set_add_machine(s, arm, 0, json_object_get(facts));
	}
	return 0;
}

/* The values of a metric over the rounds of one arm and workload, pooled by round. */
static void show_metric(const struct result *first, size_t nr, const char *metric,
			struct table *t)
{
	double *means = x_calloc(nr + 1, sizeof(*means)), sd;
	double low = INFINITY, high = -INFINITY;
	const char *unit = "";
	char text[48];
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct samples *m = result_metric(&first[i], metric);

		if (m && m->nr) {
			means[n] = stats_mean(m->values, m->nr);
			low = fmin(low, means[n]);
			high = fmax(high, means[n++]);
			unit = m->def.unit;
		}
	}
	table_add(t, first->arm);
	table_add(t, first->name);
	table_add(t, metric);
	table_addf(t, "%zu", n);
	if (n) {
		table_add(t, unit_human(stats_mean(means, n), unit, text, sizeof(text)));
		if (stats_sd(means, n, &sd) && stats_mean(means, n) != 0)
			table_addf(t, "%.2f %%", 100 * sd / stats_mean(means, n));
		else
			table_add(t, NULL);
		table_add(t, unit_human(low, unit, text, sizeof(text)));
		table_add(t, unit_human(high, unit, text, sizeof(text)));
	} else {
		for (int i = 0; i < 4; i++)
			table_add(t, NULL);
	}
	free(means);
}

void baseline_show(const struct result_set *s, FILE *to)
{
	static const struct table_column columns[] = {
		{"arm", TABLE_LEFT},     {"workload", TABLE_LEFT},
		{"metric", TABLE_LEFT},  {"rounds", TABLE_RIGHT},
		{"mean", TABLE_RIGHT},   {"spread", TABLE_RIGHT},
		{"lowest", TABLE_RIGHT}, {"highest", TABLE_RIGHT},
		{NULL, TABLE_LEFT},
	};
	struct table t;
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	table_init(&t, columns);
	for (size_t a = 0; a < s->arms.nr; a++) {
		const char *arm = s->arms.items[a];
		char *machine = provenance_computed(s, arm);

		fprintf(to, "%s: %s\n", arm, machine);
		free(machine);
		for (size_t w = 0; w < s->workloads.nr; w++) {
			size_t nr;
			const struct result *first = result_set_range(
				s, s->arms.items[a], s->workloads.items[w], &nr);

			for (size_t m = 0; first && m < first->metrics_nr; m++)
				show_metric(first, nr, first->metrics[m].def.name, &t);
		}
	}
	table_text(&t, &b);
	fwrite(b.data, 1, b.len, to);
	table_release(&t);
	buf_release(&b);
}
