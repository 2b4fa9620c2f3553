#include "harness/plan/plan.h"

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/claim_name.h"
#include "harness/plan/plan_impl.h"
#include "harness/provision/provisioner.h"
#include "harness/provision/kinds/provisioner_kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t plan_max_bytes = 1 << 20;
static const char *const order_names[] = {"abba", "abab", "random-blocks", NULL};

struct plan_texts {
	char *name, *description, *baseline;
	struct strvec trust;
};

const struct field plan_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct plan_texts, name), .is_required = true,
	 .help = "Names the run folder and stands in the report's title."},
	{"description", FIELD_TEXT, offsetof(struct plan_texts, description),
	 .help = "What is compared and why; stands in the report."},
	{"baseline", FIELD_TEXT, offsetof(struct plan_texts, baseline),
	 .is_required = true, .help = "The arm that the others are compared with."},
	{"trust", FIELD_TEXTS, offsetof(struct plan_texts, trust), .arg = "CLAIM",
	 .help = "What a verdict rests on and is not shown may be taken on trust by name, "
		 "as in [\"health\"]; the report says so. docs/claims.md lists them."},
	{0},
};

const struct field rounds_fields[] = {
	{"min", FIELD_INT, offsetof(struct schedule, rounds_min), .unset = "3", .min = 1,
	 .max = 999, .help = "Rounds before a verdict may end the run."},
	{"max", FIELD_INT, offsetof(struct schedule, rounds_max), .unset = "12", .min = 1,
	 .max = 999, .help = "Rounds after which the run ends, decided or not."},
	{0},
};

const struct field schedule_fields[] = {
	{"order", FIELD_CHOICE, offsetof(struct schedule, order), .unset = "abba",
	 .choices = order_names,
	 .help = "Order of the arms: abba turns it round every other round, so that "
		 "drift cancels; random-blocks draws the order of every other round by the "
		 "seed and turns it round in the next, so that no rhythm of the machine falls "
		 "in with it; abab keeps it."},
	{"seed", FIELD_INT, offsetof(struct schedule, seed), .unset = "1",
	 .max = 9007199254740991, /* what a double holds exactly: bounds are doubles */
	 .help = "What the order of random-blocks is drawn by: the same seed, the same "
		 "order."},
	{"budget", FIELD_SECONDS, offsetof(struct schedule, budget_ns), .unset = "0",
	 .max = 2592000, .help = "No round is begun after this time; 0: no such bound."},
	{0},
};

static int read_provision(struct plan *p, const char *name, struct json_object *o,
			  struct err *err)
{
	struct provision *v = &p->provisions[p->provisions_nr++];
	char *pointer = x_asprintf("/provisioners/%s", name);
	const char *kind = json_get_text(o, "kind", NULL);
	int rc = -1;

	*v = (struct provision){.name = x_strdup(name)};
	if (!kind) {
		err_set(err, ERR_USAGE, "%s: %s: the key 'kind' is missing", p->path,
			pointer);
	} else if (!(v->kind = provisioner_kind_find(kind))) {
		struct strvec names = {0};

		for (const struct provisioner_kind *const *k = provisioner_kinds(); *k;
		     k++)
			strvec_add(&names, (*k)->name);
		name_unknown(&names, kind, "unknown kind", err);
		err_wrap(err, "%s: %s/kind", p->path, pointer);
		strvec_release(&names);
	} else {
		json_object_deep_copy(o, &v->config, NULL);
		json_object_object_del(v->config, "kind");
		rc = v->kind->check_config
			     ? v->kind->check_config(v->config, p->path, pointer, err)
			     : fields_check_json(v->kind->fields, v->config, p->path,
						 pointer, NULL, err);
	}
	free(pointer);
	return rc;
}

static int read_provisioners(struct plan *p, struct json_object *o, struct err *err)
{
	if (!o)
		return 0;
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, ERR_USAGE,
			       "%s: /provisioners: expected an object, found %s", p->path,
			       json_type_words(o));
	p->provisions =
		x_calloc((size_t)json_object_object_length(o), sizeof(*p->provisions));
	json_object_object_foreach(o, name, value)
	{
		if (plan_check_name(name, p->path, "/provisioners", err) ||
		    read_provision(p, name, value, err))
			return -1;
	}
	return 0;
}

