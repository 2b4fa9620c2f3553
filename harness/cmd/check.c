/*
 * tare check: what a plan's arms would meet, before anything is leased: at their
 * provisioners, on their fixed machines, and as a comparison of those.
 */
#include "harness/cmd/cmd.h"

#include "core/document/likeness.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/printable.h"
#include "core/base/stop.h"
#include "harness/cmd/rows.h"
#include "harness/run/arm_check.h"
#include "harness/run/run_rounds.h"
#include "reports/verdict/claims.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct strvec arms;
	bool json, all, isolation;
	char *output;
};

static const struct field fields[] = {
	{"arm", FIELD_TEXTS, offsetof(struct options, arms), .arg = "NAME",
	 .help = "Only this arm; may be repeated."},
	{"all", FIELD_FLAG, offsetof(struct options, all), .letter = 'a',
	 .help = "Print checks that passed and facts that agree as well."},
	{"isolation", FIELD_FLAG, offsetof(struct options, isolation),
	 .help = "Also try whether each arm's account could, as a tenant, get a GPU "
		 "that nobody gave it: by requests whose machines are held, never start "
		 "and are ended at once. It needs an account that is no administrator's."},
	ROW_OUTPUT_DIR(offsetof(struct options, output),
		       "With --isolation: folder of its journal, for 'tare clean' after "
		       "a crash. Without it: runs/check-ID."),
	{"json", FIELD_FLAG, offsetof(struct options, json),
	 .help = "Print the whole reports as one JSON object, by arm."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare check plan.json", "Says what would fail, and why."},
	{"tare check --isolation --arm vm plan.json",
	 "Could this tenant take another's GPU?"},
	{"tare check --arm metal --all plan.json",
	 "Every check of one machine with what was seen."},
	{0},
};

static const struct opt_command command = {
	.name = "tare check",
	.summary = "what a plan's machines would meet, before anything runs",
	.usage = "[OPTION]... PLAN",
	.about =
		"Asks the provisioner of each arm that takes machines from one: devices "
		"and who has them, quotas, rights, hosts. On each fixed machine (target "
		"local or ssh) it runs tare-probe's preflight, and compares their facts "
		"with the baseline's, or the first's, and says which claims of a verdict "
		"they already show. It leases and changes nothing; "
		"tare-probe is uploaded to machines over SSH.\n\n"
		"Exit status 5 when something would fail, else 4 when the machines are "
		"not like for like, so that a comparison would be invalid.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "file",
};

/* To stdout, made harmless: most words come from the machine that was checked. */
static void ERR_PRINTF(1, 2) print(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = x_vasprintf(fmt, ap);
	va_end(ap);
	printable_make(text, strlen(text));
	fputs(text, stdout);
	free(text);
}

static void print_line(const char *state, const char *name, const char *text,
		       const char *remedy)
{
	print("  %-8s %-10s %s\n", state, name, text);
	if (remedy)
		print("  %-8s %-10s -> %s\n", "", "", remedy);
}

/* A line a check, with what mends it. Of preflight's many, those that passed are not news. */
static void print_checks(const char *arm, struct json_object *report, bool all)
{
	struct json_object *checks = json_member(report, "checks");
	bool is_preflight = json_member(report, "preflight") != NULL;

	print("%s: %s\n", arm, json_get_text(report, "summary", ""));
	for (size_t i = 0; i < json_length(checks); i++) {
		struct json_object *c = json_object_array_get_idx(checks, i);
		const char *state = json_get_text(c, "state", "unknown");
		const char *name = json_get_text(c, "name", "");

		if (all || !is_preflight || strcmp(state, "failed") == 0 ||
		    strcmp(state, "warning") == 0 || strcmp(name, "driver") == 0)
			print_line(state, name, json_get_text(c, "text", ""),
				   json_get_text(c, "remedy", NULL));
	}
}

/* Differences, and in full also what agrees. */
static void print_likeness(const struct likeness *l, const char *baseline,
			   const char *candidate, bool all)
{
	print("%s and %s: %s\n", baseline, candidate,
	      l->breaks ? "not like for like" : "like for like as far as is known");
	for (size_t i = 0; i < l->nr; i++) {
		const struct likeness_row *r = &l->rows[i];
		bool is_news = r->state == LIKENESS_BREAKS ||
			       r->state == LIKENESS_DIFFERS ||
			       (r->state == LIKENESS_UNKNOWN &&
				r->field->weight == LIKENESS_MUST);

		if (!is_news && (!all || r->state == LIKENESS_ABSENT))
			continue;
		print("  %-8s %-24s %s | %s\n", likeness_state_name(r->state),
		      r->field->label, r->baseline ? r->baseline : "unknown",
		      r->candidate ? r->candidate : "unknown");
		if (is_news)
			print("  %-8s %-24s -> %s\n", "", "", r->field->why);
	}
}

/* What a verdict will rest on, as far as the machines alone can tell. */
static void print_claims(const struct claims *c)
{
	for (int i = 0; i < CLAIM_NR; i++) {
		const struct claim *one = &c->items[i];

		if (claims_applies(c, (enum claim_id)i))
			print("  %-12s %-14s %s\n",
			      one->state == CLAIM_NOT_SHOWN
				      ? "not yet"
				      : claim_state_name(one->state),
			      claim_name((enum claim_id)i), one->sentence);
	}
}

static unsigned count_failed(struct json_object *report)
{
	struct json_object *checks = json_member(report, "checks");
	unsigned failed = 0;

	for (size_t i = 0; i < json_length(checks); i++)
		failed += !strcmp(
			json_get_text(json_object_array_get_idx(checks, i), "state", ""),
			"failed");
	return failed;
}

static int check_arm(struct session *s, const struct arm *a, struct json_object **ret,
		     struct err *err)
{
	struct provisioner *p;

	if (a->target != ARM_VM)
		return arm_check(s, a, ret, err);
	p = session_provisioner(s, a->provisioner, err);
	if (p && !provisioner_check(p, a->machine, ret, err))
		return 0;
	return err_wrap(err, "arm '%s'", a->name);
}

/* Journalled as a lease, for it is one until it was refused or ended. */
static int try_isolation(struct session *s, const struct arm *a, const struct options *o,
			 struct json_object *report, bool *ret_failed, struct err *err)
{
	struct provisioner *p = session_provisioner(s, a->provisioner, err);
	struct step_at at = {.arm = a->name};
	struct json_object *isolation = NULL;
	struct journal_step st;
	int rc;

	if (!p || journal_step_begin(&st, s->journal, STEP_LEASE, &at, NULL, err))
		return -1;
	rc = provisioner_check_isolation(p, a->machine, s->run_id, &isolation, err);
	if (journal_step_end(&st, rc, NULL, err))
		return err_wrap(err, "arm '%s'; 'tare clean %s' ends what is left",
				a->name, s->dir);
	if (!isolation) {
		log_warn("arm '%s': not tried: its provisioner has no tenants to keep "
			 "apart",
			 a->name);
		return 0;
	}
	*ret_failed |= count_failed(isolation) > 0;
	if (!o->json)
		print_checks(a->name, isolation, true);
	json_put(report, "isolation", isolation);
	return 0;
}

static struct json_object *machine_of(struct json_object *all, const struct arm *a)
{
	return json_member(json_member(all, a->name), "machine");
}

static bool is_contradicted(const struct claims *c)
{
	for (int i = 0; i < CLAIM_NR; i++)
		if (c->items[i].state == CLAIM_CONTRADICTED)
			return true;
	return false;
}

/* False: a comparison of the two would be invalid. */
static bool compare_pair(const struct options *o, const struct plan *plan,
			 struct json_object *all, const struct arm *base,
			 const struct arm *a)
{
	const char *const labels[] = {base->name, a->name};
	struct json_object *const facts[] = {machine_of(all, base), machine_of(all, a)};
	struct json_object *resolved = plan_to_json(plan), *report;
	struct likeness l;
	struct claims c;
	bool alike;

	likeness_compare(&l, facts[0], facts[1]);
	claims_of_machines(&c, labels, facts,
			   claims_relation(resolved, base->name, a->name));
	alike = likeness_holds(&l) && !is_contradicted(&c);
	if (!o->json) {
		print_likeness(&l, base->name, a->name, o->all);
		print_claims(&c);
	}
	report = likeness_to_json(&l);
	json_put_text(report, "baseline", base->name);
	json_put(json_member(all, a->name), "likeness", report);
	json_put(json_member(all, a->name), "claims", claims_to_json(&c));
	json_object_put(resolved);
	likeness_release(&l);
	claims_release(&c);
	return alike;
}

/* Every other fixed machine against the baseline's, or the first's. */
static bool compare_machines(const struct options *o, const struct plan *plan,
			     struct json_object *all)
{
	const struct arm *base = &plan->arms[plan->baseline];
	bool alike = true;

	for (size_t i = 0; !machine_of(all, base) && i < plan->arms_nr; i++)
		base = &plan->arms[i];
	for (size_t i = 0; i < plan->arms_nr; i++) {
		const struct arm *a = &plan->arms[i];

		if (a != base && machine_of(all, a) && machine_of(all, base))
			alike = compare_pair(o, plan, all, base, a) && alike;
	}
	return alike;
}

/* What it finds goes into 'all' under the arm's name; gives an exit status. */
static int check_one(const struct options *o, struct session *s, const struct arm *a,
		     struct json_object *all)
{
	struct json_object *report = NULL;
	struct err err = ERR_INIT;
	bool failed;

	if (check_arm(s, a, &report, &err))
		return log_failure(&err);
	failed = count_failed(report) > 0;
	if (!o->json)
		print_checks(a->name, report, o->all);
	json_put(all, a->name, report);
	if (o->isolation && a->target == ARM_VM &&
	    try_isolation(s, a, o, report, &failed, &err))
		return log_failure(&err);
	return failed ? EXIT_ENVIRONMENT : EXIT_PASS;
}

static int check_arms(const struct options *o, struct session *s)
{
	const struct plan *plan = s->plan;
	struct json_object *all = json_object_new_object();
	int status = EXIT_PASS;

	for (size_t i = 0; i < plan->arms_nr; i++) {
		const struct arm *a = &plan->arms[i];
		int one = !o->arms.nr || strvec_has(&o->arms, a->name)
				  ? check_one(o, s, a, all)
				  : EXIT_PASS;

		status = one ? one : status;
	}
	if (!compare_machines(o, plan, all) && status == EXIT_PASS)
		status = EXIT_INVALID;
	if (o->json)
		fputs(json_text(all), stdout);
	json_object_put(all);
	return status;
}

static int check_plan(const struct options *o, const struct plan *plan, struct err *err)
{
	char *dir = o->output ? x_strdup(o->output) : session_new_dir("check");
	struct session s;
	int status = -1;

	if (!o->isolation)
		session_begin_unwritten(&s, plan);
	if (!o->isolation || !session_begin(&s, plan, dir, err)) {
		status = check_arms(o, &s);
		session_end(&s);
	}
	free(dir);
	return status;
}

/* Where no arm leases, nothing is tried, and that would look like a refused attempt. */
static int check_isolated(const struct options *o, const struct plan *plan,
			  struct err *err)
{
	bool has_lease = false;

	if (o->output && !o->isolation)
		return err_set(err, ERR_USAGE,
			       "--output is for --isolation; nothing else is written");
	for (size_t i = 0; i < plan->arms_nr; i++)
		has_lease = has_lease ||
			    (plan->arms[i].target == ARM_VM &&
			     (!o->arms.nr || strvec_has(&o->arms, plan->arms[i].name)));
	if (o->isolation && !has_lease)
		return err_set(err, ERR_USAGE,
			       "%s: --isolation asks a provisioner, and none of these "
			       "arms takes its machine from one (target vm)",
			       plan->path);
	return 0;
}

static int check(void *options, const struct strvec *rest, struct err *err)
{
	const struct options *o = options;
	const struct run_filter filter = {.arms = &o->arms};
	struct plan plan;
	int status = -1;

	stop_install();
	if (plan_read(&plan, rest->items[0], err))
		return -1;
	if (!run_filter_check(&filter, &plan, err) && !check_isolated(o, &plan, err))
		status = check_plan(o, &plan, err);
	plan_release(&plan);
	return status;
}

const struct subcommand cmd_check = {&command, check, sizeof(struct options)};
