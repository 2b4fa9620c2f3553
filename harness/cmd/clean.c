/* tare clean: gives back whatever a run still holds. */
#include "harness/cmd/cmd.h"

#include "core/base/log.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "harness/cmd/give_back.h"

static const struct field fields[] = {{0}};

static const struct opt_text examples[] = {
	{"tare clean runs/first", "Give back what a crash of this run left behind."},
	{0},
};

static const struct opt_command command = {
	.name = "tare clean",
	.summary = "give back every machine and GPU that a run still holds",
	.usage = "DIR...",
	.about =
		"Asks every provisioner of the run in DIR for machines that carry the "
		"run's id "
		"and gives each of them back, whatever state it is in; then GPUs get the "
		"driver that they had, and their hosts' scheduling is as it was. What "
		"was "
		"measured stays "
		"as it is. It may be repeated: nothing left is success.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "dir",
};

static int clean(void *options, const struct strvec *rest, struct err *err)
{
	int status = EXIT_PASS;

	(void)options;
	stop_install();
	for (size_t i = 0; i < rest->nr; i++) {
		err_clear(err);
		if (give_back_run(rest->items[i], err))
			status = log_failure(err);
	}
	return status;
}

int cmd_clean(int argc, char **argv)
{
	return program_run(&command, NULL, clean, argc, argv);
}
