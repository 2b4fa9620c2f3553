/* What a lease would meet, and what this account could take that nobody gave it. */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/check_row.h"

#include <inttypes.h>
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
};

/* The front-end answers and knows us; without that there is no report. */
static int check_front_end(struct report *r, struct err *err)
{
	char *version = NULL;

	if (one_system_version(r->c, &version, err))
		return -1;
	json_put_text(r->out, "endpoint", one_client_endpoint(r->c));
	json_put_text(r->out, "version", version);
	if (strncmp(version, "7.", 2) != 0)
		check_row_add(r->checks, "version", "warning",
			      "use OpenNebula 7.2 or later",
			      "the front-end is %s; tare was made for 7.x", version);
	else
		check_row_add(r->checks, "version", "ok", NULL, "OpenNebula %s", version);
	if (one_client_is_exposed(r->c))
		check_row_add(r->checks, "secret", "warning",
			      "put a proxy that ends TLS in front of it, or tunnel "
			      "the port over SSH",
			      "the account travels in clear to %s",
			      one_client_endpoint(r->c));
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
		check_row_add(r->checks, "account", "unknown", NULL, "%s", why.text);
		return;
	}
	r->has_user = true;
	json_put_text(r->out, "user", r->user.name);
	json_put_text(r->out, "group", r->user.group);
	check_row_add(r->checks, "account", "ok", NULL,
		      "user %s (%" PRId64 ") of group %s (%" PRId64 ")",
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
		check_row_add(r->checks, "template", "failed", NULL, "%s", why.text);
		return;
	}
	r->has_template = true;
	gpus = one_machine_gpus(&r->machine, &r->t);
	json_put_text(r->out, "template", r->t.name);
	json_put_int(r->out, "gpus_needed", (int64_t)gpus);
	if (!gpus)
		check_row_add(r->checks, "template", "warning",
			      "add a PCI section, or \"gpu\" to the arm",
			      "template '%s' gives no GPU", r->t.name);
	else
		check_row_add(r->checks, "template", "ok", NULL,
			      "template '%s' (%" PRId64 ") with %zu GPU%s", r->t.name,
			      r->t.id, gpus, gpus == 1 ? "" : "s");
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
		check_row_add(r->checks, "host", "ok", NULL,
			      "%zu of %zu hosts could take it; none is pinned", good,
			      r->hosts.nr);
	else
		check_row_add(r->checks, "host", "failed",
			      "free a device, or ask for another kind",
			      "no host could take it now, it would stay PENDING%s%s",
			      last.kind ? "; the last one: " : "",
			      last.kind ? last.text : "");
}

