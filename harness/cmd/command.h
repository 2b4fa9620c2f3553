/*
 * What every subcommand shares: the command line is parsed, the work is done, what failed
 * is said on stderr, and the exit status comes out.
 *
 *	static int compare(void *options, const struct strvec *rest, struct err *err);
 *
 *	int cmd_compare(int argc, char **argv)
 *	{
 *		struct compare_options o;
 *
 *		return command_run(&command, &o, compare, argc, argv);
 *	}
 */
#ifndef TARE_HARNESS_CMD_COMMAND_H
#define TARE_HARNESS_CMD_COMMAND_H

#include "core/opt.h"

/*
 * The work itself: 'options' is the command's struct as its table filled it, 'rest' the
 * arguments that are no options. Gives an exit status (core/err.h), or -1 with *err
 * filled, which is then printed. What can be interrupted calls stop_install() first.
 */
typedef int command_work(void *options, const struct strvec *rest, struct err *err);

/*
 * 'options' (NULL for a command without any) need not be initialised and holds nothing
 * afterwards. Data that could not be written to stdout is EXIT_ENVIRONMENT: a full disk
 * must not look like a pass.
 */
int command_run(const struct opt_command *c, void *options, command_work *work, int argc,
		char **argv);

/* That status, or EXIT_ENVIRONMENT where stdout could not take what was printed. */
int command_finish(int status);

/* One of several things that a command does by its first argument: 'tare baseline save'. */
struct command_action {
	const char *name; /* NULL ends the table */
	command_work *work;
	size_t least, most; /* arguments behind the name */
	const char *usage;  /* those arguments: "FILE RESULTS..." */
};

/* Finds the action and does it; 'rest' is then what stands behind its name. */
int command_act(const struct opt_command *c, const struct command_action *actions,
		void *options, const struct strvec *rest, struct err *err);

#endif
