/*
 * JSON documents with millions of samples: lists of numbers under the key "values" are read
 * past json-c, straight into an array of doubles, in a quarter of the time and a tenth of the
 * memory. Everything else, and every document in which that cannot be done without doubt
 * (an escaped or repeated key, a list with anything but numbers), is json-c's, and so is
 * every error message: what is accepted and what it means does not depend on the way.
 *
 * A list that was read this way is a json-c array without elements; json_numbers() has its
 * numbers. So the document is for readers that ask for them (core/document/metric.h).
 */
#ifndef TARE_CORE_DOCUMENT_JSON_NUMBERS_H
#define TARE_CORE_DOCUMENT_JSON_NUMBERS_H

#include "core/document/json.h"

/* As json_parse() and json_read_file(). 'text' must end in a NUL behind its 'len' bytes. */
struct json_object *json_parse_numbers(const char *text, size_t len, const char *name,
				       struct err *err);
struct json_object *json_read_numbers(const char *path, size_t max, struct err *err);

/* The numbers of such a list, borrowed from 'list'; NULL where it is an ordinary one. */
const double *json_numbers(struct json_object *list, size_t *ret_nr);

#endif
