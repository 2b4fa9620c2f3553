/* tare-link as a user runs it, on the fake CUDA driver, for its tests. */
#ifndef TARE_TESTS_LINK_RIG_H
#define TARE_TESTS_LINK_RIG_H

#include "core/document/json.h"
#include "core/base/proc.h"

/*
 * Runs it with "NAME=value" texts added to the environment and arguments behind the program;
 * both NULL-terminated, 'faults' may be NULL. The caller has proc_outcome_release().
 */
struct proc_outcome link_run(const char *const *faults, const char *const *arguments);
/* The same with --json: the document, after its status was compared; json_object_put(). */
struct json_object *link_document(const char *const *faults, const char *const *arguments,
				  int status);

/* The metric of that name in a document; NULL: it has none. Borrowed. */
struct json_object *link_cell(struct json_object *document, const char *name);
double link_value(struct json_object *document, const char *name); /* the first one's */
/* The text of the check of that name; NULL: there is none, or it passed. Borrowed. */
const char *link_failed(struct json_object *document, const char *check);

#endif
