#include "reports/verdict/noise_floor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/results/provenance.h"

void noise_floor_release(struct noise_floor *f)
{
	for (size_t i = 0; i < f->nr; i++) {
		free(f->items[i].workload);
		free(f->items[i].digest);
		free(f->items[i].metric);
		free(f->items[i].statistic);
	}
	free(f->items);
	free(f->source);
	json_object_put(f->machine);
	*f = (struct noise_floor){0};
}

static struct floor_item *add_item(struct noise_floor *f)
{
	GROW(f->items, f->nr, f->alloc);
	f->items[f->nr] = (struct floor_item){0};
	return &f->items[f->nr++];
}

static const char *digest_of_work(const struct result_set *s, const char *arm,
				  const char *workload)
{
	size_t nr;
	const struct result *first = result_set_range(s, arm, workload, &nr);

	return first && first->digest ? first->digest : "";
}

void noise_floor_add(struct noise_floor *f, const struct result_set *s,
		     const struct comparison *c)
{
	struct floor_item *i;

	if (!c->has_interval)
		return;
	i = add_item(f);
	i->workload = x_strdup(c->workload);
	i->digest = x_strdup(digest_of_work(s, c->baseline, c->workload));
	i->metric = x_strdup(c->metric);
	i->statistic = x_strdup(c->statistic);
	i->ratio = c->ratio;
	i->floor = fmax(fabs(c->ci90.low - 1), fabs(c->ci90.high - 1));
	i->ci95 = c->ci95;
	i->smallest_margin = c->smallest_margin;
	i->memory = c->memory_seen;
	i->verdict = c->verdict;
}

static struct json_object *memory_to_json(const struct memory *m)
{
	struct json_object *o;

	if (!m->nr)
		return NULL;
	o = json_object_new_object();
	json_put_real(o, "figure", m->figure);
	json_put_real(o, "p", m->p);
	json_put_int(o, "rounds", (int64_t)m->nr);
	return o;
}

static struct memory memory_from_json(struct json_object *o)
{
	struct memory m = {.nr = 0};
	int64_t nr = json_get_int(o, "rounds", 0);

	m.figure = json_get_real(o, "figure", -1);
	m.p = json_get_real(o, "p", 1);
	if (nr > 0 && m.figure >= 0 && m.figure < 1)
		m.nr = (size_t)nr;
	return m;
}

int noise_floor_write(const struct noise_floor *f, const char *path, struct err *err)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	int rc;

	json_put_text(o, "schema", FLOOR_SCHEMA);
	json_put_text(o, "source", f->source);
	json_put(o, "machine", json_object_get(f->machine));
	json_put(o, "floors", list);
	for (size_t i = 0; i < f->nr; i++) {
		const struct floor_item *x = &f->items[i];
		struct json_object *item = json_object_new_object();

		json_put_text(item, "workload", x->workload);
		json_put_text(item, "digest", x->digest);
		json_put_text(item, "metric", x->metric);
		json_put_text(item, "statistic", x->statistic);
		json_put_real(item, "ratio", x->ratio);
		json_put(item, "ci95", interval_to_json(&x->ci95));
		json_put_real(item, "floor", x->floor);
		json_put(item, "smallest_margin",
			 x->smallest_margin > 0 ? json_new_real(x->smallest_margin)
						: NULL);
		json_put(item, "memory", memory_to_json(&x->memory));
		json_put(item, "verdict", verdict_to_json(x->verdict));
		json_object_array_add(list, item);
	}
	rc = json_write_file(path, o, 0644, err);
	json_object_put(o);
	return rc;
}

static enum verdict verdict_of(const char *name)
{
	for (int v = VERDICT_EQUIVALENT; name && v <= VERDICT_INVALID; v++)
		if (strcmp(name, verdict_name((enum verdict)v)) == 0)
			return (enum verdict)v;
	return VERDICT_NONE;
}

static void read_item(struct noise_floor *f, struct json_object *o)
{
	struct json_object *ci95 = json_member(o, "ci95");
	struct floor_item *i = add_item(f);

	i->workload = x_strdup(json_get_text(o, "workload", ""));
	i->digest = x_strdup(json_get_text(o, "digest", ""));
	i->metric = x_strdup(json_get_text(o, "metric", ""));
	i->statistic = x_strdup(json_get_text(o, "statistic", ""));
	i->ratio = json_get_real(o, "ratio", 0);
	i->floor = json_get_real(o, "floor", 0);
	i->smallest_margin = json_get_real(o, "smallest_margin", 0);
	i->memory = memory_from_json(json_member(o, "memory"));
	i->verdict = verdict_of(json_get_text(o, "verdict", NULL));
	if (json_object_is_type(ci95, json_type_array) &&
	    json_object_array_length(ci95) == 2) {
		i->ci95.low = json_object_get_double(json_object_array_get_idx(ci95, 0));
		i->ci95.high = json_object_get_double(json_object_array_get_idx(ci95, 1));
	}
}