static int read_schedule(struct plan *p, struct json_object *o, struct err *err)
{
	static const char *const others[] = {"rounds", NULL};
	struct json_object *rounds = json_member(o, "rounds");
	struct schedule *s = &p->schedule;

	fields_init(schedule_fields, s);
	fields_init(rounds_fields, s);
	if (o &&
	    fields_bind_json(schedule_fields, s, o, p->path, "/schedule", others, err))
		return -1;
	if (rounds && fields_bind_json(rounds_fields, s, rounds, p->path,
				       "/schedule/rounds", NULL, err))
		return -1;
	/* Someone who asks for five at the least need not say that twelve is enough. */
	if (!json_member(rounds, "max") && s->rounds_max < s->rounds_min)
		s->rounds_max = s->rounds_min;
	if (!json_member(rounds, "min") && s->rounds_min > s->rounds_max)
		s->rounds_min = s->rounds_max;
	if (s->rounds_min > s->rounds_max)
		return err_set(err, ERR_USAGE,
			       "%s: /schedule/rounds: min is larger than max", p->path);
	return 0;
}

static int read_margins(struct plan *p, struct json_object *o, struct err *err)
{
	p->margins = json_object_new_object();
	if (!o)
		return 0;
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, ERR_USAGE,
			       "%s: /margins: expected an object, found %s", p->path,
			       json_type_words(o));
	json_object_object_foreach(o, metric, value)
	{
		double margin = json_get_real(o, metric, NAN);

		if (!(margin > 0 && margin < 1) &&
		    !(margin == 0 && strcmp(metric, "failures") == 0))
			return err_set(err, ERR_USAGE,
				       "%s: /margins/%.60s: expected a relative "
				       "difference between 0 and 1, such as 0.01",
				       p->path, metric);
		json_put(p->margins, metric, json_object_get(value));
	}
	return 0;
}

static int find_baseline(struct plan *p, const char *name, struct err *err)
{
	const struct arm *arm = plan_arm(p, name);
	struct strvec names = {0};

	if (arm) {
		p->baseline = (size_t)(arm - p->arms);
		return 0;
	}
	for (size_t i = 0; i < p->arms_nr; i++)
		strvec_add(&names, p->arms[i].name);
	name_unknown(&names, name, "the plan has no arm", err);
	strvec_release(&names);
	return err_wrap(err, "%s: /baseline", p->path);
}

static int read_parts(struct plan *p, struct json_object *o, const char *baseline,
		      struct err *err)
{
	if (plan_check_name(p->name, p->path, "/name", err) ||
	    read_provisioners(p, json_member(o, "provisioners"), err) ||
	    plan_read_arms(p, json_member(o, "arms"), err) ||
	    plan_read_workloads(p, json_member(o, "workloads"), err) ||
	    read_schedule(p, json_member(o, "schedule"), err) ||
	    read_margins(p, json_member(o, "margins"), err))
		return -1;
	if (p->arms_nr < 1)
		return err_set(err, ERR_USAGE,
			       "%s: /arms: there must be at least one arm", p->path);
	return plan_find_gpu_hosts(p, err) || find_baseline(p, baseline, err) ||
			       plan_check_machines(p, err)
		       ? -1
		       : 0;
}

int plan_from_json(struct plan *ret, struct json_object *o, const char *path,
		   struct err *err)
{
	static const char *const others[] = {"$schema",   "provisioners", "arms",
					     "workloads", "schedule",     "margins",
					     NULL};
	struct plan_texts texts;
	int rc;

	*ret = (struct plan){.path = x_strdup(path)};
	fields_init(plan_fields, &texts);
	rc = fields_bind_json(plan_fields, &texts, o, path, "", others, err);
	ret->name = x_strdup(texts.name);
	ret->description = x_strdup(texts.description);
	ret->trust = texts.trust;
	texts.trust = (struct strvec){0};
	if (!rc && claim_names_check(&ret->trust, "/trust", err))
		rc = err_wrap(err, "%s", path);
	if (!rc)
		rc = read_parts(ret, o, texts.baseline, err);
	fields_release(plan_fields, &texts);
	if (rc)
		plan_release(ret);
	return rc;
}

