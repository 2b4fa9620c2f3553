/* Which machines' GPUs change hands between an arm on the metal and virtual machines. */
#include "harness/plan/plan_impl.h"

#include "core/base/mem.h"
#include "harness/provision/provisioner.h"

#include <stdlib.h>
#include <string.h>

/* Can its GPUs change hands? Only where the plan says which driver the arm itself needs. */
static bool can_be_host(const struct arm *a)
{
	return a->target != ARM_VM && a->driver != ARM_DRIVER_ASIS;
}

static struct gpu_host *host_on(struct plan *p, const struct arm *a)
{
	for (size_t i = 0; i < p->gpu_hosts_nr; i++)
		if (p->gpu_hosts[i].arm == a)
			return &p->gpu_hosts[i];
	p->gpu_hosts[p->gpu_hosts_nr] = (struct gpu_host){.arm = a};
	return &p->gpu_hosts[p->gpu_hosts_nr++];
}

/* As sysfs names it: with the domain, in small letters. */
static void add_gpu(struct strvec *gpus, const char *address)
{
	const char *first = strchr(address, ':');
	bool has_domain = first && strchr(first + 1, ':');
	char *whole = x_asprintf("%s%s", has_domain ? "" : "0000:", address);

	for (char *c = whole; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	if (!strvec_has(gpus, whole))
		strvec_add(gpus, whole);
	free(whole);
}

/* The machine that the plan pins to a host, when an arm goes to that very host. */
static const struct arm *arm_on(const struct plan *p, const char *host)
{
	for (size_t i = 0; host && i < p->arms_nr; i++)
		if (p->arms[i].target == ARM_SSH && can_be_host(&p->arms[i]) &&
		    strcmp(p->arms[i].ssh.host, host) == 0)
			return &p->arms[i];
	return NULL;
}

static const struct arm *only_one_with_driver(const struct plan *p, size_t *ret_nr)
{
	const struct arm *found = NULL;

	*ret_nr = 0;
	for (size_t i = 0; i < p->arms_nr; i++) {
		if (!can_be_host(&p->arms[i]))
			continue;
		found = &p->arms[i];
		++*ret_nr;
	}
	return *ret_nr == 1 ? found : NULL;
}

/* The arm that is the host of this VM's GPU; NULL in *ret: no arm is. */
static int find_host_arm(const struct plan *p, const struct arm *vm, const char *pinned,
			 const struct arm **ret, struct err *err)
{
	size_t nr;

	if (vm->host_arm) {
		*ret = plan_arm(p, vm->host_arm);
		if (*ret && can_be_host(*ret))
			return 0;
		return err_set(err, ERR_USAGE,
			       "%s: /arms/%s/host_arm: the plan has no arm '%.60s' with "
			       "target local or ssh and a driver of its own",
			       p->path, vm->name, vm->host_arm);
	}
	*ret = arm_on(p, pinned);
	if (*ret)
		return 0;
	*ret = only_one_with_driver(p, &nr);
	if (nr < 2)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s: /arms/%s: which arm is the host of its GPU? Name it by 'host_arm'",
		p->path, vm->name);
}

static int set_platform(const struct plan *p, struct gpu_host *h, const struct arm *vm,
			const char *name, struct err *err)
{
	if (!name)
		return 0;
	if (!h->name) {
		h->provisioner = x_strdup(vm->provisioner);
		h->name = x_strdup(name);
	}
	if (strcmp(h->name, name) == 0 && strcmp(h->provisioner, vm->provisioner) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: /arms/%s: its host '%.60s' of '%.60s' cannot be the arm "
		       "'%.60s', which is '%.60s' of '%.60s'",
		       p->path, vm->name, name, vm->provisioner, h->arm->name, h->name,
		       h->provisioner);
}

static int add_vm(struct plan *p, struct arm *vm, struct err *err)
{
	const struct provision *from = plan_provision(p, vm->provisioner);
	const struct arm *host_arm = NULL;
	struct strvec gpus = {0};
	struct gpu_host *h;
	char *name = NULL;
	int rc;

	if (from->kind->machine_devices)
		from->kind->machine_devices(vm->machine, &gpus, &name);
	rc = find_host_arm(p, vm, name, &host_arm, err);
	if (!rc && host_arm) {
		h = host_on(p, host_arm);
		vm->gpu_host = h;
		for (size_t i = 0; i < gpus.nr; i++)
			add_gpu(&h->gpus, gpus.items[i]);
		rc = set_platform(p, h, vm, name, err);
	}
	strvec_release(&gpus);
	free(name);
	return rc;
}

int plan_find_gpu_hosts(struct plan *p, struct err *err)
{
	int rc = 0;

	p->gpu_hosts = x_calloc(p->arms_nr, sizeof(*p->gpu_hosts));
	for (size_t i = 0; i < p->arms_nr && !rc; i++) {
		struct arm *a = &p->arms[i];

		if (a->target == ARM_VM && a->driver == ARM_DRIVER_VFIO)
			rc = add_vm(p, a, err);
		for (size_t k = 0; can_be_host(a) && k < a->gpus.nr; k++)
			add_gpu(&host_on(p, a)->gpus, a->gpus.items[k]);
	}
	for (size_t i = 0; i < p->gpu_hosts_nr && !rc; i++) {
		const struct gpu_host *h = &p->gpu_hosts[i];

		if (!h->gpus.nr)
			rc = err_set(err, ERR_USAGE,
				     "%s: /arms/%s: which GPU is to change its driver? "
				     "Name it by the VM's pin ('gpu') or 'gpus', or by "
				     "'gpus' here, or leave out 'driver' on both",
				     p->path, h->arm->name);
		else
			p->arms[h->arm - p->arms].gpu_host = h;
	}
	return rc;
}

void plan_release_gpu_hosts(struct plan *p)
{
	for (size_t i = 0; i < p->gpu_hosts_nr; i++) {
		strvec_release(&p->gpu_hosts[i].gpus);
		free(p->gpu_hosts[i].provisioner);
		free(p->gpu_hosts[i].name);
	}
	free(p->gpu_hosts);
	p->gpu_hosts = NULL;
	p->gpu_hosts_nr = 0;
}
