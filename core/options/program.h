/*
 * The frame of every program and subcommand: the command line is parsed, the work is done,
 * what failed is said on stderr, and the exit status comes out.
 *
 *	static int compare(void *options, const struct strvec *rest, struct err *err);
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct compare_options o;
 *
 *		return program_run(&command, &o, compare, argc, argv);
 *	}
 */
#ifndef TARE_CORE_OPTIONS_PROGRAM_H
#define TARE_CORE_OPTIONS_PROGRAM_H

#include "core/options/opt.h"

/*
 * The work itself: 'options' is the command's struct as its table filled it, 'rest' the
 * arguments that are no options. Gives an exit status (core/base/err.h), or -1 with *err
 * filled, which is then printed. What can be interrupted calls stop_install() first.
 */
typedef int program_work(void *options, const struct strvec *rest, struct err *err);

/*
 * 'options' (NULL for a command without any): what the table names need not be
 * initialised, and holds nothing afterwards. Data that could not be written to stdout is
 * EXIT_ENVIRONMENT: a full disk must not look like a pass.
 */
int program_run(const struct opt_command *c, void *options, program_work *work, int argc,
		char **argv);

/*
 * program_run() begins with it; only what comes before that calls it. Whoever starts a
 * program with a standard stream closed (">&-") would else have the first file that it opens
 * in that place, and words printed into a document. Such a stream is open afterwards, and
 * fails as a closed one does. SIGCHLD has its default again (proc_want_statuses()).
 */
void program_begin(void);

/* That status, or EXIT_ENVIRONMENT where stdout could not take what was printed. */
int program_finish(int status);

#endif
