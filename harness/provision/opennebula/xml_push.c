#include "harness/provision/opennebula/xml_push.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xml_push_owner(void *ctx)
{
	return ((xmlParserCtxt *)ctx)->_private;
}

void xml_push_end(struct xml_push *p)
{
	p->has_failed = true;
	xmlStopParser(p->xml);
}

void xml_push_fail(struct xml_push *p, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (p->has_failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text[strcspn(text, "\n")] = '\0'; /* libxml2 ends its sentences so */
	err_set_code(&p->why, ERR_ENVIRONMENT, "xmlrpc-reply", 0, "%s: %s", p->what,
		     text);
	xml_push_end(p);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system)
{
	(void)name, (void)id, (void)system;
	xml_push_fail(xml_push_owner(ctx),
		      "a document type, which OpenNebula never sends");
}

/* xml_push_feed() reads it from the context; without this it is printed. */
static void on_error(void *ctx, xmlErrorPtr e)
{
	(void)ctx, (void)e;
}

void xml_push_open(struct xml_push *p, const char *what, xmlSAXHandler *sax)
{
	*p = (struct xml_push){.what = what, .why = ERR_INIT};
	sax->initialized = XML_SAX2_MAGIC;
	sax->internalSubset = on_doctype;
	sax->serror = on_error;
	p->xml = xmlCreatePushParserCtxt(sax, NULL, NULL, 0, NULL);
	if (!p->xml)
		abort(); /* only without memory, which core/base/mem.h ends in the same way */
	p->xml->_private = p;
	xmlCtxtUseOptions(p->xml, XML_PARSE_NONET);
}

void xml_push_close(struct xml_push *p)
{
	if (p->xml->myDoc)
		xmlFreeDoc(p->xml->myDoc);
	p->xml->myDoc = NULL;
	xmlFreeParserCtxt(p->xml);
}

int xml_push_result(const struct xml_push *p, struct err *err)
{
	if (p->has_failed && err)
		*err = p->why;
	return p->has_failed ? -1 : 0;
}

int xml_push_feed(struct xml_push *p, const char *data, size_t len, struct err *err)
{
	for (size_t n; len && !p->has_failed; data += n, len -= n) {
		n = len > XML_PUSH_PIECE_MAX ? XML_PUSH_PIECE_MAX : len;
		if (xmlParseChunk(p->xml, data, (int)n, 0) && !p->has_failed) {
			const xmlError *e = xmlCtxtGetLastError(p->xml);

			xml_push_fail(p, "not well-formed XML: %.200s",
				      e && e->message ? e->message : "unknown");
		}
	}
	return xml_push_result(p, err);
}

int xml_push_finish(struct xml_push *p, struct err *err)
{
	if (!p->has_failed && (xmlParseChunk(p->xml, "", 0, 1) || !p->is_complete))
		xml_push_fail(p, "it ends in the middle");
	return xml_push_result(p, err);
}
