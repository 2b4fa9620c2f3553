#include "reports/content/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/claim_name.h"
#include "core/document/run_directory.h"
#include "reports/import/result_files.h"

/* NULL: the plan has none. */
static struct json_object *plan_margins(const struct result_set *s)
{
	struct json_object *o = json_member(s->plan, "margins");

	return json_object_is_type(o, json_type_object) && json_object_object_length(o)
		       ? o
		       : NULL;
}

/*
 * Of two plans the baseline's margins count, for what is judged must not say how; the
 * candidate's only where the baseline has none.
 */
static int load_margins(struct report *r, const struct report_judging *how,
			struct err *err)
{
	const char *file = how ? how->margins_file : NULL;
	struct json_object *own = NULL;

	margins_init(&r->margins);
	for (size_t i = 0; i < r->sets_nr && !own; i++)
		own = plan_margins(&r->sets[i]);
	if (own && margins_add_json(&r->margins, own, "the plan: /margins", err))
		return -1;
	return file ? margins_read(&r->margins, file, err) : 0;
}

/* Who is judged said by what: that must be seen. */
static void note_margins_of_candidate(struct report *r)
{
	struct json_object *own = plan_margins(&r->sets[1]);

	if (own && !plan_margins(&r->sets[0]))
		strvec_addf(&r->judgement.notes,
			    "The margins are those of the candidate's own plan, for the "
			    "baseline has none: %.200s",
			    json_line(own));
}

static void describe(struct report *r)
{
	const char *name =
		r->sets[0].plan ? json_get_text(r->sets[0].plan, "name", NULL) : NULL;
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	r->created = x_strdup(label);
	if (r->sets_nr == 2)
		r->title = x_asprintf("%s against %s", path_base(r->sets[1].source),
				      path_base(r->sets[0].source));
	else
		r->title = x_strdup(name ? name : path_base(r->sets[0].source));
	if (r->sets_nr == 2) {
		strvec_addf(&r->repeat, "tare compare %s %s", r->sets[0].source,
			    r->sets[1].source);
		return;
	}
	strvec_addf(&r->repeat, "tare run %s/" RUNDIR_PLAN " -o NEW-DIRECTORY",
		    r->sets[0].source);
	strvec_addf(&r->repeat, "tare report %s", r->sets[0].source);
}

/* What 'tare aa' left beside the results, of the last set that has it. */
static int load_floor(struct report *r, struct judge_options *o, struct err *err)
{
	for (size_t i = r->sets_nr; i-- > 0 && !r->floor.source;) {
		char *path = path_join(r->sets[i].source, RUNDIR_FLOOR);
		int rc = r->sets[i].is_run && file_exists(path)
				 ? noise_floor_read(&r->floor, path, err)
				 : 0;

		free(path);
		if (rc)
			return -1;
	}
	o->floor = r->floor.source ? &r->floor : NULL;
	return 0;
}

/* The plan that is read beside the results was written by anyone. */
static int check_plan_trust(const struct result_set *s, struct err *err)
{
	struct json_object *list = json_member(s->plan, "trust");
	char *where = x_asprintf("%s: the plan: /trust", s->source);
	struct strvec names = {0};
	int rc;

	for (size_t i = 0; i < json_length(list); i++) {
		const char *name =
			json_object_get_string(json_object_array_get_idx(list, i));

		strvec_add(&names, name ? name : "null");
	}
	rc = claim_names_check(&names, where, err);
	strvec_release(&names);
	free(where);
	return rc;
}

static int check_trust(const struct report_judging *how, struct err *err)
{
	return how && how->trust ? claim_names_check(how->trust, "--trust", err) : 0;
}

int report_load(struct report *ret, const char *dir, const struct report_judging *how,
		struct err *err)
{
	struct judge_options o = {.margins = &ret->margins,
				  .trust = how ? how->trust : NULL};

	*ret = (struct report){0};
	if (check_trust(how, err) || result_set_load(&ret->sets[0], dir, err))
		return -1;
	ret->sets_nr = 1;
	if (check_plan_trust(&ret->sets[0], err) || load_margins(ret, how, err) ||
	    load_floor(ret, &o, err) ||
	    judge_run(&ret->judgement, &ret->sets[0], NULL, &o, err)) {
		report_release(ret);
		return -1;
	}
	describe(ret);
	return 0;
}

int report_load_pair(struct report *ret, const char *baseline, const char *candidate,
		     const struct report_judging *how, struct err *err)
{
	struct judge_options o = {.margins = &ret->margins,
				  .trust = how ? how->trust : NULL};

	*ret = (struct report){0};
	if (check_trust(how, err) || result_set_load(&ret->sets[0], baseline, err))
		return -1;
	ret->sets_nr = 1;
	if (result_set_load(&ret->sets[1], candidate, err)) {
		report_release(ret);
		return -1;
	}
	ret->sets_nr = 2;
	if (check_plan_trust(&ret->sets[1], err) || load_margins(ret, how, err) ||
	    load_floor(ret, &o, err) ||
	    judge_sets(&ret->judgement, &ret->sets[0], &ret->sets[1], &o, err)) {
		report_release(ret);
		return -1;
	}
	note_margins_of_candidate(ret);
	describe(ret);
	return 0;
}

void report_release(struct report *r)
{
	for (size_t i = 0; i < r->sets_nr; i++)
		result_set_release(&r->sets[i]);
	margins_release(&r->margins);
	noise_floor_release(&r->floor);
	judgement_release(&r->judgement);
	strvec_release(&r->repeat);
	free(r->title);
	free(r->created);
	*r = (struct report){0};
}

void report_labels(const struct report *r, struct strvec *ret)
{
	for (size_t i = 0; i < r->judgement.pairs_nr; i++)
		if (!strvec_has(ret, r->judgement.pairs[i].baseline))
			strvec_add(ret, r->judgement.pairs[i].baseline);
	for (size_t i = 0; i < r->judgement.pairs_nr; i++)
		if (!strvec_has(ret, r->judgement.pairs[i].candidate))
			strvec_add(ret, r->judgement.pairs[i].candidate);
}

const struct result_set *report_side(const struct report *r, const char *label,
				     const char **ret_arm)
{
	for (size_t i = 0; i < r->judgement.pairs_nr; i++) {
		const struct judged_pair *p = &r->judgement.pairs[i];

		if (strcmp(label, p->baseline) == 0) {
			*ret_arm = p->baseline_arm;
			return &r->sets[0];
		}
		if (strcmp(label, p->candidate) == 0) {
			*ret_arm = p->candidate_arm;
			return &r->sets[r->sets_nr - 1];
		}
	}
	return NULL;
}

void report_arms_init(struct report_arms *a, const struct report *r)
{
	*a = (struct report_arms){0};
	report_labels(r, &a->labels);
	for (size_t i = 0; i < a->labels.nr && a->nr < REPORT_ARMS_MAX; i++) {
		struct report_arm *one = &a->items[a->nr];

		one->label = a->labels.items[i];
		one->set = report_side(r, one->label, &one->arm);
		a->nr += one->set != NULL;
	}
	for (size_t s = 0; s < r->sets_nr; s++)
		for (size_t i = 0; i < r->sets[s].workloads.nr; i++)
			if (!strvec_has(&a->workloads, r->sets[s].workloads.items[i]))
				strvec_add(&a->workloads, r->sets[s].workloads.items[i]);
}

void report_arms_release(struct report_arms *a)
{
	strvec_release(&a->labels);
	strvec_release(&a->workloads);
	*a = (struct report_arms){0};
}
