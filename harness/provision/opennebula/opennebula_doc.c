#include "harness/provision/opennebula/opennebula_doc.h"

#include "core/base/mem.h"
#include "harness/provision/opennebula/xml_push.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct one_doc {
	struct xml_push push;
	char *root;
	one_child *each;
	void *ctx;
	size_t bytes, elements; /* since the last child */
	unsigned depth;
};

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_nr, const xmlChar **ns, int attr_nr,
		     int default_nr, const xmlChar **attrs)
{
	struct one_doc *d = xml_push_owner(ctx);

	if (d->push.has_failed)
		return;
	if (!d->depth && strcmp((const char *)name, d->root))
		xml_push_fail(&d->push, "<%.60s> where <%s> belongs", (const char *)name,
			      d->root);
	else if (d->depth == DEPTH_MAX)
		xml_push_fail(&d->push, "elements nested too deeply at <%.60s>",
			      (const char *)name);
	else if (++d->elements > ONE_CHILD_ELEMENTS_MAX)
		xml_push_fail(&d->push, "more than %d elements in one object",
			      ONE_CHILD_ELEMENTS_MAX);
	if (d->push.has_failed)
		return;
	d->depth++;
	xmlSAX2StartElementNs(ctx, name, prefix, uri, ns_nr, ns, attr_nr, default_nr,
			      attrs);
}

static void hand_over(struct one_doc *d, xmlNode *child)
{
	xmlNode *root = child->parent;

	if (d->each(d->ctx, child, &d->push.why))
		xml_push_end(&d->push);
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
	struct one_doc *d = xml_push_owner(ctx);
	xmlNode *n = d->push.xml->node;

	if (d->push.has_failed)
		return;
	xmlSAX2EndElementNs(ctx, name, prefix, uri);
	d->depth--;
	if (!d->depth)
		d->push.is_complete = true;
	else if (d->depth == 1 && d->each)
		hand_over(d, n);
}

static void on_text(void *ctx, const xmlChar *data, int len)
{
	const struct one_doc *d = xml_push_owner(ctx);

	if (!d->push.has_failed)
		xmlSAX2Characters(ctx, data, len);
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
	sax.warning = NULL;
	sax.error = NULL;
	sax.fatalError = NULL;
	d->root = x_strdup(root);
	d->each = each;
	d->ctx = ctx;
	xml_push_open(&d->push, "the document in the reply", &sax);
	return d;
}

int one_doc_feed(struct one_doc *d, const char *data, size_t len, struct err *err)
{
	for (size_t n; len && !d->push.has_failed; data += n, len -= n) {
		n = len > XML_PUSH_PIECE_MAX ? XML_PUSH_PIECE_MAX : len;
		d->bytes += n;
		if (d->bytes > ONE_CHILD_BYTES_MAX)
			xml_push_fail(&d->push, "more than %zu bytes in one object",
				      ONE_CHILD_BYTES_MAX);
		xml_push_feed(&d->push, data, n, NULL);
	}
	return xml_push_result(&d->push, err);
}

int one_doc_finish(struct one_doc *d, struct err *err)
{
	return xml_push_finish(&d->push, err);
}

const xmlNode *one_doc_root(const struct one_doc *d)
{
	return xmlDocGetRootElement(d->push.xml->myDoc);
}

void one_doc_free(struct one_doc *d)
{
	if (!d)
		return;
	xml_push_close(&d->push);
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
