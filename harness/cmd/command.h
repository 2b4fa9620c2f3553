/*
 * A command that does one of several things by its first argument: 'tare baseline save'.
 * What every command shares is in core/options/program.h.
 */
#ifndef TARE_HARNESS_CMD_COMMAND_H
#define TARE_HARNESS_CMD_COMMAND_H

#include "core/options/program.h"

struct command_action {
	const char *name; /* NULL ends the table */
	program_work *work;
	size_t least, most; /* arguments behind the name */
	const char *usage;  /* those arguments: "FILE RESULTS..." */
};

/* Finds the action and does it; 'rest' is then what stands behind its name. */
int command_act(const struct opt_command *c, const struct command_action *actions,
		void *options, const struct strvec *rest, struct err *err);

#endif
