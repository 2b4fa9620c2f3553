/*
 * XML-RPC over HTTP: one call at a time to one endpoint, with a deadline, a bounded reply
 * and TLS verified. Redirects are refused: the session string is in the body.
 *
 * Failures are told apart by err.origin:
 *	"curl"          no HTTP answer (code: CURLcode): name, connection, TLS, deadline
 *	"http"          an answer other than 200 (code: the status)
 *	"xmlrpc-reply"  a body that is not a complete XML-RPC reply
 *	"xmlrpc"        a <fault> (code: faultCode)
 * and every text begins with the method's name.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_XMLRPC_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_XMLRPC_H

#include "harness/provision/opennebula/xmlrpc_value.h"

#include <stdint.h>

struct xmlrpc;

/* Copied where they are kept. */
struct xmlrpc_params {
	const char *endpoint; /* http:// or https://, with a path */
	const char
		*ca_file; /* PEM bundle that vouches for the server; NULL: the system's */
	bool is_unverified; /* TLS without checking who answers */
	size_t reply_max;   /* bytes of a body; 0: 1 GiB */
};

struct xmlrpc *xmlrpc_new(const struct xmlrpc_params *p, struct err *err);
void xmlrpc_free(struct xmlrpc *x);

/* True when the endpoint is http:// on another machine: the secret travels in clear. */
bool xmlrpc_is_exposed(const struct xmlrpc *x);

/*
 * 'stream' may be NULL. On success *ret is the reply's value (xmlrpc_value_release()); a
 * fault is a failure. A stop request (core/base/stop.h) ends the call early with
 * ERR_INTERRUPTED, but not behind a shield.
 */
int xmlrpc_call(struct xmlrpc *x, const char *method, const struct xmlrpc_arg *args,
		size_t nr, int64_t timeout_ns, const struct xmlrpc_stream *stream,
		struct xmlrpc_value *ret, struct err *err);

#endif
