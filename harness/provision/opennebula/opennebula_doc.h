/*
 * The XML document inside an OpenNebula reply, fed in pieces as it is unescaped. Either
 * it is kept whole (one VM, one host), or each child of its root (a pool's VMs) is handed
 * to a function and dropped again, so that memory follows the largest child and not the
 * pool. Values are text or CDATA alike; missing and empty elements are told apart by
 * nobody in OpenNebula and hence not here.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_DOC_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_DOC_H

#include "core/base/err.h"

#include <libxml/tree.h>
#include <stddef.h>
#include <stdint.h>

#define ONE_CHILD_BYTES_MAX \
	((size_t)16 << 20) /* of one child, or of a document kept whole */
#define ONE_CHILD_ELEMENTS_MAX 300000

/* 0, or -1 with *err to end the reading. 'child' is gone afterwards. */
typedef int one_child(void *ctx, const xmlNode *child, struct err *err);

struct one_doc;

/* 'root' must be the root element's name ("VM_POOL"). NULL 'each': it is kept whole. */
struct one_doc *one_doc_new(const char *root, one_child *each, void *ctx);
/* The first failure stays. Origin "xmlrpc-reply" unless 'each' said otherwise. */
int one_doc_feed(struct one_doc *d, const char *data, size_t len, struct err *err);
int one_doc_finish(struct one_doc *d, struct err *err);
/* After a good finish of a document kept whole; borrowed. */
const xmlNode *one_doc_root(const struct one_doc *d);
void one_doc_free(struct one_doc *d);

/* The first element at a path of names below 'n' ("TEMPLATE/CONTEXT"), or NULL. */
const xmlNode *one_at(const xmlNode *n, const char *path);
/* The next sibling of the same name, or NULL. */
const xmlNode *one_next(const xmlNode *n);
/* Borrowed; 'fallback' when the element is missing or empty. */
const char *one_text(const xmlNode *n, const char *path, const char *fallback);
/* 'fallback' when it is missing, empty or not a whole number. */
int64_t one_int(const xmlNode *n, const char *path, int64_t fallback);
/* For what must be there. */
int one_need_int(const xmlNode *n, const char *path, int64_t *ret, struct err *err);

#endif
