#include "harness/provision/opennebula/opennebula_client.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* First match wins: the special cases of a code stand before its general one. */
static const struct mapping {
	int code;
	const char *part; /* of the front-end's text; NULL: any */
	const char *meaning;
	const char *remedy;
} mappings[] = {
	{ONE_E_AUTHENTICATION, NULL, "the front-end does not know this user and secret",
	 "auth_file must hold 'user:password' or 'user:token', and a token expires "
	 "('oneuser token-create' makes one)"},
	{ONE_E_AUTHORIZATION, "limit of", "a quota is used up",
	 "end machines that are no longer needed ('onevm list'), or have the quota "
	 "raised ('oneuser quota', 'onegroup quota')"},
	{ONE_E_AUTHORIZATION, "restricted attribute",
	 "the plan asks for something that only an administrator may set",
	 "leave it out of the plan and put it into the template, or have it taken from "
	 "VM_RESTRICTED_ATTR in oned.conf"},
	{ONE_E_AUTHORIZATION, "CREATE TEMPLATE",
	 "before OpenNebula 7.4.2, instantiating with attributes of one's own needs the "
	 "right to create templates",
	 "have it granted: oneacl create '#<uid> TEMPLATE/* CREATE'"},
	{ONE_E_AUTHORIZATION, "ADMIN VM",
	 "placing a machine by hand needs ADMIN on the VM and MANAGE on the host",
	 "set \"by\": \"scheduler\" in the arm's pin, or use an account with these "
	 "rights"},
	{ONE_E_AUTHORIZATION, "HOST",
	 "this user may not see or manage the host, so that nobody can prove whose GPU "
	 "it is",
	 "have it granted: oneacl create '@<gid> HOST/* USE *'"},
	{ONE_E_AUTHORIZATION, NULL, "this user has no right to do that",
	 "have it granted with 'oneacl create', or use another account"},
	{ONE_E_NO_EXISTS, "template", "there is no such template",
	 "'onetemplate list' shows those that this user can see"},
	{ONE_E_NO_EXISTS, "host", "there is no such host", "'onehost list' shows them"},
	{ONE_E_NO_EXISTS, "virtual machine", "there is no such machine",
	 "somebody may have purged it"},
	{ONE_E_NO_EXISTS, NULL, "something that the plan names does not exist",
	 "check names and ids"},
	{ONE_E_ACTION, "Unavailable PCI device",
	 "the host has no free device of the kind that was asked for",
	 "'onehost show' lists its devices and who has them (VMID)"},
	{ONE_E_ACTION, "does not fit in host", "the host has no room for this machine",
	 "pick another host, or ask for fewer CPUs and less memory"},
	{ONE_E_ACTION, "not available for state",
	 "the machine is in another state by now", "look at it with 'onevm show'"},
	{ONE_E_ACTION, "enough space", "a datastore is full",
	 "'onedatastore list' shows it"},
	{ONE_E_ACTION, NULL, "the front-end cannot do that now", "see oned.log"},
	{ONE_E_XML_RPC_API, NULL, "the front-end did not understand the call",
	 "it may be another version of OpenNebula than tare knows (7.x)"},
	{ONE_E_INTERNAL, "leader", "the front-end's cluster has no leader at the moment",
	 "try again when the election is over ('onezone show 0')"},
	{ONE_E_INTERNAL, "election", "the front-end's cluster is electing its leader",
	 "try again when the election is over ('onezone show 0')"},
	{ONE_E_INTERNAL, "PCI", "the request for a GPU is not well-formed",
	 "vendor, device and class are hexadecimal without 0x; an address excludes them"},
	{ONE_E_INTERNAL, "does not exist", "the template names something that is gone",
	 "mend the template ('onetemplate update')"},
	{ONE_E_INTERNAL, NULL, "the template and the plan's additions make no machine",
	 "try the template by hand: onetemplate instantiate"},
	{ONE_E_ALLOCATE, NULL, "the front-end could not allocate it", "see oned.log"},
	{ONE_E_LOCKED, NULL, "somebody locked it",
	 "'onevm unlock' or 'onetemplate unlock'"},
	{ONE_E_REPLICATION, NULL, "the front-end could not copy its log to its followers",
	 "see 'onezone show 0'"},
};

