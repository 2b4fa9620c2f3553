/*
 * One call of OpenNebula's interface: the session string in front, the reply's array of
 * three or five unpacked, the document inside read. Only the client's calls use this.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_CALL_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_CALL_H

#include "harness/provision/opennebula/opennebula_client.h"

/* What to send, and what to make of the value that comes back. */
struct one_call {
	const char *method;
	const struct xmlrpc_arg *args; /* after the session string */
	size_t nr;
	const char *root; /* the document's root element; NULL: a plain value */
	one_child *each;  /* of the root's children; NULL: 'whole' */
	one_child *whole; /* the root itself */
	void *ctx;
	bool is_read; /* may be sent again */
};

/* 'ret' may be NULL; it is the whole array. Retries what the client's parameters allow.
 */
int one_call(struct one_client *c, const struct one_call *call, struct xmlrpc_value *ret,
	     struct err *err);
/* A call that answers with a number; 'ret' may be NULL. */
int one_call_number(struct one_client *c, const char *method,
		    const struct xmlrpc_arg *args, size_t nr, int64_t *ret,
		    struct err *err);
/* An id as it is sent; what no id can be becomes one that does not exist. */
int32_t one_call_id(int64_t id);
/* Always -1, origin "xmlrpc-reply". */
int one_bad_reply(struct err *err, const char *what);

#endif
