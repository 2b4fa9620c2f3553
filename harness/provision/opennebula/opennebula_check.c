/* What a lease would meet: the pool's devices, quotas, rights, before anything starts. */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/mem.h"
#include "harness/provision/check_row.h"
#include "harness/provision/opennebula/opennebula_rights.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS_MAX 64 /* machines whose owner is asked for */

struct report {
	struct one_client *c;
	struct one_machine machine;
	struct one_template t;
	struct one_hosts hosts;
	struct one_account user, group;
	struct one_acls acls;
	bool has_template, has_hosts, has_user, has_group, has_acls;
	struct json_object *out, *checks;
	unsigned failed;
};

static void add(struct report *r, const char *name, const char *state, const char *remedy,
		const char *fmt, ...) ERR_PRINTF(5, 6);
static void add(struct report *r, const char *name, const char *state, const char *remedy,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check_row_vadd(r->checks, name, state, remedy, fmt, ap);
	va_end(ap);
	r->failed += !strcmp(state, "failed");
}

/* The front-end answers and knows us; without that there is no report. */
static int check_front_end(struct report *r, struct err *err)
{
	char *version = NULL;

	if (one_system_version(r->c, &version, err))
		return -1;
	json_put_text(r->out, "endpoint", one_client_endpoint(r->c));
	json_put_text(r->out, "version", version);
	if (strncmp(version, "7.", 2) != 0)
		add(r, "version", "warning", "use OpenNebula 7.2 or later",
		    "the front-end is %s; tare was made for 7.x", version);
	else
		add(r, "version", "ok", NULL, "OpenNebula %s", version);
	if (one_client_is_exposed(r->c))
		add(r, "secret", "warning",
		    "put a proxy that ends TLS in front of it, or tunnel the port over "
		    "SSH",
		    "the account travels in clear to %s", one_client_endpoint(r->c));
	free(version);
	return 0;
}

static void put_quotas(struct json_object *list, const char *of,
		       const struct one_account *a)
{
	for (size_t i = 0; i < a->quotas_nr; i++) {
		const struct one_quota *q = &a->quotas[i];
		struct json_object *o = json_object_new_object();

		json_put_text(o, "of", of);
		json_put_text(o, "name", q->name);
		if (q->limit >= 0)
			json_put_int(o, "limit", q->limit);
		json_put_int(o, "used", q->used);
		json_object_array_add(list, o);
	}
}

static void check_account(struct report *r)
{
	struct json_object *quotas = json_object_new_array();
	struct err why = ERR_INIT;

	json_put(r->out, "quotas", quotas);
	if (one_user_info(r->c, -1, &r->user, &why)) {
		add(r, "account", "unknown", NULL, "%s", why.text);
		return;
	}
	r->has_user = true;
	json_put_text(r->out, "user", r->user.name);
	json_put_text(r->out, "group", r->user.group);
	add(r, "account", "ok", NULL, "user %s (%" PRId64 ") of group %s (%" PRId64 ")",
	    r->user.name ? r->user.name : "?", r->user.id,
	    r->user.group ? r->user.group : "?", r->user.gid);
	put_quotas(quotas, "user", &r->user);
	err_clear(&why);
	if (r->user.gid < 0 || one_group_info(r->c, r->user.gid, &r->group, &why))
		return;
	r->has_group = true;
	put_quotas(quotas, "group", &r->group);
}

static void check_template(struct report *r)
{
	struct err why = ERR_INIT;
	size_t gpus;

	if (one_find_template(r->c, r->machine.template_name, &r->t, &why)) {
		add(r, "template", "failed", NULL, "%s", why.text);
		return;
	}
	r->has_template = true;
	gpus = one_machine_gpus(&r->machine, &r->t);
	json_put_text(r->out, "template", r->t.name);
	json_put_int(r->out, "gpus_needed", (int64_t)gpus);
	if (!gpus)
		add(r, "template", "warning", "add a PCI section, or \"gpu\" to the arm",
		    "template '%s' gives no GPU", r->t.name);
	else
		add(r, "template", "ok", NULL,
		    "template '%s' (%" PRId64 ") with %zu GPU%s", r->t.name, r->t.id,
		    gpus, gpus == 1 ? "" : "s");
}

/* Who has a device: their name where we may see it. */
static void put_holder(struct report *r, struct json_object *o, int64_t vm_id,
		       unsigned *asked)
{
	struct err why = ERR_INIT;
	struct one_vm vm;

	json_put_bool(o, "is_free", vm_id < 0);
	if (vm_id < 0)
		return;
	json_put_int(o, "vm", vm_id);
	if (++*asked > OWNERS_MAX || one_vm_info(r->c, vm_id, &vm, &why))
		return;
	json_put_text(o, "owner", vm.owner);
	json_put_text(o, "vm_name", vm.name);
	one_vm_release(&vm);
}

