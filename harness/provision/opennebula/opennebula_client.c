#include "harness/provision/opennebula/opennebula_client.h"

#include "core/base/mem.h"
#include "harness/provision/opennebula/opennebula_call.h"

int one_system_version(struct one_client *c, char **ret, struct err *err)
{
	struct one_call call = {.method = "one.system.version", .is_read = true};
	struct xmlrpc_value v;
	int bad = one_call(c, &call, &v, err);

	if (bad)
		return -1;
	if (v.items[1].type != XMLRPC_TEXT || !v.items[1].text) {
		bad = one_bad_reply(err, "no version");
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
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_TEXT(name), XMLRPC_ARG_BOOL(is_held),
				    XMLRPC_ARG_TEXT(extra), XMLRPC_ARG_BOOL(false)};

	return one_call_number(c, "one.template.instantiate", args, ARRAY_SIZE(args),
			       ret_vm, err);
}

int one_vm_deploy(struct one_client *c, int64_t vm, int64_t host, struct err *err)
{
	struct xmlrpc_arg args[] = {
		XMLRPC_ARG_INT(one_call_id(vm)), XMLRPC_ARG_INT(one_call_id(host)),
		XMLRPC_ARG_BOOL(true), XMLRPC_ARG_INT(-1), XMLRPC_ARG_TEXT("")};

	return one_call_number(c, "one.vm.deploy", args, ARRAY_SIZE(args), NULL, err);
}

int one_vm_terminate_hard(struct one_client *c, int64_t vm, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_TEXT("terminate-hard"),
				    XMLRPC_ARG_INT(one_call_id(vm))};

	return one_call_number(c, "one.vm.action", args, ARRAY_SIZE(args), NULL, err);
}

int one_vm_recover_delete(struct one_client *c, int64_t vm, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(vm)), XMLRPC_ARG_INT(3)};

	return one_call_number(c, "one.vm.recover", args, ARRAY_SIZE(args), NULL, err);
}

int one_host_status(struct one_client *c, int64_t id, enum one_host_switch to,
		    struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_INT((int32_t)to)};

	return one_call_number(c, "one.host.status", args, ARRAY_SIZE(args), NULL, err);
}

/*
 * The calls that answer with a document: a function from the node to the model, and a
 * place for the model.
 */
static int take_vm(void *ctx, const xmlNode *n, struct err *err)
{
	return one_vm_read(ctx, n, err);
}

int one_vm_info(struct one_client *c, int64_t id, struct one_vm *ret, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_BOOL(false)};
	struct one_call call = {.method = "one.vm.info",
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = "VM",
				.whole = take_vm,
				.ctx = ret,
				.is_read = true};

	return one_call(c, &call, NULL, err);
}

static int take_host(void *ctx, const xmlNode *n, struct err *err)
{
	return one_host_read(ctx, n, err);
}

int one_host_info(struct one_client *c, int64_t id, struct one_host *ret, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_BOOL(false)};
	struct one_call call = {.method = "one.host.info",
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = "HOST",
				.whole = take_host,
				.ctx = ret,
				.is_read = true};

	return one_call(c, &call, NULL, err);
}

static int take_template(void *ctx, const xmlNode *n, struct err *err)
{
	return one_template_read(ctx, n, err);
}

int one_template_info(struct one_client *c, int64_t id, struct one_template *ret,
		      struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_BOOL(false), XMLRPC_ARG_BOOL(false)};
	struct one_call call = {.method = "one.template.info",
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = "VMTEMPLATE",
				.whole = take_template,
				.ctx = ret,
				.is_read = true};

	return one_call(c, &call, NULL, err);
}

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

int one_template_pool(struct one_client *c, one_template_each *each, void *ctx,
		      struct err *err)
{
	/* Those of everybody that we may see (-2), all of them (-1, -1). */
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(-2), XMLRPC_ARG_INT(-1),
				    XMLRPC_ARG_INT(-1)};
	struct visitor v = {.each_template = each, .ctx = ctx};
	struct one_call call = {.method = "one.templatepool.info",
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = "VMTEMPLATE_POOL",
				.each = visit_template,
				.ctx = &v};

	return one_call(c, &call, NULL, err);
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
	struct one_call call = {.method = "one.vmpool.infoextended",
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = "VM_POOL",
				.each = visit_vm,
				.ctx = &v};

	return one_call(c, &call, NULL, err);
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
	struct one_call call = {.method = "one.hostpool.info",
				.root = "HOST_POOL",
				.each = add_host,
				.ctx = ret};

	*ret = (struct one_hosts){.nr = 0};
	if (!one_call(c, &call, NULL, err))
		return 0;
	one_hosts_release(ret);
	return -1;
}

static int take_account(void *ctx, const xmlNode *n, struct err *err)
{
	return one_account_read(ctx, n, err);
}

static int account_call(struct one_client *c, const char *method, const char *root,
			int64_t id, struct one_account *ret, struct err *err)
{
	struct xmlrpc_arg args[] = {XMLRPC_ARG_INT(one_call_id(id)),
				    XMLRPC_ARG_BOOL(false)};
	struct one_call call = {.method = method,
				.args = args,
				.nr = ARRAY_SIZE(args),
				.root = root,
				.whole = take_account,
				.ctx = ret,
				.is_read = true};

	return one_call(c, &call, NULL, err);
}

int one_user_info(struct one_client *c, int64_t id, struct one_account *ret,
		  struct err *err)
{
	return account_call(c, "one.user.info", "USER", id, ret, err);
}

int one_group_info(struct one_client *c, int64_t id, struct one_account *ret,
		   struct err *err)
{
	return account_call(c, "one.group.info", "GROUP", id, ret, err);
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
	struct one_call call = {.method = "one.acl.info",
				.root = "ACL_POOL",
				.each = add_acl,
				.ctx = ret};

	*ret = (struct one_acls){.nr = 0};
	if (!one_call(c, &call, NULL, err))
		return 0;
	one_acls_release(ret);
	return -1;
}
