/*
 * JSON documents: json-c's objects with bounds, exact numbers and errors that say where.
 * This header is the project's only door to json-c; its get/iterate functions may be used
 * directly on what these functions return. A 'struct json_object *' that a function
 * returns is owned by the caller (json_object_put) unless it says "borrowed".
 *
 * Limits: 64 MiB a file unless said otherwise, depth 32. NaN and infinities are refused
 * when reading and never written; so is what is not UTF-8 (written as U+FFFD), and a
 * document that is null alone. Doubles are written with 17 significant digits, so they read
 * back exactly.
 */
#ifndef TARE_CORE_DOCUMENT_JSON_H
#define TARE_CORE_DOCUMENT_JSON_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define JSON_FILE_MAX ((size_t)64 << 20)

/* 'name' is what errors call it. With line and column of the mistake. */
struct json_object *json_parse(const char *text, size_t len, const char *name,
			       struct err *err);
struct json_object *json_read_file(const char *path, size_t max, struct err *err);
/* As json_read_file(), but '//' and block comments are allowed: for files people type. */
struct json_object *json_read_commented(const char *path, size_t max, struct err *err);

int json_write_file(const char *path, struct json_object *o, mode_t mode,
		    struct err *err);
/* Pretty, with a newline at the end; borrowed from 'o'. */
const char *json_text(struct json_object *o);
const char *json_line(struct json_object *o); /* one line, no newline; borrowed */

/*
 * Lookups that check the type. The value is borrowed. The 'get' forms give the fallback
 * when the key is absent or null; a wrong type is also the fallback.
 */
struct json_object *json_member(struct json_object *o, const char *key); /* or NULL */
const char *json_get_text(struct json_object *o, const char *key, const char *fallback);
double json_get_real(struct json_object *o, const char *key, double fallback);
int64_t json_get_int(struct json_object *o, const char *key, int64_t fallback);
bool json_get_bool(struct json_object *o, const char *key, bool fallback);
/* A '/'-separated path of keys and indices: json_at(o, "gpus/0/uuid"); borrowed or NULL. */
struct json_object *json_at(struct json_object *o, const char *path);

/* Builders; NULL text and non-finite numbers are written as null. 'value' is consumed. */
struct json_object *json_new_real(double value);
struct json_object *json_new_text(const char *text);
void json_put_text(struct json_object *o, const char *key, const char *text);
void json_put_real(struct json_object *o, const char *key, double value);
void json_put_int(struct json_object *o, const char *key, int64_t value);
void json_put_bool(struct json_object *o, const char *key, bool value);
void json_put(struct json_object *o, const char *key, struct json_object *value);

bool json_is_number(struct json_object *value);               /* whole or not */
double json_real(struct json_object *value, double fallback); /* of what is no number */
size_t json_length(struct json_object *list);                 /* 0 of what is no list */
/* The name of a value's type for messages: "a number", "an object", "null" ... */
const char *json_type_words(struct json_object *o);

#endif
