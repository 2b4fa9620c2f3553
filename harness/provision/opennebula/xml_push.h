/*
 * An XML document that arrives in pieces: libxml2's push parser, without network, document
 * types or messages of its own. The first failure stays. Whoever reads one embeds 'struct
 * xml_push' as the first member and gives the functions that take the elements.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_XML_PUSH_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_XML_PUSH_H

#include "core/base/err.h"

#include <libxml/parser.h>
#include <stdbool.h>
#include <stddef.h>

#define XML_PUSH_PIECE_MAX ((size_t)32 << 10) /* that the parser is given at once */

struct xml_push {
	xmlParserCtxt *xml;
	const char
		*what; /* static, in front of every failure: "the reply is not XML-RPC" */
	bool has_failed,
		is_complete; /* is_complete: set by the end of the root element */
	struct err why;
};

/* Of 'sax' the element and text functions; their context is the parser's own. */
void xml_push_open(struct xml_push *p, const char *what, xmlSAXHandler *sax);
void xml_push_close(struct xml_push *p);
/* Who reads, from the context of a function of 'sax'. */
void *xml_push_owner(void *ctx);

/* ERR_ENVIRONMENT, origin "xmlrpc-reply"; nothing after the first. */
void xml_push_fail(struct xml_push *p, const char *fmt, ...) ERR_PRINTF(2, 3);
/* A function called from here failed, and p->why says how. */
void xml_push_end(struct xml_push *p);

/* -1 with the first failure, if there was one. */
int xml_push_result(const struct xml_push *p, struct err *err);
int xml_push_feed(struct xml_push *p, const char *data, size_t len, struct err *err);
/* -1 unless the document is complete. */
int xml_push_finish(struct xml_push *p, struct err *err);

#endif