static void put_devices(struct report *r)
{
	struct json_object *list = json_object_new_array();
	unsigned asked = 0;

	for (size_t i = 0; i < r->hosts.nr; i++) {
		const struct one_host *h = &r->hosts.items[i];

		for (size_t k = 0; k < h->pcis.nr; k++) {
			const struct one_pci *d = &h->pcis.items[k];
			struct json_object *o;

			if (!one_pci_is_gpu(d))
				continue;
			o = json_object_new_object();
			json_put_text(o, "host", h->name);
			json_put_text(o, "host_state", one_host_state_name(h->state));
			json_put_text(o, "cluster", h->cluster);
			json_put_text(o, "address", d->short_address);
			json_put_text(o, "name", d->name);
			json_put_text(o, "vendor", d->vendor);
			json_put_text(o, "device", d->device);
			json_put_text(o, "class", d->class_id);
			json_put_text(o, "numa_node", d->numa_node);
			json_put_text(o, "profiles", d->profiles);
			put_holder(r, o, d->vm_id, &asked);
			if (r->has_template)
				json_put_bool(o, "is_wanted",
					      one_machine_wants(&r->machine, &r->t, d));
			json_object_array_add(list, o);
		}
	}
	json_put(r->out, "gpus", list);
}

/* A host that the scheduler could take, when the plan names none. */
static void check_any_host(struct report *r)
{
	struct err why = ERR_INIT, last = ERR_INIT;
	size_t good = 0;

	for (size_t i = 0; i < r->hosts.nr; i++) {
		err_clear(&why);
		if (!one_host_suits(&r->hosts.items[i], &r->machine, &r->t, &why))
			good++;
		else
			last = why;
	}
	if (good)
		add(r, "host", "ok", NULL,
		    "%zu of %zu hosts could take it; none is pinned", good, r->hosts.nr);
	else
		add(r, "host", "failed", "free a device, or ask for another kind",
		    "no host could take it now, it would stay PENDING%s%s",
		    last.kind ? "; the last one: " : "", last.kind ? last.text : "");
}

static void check_hosts(struct report *r)
{
	const struct one_host *h = NULL;
	struct err why = ERR_INIT;

	if (one_host_pool(r->c, &r->hosts, &why)) {
		add(r, "host", "unknown", NULL, "%s", why.text);
		return;
	}
	r->has_hosts = true;
	put_devices(r);
	if (!r->hosts.nr) {
		add(r, "host", "failed", "oneacl create '@<gid> HOST/* USE *'",
		    "this user sees no host, so that nobody could prove which GPU was "
		    "measured");
		return;
	}
	if (!r->has_template)
		return;
	if (!r->machine.pin.host) {
		check_any_host(r);
		return;
	}
	if (one_find_host(&r->hosts, r->machine.pin.host, &h, &why) ||
	    one_host_suits(h, &r->machine, &r->t, &why)) {
		add(r, "host", "failed", NULL, "%s", why.text);
		return;
	}
	add(r, "host", "ok", NULL, "host '%s' can take it", h->name);
	if (h->running_vms > 0 && !r->machine.is_shared_host)
		add(r, "neighbours", "failed",
		    "empty the host, or set \"shared_host\": true when sharing is what "
		    "you "
		    "measure",
		    "host '%s' runs %" PRId64 " other machines", h->name, h->running_vms);
}

static void check_quota(struct report *r, const char *of, const struct one_account *a)
{
	size_t gpus = one_machine_gpus(&r->machine, &r->t);

	for (size_t i = 0; i < a->quotas_nr; i++) {
		const struct one_quota *q = &a->quotas[i];
		bool is_of_devices = strstr(q->name, "PCI_DEV") != NULL;
		int64_t more = is_of_devices            ? (int64_t)gpus
			       : strstr(q->name, "VMS") ? 1
							: 0;

		if (q->limit < 0 || !more)
			continue;
		if (q->used + more > q->limit)
			add(r, "quota", "failed",
			    "end machines that are no longer needed, or have it raised "
			    "('oneuser quota', 'onegroup quota')",
			    "the %s's quota %s allows %" PRId64 ", %" PRId64
			    " are in use and %" PRId64 " more needed",
			    of, q->name, q->limit, q->used, more);
		else
			add(r, "quota", "ok", NULL,
			    "the %s's quota %s: %" PRId64 " of %" PRId64 " in use", of,
			    q->name, q->used, q->limit);
	}
}

