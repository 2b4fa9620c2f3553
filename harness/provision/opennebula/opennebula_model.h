/*
 * What OpenNebula's documents say, as far as tare needs it: VMs, hosts, PCI devices,
 * templates, quotas, rules. Texts are owned; absent ones are NULL. Numbers that are
 * absent are -1.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_MODEL_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_MODEL_H

#include "harness/provision/opennebula/opennebula_doc.h"

#include <stdbool.h>

/* The attribute of a VM that names the run, and the one for a guest's SSH host key. */
#define ONE_RUN_ATTRIBUTE "TARE_RUN_ID"
#define ONE_HOST_KEY_ATTRIBUTE "TARE_SSH_HOST_KEY"

/* A PCI section of a VM, of a template, or a device of a host. */
struct one_pci {
	char *address; /* "0008:01:00:0", of a VM only once the device is really its own
			*/
	char *short_address; /* "0008:01:00.0" or "e1:00.0"; stale after a VM has ended */
	char *vendor, *device, *class_id; /* hexadecimal without 0x */
	char *name;      /* "NVIDIA Corporation GH100 [H200 SXM 141GB]" */
	char *profile;   /* of a VM: the vGPU type */
	char *profiles;  /* of a host: the types it offers, comma-separated */
	char *numa_node; /* "-" when the platform does not know */
	char *uuid;
	char *vm_address; /* inside the guest */
	char *type;       /* "NIC" for a network card in a VM */
	int64_t vm_id;    /* of a host's device: who has it, -1 nobody */
	/* Of a template: its section as it stands, "ACPI_NODES=\"2-9\", ...", see
	 * model.c. */
	char *rest;
};

struct one_pcis {
	struct one_pci *items;
	size_t nr, alloc;
};

struct one_vm {
	int64_t id, state, lcm_state;
	char *name, *owner, *run_id, *host_key;
	char *address;       /* where the first network card says the guest is */
	char *sched_message; /* why it waits; stale after a manual deploy */
	char *error;         /* why it failed; stays after a successful retry */
	char *host_name;
	int64_t host_id;  /* -1 before it was placed */
	char *hypervisor; /* VM_MAD: "kvm" */
	/* Epoch seconds, 0 when unset: submitted, transfer begun and ended. */
	int64_t submitted_s, prolog_s, prolog_end_s;
	struct one_pcis pcis;
};

enum one_host_state {
	ONE_HOST_INIT = 0,
	ONE_HOST_MONITORING = 1,
	ONE_HOST_MONITORED = 2,
	ONE_HOST_ERROR = 3,
	ONE_HOST_DISABLED = 4,
	ONE_HOST_OFFLINE = 8
};

struct one_host {
	int64_t id, state, running_vms;
	char *name, *cluster, *error;
	struct one_pcis pcis;
};

struct one_hosts {
	struct one_host *items;
	size_t nr, alloc;
};

struct one_template {
	int64_t id;
	char *name;
	struct one_pcis pcis;
};

/* A limit of a user or group, after the zone's defaults; negative: none. */
struct one_quota {
	const char *name; /* "PCI_DEV"; static */
	int64_t limit, used;
};

#define ONE_QUOTAS_MAX 6

struct one_account {
	int64_t id, gid;
	char *name, *group;
	struct one_quota quotas[ONE_QUOTAS_MAX];
	size_t quotas_nr;
};

/*
 * One of OpenNebula's rules. Bits as in its documentation ("Managing ACL Rules") and
 * include/PoolObjectSQL.h: user, resource type and scope, rights.
 */
struct one_acl {
	uint64_t user, resource, rights;
	char *text; /* "@100 HOST... MANAGE #0" */
};

struct one_acls {
	struct one_acl *items;
	size_t nr, alloc;
};

#define ONE_ON_VM UINT64_C(0x1000000000)
#define ONE_ON_HOST UINT64_C(0x2000000000)
#define ONE_ON_TEMPLATE UINT64_C(0x20000000000)

enum one_right { ONE_USE = 1, ONE_MANAGE = 2, ONE_ADMIN = 4, ONE_CREATE = 8 };

int one_vm_read(struct one_vm *ret, const xmlNode *vm, struct err *err);
int one_host_read(struct one_host *ret, const xmlNode *host, struct err *err);
int one_template_read(struct one_template *ret, const xmlNode *t, struct err *err);
int one_account_read(struct one_account *ret, const xmlNode *user_or_group,
		     struct err *err);
int one_acl_read(struct one_acl *ret, const xmlNode *rule, struct err *err);

void one_vm_release(struct one_vm *vm);
void one_host_release(struct one_host *h);
void one_hosts_release(struct one_hosts *h);
void one_template_release(struct one_template *t);
void one_account_release(struct one_account *a);
void one_acls_release(struct one_acls *a);

/* True for graphics and accelerator devices, by class (03xx, 1200); false for cards. */
bool one_pci_is_gpu(const struct one_pci *p);
/* "0018:01:00.0", "e1:00.0", "0000:e1:00.0" and "0000:e1:00:0" name what they look like.
 */
bool one_pci_is_at(const struct one_pci *p, const char *address);
/* "enabled", "disabled", "in error", ... */
const char *one_host_state_name(int64_t state);
/* A host's device by its ADDRESS; or NULL. */
const struct one_pci *one_host_device(const struct one_host *h, const char *address);

/* Does the rule speak of this account? */
bool one_rule_applies(const struct one_acl *rule, const struct one_account *a);
/*
 * On all or on some of the resources of a type: a rule for one cluster or group counts,
 * since which host it will be is not known. Administrators (user 0, group 0) may do
 * everything.
 */
bool one_may(const struct one_acls *acls, const struct one_account *a, uint64_t resource,
	     enum one_right right);

#endif
