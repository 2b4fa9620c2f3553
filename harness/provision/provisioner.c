/* Calls that reach a kind of provisioner with their arguments checked. */
#include "harness/provision/provisioner_impl.h"

#include "core/base/mem.h"
#include "core/base/stop.h"

#include <stdlib.h>
#include <string.h>

/* Gives back what an acquire that failed came to. What stays is named in *err. */
static void undo(struct provisioner *p, const char *name, struct lease *l,
		 struct err *err)
{
	struct err left = ERR_INIT;

	stop_shield_begin();
	if (p->ops->release(p, l, &left))
		err_wrap(err,
			 "%s may be left behind (%.300s), 'tare clean' gives it back",
			 name, left.text);
	stop_shield_end();
}

int provisioner_acquire(struct provisioner *p, const struct lease_request *want,
			struct lease **ret, struct err *err)
{
	struct stop_leaves *left;
	struct lease *l = NULL;
	char *name;
	int rc;

	if (lease_check_id("run id", want->run_id, err) ||
	    lease_check_id("label", want->label, err) || stop_check(err))
		return -1;
	if (want->timeout_ns <= 0 || !want->workdir)
		return err_set(err, ERR_INTERNAL,
			       "lease %s: no time limit or no folder to work in",
			       want->label);
	name = lease_name(want->run_id, want->label);
	left = stop_leaves_begin("machine %s (%s)", name, p->ops->kind);
	rc = p->ops->acquire(p, want, &l, err);
	if (rc && l)
		undo(p, name, l, err);
	free(name);
	if (rc) {
		stop_leaves_end(left);
		return err_wrap(err, "%s: lease %s", p->ops->kind, want->label);
	}
	l->left = left;
	*ret = l;
	return 0;
}

const struct lease_info *lease_info(const struct lease *l)
{
	return &l->info;
}

int provisioner_release(struct provisioner *p, struct lease *l, struct err *err)
{
	struct stop_leaves *left;
	char *name;
	int rc;

	if (!l)
		return 0;
	left = l->left;
	name = x_strdup(l->info.name);
	stop_shield_begin();
	rc = p->ops->release(p, l, err);
	stop_shield_end();
	stop_leaves_end(left);
	if (rc)
		err_wrap(err, "%s: %s may be left behind", p->ops->kind, name);
	free(name);
	return rc;
}

void provisioner_keep(struct provisioner *p, struct lease *l)
{
	if (!l)
		return;
	stop_leaves_end(l->left);
	p->ops->keep(l);
}

int provisioner_sweep(struct provisioner *p, const char *run_id, size_t *ret_nr,
		      struct err *err)
{
	struct stop_leaves *left;
	size_t nr = 0;
	int rc;

	if (lease_check_id("run id", run_id, err))
		return -1;
	left = stop_leaves_begin("machines of run %s (%s)", run_id, p->ops->kind);
	stop_shield_begin();
	rc = p->ops->sweep(p, run_id, &nr, err);
	stop_shield_end();
	stop_leaves_end(left);
	if (rc)
		return err_wrap(err, "%s: sweep of run %s", p->ops->kind, run_id);
	if (ret_nr)
		*ret_nr = nr;
	return 0;
}

int provisioner_list(struct provisioner *p, const char *run_id, struct strvec *ret,
		     struct err *err)
{
	const char *id = run_id ? run_id : "";

	if (*id && lease_check_id("run id", id, err))
		return -1;
	if (p->ops->list(p, id, ret, err))
		return err_wrap(err, "%s: list of leases", p->ops->kind);
	return 0;
}

int provisioner_check(struct provisioner *p, struct json_object *machine,
		      struct json_object **ret, struct err *err)
{
	if (!p->ops->check) {
		*ret = json_object_new_object();
		json_put_text(*ret, "summary", "nothing to check before a lease");
		json_put(*ret, "checks", json_object_new_array());
		return 0;
	}
	if (p->ops->check(p, machine, ret, err))
		return err_wrap(err, "%s: check", p->ops->kind);
	return 0;
}

int provisioner_check_isolation(struct provisioner *p, struct json_object *machine,
				const char *run_id, struct json_object **ret,
				struct err *err)
{
	*ret = NULL;
	if (!p->ops->check_isolation)
		return 0;
	if (lease_check_id("run id", run_id, err))
		return -1;
	if (p->ops->check_isolation(p, machine, run_id, ret, err))
		return err_wrap(err, "%s: isolation", p->ops->kind);
	return 0;
}

static int no_hosts(const struct provisioner *p, struct err *err)
{
	return err_set(err, ERR_USAGE,
		       "%s: this kind of provisioner has no hosts to take out of "
		       "scheduling",
		       p->ops->kind);
}

int provisioner_host_state(struct provisioner *p, const char *host, char **ret_was,
			   struct err *err)
{
	if (!p->ops->host_state)
		return no_hosts(p, err);
	if (p->ops->host_state(p, host, ret_was, err))
		return err_wrap(err, "%s: host %s", p->ops->kind, host);
	return 0;
}

int provisioner_host_reserve(struct provisioner *p, const char *host, char **ret_was,
			     struct err *err)
{
	if (!p->ops->host_reserve)
		return no_hosts(p, err);
	if (p->ops->host_reserve(p, host, ret_was, err))
		return err_wrap(err, "%s: host %s", p->ops->kind, host);
	return 0;
}

int provisioner_host_restore(struct provisioner *p, const char *host, const char *was,
			     struct err *err)
{
	int rc;

	if (!p->ops->host_restore)
		return no_hosts(p, err);
	stop_shield_begin();
	rc = p->ops->host_restore(p, host, was, err);
	stop_shield_end();
	if (rc)
		return err_wrap(err, "%s: host %s", p->ops->kind, host);
	return 0;
}

void provisioner_free(struct provisioner *p)
{
	if (p)
		p->ops->free(p);
}
