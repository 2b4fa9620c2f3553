/* tare check: what a plan's arms would meet at their provisioners, before anything runs. */
#include "harness/cmd/cmd.h"

#include "core/log.h"
#include "core/stop.h"
#include "harness/cmd/command.h"
#include "harness/plan/plan.h"
#include "harness/provision/provisioner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct strvec arms;
	bool json;
};

static const struct field fields[] = {
	{.name = "arm",
	 .kind = FIELD_TEXTS,
	 .offset = offsetof(struct options, arms),
	 .arg = "NAME",
	 .help = "Only this arm; may be repeated."},
	{.name = "json",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct options, json),
	 .help = "Print the whole reports as one JSON object, by arm."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare check plan.json", "Says what would fail at the front-end of each arm."},
	{0},
};

static const struct opt_command command = {
	.name = "tare check",
	.summary = "what a plan's machines would meet, before anything runs",
	.usage = "[OPTION]... PLAN",
	.about = "Asks the provisioner of each arm that takes machines from one: devices "
		 "and "
		 "who has them, quotas, rights, hosts. It only reads. Exit status 5 when "
		 "something would fail.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "file",
};

/* A line a check, with what mends it. */
static void print_checks(const char *arm, struct json_object *report)
{
	struct json_object *checks = json_member(report, "checks");

	printf("%s: %s\n", arm, json_get_text(report, "summary", ""));
	for (size_t i = 0; checks && i < json_object_array_length(checks); i++) {
		struct json_object *c = json_object_array_get_idx(checks, i);
		const char *remedy = json_get_text(c, "remedy", NULL);

		printf("  %-8s %-10s %s\n", json_get_text(c, "state", "unknown"),
		       json_get_text(c, "name", ""), json_get_text(c, "text", ""));
		if (remedy)
			printf("  %-8s %-10s -> %s\n", "", "", remedy);
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

static int check_arm(const struct plan *plan, const struct arm *a,
		     struct json_object **ret, struct err *err)
{
	const struct provision *v = plan_provision(plan, a->provisioner);
	struct provisioner *p = v->kind->open(v->config, err);
	int rc = p ? provisioner_check(p, a->machine, ret, err) : -1;

	provisioner_free(p);
	return rc ? err_wrap(err, "arm '%s'", a->name) : 0;
}

static int check_plan(const struct options *o, const struct plan *plan)
{
	struct json_object *all = json_object_new_object();
	struct err err = ERR_INIT;
	int status = EXIT_PASS;

	for (size_t i = 0; i < plan->arms_nr; i++) {
		const struct arm *a = &plan->arms[i];
		struct json_object *report = NULL;

		if (a->target != ARM_VM || (o->arms.nr && !strvec_has(&o->arms, a->name)))
			continue;
		err_clear(&err);
		if (check_arm(plan, a, &report, &err)) {
			status = log_failure(&err);
			continue;
		}
		if (count_failed(report))
			status = EXIT_ENVIRONMENT;
		if (!o->json)
			print_checks(a->name, report);
		json_put(all, a->name, report);
	}
	if (o->json)
		fputs(json_text(all), stdout);
	json_object_put(all);
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
