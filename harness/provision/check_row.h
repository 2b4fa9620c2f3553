/* A line of a report of provisioner_check(): {name, state, text, remedy}. */
#ifndef TARE_HARNESS_PROVISION_CHECK_ROW_H
#define TARE_HARNESS_PROVISION_CHECK_ROW_H

#include "core/base/err.h"
#include "core/document/json.h"

#include <stdarg.h>

/* state: "ok", "warning", "failed", "unknown"; 'remedy' may be NULL. */
void check_row_add(struct json_object *checks, const char *name, const char *state,
		   const char *remedy, const char *fmt, ...) ERR_PRINTF(5, 6);
void check_row_vadd(struct json_object *checks, const char *name, const char *state,
		    const char *remedy, const char *fmt, va_list ap) ERR_PRINTF(5, 0);

#endif
