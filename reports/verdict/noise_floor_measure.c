#include "reports/verdict/noise_floor_measure.h"

#include "core/base/mem.h"
#include "reports/import/result_files.h"
#include "reports/verdict/verdict.h"

/* As the plan has it, but for whose machine it is said to be; owned by the caller. */
static struct json_object *arm_alone(struct json_object *arms, const char *name)
{
	struct json_object *copy = NULL;

	json_object_deep_copy(json_member(arms, name), &copy, NULL);
	if (copy)
		json_object_object_del(copy, "same_machine_as");
	return copy;
}

static bool are_twins(struct json_object *arms, const struct strvec *names)
{
	struct json_object *a = arm_alone(arms, names->items[0]);
	struct json_object *b = arm_alone(arms, names->items[1]);
	bool are = a && json_object_equal(a, b);

	json_object_put(a);
	json_object_put(b);
	return are;
}

/* Two arms of one plan that say the same: that is what 'tare aa' makes. */
static int check_twins(const struct result_set *s, struct err *err)
{
	struct json_object *arms = json_member(s->plan, "arms");

	if (s->is_run && s->arms.nr == 2 && arms && are_twins(arms, &s->arms))
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: no run of 'tare aa' (it has one arm twice): its noise floor "
		       "is not known",
		       s->source);
}

int noise_floor_measure(struct noise_floor *ret, const char *aa_dir, struct err *err)
{
	struct judge_options o = {0};
	struct result_set s;
	struct judgement j;
	struct margins m;
	struct json_object *own;
	int rc;

	*ret = (struct noise_floor){0};
	if (result_set_load(&s, aa_dir, err))
		return -1;
	margins_init(&m);
	own = json_member(s.plan, "margins");
	o.margins = &m;
	rc = check_twins(&s, err);
	if (!rc && own)
		rc = margins_add_json(&m, own, "plan.json: /margins", err);
	if (!rc)
		rc = judge_run(&j, &s, NULL, &o, err);
	if (!rc) {
		ret->source = x_strdup(aa_dir);
		ret->machine = json_object_get(
			result_set_facts(&s, s.baseline ? s.baseline : s.arms.items[0]));
		for (size_t i = 0; i < j.nr; i++)
			noise_floor_add(ret, &s, &j.items[i]);
		judgement_release(&j);
	}
	margins_release(&m);
	result_set_release(&s);
	return rc;
}
