/*
 * The kinds of workload that a plan may name, each a program tare-<kind> that prints one
 * result document. Its parameters are whatever that program's own option table says
 * ("--describe json"), so that a plan and a command line can never differ.
 *
 * To add one: write the program, add a row in workload_kind.c.
 */
#ifndef TARE_HARNESS_PLAN_WORKLOAD_KIND_H
#define TARE_HARNESS_PLAN_WORKLOAD_KIND_H

#include "core/options/field.h"

#include <stdbool.h>
#include <stdint.h>

struct workload_kind {
	const char *name; /* "gemm" */
	const char *summary;
	const char *program;       /* "tare-gemm" */
	const char *server;        /* program that surrounds it ("tare-serve"), or NULL */
	const char *const *extra;  /* libraries that it opens at run time, or NULL */
	const char *const *hidden; /* options that the harness sets itself */
	/* How long one execution should take, from its parameters; a guess for --dry-run.
	 */
	int64_t (*expected_ns)(struct json_object *params);
};

const struct workload_kind *workload_kind_find(const char *name); /* or NULL */
const struct workload_kind *const *workload_kinds(void);          /* NULL-terminated */

/* Where our programs are, when not beside this one. */
#define PROGRAM_DIR_VARIABLE "TARE_PROGRAM_DIR"

/* The path of a program of ours: beside this one, or where the variable says; free(). */
char *program_path(const char *program, struct err *err);

/* Runs the program: the options that it describes itself; fields_free_described(). */
struct field *program_options(const char *program, struct err *err);
/* Those that a plan may set: not 'hidden', nor what the harness sets always; free(). */
struct field *program_options_shown(const struct field *options,
				    const char *const *hidden);
/* The arguments behind the program's name that these parameters mean. */
void program_args(const struct field *options, struct json_object *params,
		  struct strvec *ret);

#endif
