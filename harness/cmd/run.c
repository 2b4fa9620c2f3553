/* tare run: the whole comparison. */
#include "harness/cmd/cmd.h"

#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "harness/cmd/rows.h"
#include "harness/cmd/run_and_report.h"
#include "harness/run/arm_order.h"
#include "reports/verdict/noise_floor_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_options {
	char *output, *resume, *aa;
	int64_t rounds;
	struct strvec arms, workloads;
	bool dry_run, json, print_schema;
};

#define AT(member) offsetof(struct run_options, member)

static const struct field fields[] = {
	ROW_OUTPUT_DIR(AT(output), "Folder for everything this run produces; it must not "
				   "hold a run. Without it: runs/NAME-ID."),
	{"resume", FIELD_TEXT, AT(resume), .arg = "DIR",
	 .help = "Continue the run in DIR: machines that were left are given back, what "
		 "was measured is not measured again."},
	ROW_ROUNDS(AT(rounds)),
	{"arm", FIELD_TEXTS, AT(arms), .arg = "NAME",
	 .help = "Only this arm; may be repeated. Nothing is judged before all arms are "
		 "there, and until then the exit status is 3."},
	{"workload", FIELD_TEXTS, AT(workloads), .arg = "NAME",
	 .help = "Only this workload; may be repeated."},
	{"aa", FIELD_TEXT, AT(aa), .arg = "DIR",
	 .help = "A run of 'tare aa' of the same plan: its noise floor is printed "
		 "beside every claim."},
	{"dry-run", FIELD_FLAG, AT(dry_run), .letter = 'n',
	 .help = "Check the plan, print the steps and the time they will take, and stop."},
	ROW_VERDICT_JSON(AT(json)),
	{"print-schema", FIELD_FLAG, AT(print_schema),
	 .help = "Print the JSON Schema of a plan, for editors, and stop."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare run --dry-run my.plan.json",
	 "Is the plan right, and how long will it take?"},
	{"tare run -o runs/first my.plan.json",
	 "Measure, judge, and write runs/first/report.html."},
	{"tare run --resume runs/first", "Go on after a crash, a reboot or Ctrl-C."},
	{0},
};

static const struct opt_command command = {
	.name = "tare run",
	.summary = "measure every arm of a plan in alternating rounds and judge",
	.usage = "[OPTION]... PLAN",
	.about = "Runs the whole comparison that PLAN describes. In each round every arm "
		 "has its turn: its machine is leased, the programs are uploaded, the "
		 "workloads run, the results come back and the machine is given back. "
		 "When enough rounds have decided every gating metric, or the plan's "
		 "most is reached, the verdict is printed and the report written.\n\n"
		 "Ctrl-C stops cleanly and gives back what was leased; --resume goes on "
		 "from there. After a crash 'tare clean DIR' gives back what is left.",
	.fields = fields,
	.examples = examples,
	.positional_max = 1,
	.positional_kind = "file",
};

static int print_schema(void)
{
	struct json_object *o = plan_schema();

	fputs(json_text(o), stdout);
	putchar('\n');
	json_object_put(o);
	return EXIT_PASS;
}

/* The plan to run: the file given, or the one that the run began with. */
static int find_plan(const struct run_options *o, const struct strvec *rest,
		     struct plan *ret, struct err *err)
{
	char *path;
	int rc;

	if (o->resume && rest->nr)
		return err_set(
			err, ERR_USAGE,
			"--resume takes the plan from its folder; do not give one");
	if (o->resume && o->output)
		return err_set(err, ERR_USAGE,
			       "--resume and --output exclude each other");
	if (!o->resume && !rest->nr)
		return err_set(
			err, ERR_USAGE,
			"which plan? Usage: tare run %s; configs/plans/ holds some",
			command.usage);
	path = o->resume ? rundir_plan_path(o->resume, err) : x_strdup(rest->items[0]);
	if (!path)
		return -1;
	rc = plan_read(ret, path, err);
	free(path);
	if (!rc && o->rounds) {
		ret->schedule.rounds_min = o->rounds;
		ret->schedule.rounds_max = o->rounds;
	}
	return rc;
}

/* Refuses now what would otherwise be found out after everything was measured. */
static int check_comparable(const struct run_options *o, const struct plan *plan,
			    struct err *err)
{
	if (o->json && o->dry_run)
		return err_set(err, ERR_USAGE,
			       "--json prints a verdict, and --dry-run has none");
	if (plan->arms_nr < 2)
		return err_set(err, ERR_USAGE,
			       "%s: /arms: one arm ('%s') is nothing to compare with; "
			       "add another, or measure it against itself: 'tare aa'",
			       plan->path, plan->arms[0].name);
	return 0;
}

static int run(void *options, const struct strvec *rest, struct err *err)
{
	struct run_options *o = options;
	struct run_request request = {
		.dir = o->resume ? o->resume : o->output,
		.is_resumed = o->resume != NULL,
		.filter = {.arms = &o->arms, .workloads = &o->workloads},
		.json = o->json,
	};
	struct noise_floor floor = {0};
	struct plan plan = {0};
	int status = -1;

	if (o->print_schema)
		return print_schema();
	if (o->aa && noise_floor_measure(&floor, o->aa, err))
		return -1;
	request.floor = o->aa ? &floor : NULL;
	if (find_plan(o, rest, &plan, err)) {
		noise_floor_release(&floor);
		return -1;
	}
	if (!run_filter_check(&request.filter, &plan, err) &&
	    !check_comparable(o, &plan, err))
		status = o->dry_run ? rounds_print(&plan, o->resume, stdout, err)
				    : run_and_report(&plan, &request, err);
	plan_release(&plan);
	noise_floor_release(&floor);
	return status;
}

const struct subcommand cmd_run = {&command, run, sizeof(struct run_options)};
