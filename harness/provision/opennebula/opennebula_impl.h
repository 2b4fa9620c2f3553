/* For the files that make up the kind 'opennebula'. */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_IMPL_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_IMPL_H

#include "harness/provision/opennebula/opennebula_client.h"
#include "harness/provision/opennebula/opennebula_machine.h"
#include "harness/provision/provisioner_impl.h"

struct one_provisioner {
	struct provisioner base;
	struct one_config config;
	struct one_client *client;
};

/* By name or id, with what it holds. One name may belong to several users: an error. */
int one_find_template(struct one_client *c, const char *name, struct one_template *ret,
		      struct err *err);
/* By name or id out of the pool; borrowed from 'hosts'. */
int one_find_host(const struct one_hosts *hosts, const char *name,
		  const struct one_host **ret, struct err *err);
/* Would a machine of this plan get its devices on that host now? */
int one_host_suits(const struct one_host *h, const struct one_machine *m,
		   const struct one_template *t, struct err *err);

/*
 * Ends a VM and proves it: DONE or unknown to the front-end, and no device of its host
 * left with it. Ends by config.release_timeout_ns; behind a shield (core/base/stop.h). 'host'
 * is -1 where it is not known.
 */
int one_end_vm(struct one_provisioner *p, int64_t vm, int64_t host, struct err *err);
/* All VMs of a run; 'name' limits it to one lease (NULL: all). *ret_nr: how many. */
int one_end_run(struct one_provisioner *p, const char *run_id, const char *name,
		size_t *ret_nr, struct err *err);
/* True when this VM belongs to that run ("": to any run of tare). */
bool one_is_of_run(const struct one_vm *vm, const char *run_id);

int one_lease_acquire(struct provisioner *p, const struct lease_request *want,
		      struct lease **ret, struct err *err);
int one_lease_release(struct provisioner *p, struct lease *l, struct err *err);
void one_lease_keep(struct lease *l);
int one_check_isolation(struct provisioner *p, struct json_object *machine,
			const char *run_id, struct json_object **ret, struct err *err);
int one_check(struct provisioner *p, struct json_object *machine,
	      struct json_object **ret, struct err *err);

#endif
