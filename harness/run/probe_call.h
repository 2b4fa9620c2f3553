/* tare-probe on a machine that is reached already: placed there, run, its document read. */
#ifndef TARE_HARNESS_RUN_PROBE_CALL_H
#define TARE_HARNESS_RUN_PROBE_CALL_H

#include "harness/run/session.h"

/*
 * 'args' (NULL-terminated) stand behind the program's name. *ret, owned by the caller, is
 * the document that it printed. An exit status other than 0 and 'also_fine' (such as
 * EXIT_INVALID for checks that failed) is an error with the document's own words.
 */
int probe_call(struct session *s, struct target *t, const char *const *args,
	       int also_fine, struct json_object **ret, struct err *err);

#endif
