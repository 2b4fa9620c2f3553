/*
 * The subcommands of 'tare'. To add one: write harness/cmd/<name>.c with its subcommand,
 * declare it here and add a row to the table in tare_main.c; help, manual pages,
 * completion and the tests that compare them follow from the table and from the
 * command's own 'struct opt_command'.
 *
 * tare_main.c gives each to program_run() (core/options/program.h), which does what all
 * of them share: argv begins with the subcommand's name, the work gives the exit status
 * (core/base/err.h). Data goes to stdout, words to stderr.
 */
#ifndef TARE_HARNESS_CMD_CMD_H
#define TARE_HARNESS_CMD_CMD_H

#include "core/options/program.h"

struct subcommand {
	const struct opt_command *command;
	program_work *work;
	size_t options_bytes; /* of the struct that the command's table fills; 0: none */
};

extern const struct subcommand cmd_aa, cmd_baseline, cmd_gate, cmd_check, cmd_clean,
	cmd_compare, cmd_lease, cmd_history, cmd_mig, cmd_report, cmd_run;

#endif
