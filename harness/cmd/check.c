/*
 * tare check: what a plan's arms would meet, before anything is leased: at their
 * provisioners, on their fixed machines, and as a comparison of those.
 */
#include "harness/cmd/cmd.h"

#include "core/likeness.h"
#include "core/log.h"
#include "core/stop.h"
#include "harness/cmd/command.h"
#include "harness/run/arm_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct strvec arms;
	bool json, all;
};

static const struct field fields[] = {
	{.name = "arm",
	 .kind = FIELD_TEXTS,
	 .offset = offsetof(struct options, arms),
	 .arg = "NAME",
	 .help = "Only this arm; may be repeated."},
	{.name = "all",
	 .kind = FIELD_FLAG,
	 .letter = 'a',
	 .offset = offsetof(struct options, all),
	 .help = "Print checks that passed and facts that agree as well."},
	{.name = "json",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct options, json),
	 .help = "Print the whole reports as one JSON object, by arm."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare check plan.json", "Says what would fail, and why."},
	{"tare check --arm metal --all plan.json",
	 "Every check of one machine with what was seen."},
	{0},
};

static const struct opt_command command = {
	.name = "tare check",
	.summary = "what a plan's machines would meet, before anything runs",
	.usage = "[OPTION]... PLAN",
	.about = "Asks the provisioner of each arm that takes machines from one: devices "
		 "and "
		 "who has them, quotas, rights, hosts. On each fixed machine (target "
		 "local or "
		 "ssh) it runs tare-probe's preflight, and compares their facts with the "
		 "baseline's, or the first's. It leases and changes nothing; tare-probe "
		 "is "
		 "uploaded to machines over SSH.\n\n"
		 "Exit status 5 when something would fail, else 4 when the machines are "
		 "not "
		 "like for like, so that a comparison would be invalid.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "file",
};

static void print_line(const char *state, const char *name, const char *text,
		       const char *remedy)
{
	printf("  %-8s %-10s %s\n", state, name, text);
	if (remedy)
		printf("  %-8s %-10s -> %s\n", "", "", remedy);
}

/* A line a check, with what mends it. Of preflight's many, those that passed are not news. */
static void print_checks(const char *arm, struct json_object *report, bool all)
{
	struct json_object *checks = json_member(report, "checks");
	bool is_preflight = json_member(report, "preflight") != NULL;

	printf("%s: %s\n", arm, json_get_text(report, "summary", ""));
	for (size_t i = 0; checks && i < json_object_array_length(checks); i++) {
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
	printf("%s and %s: %s\n", baseline, candidate,
	       l->breaks ? "not like for like" : "like for like as far as is known");
	for (size_t i = 0; i < l->nr; i++) {
		const struct likeness_row *r = &l->rows[i];
		bool is_news = r->state == LIKENESS_BREAKS ||
			       r->state == LIKENESS_DIFFERS ||
			       (r->state == LIKENESS_UNKNOWN &&
				r->field->weight == LIKENESS_MUST);

		if (!is_news && (!all || r->state == LIKENESS_ABSENT))
			continue;
		printf("  %-8s %-24s %s | %s\n", likeness_state_name(r->state),
		       r->field->label, r->baseline ? r->baseline : "unknown",
		       r->candidate ? r->candidate : "unknown");
		if (is_news)
			printf("  %-8s %-24s -> %s\n", "", "", r->field->why);
	}
}

static unsigned count_failed(struct json_object *report)
{
	struct json_object *checks = json_member(report, "checks");
	unsigned failed = 0;

	for (size_t i = 0; checks && i < json_object_array_length(checks); i++)
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

static struct json_object *machine_of(struct json_object *all, const struct arm *a)
{
	return json_member(json_member(all, a->name), "machine");
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
		struct json_object *report;
		struct likeness l;

		if (a == base || !machine_of(all, a) || !machine_of(all, base))
			continue;
		likeness_compare(&l, machine_of(all, base), machine_of(all, a));
		alike = alike && likeness_holds(&l);
		if (!o->json)
			print_likeness(&l, base->name, a->name, o->all);
		report = likeness_to_json(&l);
		json_put_text(report, "baseline", base->name);
		json_put(json_member(all, a->name), "likeness", report);
		likeness_release(&l);
	}
	return alike;
}

static int check_plan(const struct options *o, const struct plan *plan)
{
	struct json_object *all = json_object_new_object();
	struct err err = ERR_INIT;
	int status = EXIT_PASS;
	struct session s;

	session_begin_unwritten(&s, plan);
	for (size_t i = 0; i < plan->arms_nr; i++) {
		const struct arm *a = &plan->arms[i];
		struct json_object *report = NULL;

		if (o->arms.nr && !strvec_has(&o->arms, a->name))
			continue;
		err_clear(&err);
		if (check_arm(&s, a, &report, &err)) {
			status = log_failure(&err);
			continue;
		}
		if (count_failed(report))
			status = EXIT_ENVIRONMENT;
		if (!o->json)
			print_checks(a->name, report, o->all);
		json_put(all, a->name, report);
	}
	if (!compare_machines(o, plan, all) && status == EXIT_PASS)
		status = EXIT_INVALID;
	if (o->json)
		fputs(json_text(all), stdout);
	json_object_put(all);
	session_end(&s);
	return status;
}

static int check(void *options, const struct strvec *rest, struct err *err)
{
	struct plan plan;
	int status;

	stop_install();
	if (plan_read(&plan, rest->items[0], err))
		return -1;
	status = check_plan(options, &plan);
	plan_release(&plan);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct options o;

	return command_run(&command, &o, check, argc, argv);
}
