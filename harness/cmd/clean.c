/* tare clean: gives back whatever a run still holds. */
#include "harness/cmd/cmd.h"

#include "core/log.h"
#include "core/rundir.h"
#include "core/stop.h"
#include "harness/cmd/command.h"
#include "harness/run/session.h"

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

/* What was given back. */
struct given_back {
	size_t machines, hosts;
};

static int clean_run(const char *dir, struct given_back *ret, struct err *err)
{
	char *path = rundir_plan_path(dir, err);
	struct plan plan;
	struct session s;
	int rc = path ? plan_read(&plan, path, err) : -1;

	free(path);
	if (rc)
		return -1;
	/* Continuing a run begins with giving back what is left: that is all we want. */
	rc = session_begin(&s, &plan, dir, true, err);
	if (!rc) {
		*ret = (struct given_back){s.swept, s.restored};
		(void)journal_write(s.journal, JOURNAL_NOTE, STEP_RUN, NULL, NULL, NULL);
		session_end(&s);
	}
	plan_release(&plan);
	return rc;
}

static void say(const char *dir, const struct given_back *g)
{
	printf("%s: %zu machine%s given back", dir, g->machines,
	       g->machines == 1 ? "" : "s");
	if (g->hosts)
		printf(", the GPUs of %zu host%s bound as before", g->hosts,
		       g->hosts == 1 ? "" : "s");
	putchar('\n');
}

static int clean(void *options, const struct strvec *rest, struct err *err)
{
	int status = EXIT_PASS;

	(void)options;
	stop_install();
	for (size_t i = 0; i < rest->nr; i++) {
		struct given_back g = {0};

		err_clear(err);
		if (clean_run(rest->items[i], &g, err))
			status = log_failure(err);
		else
			say(rest->items[i], &g);
	}
	return status;
}

int cmd_clean(int argc, char **argv)
{
	return command_run(&command, NULL, clean, argc, argv);
}