/* Always -1. 'object' is the id that the front-end complains of, -1 for none. */
static int refused(struct err *err, int64_t code, int64_t object, const char *text)
{
	const struct mapping *m = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(mappings) && !m; i++)
		if (mappings[i].code == code &&
		    (!mappings[i].part || strstr(text, mappings[i].part)))
			m = &mappings[i];
	if (!m)
		return err_set_code(
			err, ERR_ENVIRONMENT, "opennebula", (long)code,
			"the front-end refuses with code %lld (object %lld): %s",
			(long long)code, (long long)object, text);
	return err_set_code(err, ERR_ENVIRONMENT, "opennebula", (long)code,
			    "%s (code %lld, object %lld: %s); %s", m->meaning,
			    (long long)code, (long long)object, text, m->remedy);
}

static bool is_from(const struct err *err, const char *origin)
{
	return err->origin && !strcmp(err->origin, origin);
}

bool one_is_code(const struct err *err, enum one_code code)
{
	return is_from(err, "opennebula") && err->code == (long)code;
}

bool one_is_uncertain(const struct err *err)
{
	return is_from(err, "curl") || is_from(err, "http") ||
	       is_from(err, "xmlrpc-reply") || err->kind == ERR_INTERRUPTED;
}

/* A follower of a cluster that is electing its leader said so: ask again. */
static bool is_election(const struct err *err)
{
	return one_is_code(err, ONE_E_INTERNAL) &&
	       (strstr(err->text, "leader") || strstr(err->text, "election"));
}

#define SESSION_MAX 4096
#define RETRY_PAUSE (NS_PER_S / 2)

struct one_client {
	struct xmlrpc *rpc;
	char *endpoint, *auth_file, *auth_env;
	char *session; /* "user:secret"; NULL until the first call */
	int64_t call_timeout_ns, pool_timeout_ns;
	int read_retries;
};

struct one_client *one_client_new(const struct one_client_params *p, struct err *err)
{
	struct one_client *c = x_calloc(1, sizeof(*c));

	c->rpc = xmlrpc_new(&p->server, err);
	if (!c->rpc) {
		free(c);
		return NULL;
	}
	c->endpoint = x_strdup(p->server.endpoint);
	c->auth_file = p->auth_file ? path_expand(p->auth_file) : NULL;
	c->auth_env = x_strdup(p->auth_env);
	c->call_timeout_ns = p->call_timeout_ns;
	c->pool_timeout_ns = p->pool_timeout_ns;
	c->read_retries = p->read_retries;
	return c;
}

void one_client_free(struct one_client *c)
{
	if (!c)
		return;
	if (c->session)
		explicit_bzero(c->session, strlen(c->session));
	free(c->session);
	free(c->endpoint);
	free(c->auth_file);
	free(c->auth_env);
	xmlrpc_free(c->rpc);
	free(c);
}

bool one_client_is_exposed(const struct one_client *c)
{
	return xmlrpc_is_exposed(c->rpc);
}

const char *one_client_endpoint(const struct one_client *c)
{
	return c->endpoint;
}

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

static int read_session(struct one_client *c, struct err *err)
{
	const char *text = c->auth_env ? getenv(c->auth_env) : NULL;
	struct buf b;

	buf_init(&b, SESSION_MAX);
	if (c->auth_env && (!text || !*text)) {
		buf_release(&b);
		return err_set(
			err, ERR_ENVIRONMENT,
			"environment variable %s is not set: it must hold user:secret",
			c->auth_env);
	}
	if (text) {
		buf_puts(&b, text);
	} else {
		buf_release(&b);
		if (file_check_given(c->auth_file,
				     "an account, user:password, as ~/.one/one_auth has "
				     "it",
				     err) ||
		    file_read(c->auth_file, SESSION_MAX, &b, err))
			return err_wrap(err, "auth_file");
	}
	b.data[strcspn(b.data, "\r\n")] = '\0';
	if (!strchr(b.data, ':') || *b.data == ':') {
		explicit_bzero(b.data, b.len);
		buf_release(&b);
		return err_set(err, ERR_ENVIRONMENT,
			       "%s does not begin with a line of the form user:secret",
			       c->auth_env ? c->auth_env : c->auth_file);
	}
	c->session = x_strdup(b.data);
	explicit_bzero(b.data, b.len);
	buf_release(&b);
	return 0;
}

