/* The tare command: finds the subcommand and calls it, or runs the program tare-X. */
#include "harness/cmd/cmd.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/options/opt.h"
#include "core/document/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row {
	const char *name, *summary;
	const struct subcommand *here; /* NULL: the program tare-<name> beside this one */
};

static const struct row rows[] = {
	{"run", "measure every arm of a plan in alternating rounds and judge", &cmd_run},
	{"aa", "measure the baseline against itself", &cmd_aa},
	{"compare", "verdicts from two results, two runs, or other tools' reports",
	 &cmd_compare},
	{"baseline", "make or show a baseline file", &cmd_baseline},
	{"gate", "hold results against a baseline, for a pipeline", &cmd_gate},
	{"report", "draw again what was measured", &cmd_report},
	{"history", "results over months: since when a metric is at its level",
	 &cmd_history},
	{"check", "what a plan's machines would meet, before anything runs", &cmd_check},
	{"clean", "give back every machine and GPU that a run still holds", &cmd_clean},
	{"lease", "machines of a plan's provisioners by hand: up, list, down",
	 &cmd_lease},
	{"mig", "MIG partitions of this machine's GPUs: list, apply, restore, clear",
	 &cmd_mig},
	{"gemm", "measure a matrix product on this machine", NULL},
	{"link", "measure copies, latencies and memory between host and GPUs", NULL},
	{"load", "measure a model server under load", NULL},
	{"mock", "a reference model server, for trying things out", NULL},
	{"serve", "start a model server, run a client, stop it", NULL},
	{"probe", "facts about this machine", NULL},
	{0},
};

static const char about[] =
	"tare proves, or refutes, that a GPU inside a virtual machine is as fast as on "
	"bare metal: it runs the same work on both sides, in alternating rounds, and "
	"gives a verdict with its uncertainty.\n\n"
	"Start with 'tare run PLAN'; 'tare COMMAND --help' explains each command.";

static const struct field no_fields[] = {{0}};

static const struct opt_command tare_command = {
	.name = "tare",
	.summary = "compare a GPU in a virtual machine with bare metal, with evidence",
	.usage = "COMMAND [ARGUMENT]...",
	.about = about,
	.fields = no_fields,
	.positional_min = 0,
	.positional_max = -1,
};

static const struct row *find(const char *name)
{
	for (const struct row *r = rows; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static void print_commands(FILE *to)
{
	fputs("\nCommands:\n", to);
	for (const struct row *r = rows; r->name; r++)
		fprintf(to, "  %-10s %s\n", r->name, r->summary);
}

static int unknown(const char *name)
{
	struct strvec names = {0};
	char meant[DID_YOU_MEAN_SIZE];

	for (const struct row *r = rows; r->name; r++)
		strvec_add(&names, r->name);
	log_error("unknown command '%s'%s", name,
		  did_you_mean(meant, name, strvec_argv(&names), names.nr,
			       "; 'tare --help' lists them"));
	strvec_release(&names);
	return EXIT_USAGE;
}

static int run_here(const struct subcommand *c, int argc, char **argv)
{
	void *options = x_calloc(1, c->options_bytes);
	int status = program_run(c->command, options, c->work, argc, argv);

	free(options);
	return status;
}

static int run_program(const char *name, char **argv)
{
	struct err err = ERR_INIT;
	char *dir = path_program_dir(&err), *path;

	if (!dir)
		return log_failure(&err);
	path = x_asprintf("%s/tare-%s", dir, name);
	argv[0] = path;
	execv(path, argv);
	log_error("cannot start %s: %s; it belongs beside tare itself", path,
		  strerror(errno));
	free(path);
	free(dir);
	return EXIT_ENVIRONMENT;
}

static int top_level(int argc, char **argv)
{
	struct strvec rest = {0};
	struct err err = ERR_INIT;
	enum opt_result parsed = opt_parse(&tare_command, argc, argv, NULL, &rest, &err);

	strvec_release(&rest);
	if (parsed == OPT_ERROR)
		return log_failure(&err);
	if (parsed == OPT_DONE && argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		print_commands(stdout);
	if (parsed == OPT_DONE)
		return EXIT_PASS;
	opt_print_help(&tare_command, stderr);
	print_commands(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	char help[] = "--help";
	const struct row *r;

	program_begin();
	if (argc < 2 || argv[1][0] == '-')
		return program_finish(top_level(argc, argv));
	if (strcmp(argv[1], "help") == 0 && argc == 2) {
		opt_print_help(&tare_command, stdout);
		print_commands(stdout);
		return program_finish(EXIT_PASS);
	}
	if (strcmp(argv[1], "help") == 0) { /* 'tare help run' is 'tare run --help' */
		argv[1] = argv[2];
		argv[2] = help;
	}
	r = find(argv[1]);
	if (!r)
		return unknown(argv[1]);
	return r->here ? run_here(r->here, argc - 1, argv + 1)
		       : run_program(r->name, argv + 1);
}
