#include "harness/run/run_rounds.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "core/base/stop.h"
#include "harness/run/arm_turn.h"
#include "harness/run/mig_turn.h"
#include "harness/run/arm_order.h"
#include "reports/content/report.h"

#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct strvec *names, const char *name)
{
	return !names || !names->nr || strvec_has(names, name);
}

static int check_names(const char *what, const struct strvec *names,
		       const struct strvec *known, struct err *err)
{
	for (size_t i = 0; names && i < names->nr; i++)
		if (!strvec_has(known, names->items[i]))
			return name_unknown(known, names->items[i], what, err);
	return 0;
}

int run_filter_check(const struct run_filter *f, const struct plan *p, struct err *err)
{
	struct strvec arms = {0}, workloads = {0};
	int rc;

	for (size_t i = 0; i < p->arms_nr; i++)
		strvec_add(&arms, p->arms[i].name);
	for (size_t i = 0; i < p->workloads_nr; i++)
		strvec_add(&workloads, p->workloads[i].name);
	rc = check_names("the plan has no arm", f->arms, &arms, err);
	if (!rc)
		rc = check_names("the plan has no workload", f->workloads, &workloads,
				 err);
	strvec_release(&arms);
	strvec_release(&workloads);
	return rc;
}

/* How many workloads this arm still has to do in this round; 'wanted' says which. */
static size_t still_wanted(const struct session *s, const struct run_filter *f, int round,
			   const struct arm *arm, bool *wanted)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->plan->workloads_nr; i++) {
		const char *name = s->plan->workloads[i].name;

		wanted[i] = is_wanted(f->workloads, name) &&
			    !mig_turn_is_measured(s, round, arm, name);
		nr += wanted[i];
	}
	return nr;
}

static int one_round(struct session *s, const struct run_filter *f, int round,
		     struct err *err)
{
	bool *wanted = x_calloc(s->plan->workloads_nr, sizeof(*wanted));
	int rc = 0;

	for (size_t turn = 0; turn < s->plan->arms_nr && !rc; turn++) {
		const struct arm *arm = &s->plan->arms[rounds_arm(s->plan, round, turn)];

		if (!is_wanted(f->arms, arm->name) ||
		    !still_wanted(s, f, round, arm, wanted))
			continue;
		rc = stop_check(err);
		if (!rc)
			rc = arm_turn(s, round, arm, wanted, err);
	}
	free(wanted);
	return rc;
}

/* What the verdicts say so far, for the journal and for the person who waits. */
static int judge(struct session *s, int round, bool *ret_decided, struct err *err)
{
	struct report r;
	char *waits_for;

	if (report_load(&r, s->dir, NULL, err))
		return -1;
	*ret_decided = judgement_is_decided(&r.judgement);
	waits_for = judgement_waits_for(&r.judgement);
	if (*ret_decided)
		log_info("round %d: decided (%s)", round,
			 verdict_name(r.judgement.overall));
	else if (round < s->plan->schedule.rounds_max)
		log_info("round %d: still waiting for %s", round,
			 waits_for ? waits_for : "more rounds");
	free(waits_for);
	report_release(&r);
	return 0;
}

static int judge_stage(struct session *s, int round, bool *ret_decided, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct step_at at = {.round = round};
	struct journal_step st;
	int rc;

	if (journal_step_begin(&st, s->journal, STEP_JUDGE, &at, NULL, err)) {
		json_object_put(data);
		return -1;
	}
	rc = judge(s, round, ret_decided, err);
	json_put_bool(data, "decided", *ret_decided);
	return journal_step_end(&st, rc, data, err);
}

int run_rounds(struct session *s, const struct run_filter *f, struct err *err)
{
	const struct schedule *schedule = &s->plan->schedule;
	int64_t end_ns = schedule->budget_ns ? clock_deadline_ns(schedule->budget_ns)
					     : CLOCK_NEVER;
	bool decided = false;

	for (int round = 1; round <= schedule->rounds_max && !decided; round++) {
		if (round > 1 && clock_passed(end_ns)) {
			log_warn("the budget is spent after %d rounds", round - 1);
			break;
		}
		if (one_round(s, f, round, err))
			return -1;
		/* With fewer arms than the plan's there is nothing to judge. */
		if (round < schedule->rounds_min || (f->arms && f->arms->nr) ||
		    (f->workloads && f->workloads->nr))
			continue;
		if (judge_stage(s, round, &decided, err))
			return -1;
	}
	return 0;
}