/* The reply is an array: was it a success, what, 0. A failure's text is no document. */
static bool wants_document(void *ctx, const struct xmlrpc_value *outer)
{
	(void)ctx;
	return outer->nr == 1 && outer->items[0].type == XMLRPC_BOOL &&
	       outer->items[0].integer;
}

static int feed_document(void *ctx, const char *data, size_t len, struct err *err)
{
	return one_doc_feed(ctx, data, len, err);
}

/* Always -1, origin "xmlrpc-reply". */
static int bad_reply(struct err *err, const char *what)
{
	return err_set_code(err, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
			    "the reply is not OpenNebula's: %s", what);
}

/* true, value, 0 -- or false, text, code, object and since 5.x the replication index. */
static int unpack(const struct xmlrpc_value *v, struct err *err)
{
	static const enum xmlrpc_type refusal[] = {XMLRPC_BOOL, XMLRPC_TEXT, XMLRPC_INT,
						   XMLRPC_INT, XMLRPC_INT};

	if (v->type != XMLRPC_ARRAY || v->nr < 3 || v->items[0].type != XMLRPC_BOOL)
		return bad_reply(err, "no array of three or five values");
	if (v->items[0].integer) {
		if (v->nr != 3 || v->items[2].type != XMLRPC_INT || v->items[2].integer)
			return bad_reply(
				err, "a success of another form than [true, value, 0]");
		return 0;
	}
	if (v->nr != 5)
		return bad_reply(err, "a failure without its five values");
	for (size_t i = 0; i < ARRAY_SIZE(refusal); i++)
		if (v->items[i].type != refusal[i])
			return bad_reply(err, "a failure with a value of the wrong type");
	return refused(err, v->items[2].integer, v->items[3].integer,
		       v->items[1].text ? v->items[1].text : "");
}

static int try_call(struct one_client *c, const struct one_call *call,
		    struct xmlrpc_value *ret, struct err *err)
{
	struct xmlrpc_arg args[8] = {XMLRPC_ARG_TEXT(c->session)};
	struct xmlrpc_value v = {.type = XMLRPC_NIL};
	struct one_doc *doc = NULL;
	struct xmlrpc_stream stream = {wants_document, feed_document, NULL};
	int bad;

	for (size_t i = 0; i < call->nr; i++)
		args[i + 1] = call->args[i];
	if (call->root)
		stream.ctx = doc = one_doc_new(call->root, call->each, call->ctx);
	bad = xmlrpc_call(c->rpc, call->method, args, call->nr + 1,
			  call->each ? c->pool_timeout_ns : c->call_timeout_ns,
			  doc ? &stream : NULL, &v, err);
	if (bad) {
		one_doc_free(doc);
		return -1;
	}
	bad = unpack(&v, err);
	if (!bad && doc && (v.items[1].type != XMLRPC_TEXT || v.items[1].text))
		bad = bad_reply(err, "no document where one belongs");
	if (!bad && doc)
		bad = one_doc_finish(doc, err);
	if (!bad && call->whole)
		bad = call->whole(call->ctx, one_doc_root(doc), err);
	if (bad)
		err_wrap(err, "%s", call->method);
	one_doc_free(doc);
	if (ret && !bad)
		*ret = v;
	else
		xmlrpc_value_release(&v);
	return bad;
}

static bool may_retry(const struct one_call *call, const struct err *why)
{
	if (is_election(why))
		return true;
	return call->is_read && why->origin && !strcmp(why->origin, "curl");
}

/*
 * One call: the session string in front, the reply's array of three or five unpacked, the
 * document inside read. 'ret' may be NULL; it is the whole array. Retries what the client's
 * parameters allow.
 */
static int do_call(struct one_client *c, const struct one_call *call,
		   struct xmlrpc_value *ret, struct err *err)
{
	struct err why = ERR_INIT;

	if (!c->session && read_session(c, err))
		return err_wrap(err, "%s", call->method);
	for (int left = c->read_retries;; left--) {
		err_clear(&why);
		if (!try_call(c, call, ret, &why))
			return 0;
		if (left <= 0 || !may_retry(call, &why) ||
		    !clock_sleep_until(clock_deadline_ns(RETRY_PAUSE)))
			break;
	}
	if (err)
		*err = why;
	return -1;
}

/* A call that answers with a number; 'ret' may be NULL. */
static int number_call(struct one_client *c, const char *method,
		       const struct xmlrpc_arg *args, size_t nr, int64_t *ret,
		       struct err *err)
{
	struct one_call call = {.method = method, .args = args, .nr = nr};
	struct xmlrpc_value v;
	int bad = do_call(c, &call, &v, err);