static void check_hosts(struct report *r)
{
	const struct one_host *h = NULL;
	struct err why = ERR_INIT;

	if (one_host_pool(r->c, &r->hosts, &why)) {
		check_row_add(r->checks, "host", "unknown", NULL, "%s", why.text);
		return;
	}
	r->has_hosts = true;
	put_devices(r);
	if (!r->hosts.nr) {
		check_row_add(r->checks, "host", "failed",
			      "oneacl create '@<gid> HOST/* USE *'",
			      "this user sees no host, so that nobody could prove "
			      "which GPU was measured");
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
		check_row_add(r->checks, "host", "failed", NULL, "%s", why.text);
		return;
	}
	check_row_add(r->checks, "host", "ok", NULL, "host '%s' can take it", h->name);
	if (h->running_vms > 0 && !r->machine.is_shared_host)
		check_row_add(r->checks, "neighbours", "failed",
			      "empty the host, or set \"shared_host\": true when "
			      "sharing is what you measure",
			      "host '%s' runs %" PRId64 " other machines", h->name,
			      h->running_vms);
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
			check_row_add(r->checks, "quota", "failed",
				      "end machines that are no longer needed, or "
				      "have it raised ('oneuser quota', 'onegroup "
				      "quota')",
				      "the %s's quota %s allows %" PRId64 ", %" PRId64
				      " are in use and %" PRId64 " more needed",
				      of, q->name, q->limit, q->used, more);
		else
			check_row_add(r->checks, "quota", "ok", NULL,
				      "the %s's quota %s: %" PRId64 " of %" PRId64
				      " in use",
				      of, q->name, q->used, q->limit);
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
		check_row_add(r->checks, "rights", "unknown", NULL,
			      "the rules could not be read: %s",
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
			check_row_add(r->checks, "rights", "ok", NULL, "%s, %s", n->name,
				      n->why);
		else /* rules of other groups of this user and ownership may still give it */
			check_row_add(r->checks, "rights",
				      n->right == ONE_USE ? "warning" : "failed",
				      n->remedy, "no rule gives %s, which is needed %s",
				      n->name, n->why);
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
		check_row_add(r->checks, "leftovers", "unknown", NULL, "%s", why.text);
	else if (l.nr)
		check_row_add(r->checks, "leftovers", "warning",
			      "'tare clean DIR' of that run ends them",
			      "%zu machine%s of tare exist%s, such as '%s': another "
			      "run is under way, or one was cut off",
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

	for (size_t i = 0; i < json_length(gpus); i++, all++)
		is_free += json_get_bool(json_object_array_get_idx(gpus, i), "is_free",
					 false);
	snprintf(text, sizeof(text),
		 "%zu GPUs in the pool, %zu free; %zu of %zu checks failed", all, is_free,
		 check_rows_in(r->checks, "failed"), json_length(r->checks));
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

/*
 * Could this account, as a tenant, take what nobody gave it? OpenNebula 7.4.0 reads
 * VM_RESTRICTED_ATTR="PCI" as a single attribute, so that a user who may add attributes to
 * a template gets any GPU by its address, or by its kind. Tried with machines that are
 * held, and so never start, asking for a device that no host has; each is ended at once.
 */
struct trial {
	struct one_provisioner *p;
	struct one_machine machine;
	struct one_template t;
	struct one_account user, group;
	struct one_acls acls;
	const char *run_id;
	struct json_object *checks;
};

/* What a tenant would add, for a device that cannot be there. */
static const struct {
	const char *name, *what, *section, *remedy;
} forged[] = {
	{"by-address", "by its address", "PCI=[ SHORT_ADDRESS=\"ffff:ff:1f.7\" ]",
	 "oned.conf: VM_RESTRICTED_ATTR = \"PCI/SHORT_ADDRESS\", and give tenants "
	 "templates that have their PCI sections"},
	{"by-kind", "by its kind",
	 "PCI=[ VENDOR=\"10de\", DEVICE=\"ffff\", CLASS=\"0302\" ]",
	 "oned.conf: VM_RESTRICTED_ATTR for PCI/VENDOR, PCI/DEVICE, PCI/CLASS and "
	 "PCI/PROFILE"},
};

/* The front-end's answer to a request that a tenant should not get through. */
static void judge(struct trial *q, size_t i, bool is_made, const struct err *why)
{
	const char *name = forged[i].name, *what = forged[i].what;

	if (is_made)
		check_row_add(q->checks, name, "failed", forged[i].remedy,
			      "this account may take any free GPU %s, whatever its "
			      "templates give it",
			      what);
	else if (strstr(why->text, "restricted attribute"))
		check_row_add(q->checks, name, "ok", NULL,
			      "asking for a GPU %s is refused as a restricted attribute",
			      what);
	else if (strstr(why->text, "CREATE TEMPLATE"))
		check_row_add(q->checks, name, "ok", NULL,
			      "this account may add nothing to a template, and so no GPU "
			      "%s",
			      what);
	else
		check_row_add(q->checks, name, "unknown", NULL, "asking for a GPU %s: %s",
			      what, why->text);
}

static int try_forged(struct trial *q, size_t i, struct err *err)
{
	char *name = lease_name(q->run_id, forged[i].name);
	char *extra = x_asprintf(ONE_RUN_ATTRIBUTE "=\"%s\"\n%s\n", q->run_id,
				 forged[i].section);
	struct err why = ERR_INIT;
	int64_t vm = -1;
	size_t nr;
	int bad;

	stop_shield_begin();
	bad = one_template_instantiate(q->p->client, q->t.id, name, true, extra, &vm,
				       &why);
	judge(q, i, !bad, &why);
	/* An answer that got lost may have made one: it is looked for by its name. */
	if (!bad)
		bad = one_end_vm(q->p, vm, -1, err);
	else
		bad = one_is_uncertain(&why) &&
		      one_end_run(q->p, q->run_id, name, &nr, err);
	stop_shield_end();
	free(extra);
	free(name);
	return bad ? -1 : 0;
}

static bool limits_devices(const struct one_account *a)
{
	for (size_t i = 0; i < a->quotas_nr; i++)
		if (strstr(a->quotas[i].name, "PCI_DEV") && a->quotas[i].limit >= 0)
			return true;
	return false;
}

static void check_device_quota(struct trial *q)
{
	if (limits_devices(&q->user) || limits_devices(&q->group))
		check_row_add(q->checks, "quota", "ok", NULL,
			      "a quota limits how many devices this account may have");
	else
		check_row_add(q->checks, "quota", "warning",
			      "'onegroup quota' with VM=[ PCI_DEV=n, RUNNING_PCI_DEV=n ]",
			      "no quota limits how many devices this account may have");
}

static void check_placing(struct trial *q)
{
	if (one_may(&q->acls, &q->user, ONE_ON_HOST, ONE_MANAGE) ||
	    one_may(&q->acls, &q->user, ONE_ON_VM, ONE_ADMIN))
		check_row_add(
			q->checks, "placing", "warning",
			"tenants need neither HOST MANAGE nor VM ADMIN; in plans use "
			"\"by\": \"scheduler\"",
			"this account may place machines by hand: also without "
			"enforcement, on a host whose GPU is taken, where they run "
			"without one");
	else
		check_row_add(q->checks, "placing", "ok", NULL,
			      "this account may not place machines by hand");
}

static void check_hosts_seen(struct trial *q)
{
	struct err why = ERR_INIT;
	struct one_hosts hosts;

	if (one_host_pool(q->p->client, &hosts, &why)) {
		check_row_add(q->checks, "hosts", "unknown", NULL, "%s", why.text);
		return;
	}
	if (hosts.nr > 1)
		check_row_add(q->checks, "hosts", "warning",
			      "grant HOST USE on the measured host alone: oneacl create "
			      "'@<gid> HOST/#<id> USE *'",
			      "this account sees %zu hosts with everybody's devices",
			      hosts.nr);
	else
		check_row_add(q->checks, "hosts", "ok", NULL,
			      "this account sees %zu host%s", hosts.nr,
			      hosts.nr == 1 ? "" : "s");
	one_hosts_release(&hosts);
}

static int prepare(struct trial *q, struct json_object *machine, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (one_machine_bind(&q->machine, machine, "plan", "", err) ||
	    one_user_info(q->p->client, -1, &q->user, err) ||
	    one_acl_info(q->p->client, &q->acls, err) ||
	    one_find_template(q->p->client, q->machine.template_name, &q->t, err))
		return -1;
	if (q->user.gid >= 0 &&
	    one_group_info(q->p->client, q->user.gid, &q->group, &ignored))
		q->group = (struct one_account){.id = -1};
	return 0;
}

static int try_all(struct trial *q, struct err *err)
{
	if (q->user.id == 0 || q->user.gid == 0) {
		check_row_add(
			q->checks, "account", "unknown",
			"use a tenant's account: 'auth_file' in the plan",
			"nothing is forbidden to an administrator, so nothing can be "
			"tried as %s",
			q->user.name ? q->user.name : "this account");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++)
		if (stop_check(err) || try_forged(q, i, err))
			return -1;
	check_placing(q);
	check_hosts_seen(q);
	check_device_quota(q);
	return 0;
}

int one_check_isolation(struct provisioner *base, struct json_object *machine,
			const char *run_id, struct json_object **ret, struct err *err)
{
	struct trial q = {.p = (struct one_provisioner *)base,
			  .run_id = run_id,
			  .checks = json_object_new_array()};
	int bad = prepare(&q, machine, err) || try_all(&q, err);

	if (!bad) {
		*ret = json_object_new_object();
		json_put_text(*ret, "summary", "isolation from other tenants");
		json_put(*ret, "checks", json_object_get(q.checks));
	}
	json_object_put(q.checks);
	one_machine_release(&q.machine);
	one_template_release(&q.t);
	one_account_release(&q.user);
	one_account_release(&q.group);
	one_acls_release(&q.acls);
	return bad ? -1 : 0;
}
