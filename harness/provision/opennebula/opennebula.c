#include "harness/provision/opennebula/opennebula.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/opennebula/opennebula_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int sweep(struct provisioner *base, const char *run_id, size_t *ret_nr,
		 struct err *err)
{
	return one_end_run((struct one_provisioner *)base, run_id, NULL, ret_nr, err);
}

struct listing {
	const char *run_id;
	struct strvec *names;
};

static int add_name(void *ctx, const struct one_vm *vm, struct err *err)
{
	struct listing *l = ctx;

	(void)err;
	if (one_is_of_run(vm, l->run_id))
		strvec_add(l->names, vm->name ? vm->name : "?");
	return 0;
}

static int list(struct provisioner *base, const char *run_id, struct strvec *ret,
		struct err *err)
{
	struct listing l = {run_id, ret};

	return one_vm_pool(((struct one_provisioner *)base)->client, add_name, &l, err);
}

static int find_host_id(struct one_client *c, const char *name, struct one_host *ret,
			struct err *err)
{
	const struct one_host *h = NULL;
	struct one_hosts hosts;
	int bad;

	if (one_host_pool(c, &hosts, err))
		return -1;
	bad = one_find_host(&hosts, name, &h, err);
	if (!bad) /* the pool may lag behind: ask the host itself */
		bad = one_host_info(c, h->id, ret, err);
	one_hosts_release(&hosts);
	return bad;
}

static bool is_enabled(const struct one_host *h)
{
	return h->state != ONE_HOST_DISABLED && h->state != ONE_HOST_OFFLINE;
}

static int host_state(struct provisioner *base, const char *name, char **ret_was,
		      struct err *err)
{
	struct one_host h;

	if (find_host_id(((struct one_provisioner *)base)->client, name, &h, err))
		return -1;
	*ret_was = x_strdup(is_enabled(&h) ? "enabled" : "disabled");
	one_host_release(&h);
	return 0;
}

static int refuse_occupied(const struct one_host *h, struct err *err)
{
	if (h->running_vms <= 0)
		return 0;
	return err_set(err, ERR_ENVIRONMENT,
		       "host '%s' runs %" PRId64
		       " machines: end or move them before it is "
		       "measured as bare metal",
		       h->name, h->running_vms);
}

static void enable_again(struct one_client *c, int64_t id, const char *name,
			 struct err *err)
{
	struct err left = ERR_INIT;

	stop_shield_begin();
	if (one_host_status(c, id, ONE_HOST_ENABLE, &left))
		err_wrap(err, "host '%s' stays disabled (%.300s), 'onehost enable %s'",
			 name, left.text, name);
	stop_shield_end();
}

/*
 * Looked at again once it takes nothing new: a machine may have been placed in between.
 */
static int host_reserve(struct provisioner *base, const char *name, char **ret_was,
			struct err *err)
{
	struct one_client *c = ((struct one_provisioner *)base)->client;
	struct one_host h;
	int64_t id;
	bool was_enabled;
	int bad;

	if (find_host_id(c, name, &h, err))
		return -1;
	id = h.id;
	was_enabled = is_enabled(&h);
	bad = refuse_occupied(&h, err);
	one_host_release(&h);
	if (!bad && was_enabled) {
		bad = one_host_status(c, id, ONE_HOST_DISABLE, err) ||
		      one_host_info(c, id, &h, err);
		if (!bad) {
			bad = refuse_occupied(&h, err);
			one_host_release(&h);
		}
		if (bad)
			enable_again(c, id, name, err);
	}
	if (bad)
		return -1;
	*ret_was = x_strdup(was_enabled ? "enabled" : "disabled");
	return 0;
}

static int host_restore(struct provisioner *base, const char *name, const char *was,
			struct err *err)
{
	struct one_client *c = ((struct one_provisioner *)base)->client;
	struct one_host h;
	int bad = 0;

	if (strcmp(was, "enabled") != 0)
		return 0;
	if (find_host_id(c, name, &h, err)) {
		bad = -1;
	} else {
		if (!is_enabled(&h))
			bad = one_host_status(c, h.id, ONE_HOST_ENABLE, err);
		one_host_release(&h);
	}
	return bad ? err_wrap(err, "enable it with 'onehost enable %s'", name) : 0;
}

static void one_free(struct provisioner *base)
{
	struct one_provisioner *p = (struct one_provisioner *)base;

	one_client_free(p->client);
	fields_release(one_config_fields, &p->config);
	free(p);
}

static const struct provisioner_ops ops = {
	.kind = "opennebula",
	.acquire = one_lease_acquire,
	.release = one_lease_release,
	.keep = one_lease_keep,
	.sweep = sweep,
	.list = list,
	.free = one_free,
	.check = one_check,
	.check_isolation = one_check_isolation,
	.host_state = host_state,
	.host_reserve = host_reserve,
	.host_restore = host_restore,
};

/* Nothing is sent and no secret is read before the first call. */
static struct provisioner *one_open(struct json_object *config, struct err *err)
{
	static const char *const others[] = {"kind", NULL};
	struct one_provisioner *p = x_calloc(1, sizeof(*p));

	p->base.ops = &ops;
	fields_init(one_config_fields, &p->config);
	if (!fields_bind_json(one_config_fields, &p->config, config, "plan",
			      "/provisioners", others, err)) {
		char *ca = p->config.ca_file ? path_expand(p->config.ca_file) : NULL;
		struct one_client_params params = {
			.server = {.endpoint = p->config.endpoint,
				   .ca_file = ca,
				   .is_unverified = !p->config.verify_tls},
			.auth_file = p->config.auth_file,
			.auth_env = p->config.auth_env,
			.call_timeout_ns = p->config.call_timeout_ns,
			.pool_timeout_ns = p->config.pool_timeout_ns,
			.read_retries = (int)p->config.read_retries,
		};

		p->client = one_client_new(&params, err);
		free(ca);
	}
	if (p->client)
		return &p->base;
	one_free(&p->base);
	return NULL;
}

const struct provisioner_kind opennebula_provisioner = {
	.name = "opennebula",
	.summary = "virtual machines from an OpenNebula front-end",
	.fields = one_config_fields,
	.machine_fields = one_machine_fields,
	.machine_objects = one_machine_objects,
	.check_machine = one_machine_check,
	.machine_devices = one_machine_devices,
	.open = one_open,
};
