/*
 * Replies of an XML-RPC server and OpenNebula's documents inside them: any bytes, in
 * pieces of any size. The first byte says how: pieces, which document, streamed or kept.
 */
#include "harness/provision/opennebula/opennebula_model.h"
#include "harness/provision/opennebula/xmlrpc_value.h"

#include "core/base/err.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_any(void *ctx, const xmlNode *n, struct err *err)
{
	struct one_vm vm;
	struct one_host host;
	struct one_template t;
	struct one_account account;
	struct one_acl rule;

	(void)ctx;
	if (!one_vm_read(&vm, n, err))
		one_vm_release(&vm);
	if (!one_host_read(&host, n, err))
		one_host_release(&host);
	if (!one_template_read(&t, n, err))
		one_template_release(&t);
	if (!one_account_read(&account, n, err))
		one_account_release(&account);
	if (!one_acl_read(&rule, n, err)) {
		struct one_acls all = {0};

		one_acls_release(&all);
		free(rule.text);
	}
	return 0;
}

static bool wants(void *ctx, const struct xmlrpc_value *outer)
{
	(void)ctx;
	return outer->nr == 1 && outer->items[0].type == XMLRPC_BOOL;
}

static int feed_document(void *ctx, const char *data, size_t len, struct err *err)
{
	return one_doc_feed(ctx, data, len, err);
}

static void document(const char *data, size_t size, size_t piece, bool is_pool)
{
	struct one_doc *d =
		one_doc_new(is_pool ? "VM_POOL" : "VM", is_pool ? read_any : NULL, NULL);
	struct err err = ERR_INIT;

	for (size_t at = 0; at < size; at += piece)
		if (one_doc_feed(d, data + at, size - at < piece ? size - at : piece,
				 &err))
			break;
	if (!one_doc_finish(d, &err) && !is_pool)
		read_any(NULL, one_doc_root(d), &err);
	one_doc_free(d);
}

static void reply(const char *data, size_t size, size_t piece, bool is_streamed)
{
	struct one_doc *d = one_doc_new("VM_POOL", read_any, NULL);
	struct xmlrpc_stream stream = {wants, feed_document, d};
	struct xmlrpc_reader *r = xmlrpc_reader_new(is_streamed ? &stream : NULL);
	struct xmlrpc_reply ret = {.is_fault = false};
	struct err err = ERR_INIT;

	for (size_t at = 0; at < size; at += piece)
		if (xmlrpc_reader_feed(r, data + at,
				       size - at < piece ? size - at : piece, &err))
			break;
	if (!xmlrpc_reader_finish(r, &ret, &err))
		xmlrpc_value_release(&ret.value);
	xmlrpc_reader_free(r);
	one_doc_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	size_t piece;

	if (size < 2)
		return 0;
	piece = (size_t)(data[0] >> 2) + 1;
	if (data[0] & 1)
		document(text, size - 1, piece, data[0] & 2);
	else
		reply(text, size - 1, piece, data[0] & 2);
	return 0;
}