int noise_floor_read(struct noise_floor *ret, const char *path, struct err *err)
{
	struct json_object *o = json_read_file(path, JSON_FILE_MAX, err);
	struct json_object *list = json_member(o, "floors");
	const char *schema = json_get_text(o, "schema", "");
	int rc = o ? 0 : -1;

	*ret = (struct noise_floor){0};
	if (!rc && (strcmp(schema, FLOOR_SCHEMA) != 0 ||
		    !json_object_is_type(list, json_type_array)))
		rc = err_set(err, ERR_USAGE,
			     "%s: not a noise floor (schema '%.40s', not %s)", path,
			     schema, FLOOR_SCHEMA);
	if (!rc) {
		ret->source = x_strdup(json_get_text(o, "source", path));
		ret->machine = json_object_get(json_member(o, "machine"));
		for (size_t i = 0; i < json_object_array_length(list); i++)
			read_item(ret, json_object_array_get_idx(list, i));
	}
	json_object_put(o);
	return rc;
}

static const struct floor_item *find(const struct noise_floor *f,
				     const struct comparison *c, const char *digest)
{
	for (size_t i = 0; i < f->nr; i++) {
		const struct floor_item *x = &f->items[i];

		if (strcmp(x->workload, c->workload) == 0 &&
		    strcmp(x->metric, c->metric) == 0 &&
		    strcmp(x->statistic, c->statistic) == 0 &&
		    strcmp(x->digest, digest) == 0)
			return x;
	}
	return NULL;
}

static void apply(const struct noise_floor *f, const struct floor_item *x,
		  struct comparison *c)
{
	char ratio[32], low[32], high[32], floor[32], margin[32];

	c->floor = x->floor;
	if (x->verdict >= VERDICT_DEGRADED || x->verdict == VERDICT_IMPROVED) {
		if (c->verdict != VERDICT_INVALID)
			comparison_conclude(
				c, VERDICT_INVALID,
				"noise-floor: 'tare aa' (%s) found it %s between two "
				"sides that are the same: ratio %s, 95 %% interval [%s, "
				"%s]",
				f->source, verdict_name(x->verdict),
				ratio_text(x->ratio, ratio, sizeof(ratio)),
				ratio_text(x->ci95.low, low, sizeof(low)),
				ratio_text(x->ci95.high, high, sizeof(high)));
	} else if (x->floor > c->margin) {
		strvec_addf(&c->notes,
			    "the noise floor of this set-up, %s, is above the margin of "
			    "%s: 'tare aa' could not confirm it either",
			    percent_text(x->floor, floor, sizeof(floor)),
			    percent_text(c->margin, margin, sizeof(margin)));
	}
}

static bool is_same_machine(const struct noise_floor *f, const struct result_set *set,
			    const char *arm)
{
	struct likeness l;
	bool is_alike;

	likeness_compare(&l, f->machine, result_set_facts(set, arm));
	is_alike = likeness_holds(&l);
	likeness_release(&l);
	return is_alike;
}

void noise_floor_lend_memory(const struct noise_floor *f, struct judgement *j,
			     size_t from, const struct result_set *set, const char *arm)
{
	if (!is_same_machine(f, set, arm))
		return;
	for (size_t i = from; i < j->nr; i++) {
		struct comparison *c = &j->items[i];
		const struct floor_item *x =
			find(f, c, digest_of_work(set, arm, c->workload));

		if (!x || !c->is_paired || x->memory.nr < MEMORY_ROUNDS_MIN)
			continue;
		c->memory = x->memory;
		c->is_memory_of_floor = true;
	}
}

void noise_floor_apply(const struct noise_floor *f, struct judgement *j, size_t from,
		       const struct result_set *set, const char *arm)
{
	if (!is_same_machine(f, set, arm)) {
		char *machine = provenance_machine(f->machine);

		strvec_addf(&j->notes,
			    "The noise floor in %s is of another machine (%s) than %s, "
			    "so none is shown.",
			    f->source, machine, arm);
		free(machine);
		return;
	}
	for (size_t i = from; i < j->nr; i++) {
		struct comparison *c = &j->items[i];
		const struct floor_item *x =
			find(f, c, digest_of_work(set, arm, c->workload));

		if (x)
			apply(f, x, c);
	}
}