int plan_read(struct plan *ret, const char *path, struct err *err)
{
	struct json_object *o;
	int rc;

	*ret = (struct plan){0};
	if (file_check_given(path, "a plan; configs/plans/ holds some to begin with",
			     err))
		return -1;
	o = json_read_commented(path, plan_max_bytes, err);
	if (!o)
		return -1;
	rc = plan_from_json(ret, o, path, err);
	json_object_put(o);
	return rc;
}

int plan_against_itself(struct plan *ret, const struct plan *p, struct err *err)
{
	struct json_object *o = plan_to_json(p), *arms = json_object_new_object();
	const char *base = p->arms[p->baseline].name;
	struct json_object *arm = json_member(json_member(o, "arms"), base);
	struct json_object *again = NULL;
	char *twin = x_asprintf("%.34s-again", base);
	char *name = x_asprintf("%.37s-aa", p->name);
	int rc;

	json_object_object_del(arm, "same_machine_as");
	json_object_deep_copy(arm, &again, NULL);
	json_put_text(again, "same_machine_as", base);
	json_put(arms, base, json_object_get(arm));
	json_put(arms, twin, again);
	json_put(o, "arms", arms);
	json_put_text(o, "name", name);
	rc = plan_from_json(ret, o, p->path, err);
	json_object_put(o);
	free(twin);
	free(name);
	return rc;
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->provisions_nr; i++) {
		free(p->provisions[i].name);
		json_object_put(p->provisions[i].config);
	}
	plan_release_gpu_hosts(p);
	for (size_t i = 0; i < p->arms_nr; i++)
		arm_release(&p->arms[i]);
	for (size_t i = 0; i < p->workloads_nr; i++)
		workload_release(&p->workloads[i]);
	for (size_t i = 0; i < p->programs_nr; i++)
		fields_free_described(p->programs[i].options);
	free(p->provisions);
	free(p->arms);
	free(p->workloads);
	free(p->programs);
	json_object_put(p->margins);
	strvec_release(&p->trust);
	free(p->path);
	free(p->name);
	free(p->description);
	*p = (struct plan){0};
}

static struct json_object *provisions_to_json(const struct plan *p)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < p->provisions_nr; i++) {
		struct json_object *v = NULL;

		json_object_deep_copy(p->provisions[i].config, &v, NULL);
		json_put_text(v, "kind", p->provisions[i].kind->name);
		json_put(o, p->provisions[i].name, v);
	}
	return o;
}

static struct json_object *trust_to_json(const struct strvec *trust)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < trust->nr; i++)
		json_object_array_add(list, json_new_text(trust->items[i]));
	return list;
}

struct json_object *plan_to_json(const struct plan *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *arms = json_object_new_object();
	struct json_object *workloads = json_object_new_array();
	struct json_object *schedule = fields_to_json(schedule_fields, &p->schedule);

	for (size_t i = 0; i < p->arms_nr; i++)
		json_put(arms, p->arms[i].name, arm_to_json(&p->arms[i]));
	for (size_t i = 0; i < p->workloads_nr; i++)
		json_object_array_add(workloads, workload_to_json(&p->workloads[i]));
	if (p->trust.nr)
		json_put(o, "trust", trust_to_json(&p->trust));
	json_put(schedule, "rounds", fields_to_json(rounds_fields, &p->schedule));
	json_put_text(o, "name", p->name);
	if (p->description)
		json_put_text(o, "description", p->description);
	json_put(o, "provisioners", provisions_to_json(p));
	json_put(o, "arms", arms);
	json_put_text(o, "baseline", p->arms[p->baseline].name);
	json_put(o, "workloads", workloads);
	json_put(o, "schedule", schedule);
	json_put(o, "margins", json_object_get(p->margins));
	return o;
}

void plan_digest(const struct plan *p, char hex[65])
{
	struct json_object *o = plan_to_json(p);
	const char *text = json_line(o);

	digest_of(text, strlen(text), hex);
	json_object_put(o);
}
