/* tare clean: gives back whatever a run still holds. */
#include "harness/cmd/clean.h"

#include "core/base/log.h"
#include "core/base/stop.h"
#include "core/document/run_directory.h"
#include "harness/cmd/cmd.h"
#include "harness/run/recover.h"

#include <stdio.h>
#include <stdlib.h>

static const struct field fields[] = {{0}};

static const struct opt_text examples[] = {
	{"tare clean runs/first", "Give back what a crash of this run left behind."},
	{0},
};

static const struct opt_command command = {
	.name = "tare clean",
	.summary = "give back every machine and GPU that a run still holds",
	.usage = "DIR...",
	.about = "Asks every provisioner of the run in DIR for machines that carry the "
		 "run's id and gives each of them back, whatever state it is in; then "
		 "GPUs get the driver that they had, and their hosts' scheduling is as "
		 "it was. What was measured stays as it is. It may be repeated: nothing "
		 "left is success.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "dir",
};

static void say(const char *dir, const struct recovered *back)
{
	printf("%s: %zu machine%s given back", dir, back->machines,
	       back->machines == 1 ? "" : "s");
	if (back->hosts)
		printf(", the GPUs of %zu host%s bound as before", back->hosts,
		       back->hosts == 1 ? "" : "s");
	if (back->layouts)
		printf(", %zu GPU%s cut by MIG as before", back->layouts,
		       back->layouts == 1 ? "" : "s");
	putchar('\n');
}

/* Continuing a run begins with giving back what is left: that is all we want. */
static int clean_run(const char *dir, struct err *err)
{
	char *path = rundir_plan_path(dir, err);
	struct plan plan;
	struct session s;
	struct recovered back;
	int rc = path ? plan_read(&plan, path, err) : -1;

	free(path);
	if (rc)
		return -1;
	rc = recover_begin(&s, &plan, dir, &back, err);
	if (!rc) {
		say(dir, &back);
		(void)journal_write(s.journal, JOURNAL_NOTE, STEP_RUN, NULL, NULL, NULL);
		session_end(&s);
	}
	plan_release(&plan);
	return rc;
}

int clean_runs(const struct strvec *dirs)
{
	int status = EXIT_PASS;

	stop_install();
	for (size_t i = 0; i < dirs->nr; i++) {
		struct err err = ERR_INIT;

		if (stop_check(&err) || clean_run(dirs->items[i], &err))
			status = log_failure(&err);
	}
	return status;
}

static int clean(void *options, const struct strvec *rest, struct err *err)
{
	(void)options;
	(void)err;
	return clean_runs(rest);
}

const struct subcommand cmd_clean = {&command, clean, 0};