	if (bad)
		return -1;
	if (v.items[1].type != XMLRPC_INT) {
		bad = bad_reply(err, "no number where one belongs");
		err_wrap(err, "%s", method);
	} else if (ret) {
		*ret = v.items[1].integer;
	}
	xmlrpc_value_release(&v);
	return bad;
}

/* An id as it is sent; what no id can be becomes one that does not exist. */
static int32_t sent_id(int64_t id)
{
	return id < -10 || id > INT32_MAX ? INT32_MAX : (int32_t)id;
}

int one_system_version(struct one_client *c, char **ret, struct err *err)
{
	struct one_call call = {.method = "one.system.version", .is_read = true};
	struct xmlrpc_value v;
	int bad = do_call(c, &call, &v, err);

	if (bad)
		return -1;
	if (v.items[1].type != XMLRPC_TEXT || !v.items[1].text) {
		bad = bad_reply(err, "no version");
		err_wrap(err, "%s", call.method);
	} else {
		*ret = x_strdup(v.items[1].text);
	}
	xmlrpc_value_release(&v);
	return bad;
}

int one_template_instantiate(struct one_client *c, int64_t id, const char *name,
			     bool is_held, const char *extra, int64_t *ret_vm,
			     struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(sent_id(id)), XMLRPC_ARG_TEXT(name),
				    XMLRPC_ARG_BOOL(is_held), XMLRPC_ARG_TEXT(extra),
				    XMLRPC_ARG_BOOL(false)};

	return number_call(c, "one.template.instantiate", args, ARRAY_SIZE(args), ret_vm,
			   err);
}

int one_vm_deploy(struct one_client *c, int64_t vm, int64_t host, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(sent_id(vm)),
				    XMLRPC_ARG_INT(sent_id(host)), XMLRPC_ARG_BOOL(true),
				    XMLRPC_ARG_INT(-1), XMLRPC_ARG_TEXT("")};

	return number_call(c, "one.vm.deploy", args, ARRAY_SIZE(args), NULL, err);
}

int one_vm_terminate_hard(struct one_client *c, int64_t vm, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_TEXT("terminate-hard"),
				    XMLRPC_ARG_INT(sent_id(vm))};

	return number_call(c, "one.vm.action", args, ARRAY_SIZE(args), NULL, err);
}

int one_vm_recover_delete(struct one_client *c, int64_t vm, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(sent_id(vm)), XMLRPC_ARG_INT(3)};

	return number_call(c, "one.vm.recover", args, ARRAY_SIZE(args), NULL, err);
}

int one_host_status(struct one_client *c, int64_t id, enum one_host_switch to,
		    struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(sent_id(id)),
				    XMLRPC_ARG_INT((int32_t)to)};

	return number_call(c, "one.host.status", args, ARRAY_SIZE(args), NULL, err);
}

/* The calls that answer with a document: a function from the node to the model. */

static int take_vm(void *ctx, const xmlNode *n, struct err *err)
{
	return one_vm_read(ctx, n, err);
}

static int take_host(void *ctx, const xmlNode *n, struct err *err)
{
	return one_host_read(ctx, n, err);
}

static int take_template(void *ctx, const xmlNode *n, struct err *err)
{
	return one_template_read(ctx, n, err);
}

static int take_account(void *ctx, const xmlNode *n, struct err *err)
{
	return one_account_read(ctx, n, err);
}

/* One object by its id; 'nr' arguments, of which those behind the id are false. */
static int info_call(struct one_client *c, const char *method, size_t nr, int64_t id,
		     const char *root, one_child *take, void *ret, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(sent_id(id)), XMLRPC_ARG_BOOL(false),
				    XMLRPC_ARG_BOOL(false)};
	struct one_call call = {.method = method,
				.args = args,
				.nr = nr,
				.root = root,
				.whole = take,
				.ctx = ret,
				.is_read = true};

	return do_call(c, &call, NULL, err);
}

int one_vm_info(struct one_client *c, int64_t id, struct one_vm *ret, struct err *err)
{
	return info_call(c, "one.vm.info", 2, id, "VM", take_vm, ret, err);
}

int one_host_info(struct one_client *c, int64_t id, struct one_host *ret, struct err *err)
{
	return info_call(c, "one.host.info", 2, id, "HOST", take_host, ret, err);
}

