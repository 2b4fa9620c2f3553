/*
 * Could this account, as a tenant, take what nobody gave it? OpenNebula 7.4.0 reads
 * VM_RESTRICTED_ATTR="PCI" as a single attribute, so that a user who may add attributes to
 * a template gets any GPU by its address, or by its kind. Tried with machines that are
 * held, and so never start, asking for a device that no host has; each is ended at once.
 */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/check_row.h"
#include "harness/provision/opennebula/opennebula_rights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
	 "templates "
	 "that have their PCI sections"},
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
	struct one_client *c = q->p->client;
	char *name = x_asprintf("tare-%s-%s", q->run_id, forged[i].name);
	char *extra = x_asprintf(ONE_RUN_ATTRIBUTE "=\"%s\"\n%s\n", q->run_id,
				 forged[i].section);
	struct err why = ERR_INIT;
	int64_t vm = -1;
	size_t nr;
	int bad;

	stop_shield_begin();
	bad = one_template_instantiate(c, q->t.id, name, true, extra, &vm, &why);
	stop_shield_end();
	judge(q, i, !bad, &why);
	free(extra);
	/* An answer that got lost may have made one: it is looked for by its name. */
	if (!bad)
		bad = one_end_vm(q->p, vm, -1, err);
	else
		bad = one_is_uncertain(&why) &&
		      one_end_run(q->p, q->run_id, name, &nr, err);
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

static void check_quota(struct trial *q)
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

static void check_hosts(struct trial *q)
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
		if (try_forged(q, i, err))
			return -1;
	check_placing(q);
	check_hosts(q);
	check_quota(q);
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
