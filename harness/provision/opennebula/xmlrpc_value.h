/*
 * Values of XML-RPC (xmlrpc.com/spec.md, with <i8> as xmlrpc-c sends it) and a reader of
 * replies that is fed bytes as they arrive. Of the types those that OpenNebula sends, and a
 * fault's: whole numbers, booleans, texts, arrays, structs.
 *
 * The reader is strict: exactly <methodResponse> with one <params>/<param> or one
 * <fault>, known types, no document type, no entities but XML's own five, depth and sizes
 * bounded. A long text need not be held: 'stream' decides at its beginning whether it is
 * handed on in pieces instead, in which case the value stays empty.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_XMLRPC_VALUE_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_XMLRPC_VALUE_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xmlrpc_type {
	XMLRPC_NIL,
	XMLRPC_INT, /* int, i4, i8 */
	XMLRPC_BOOL,
	XMLRPC_TEXT, /* string, and a <value> without a type */
	XMLRPC_ARRAY,
	XMLRPC_STRUCT
};

struct xmlrpc_value {
	enum xmlrpc_type type;
	int64_t integer;            /* INT, BOOL */
	char *text;                 /* TEXT; NULL when it was streamed */
	char *name;                 /* of a struct's member */
	struct xmlrpc_value *items; /* ARRAY, STRUCT */
	size_t nr, alloc;
};

#define XMLRPC_TEXT_MAX ((size_t)4 << 20) /* of one text that is kept */
#define XMLRPC_VALUES_MAX 10000           /* in one reply */
#define XMLRPC_DEPTH_MAX 16               /* arrays and structs within one another */

void xmlrpc_value_release(struct xmlrpc_value *v);
const struct xmlrpc_value *xmlrpc_member(const struct xmlrpc_value *v, const char *name);

struct xmlrpc_stream {
	/*
	 * Asked of each text directly inside the outermost array; 'outer' is that array
	 * so far, so outer->nr is the index of the text that begins.
	 */
	bool (*wants)(void *ctx, const struct xmlrpc_value *outer);
	int (*text)(void *ctx, const char *data, size_t len, struct err *err);
	void *ctx;
};

struct xmlrpc_reply {
	bool is_fault; /* then 'value' is a struct of faultCode and faultString */
	struct xmlrpc_value value;
};

struct xmlrpc_reader;

/* 'stream' may be NULL and is borrowed. */
struct xmlrpc_reader *xmlrpc_reader_new(const struct xmlrpc_stream *stream);
/* The first failure stays: further calls return it again. Origin "xmlrpc-reply". */
int xmlrpc_reader_feed(struct xmlrpc_reader *r, const char *data, size_t len,
		       struct err *err);
/* The document must be complete. *ret is released by xmlrpc_value_release(&ret->value).
 */
int xmlrpc_reader_finish(struct xmlrpc_reader *r, struct xmlrpc_reply *ret,
			 struct err *err);
void xmlrpc_reader_free(struct xmlrpc_reader *r);

/* What goes into a call. Texts are UTF-8 without control characters that XML forbids. */
struct xmlrpc_arg {
	enum xmlrpc_type type; /* INT (as <i4>), BOOL or TEXT */
	int32_t integer;
	const char *text;
};

/* Initialisers: struct xmlrpc_arg args[] = { XMLRPC_ARG_INT(7), ... }; */
#define XMLRPC_ARG_INT(v)                          \
	{                                          \
		.type = XMLRPC_INT, .integer = (v) \
	}
#define XMLRPC_ARG_BOOL(v)                          \
	{                                           \
		.type = XMLRPC_BOOL, .integer = (v) \
	}
#define XMLRPC_ARG_TEXT(v)                       \
	{                                        \
		.type = XMLRPC_TEXT, .text = (v) \
	}

/* The <methodCall> document; -1 when a text cannot be put into XML. */
int xmlrpc_encode(struct buf *ret, const char *method, const struct xmlrpc_arg *args,
		  size_t nr, struct err *err);

#endif
