/*
 * The subcommands of 'tare'. To add one: write harness/cmd/<name>.c with its function,
 * declare it here and add a row to the table in tare_main.c; help, manual pages,
 * completion and the tests that compare them follow from the table and from the
 * command's own 'struct opt_command'.
 *
 * Each function gets argv beginning with the subcommand's name and returns an exit
 * status (core/base/err.h); program_run() (core/options/program.h) does what all of them
 * share. Data goes to stdout, words to stderr.
 */
#ifndef TARE_HARNESS_CMD_CMD_H
#define TARE_HARNESS_CMD_CMD_H

typedef int cmd_function(int argc, char **argv);

cmd_function cmd_aa, cmd_baseline, cmd_gate, cmd_check, cmd_clean, cmd_compare, cmd_lease,
	cmd_history, cmd_mig, cmd_report, cmd_run;

#endif
