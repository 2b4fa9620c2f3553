/* The rows of a report of provisioner_check(): {name, state, text, remedy}. */
#ifndef TARE_HARNESS_PROVISION_CHECK_ROW_H
#define TARE_HARNESS_PROVISION_CHECK_ROW_H

#include "core/base/err.h"
#include "core/document/json.h"

/* state: "ok", "warning", "failed", "unknown"; 'remedy' may be NULL. */
void check_row_add(struct json_object *checks, const char *name, const char *state,
		   const char *remedy, const char *fmt, ...) ERR_PRINTF(5, 6);
/* How many rows are in that state. */
size_t check_rows_in(struct json_object *checks, const char *state);

#endif
