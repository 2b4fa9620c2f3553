/*
 * A typed, bounded, documented member of a struct. One table of fields feeds the command
 * line (core/options/opt.h), plan files (field_bind_json), help, manual page, completion
 * and the machine-readable description: what is not in the table does not exist.
 *
 * Names are written with dashes ("prompt-tokens"); in JSON the same field is spelled with
 * underscores ("prompt_tokens").
 *
 * How a kind is stored in the struct, and how it reads:
 *   FLAG     bool       --x / --no-x        true, false
 *   INT      int64_t    42, 16Ki, 3M        a whole number
 *   REAL     double     0.5, 1e-3           a number
 *   SECONDS  int64_t ns 1.5, 250ms, 2min    a number of seconds, or such a text
 *   BYTES    int64_t    64Mi, 2G            a whole number, or such a text
 *   TEXT     char *     anything            a text; owned by the struct; NULL when unset
 *   CHOICE   int        one of 'choices'    a text; the index is stored
 *   TEXTS    strvec     repeatable          a list of texts (or one)
 *   INTS     int_list   1,8,32              a list of whole numbers (or one)
 * k, M, G and T are powers of 1000; Ki, Mi, Gi and Ti of 1024.
 */
#ifndef TARE_CORE_OPTIONS_FIELD_H
#define TARE_CORE_OPTIONS_FIELD_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_FLAG,
	FIELD_INT,
	FIELD_REAL,
	FIELD_SECONDS,
	FIELD_BYTES,
	FIELD_TEXT,
	FIELD_CHOICE,
	FIELD_TEXTS,
	FIELD_INTS
};

struct int_list {
	int64_t *items;
	size_t nr;
};

struct field {
	const char *name; /* "warmup-seconds"; NULL ends a table */
	enum field_kind kind;
	size_t offset;     /* offsetof() in the struct */
	const char *unset; /* the default as typed text; NULL: zero, false or NULL */
	double min, max;   /* INT REAL SECONDS(in s) BYTES INTS; both 0: no bound */
	const char *const *choices; /* CHOICE: NULL-terminated */
	const char *arg;            /* what help calls the value: "N", "FILE" */
	const char *help;           /* a sentence or two, without the default */
	char letter;                /* short option, or 0 */
	bool is_required;           /* must be given */
	bool is_hidden;             /* left out of help, manual and completion */
};

/* Sets every member to its default. 'obj' is the struct that the offsets are in. */
void fields_init(const struct field *fields, void *obj);
void fields_release(const struct field *fields, void *obj);

/* From a command line. 'shown' is how the user wrote it: "--n". FLAG: "true" or "false". */
int field_set_text(const struct field *f, void *obj, const char *text, const char *shown,
		   struct err *err);

/* The field by its name, dashes and underscores alike; NULL when there is none. */
const struct field *field_find(const struct field *fields, const char *name);

/*
 * A whole JSON object into a struct that fields_init() prepared. An unknown key, a wrong
 * type, a value out of range or a missing required key stops with 'file' and JSON
 * pointer, what was expected and the nearest known name. Keys in 'others'
 * (NULL-terminated, may be NULL) are left to the caller.
 */
int fields_bind_json(const struct field *fields, void *obj, struct json_object *o,
		     const char *file, const char *pointer, const char *const *others,
		     struct err *err);

/*
 * As fields_bind_json(), but only checks: for a table whose struct is another file's. A
 * key in 'others' is passed over.
 */
int fields_check_json(const struct field *fields, struct json_object *o, const char *file,
		      const char *pointer, const char *const *others, struct err *err);

/* The values as JSON, keys with underscores, unset texts left out; owned by the caller. */
struct json_object *fields_to_json(const struct field *fields, const void *obj);
/* The table itself as JSON: [{name, kind, default, min, max, choices, help, required}]. */
struct json_object *fields_describe(const struct field *fields);

/*
 * The inverse: a table (ends with {0}) that fields_check_json() can use, made of what a
 * program printed with '--describe json'; fields_free_described() frees it.
 */
struct field *fields_from_description(struct json_object *list, const char *where,
				      struct err *err);
void fields_free_described(struct field *fields);
/* A JSON value of this field as the command line's arguments: "--n=16384". */
void field_json_to_args(const struct field *f, struct json_object *value,
			struct strvec *args);

/* Numbers as people type them. */
int parse_count(const char *text, int64_t *ret, struct err *err);       /* 16Ki, 3M */
int parse_duration_ns(const char *text, int64_t *ret, struct err *err); /* 250ms, 2min */

#endif
