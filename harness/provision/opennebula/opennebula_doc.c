#include "harness/provision/opennebula/opennebula_doc.h"

#include "core/base/mem.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MAX ((size_t)64 << 10)
#define DEPTH_MAX 32

struct one_doc {
	xmlParserCtxt *xml;
	char *root;
	one_child *each;
	void *ctx;
	size_t bytes, elements; /* since the last child */
	unsigned depth;
	bool has_failed, is_complete;
	struct err why;
};

static void fail(struct one_doc *d, const char *fmt, ...) ERR_PRINTF(2, 3);
static void fail(struct one_doc *d, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	if (d->has_failed)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	what[strcspn(what, "\n")] = '\0'; /* libxml2 ends its sentences so */
	err_set_code(&d->why, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
		     "the document in the reply: %s", what);
	d->has_failed = true;
	xmlStopParser(d->xml);
}

static struct one_doc *owner(void *ctx)
{
	return ((xmlParserCtxt *)ctx)->_private;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_nr, const xmlChar **ns, int attr_nr,
		     int default_nr, const xmlChar **attrs)
{
	struct one_doc *d = owner(ctx);

	if (d->has_failed)
		return;
	if (!d->depth && strcmp((const char *)name, d->root))
		fail(d, "<%.60s> where <%s> belongs", (const char *)name, d->root);
	else if (d->depth == DEPTH_MAX)
		fail(d, "elements nested too deeply at <%.60s>", (const char *)name);
	else if (++d->elements > ONE_CHILD_ELEMENTS_MAX)
		fail(d, "more than %d elements in one object", ONE_CHILD_ELEMENTS_MAX);
	if (d->has_failed)
		return;
	d->depth++;
	xmlSAX2StartElementNs(ctx, name, prefix, uri, ns_nr, ns, attr_nr, default_nr,
			      attrs);
}

static void hand_over(struct one_doc *d, xmlNode *child)
{
	xmlNode *root = child->parent;

	if (d->each(d->ctx, child, &d->why)) {
		d->has_failed = true;
		xmlStopParser(d->xml);
	}
	for (xmlNode *n = root->children, *next; n; n = next) {
		next = n->next;
		xmlUnlinkNode(n);
		xmlFreeNode(n);
	}
	d->bytes = 0;
	d->elements = 0;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct one_doc *d = owner(ctx);
	xmlNode *n = d->xml->node;

	if (d->has_failed)
		return;
	xmlSAX2EndElementNs(ctx, name, prefix, uri);
	d->depth--;
	if (!d->depth)
		d->is_complete = true;
	else if (d->depth == 1 && d->each)
		hand_over(d, n);
}

static void on_text(void *ctx, const xmlChar *data, int len)
{
	if (!owner(ctx)->has_failed)
		xmlSAX2Characters(ctx, data, len);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system)
{
	(void)name, (void)id, (void)system;
	fail(owner(ctx), "a document type, which OpenNebula never sends");
}

static void on_error(void *ctx, xmlErrorPtr e)
{
	(void)ctx, (void)e; /* feed() reads it from the context; without this it is
			       printed */
}

struct one_doc *one_doc_new(const char *root, one_child *each, void *ctx)
{
	struct one_doc *d = x_calloc(1, sizeof(*d));
	xmlSAXHandler sax = {.initialized = 0};

	xmlSAXVersion(&sax, 2);
	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	/* Both as text, so that a value is one node however it arrives. */
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.comment = NULL;
	sax.processingInstruction = NULL;
	sax.internalSubset = on_doctype;
	sax.warning = NULL;
	sax.error = NULL;
	sax.fatalError = NULL;
	sax.serror = on_error;
	d->root = x_strdup(root);
	d->each = each;
	d->ctx = ctx;
	d->xml = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);
	if (!d->xml)
		abort(); /* only without memory, which core/base/mem.h ends in the same way */
	d->xml->_private = d;
	xmlCtxtUseOptions(d->xml, XML_PARSE_NONET);
	return d;
}

static int failure(const struct one_doc *d, struct err *err)
{
	if (err)
		*err = d->why;
	return -1;
}

int one_doc_feed(struct one_doc *d, const char *data, size_t len, struct err *err)
{
	while (len && !d->has_failed) {
		size_t n = len > CHUNK_MAX ? CHUNK_MAX : len;

		d->bytes += n;
		if (d->bytes > ONE_CHILD_BYTES_MAX)
			fail(d, "more than %zu bytes in one object", ONE_CHILD_BYTES_MAX);
		else if (xmlParseChunk(d->xml, data, (int)n, 0) && !d->has_failed) {
			const xmlError *e = xmlCtxtGetLastError(d->xml);

			fail(d, "not well-formed: %.200s",
			     e && e->message ? e->message : "unknown");
		}
		data += n;
		len -= n;
	}
	return d->has_failed ? failure(d, err) : 0;
}

int one_doc_finish(struct one_doc *d, struct err *err)
{
	int bad = d->has_failed ? 0 : xmlParseChunk(d->xml, "", 0, 1);

	if (!d->has_failed && (bad || !d->is_complete))
		fail(d, "it ends in the middle");
	return d->has_failed ? failure(d, err) : 0;
}

const xmlNode *one_doc_root(const struct one_doc *d)
{
	return xmlDocGetRootElement(d->xml->myDoc);
}

void one_doc_free(struct one_doc *d)
{
	if (!d)
		return;
	if (d->xml->myDoc)
		xmlFreeDoc(d->xml->myDoc);
	d->xml->myDoc = NULL;
	xmlFreeParserCtxt(d->xml);
	free(d->root);
	free(d);
}

static bool is_named(const xmlNode *n, const char *name, size_t len)
{
	return n->type == XML_ELEMENT_NODE &&
	       !strncmp((const char *)n->name, name, len) && !n->name[len];
}

const xmlNode *one_at(const xmlNode *n, const char *path)
{
	while (n && *path) {
		size_t len = strcspn(path, "/");

		for (n = n->children; n && !is_named(n, path, len); n = n->next)
			;
		path += len;
		path += *path == '/';
	}
	return n;
}

const xmlNode *one_next(const xmlNode *n)
{
	const char *name = (const char *)n->name;

	for (n = n->next; n && !is_named(n, name, strlen(name)); n = n->next)
		;
	return n;
}

const char *one_text(const xmlNode *n, const char *path, const char *fallback)
{
	const xmlNode *at = one_at(n, path);

	if (!at || !at->children || at->children->type != XML_TEXT_NODE ||
	    !at->children->content || !*at->children->content)
		return fallback;
	return (const char *)at->children->content;
}

static int whole(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = text ? strtoll(text, &end, 10) : 0;
	return !text || errno || end == text || *end ? -1 : 0;
}

int64_t one_int(const xmlNode *n, const char *path, int64_t fallback)
{
	int64_t v;

	return whole(one_text(n, path, NULL), &v) ? fallback : v;
}

int one_need_int(const xmlNode *n, const char *path, int64_t *ret, struct err *err)
{
	const char *text = one_text(n, path, NULL);

	if (!whole(text, ret))
		return 0;
	return err_set_code(err, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
			    "the document in the reply: %s/%s is %s%.40s",
			    (const char *)n->name, path,
			    text ? "not a whole number: " : "missing", text ? text : "");
}
