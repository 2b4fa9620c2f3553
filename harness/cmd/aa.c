/* tare aa: the baseline against itself. */
#include "harness/cmd/cmd.h"

#include "harness/cmd/rows.h"
#include "harness/cmd/run_and_report.h"
#include "harness/run/arm_order.h"

#include <stdio.h>

struct aa_options {
	char *output;
	int64_t rounds;
	bool dry_run, json;
};

#define AT(member) offsetof(struct aa_options, member)

static const struct field fields[] = {
	ROW_OUTPUT_DIR(
		AT(output),
		"Folder for everything this run produces; without it runs/NAME-aa-ID."),
	ROW_ROUNDS(AT(rounds)),
	{"dry-run", FIELD_FLAG, AT(dry_run), .letter = 'n',
	 .help = "Print the steps and the time they will take, and stop."},
	ROW_VERDICT_JSON(AT(json)),
	{0},
};

static const struct opt_text examples[] = {
	{"tare aa my.plan.json", "Can this set-up tell the plan's margins at all?"},
	{0},
};

static const struct opt_command command = {
	.name = "tare aa",
	.summary = "measure the baseline against itself",
	.usage = "[OPTION]... PLAN",
	.about = "Runs the plan with its baseline on both sides. There is no difference "
		 "to find, so every gating metric must come out equivalent: if it does "
		 "not, this set-up is too noisy for the plan's margins, and no verdict "
		 "of it means anything. The report gives the noise floor and the "
		 "smallest difference that would be seen; 'tare run --aa DIR' and 'tare "
		 "report --aa DIR' print that floor beside every claim.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "file",
};

static int run_aa(void *options, const struct strvec *rest, struct err *err)
{
	const struct aa_options *o = options;
	struct run_request request = {.dir = o->output, .json = o->json};
	struct plan p, twin;
	int status = -1;

	if (plan_read(&p, rest->items[0], err))
		return -1;
	if (o->rounds) {
		p.schedule.rounds_min = o->rounds;
		p.schedule.rounds_max = o->rounds;
	}
	if (!plan_against_itself(&twin, &p, err)) {
		status = o->dry_run ? rounds_print(&twin, NULL, stdout, err)
				    : run_and_report(&twin, &request, err);
		plan_release(&twin);
	}
	plan_release(&p);
	return status;
}

const struct subcommand cmd_aa = {&command, run_aa, sizeof(struct aa_options)};
