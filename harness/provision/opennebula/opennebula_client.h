/*
 * The calls of OpenNebula's XML-RPC interface that tare makes, with the argument order
 * and types of release 7.4 (src/rm/xml-rpc). One client serves one thread.
 *
 * The account is read from 'auth_file' at the first call: "user:password" or
 * "user:token", the form of ~/.one/one_auth. Every error names the call.
 *
 * OpenNebula's own refusals: code, object and text become a sentence that says what it
 * means here and what to do. The front-end's words are always quoted. err.origin is
 * "opennebula", err.code the front-end's code, the kind ERR_ENVIRONMENT (exit status 5).
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_CLIENT_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_CLIENT_H

#include "harness/provision/opennebula/opennebula_model.h"
#include "harness/provision/opennebula/xmlrpc.h"

struct one_client;

struct one_client_params {
	struct xmlrpc_params server;
	const char *auth_file; /* "~/" is expanded */
	const char *auth_env;  /* name of a variable that holds the account; wins */
	int64_t call_timeout_ns, pool_timeout_ns;
	int read_retries; /* of calls that only read, when the network lost them */
};

struct one_client *one_client_new(const struct one_client_params *p, struct err *err);
void one_client_free(struct one_client *c);
bool one_client_is_exposed(const struct one_client *c);
const char *one_client_endpoint(const struct one_client *c);

/* "7.4.0"; free(). */
int one_system_version(struct one_client *c, char **ret, struct err *err);

int one_template_instantiate(struct one_client *c, int64_t id, const char *name,
			     bool is_held, const char *extra, int64_t *ret_vm,
			     struct err *err);
int one_template_info(struct one_client *c, int64_t id, struct one_template *ret,
		      struct err *err);
/* Each template that this user can see; the model is released after 'each'. */
typedef int one_template_each(void *ctx, const struct one_template *t, struct err *err);
int one_template_pool(struct one_client *c, one_template_each *each, void *ctx,
		      struct err *err);

int one_vm_info(struct one_client *c, int64_t id, struct one_vm *ret, struct err *err);
/* Always enforced: without that, a VM runs without its GPU when the host has none left.
 */
int one_vm_deploy(struct one_client *c, int64_t vm, int64_t host, struct err *err);
int one_vm_terminate_hard(struct one_client *c, int64_t vm, struct err *err);
/* For a VM that no action can end any more. */
int one_vm_recover_delete(struct one_client *c, int64_t vm, struct err *err);

/* Each VM of this user that is not DONE, read as a stream. */
typedef int one_vm_each(void *ctx, const struct one_vm *vm, struct err *err);
int one_vm_pool(struct one_client *c, one_vm_each *each, void *ctx, struct err *err);

int one_host_info(struct one_client *c, int64_t id, struct one_host *ret,
		  struct err *err);
/* A plain user without the right HOST USE sees none, which is no error. */
int one_host_pool(struct one_client *c, struct one_hosts *ret, struct err *err);
enum one_host_switch {
	ONE_HOST_ENABLE = 0,
	ONE_HOST_DISABLE = 1,
	ONE_HOST_TO_OFFLINE = 2
};
int one_host_status(struct one_client *c, int64_t id, enum one_host_switch to,
		    struct err *err);

int one_user_info(struct one_client *c, int64_t id, struct one_account *ret,
		  struct err *err); /* -1: ourselves */
int one_group_info(struct one_client *c, int64_t id, struct one_account *ret,
		   struct err *err);
int one_acl_info(struct one_client *c, struct one_acls *ret, struct err *err);

enum one_code {
	ONE_E_AUTHENTICATION = 0x100,
	ONE_E_AUTHORIZATION = 0x200, /* quotas and restricted attributes too */
	ONE_E_NO_EXISTS = 0x400,
	ONE_E_ACTION = 0x800, /* wrong state, no capacity on an enforced deploy */
	ONE_E_XML_RPC_API = 0x1000,
	ONE_E_INTERNAL = 0x2000, /* every template mistake too */
	ONE_E_ALLOCATE = 0x4000,
	ONE_E_LOCKED = 0x8000,
	ONE_E_REPLICATION = 0x10000
};

bool one_is_code(const struct err *err, enum one_code code);
/* The network or the server's HTTP side failed: the call may have happened or not. */
bool one_is_uncertain(const struct err *err);

#endif
