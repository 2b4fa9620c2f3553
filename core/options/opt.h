/*
 * A command line described by a table of fields (core/options/field.h): parsing, help, manual
 * page, shell completion and a machine-readable description all come from it.
 *
 *	static const struct field fields[] = {{"n", FIELD_INT, offsetof(...), ...}, {0}};
 *	static const struct opt_command command = {.name = "tare-gemm", ..., fields};
 *
 * program_run() (core/options/program.h) calls opt_parse() and says what went wrong.
 *
 * Every command has --help, --version, -q, -v and --describe besides its own fields, so
 * no table repeats them. Long options may be given as "--name value" or "--name=value" and
 * shortened where that is unambiguous; "--" ends them.
 */
#ifndef TARE_CORE_OPTIONS_OPT_H
#define TARE_CORE_OPTIONS_OPT_H

#include "core/options/field.h"

#include <stdio.h>

struct opt_text {
	const char *head, *text; /* manual section; examples: command, explanation */
};

struct opt_command {
	const char *name;    /* "tare-gemm", "tare run" */
	const char *summary; /* a line, no full stop */
	const char *usage;   /* behind the name: "[OPTION]... PLAN" */
	const char *about;   /* a paragraph or more */
	const struct field *fields;
	const struct opt_text *examples;    /* ends with {0}; may be NULL */
	const struct opt_text *sections;    /* further manual sections; may be NULL */
	int positional_min, positional_max; /* max -1: any number */
	const char *positional_kind;        /* completion: "file", "dir" or NULL */
};

enum opt_result { OPT_ERROR = -1, OPT_RUN = 0, OPT_DONE = 1 };

/*
 * Sets defaults, then what was given. OPT_DONE: help, version or description was printed
 * on stdout and nothing remains to do. 'rest' (zero-initialised) gets copies of the
 * positional arguments. Whatever comes back, fields_release() is safe afterwards.
 */
enum opt_result opt_parse(const struct opt_command *c, int argc, char **argv, void *obj,
			  struct strvec *rest, struct err *err);

void opt_print_help(const struct opt_command *c, FILE *to);
void opt_print_man(const struct opt_command *c, FILE *to);  /* mdoc(7) */
void opt_print_bash(const struct opt_command *c, FILE *to); /* a completion function */
/* {name, summary, usage, options[...]}: how the harness checks a plan's parameters. */
struct json_object *opt_describe(const struct opt_command *c);

#endif