static const struct need {
	uint64_t resource;
	enum one_right right;
	bool only_deploy, only_extra;
	const char *name, *why, *remedy;
} needs[] = {
	{ONE_ON_VM, ONE_CREATE, false, false, "VM CREATE", "to make machines",
	 "oneacl create '@<gid> VM/* CREATE *'"},
	{ONE_ON_HOST, ONE_USE, false, false, "HOST USE", "to prove whose GPU it is",
	 "oneacl create '@<gid> HOST/* USE *'"},
	{ONE_ON_TEMPLATE, ONE_CREATE, false, true, "TEMPLATE CREATE",
	 "to add the run's id and devices (before 7.4.2)",
	 "oneacl create '#<uid> TEMPLATE/* CREATE'"},
	{ONE_ON_HOST, ONE_MANAGE, true, false, "HOST MANAGE",
	 "to place a machine by hand", "set \"by\": \"scheduler\" in the arm's pin"},
	{ONE_ON_VM, ONE_ADMIN, true, false, "VM ADMIN", "to place a machine by hand",
	 "set \"by\": \"scheduler\" in the arm's pin"},
};

static void check_rights(struct report *r)
{
	bool is_deploy = r->machine.pin.host && r->machine.pin.by == ONE_PIN_DEPLOY;
	struct json_object *rules = json_object_new_array();
	struct err why = ERR_INIT;

	json_put(r->out, "rules", rules);
	if (!r->has_user || one_acl_info(r->c, &r->acls, &why)) {
		add(r, "rights", "unknown", NULL, "the rules could not be read: %s",
		    why.kind ? why.text : "no account");
		return;
	}
	for (size_t i = 0; i < r->acls.nr; i++)
		if (one_rule_applies(&r->acls.items[i], &r->user))
			json_object_array_add(rules,
					      json_new_text(r->acls.items[i].text));
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct need *n = &needs[i];

		if ((n->only_deploy && !is_deploy) ||
		    (n->only_extra && !one_machine_chooses(&r->machine)))
			continue;
		if (one_may(&r->acls, &r->user, n->resource, n->right))
			add(r, "rights", "ok", NULL, "%s, %s", n->name, n->why);
		else /* rules of other groups of this user and ownership may still give it */
			add(r, "rights", n->right == ONE_USE ? "warning" : "failed",
			    n->remedy, "no rule gives %s, which is needed %s", n->name,
			    n->why);
	}
}

struct leftovers {
	size_t nr;
	char *one;
};

static int count_leftover(void *ctx, const struct one_vm *vm, struct err *err)
{
	struct leftovers *l = ctx;

	(void)err;
	if (!one_is_of_run(vm, ""))
		return 0;
	if (!l->nr++)
		l->one = x_strdup(vm->name);
	return 0;
}

static void check_leftovers(struct report *r)
{
	struct leftovers l = {.nr = 0};
	struct err why = ERR_INIT;

	if (one_vm_pool(r->c, count_leftover, &l, &why))
		add(r, "leftovers", "unknown", NULL, "%s", why.text);
	else if (l.nr)
		add(r, "leftovers", "warning", "'tare clean DIR' of that run ends them",
		    "%zu machine%s of tare exist%s, such as '%s': another run is under "
		    "way, or "
		    "one was cut off",
		    l.nr, l.nr == 1 ? "" : "s", l.nr == 1 ? "s" : "",
		    l.one ? l.one : "?");
	free(l.one);
}

static void report_release(struct report *r)
{
	one_machine_release(&r->machine);
	one_template_release(&r->t);
	one_hosts_release(&r->hosts);
	one_account_release(&r->user);
	one_account_release(&r->group);
	one_acls_release(&r->acls);
}

static void put_summary(struct report *r)
{
	size_t is_free = 0, all = 0;
	struct json_object *gpus = json_member(r->out, "gpus");
	char text[200];

	for (size_t i = 0; gpus && i < json_object_array_length(gpus); i++, all++)
		is_free += json_get_bool(json_object_array_get_idx(gpus, i), "is_free",
					 false);
	snprintf(text, sizeof(text),
		 "%zu GPUs in the pool, %zu free; %u of %zu checks failed", all, is_free,
		 r->failed, json_object_array_length(r->checks));
	json_put_text(r->out, "summary", text);
}

int one_check(struct provisioner *base, struct json_object *machine,
	      struct json_object **ret, struct err *err)
{
	struct report r = {.c = ((struct one_provisioner *)base)->client,
			   .out = json_object_new_object(),
			   .checks = json_object_new_array()};
	int bad;

	json_put(r.out, "checks", r.checks);
	bad = one_machine_bind(&r.machine, machine, "plan", "", err) ||
	      check_front_end(&r, err);
	if (!bad) {
		check_account(&r);
		check_template(&r);
		check_hosts(&r);
		if (r.has_user && r.has_template)
			check_quota(&r, "user", &r.user);
		if (r.has_group && r.has_template)
			check_quota(&r, "group", &r.group);
		check_rights(&r);
		check_leftovers(&r);
		put_summary(&r);
	}
	report_release(&r);
	if (bad) {
		json_object_put(r.out);
		return -1;
	}
	*ret = r.out;
	return 0;
}
