/*
 * A key that an object has twice. json-c keeps the last and says nothing, so that of two
 * arms of one name in a plan only one would be measured. Only for what people type: the
 * text may have comments, and must have been read as JSON already.
 */
#ifndef TARE_CORE_DOCUMENT_JSON_KEYS_H
#define TARE_CORE_DOCUMENT_JSON_KEYS_H

#include "core/base/err.h"

#include <stddef.h>

/* ERR_USAGE with 'name', the line and the key. Keys are compared as they are written. */
int json_check_keys(const char *text, size_t len, const char *name, struct err *err);

#endif