int one_template_info(struct one_client *c, int64_t id, struct one_template *ret,
		      struct err *err)
{
	return info_call(c, "one.template.info", 3, id, "VMTEMPLATE", take_template, ret,
			 err);
}

int one_user_info(struct one_client *c, int64_t id, struct one_account *ret,
		  struct err *err)
{
	return info_call(c, "one.user.info", 2, id, "USER", take_account, ret, err);
}

int one_group_info(struct one_client *c, int64_t id, struct one_account *ret,
		   struct err *err)
{
	return info_call(c, "one.group.info", 2, id, "GROUP", take_account, ret, err);
}

/* What a pool's elements are handed to. */
struct visitor {
	one_template_each *each_template;
	one_vm_each *each_vm;
	void *ctx;
};

static int visit_template(void *ctx, const xmlNode *n, struct err *err)
{
	struct visitor *v = ctx;
	struct one_template t;
	int bad = one_template_read(&t, n, err);

	if (!bad)
		bad = v->each_template(v->ctx, &t, err);
	one_template_release(&t);
	return bad;
}

/* A pool, read as a stream: each child of its root goes to 'each'. */
static int pool_call(struct one_client *c, const char *method,
		     const struct xmlrpc_arg *args, size_t nr, const char *root,
		     one_child *each, void *ctx, struct err *err)
{
	struct one_call call = {.method = method,
				.args = args,
				.nr = nr,
				.root = root,
				.each = each,
				.ctx = ctx};

	return do_call(c, &call, NULL, err);
}

int one_template_pool(struct one_client *c, one_template_each *each, void *ctx,
		      struct err *err)
{
	/* Those of everybody that we may see (-2), all of them (-1, -1). */
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(-2), XMLRPC_ARG_INT(-1),
				    XMLRPC_ARG_INT(-1)};
	struct visitor v = {.each_template = each, .ctx = ctx};

	return pool_call(c, "one.templatepool.info", args, ARRAY_SIZE(args),
			 "VMTEMPLATE_POOL", visit_template, &v, err);
}

static int visit_vm(void *ctx, const xmlNode *n, struct err *err)
{
	struct visitor *v = ctx;
	struct one_vm vm;
	int bad = one_vm_read(&vm, n, err);

	if (!bad)
		bad = v->each_vm(v->ctx, &vm, err);
	one_vm_release(&vm);
	return bad;
}

int one_vm_pool(struct one_client *c, one_vm_each *each, void *ctx, struct err *err)
{
	/* Ours (-3), all of them (-1, -1), in every state but DONE (-1), no filter. */
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(-3), XMLRPC_ARG_INT(-1),
				    XMLRPC_ARG_INT(-1), XMLRPC_ARG_INT(-1),
				    XMLRPC_ARG_TEXT("")};
	struct visitor v = {.each_vm = each, .ctx = ctx};

	return pool_call(c, "one.vmpool.infoextended", args, ARRAY_SIZE(args), "VM_POOL",
			 visit_vm, &v, err);
}

static int add_host(void *ctx, const xmlNode *n, struct err *err)
{
	struct one_hosts *to = ctx;

	GROW(to->items, to->nr, to->alloc);
	if (one_host_read(&to->items[to->nr], n, err)) {
		one_host_release(&to->items[to->nr]);
		return -1;
	}
	to->nr++;
	return 0;
}

int one_host_pool(struct one_client *c, struct one_hosts *ret, struct err *err)
{
	*ret = (struct one_hosts){.nr = 0};
	if (!pool_call(c, "one.hostpool.info", NULL, 0, "HOST_POOL", add_host, ret, err))
		return 0;
	one_hosts_release(ret);
	return -1;
}

static int add_acl(void *ctx, const xmlNode *n, struct err *err)
{
	struct one_acls *to = ctx;

	GROW(to->items, to->nr, to->alloc);
	if (one_acl_read(&to->items[to->nr], n, err))
		return -1;
	to->nr++;
	return 0;
}

int one_acl_info(struct one_client *c, struct one_acls *ret, struct err *err)
{
	*ret = (struct one_acls){.nr = 0};
	if (!pool_call(c, "one.acl.info", NULL, 0, "ACL_POOL", add_acl, ret, err))
		return 0;
	one_acls_release(ret);
	return -1;
}
