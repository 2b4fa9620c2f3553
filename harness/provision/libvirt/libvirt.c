#include "harness/provision/libvirt/libvirt.h"

#include "core/base/clock.h"
#include "core/options/field.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/libvirt/domain_xml.h"
#include "harness/provision/libvirt/libvirt_connection.h"
#include "harness/provision/provisioner_impl.h"
#include "harness/provision/libvirt/vm_files.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE_MAX ((size_t)256 << 10)
#define GUEST_SSH_PORT 22

enum { FORWARD_TRIES = 16 };

struct libvirt {
	struct provisioner base;
	char *uri;
	bool starts_daemon;
	struct libvirt_connection c; /* opened when first needed */
};

struct libvirt_lease {
	struct lease base;
	char *name, *id, *address, *user;
	struct vm_files files;
	virDomainPtr domain;
	bool is_kvm;
};

static const struct field libvirt_fields[] = {
	{.name = "uri",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct libvirt, uri),
	 .help = "libvirt's connection on this computer; without it qemu:///system, or "
		 "qemu:///session for a user who may not use that."},
	{"start_daemon", FIELD_FLAG, offsetof(struct libvirt, starts_daemon),
	 .unset = "true",
	 .help = "Start libvirtd when it does not run and no systemd is there to do it; "
		 "it ends by itself when idle."},
	{0},
};

/* Machines */

/* A transient machine that ended is one that libvirt does not know any more. */
static int check_alive(void *ctx, struct err *err)
{
	const struct libvirt_lease *l = ctx;
	int state, reason;
	const virError *e;

	if (virDomainGetState(l->domain, &state, &reason, 0)) {
		e = virGetLastError();
		if (!e || e->code != VIR_ERR_NO_DOMAIN)
			return libvirt_failed(err, "asking whether the machine runs");
	} else if (state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED) {
		return 0;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "the machine ended before it answered (a panic, or it could not "
		       "find its disk)");
}

/* Ends it and forgets it. Already gone is success. */
static int end_domain(virDomainPtr domain, struct err *err)
{
	const virError *e;

	if (virDomainIsPersistent(domain) == 1)
		virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
						       VIR_DOMAIN_UNDEFINE_NVRAM);
	if (virDomainDestroy(domain) == 0)
		return 0;
	e = virGetLastError();
	if (e && (e->code == VIR_ERR_NO_DOMAIN || e->code == VIR_ERR_OPERATION_INVALID))
		return 0;
	return libvirt_failed(err, "end the machine");
}

static bool has_metadata(virDomainPtr domain, const char *uri)
{
	char *text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, uri,
					  VIR_DOMAIN_AFFECT_CURRENT);

	free(text);
	return text != NULL;
}

/* The host's AppArmor or SELinux, by libvirt's name, which must not confine QEMU; or NULL. */
static const char *confinement(virConnectPtr conn, virSecurityModelPtr model)
{
	if (virNodeGetSecurityModel(conn, model) == 0 &&
	    (strcmp(model->model, "apparmor") == 0 ||
	     strcmp(model->model, "selinux") == 0))
		return model->model;
	return NULL;
}

static char *describe(struct libvirt *l, const struct libvirt_lease *lease,
		      const struct vm_machine *m, const char *run_id, struct err *err)
{
	virSecurityModel model = {0};
	char owner[48];
	struct domain_spec s = {
		.machine = m,
		.name = lease->name,
		.run_id = run_id,
		.folder = lease->files.folder,
		.disk = lease->files.disk,
		.seed = lease->files.seed,
		.console = lease->files.console,
		.nvram = lease->files.nvram,
		.arch = vm_host_arch(),
		.is_kvm = lease->is_kvm,
	};
	struct buf text;
	char *xml;

	if (!m->confined) {
		snprintf(owner, sizeof(owner), "+%u:+%u", (unsigned)geteuid(),
			 (unsigned)getegid());
		s.owner = l->c.is_system ? owner : NULL;
		s.unconfined = confinement(l->c.conn, &model);
	}
	if (!m->xml)
		return domain_xml(&s, err);
	if (file_read(m->xml, TEMPLATE_MAX, &text, err))
		return NULL;
	xml = domain_xml_fill(&s, text.data, m->xml, err);
	buf_release(&text);
	return xml;
}

static int start_domain(struct libvirt *l, struct libvirt_lease *lease,
			const struct vm_machine *m, const char *run_id, struct err *err)
{
	char id[VIR_UUID_STRING_BUFLEN];
	char *xml;

	xml = describe(l, lease, m, run_id, err);
	if (!xml)
		return -1;
	lease->domain = virDomainCreateXML(l->c.conn, xml, VIR_DOMAIN_NONE);
	free(xml);
	if (!lease->domain)
		return libvirt_failed(err, lease->is_kvm ? "start the machine with KVM"
							 : "start the emulated machine");
	if (!has_metadata(lease->domain, DOMAIN_LEASE_URI))
		return err_set(err, ERR_INTERNAL,
			       "libvirt dropped the mark of the run; without it a crash "
			       "would leave the machine behind");
	if (virDomainGetUUIDString(lease->domain, id) == 0)
		lease->id = x_strdup(id);
	return 0;
}

/* The way to it */

/*
 * QEMU's user network: a port of 127.0.0.1 leads to the guest's SSH. Asked of the running
 * QEMU, so that a port that somebody else took in between is simply tried again.
 */
static int forward_port(struct libvirt_lease *lease, struct err *err)
{
	for (int i = 0; i < FORWARD_TRIES; i++) {
		char command[96], *answer = NULL;
		uint16_t port;
		bool done;

		if (vm_free_port(&port, err))
			return -1;
		snprintf(command, sizeof(command), "hostfwd_add tcp:127.0.0.1:%u-:%d",
			 (unsigned)port, GUEST_SSH_PORT);
		if (virDomainQemuMonitorCommand(lease->domain, command, &answer,
						VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP))
			return libvirt_failed(err, "forward a port to the machine");
		/* The human monitor says nothing when all is well. */
		done = !answer || !answer[strspn(answer, " \r\n")];
		free(answer);
		if (done) {
			lease->base.info.port = port;
			lease->address = x_strdup("127.0.0.1");
			return 0;
		}
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "QEMU could forward none of %d free ports of 127.0.0.1 to the "
		       "machine",
		       FORWARD_TRIES);
}

static char *first_address(virDomainPtr domain, unsigned source)
{
	virDomainInterfacePtr *all = NULL;
	int nr = virDomainInterfaceAddresses(domain, &all, source, 0);
	char *found = NULL;

	for (int i = 0; i < nr; i++) {
		for (unsigned k = 0; k < all[i]->naddrs && !found; k++)
			if (all[i]->addrs[k].type == VIR_IP_ADDR_TYPE_IPV4 &&
			    strncmp(all[i]->addrs[k].addr, "127.", 4) != 0)
				found = x_strdup(all[i]->addrs[k].addr);
		virDomainInterfaceFree(all[i]);
	}
	free(all);
	return found;
}

static int find_address(struct libvirt_lease *lease, int64_t deadline_ns, struct err *err)
{
	static const unsigned sources[] = {VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
					   VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
					   VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP};

	lease->base.info.port = GUEST_SSH_PORT;
	while (!clock_passed(deadline_ns)) {
		for (size_t i = 0; i < ARRAY_SIZE(sources) && !lease->address; i++)
			lease->address = first_address(lease->domain, sources[i]);
		if (lease->address)
			return 0;
		if (check_alive(lease, err) || lease_pause(500 * NS_PER_MS, err))
			return -1;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "the machine got no address from its libvirt network in time");
}

static int reach(struct libvirt_lease *lease, const struct vm_machine *m,
		 const struct lease_request *want, int64_t deadline_ns, struct err *err)
{
	char text[96];

	snprintf(text, sizeof(text), "booting (%s), waiting for SSH",
		 lease->is_kvm ? "KVM" : "software emulation");
	lease_note(want, text);
	if (strcmp(m->network, "user") == 0 ? forward_port(lease, err)
					    : find_address(lease, deadline_ns, err))
		return -1;
	return lease_wait_ssh_while(lease->address, lease->base.info.port, deadline_ns,
				    check_alive, lease, err);
}

/* Lease */

static void lease_free(struct libvirt_lease *lease)
{
	if (lease->domain)
		virDomainFree(lease->domain);
	json_object_put(lease->base.info.facts);
	vm_files_release(&lease->files);
	free(lease->name);
	free(lease->id);
	free(lease->address);
	free(lease->user);
	free(lease);
}

static int choose_virt(const struct vm_machine *m, struct libvirt_lease *lease,
		       struct json_object *facts, struct err *err)
{
	char why[256] = "";
	bool can = vm_host_has_kvm("", why, sizeof(why));

	if (m->virt == VM_VIRT_KVM && !can)
		return err_set(err, ERR_ENVIRONMENT,
			       "KVM is asked for but cannot be used here: %s; \"virt\": "
			       "\"qemu\" emulates in software",
			       why);
	lease->is_kvm = can && m->virt != VM_VIRT_QEMU;
	json_put_text(facts, "type", lease->is_kvm ? "kvm" : "qemu");
	if (!can)
		json_put_text(facts, "kvm_refused", why);
	return 0;
}

/* libvirt's numbers are major * 1,000,000 + minor * 1,000 + release. */
static void put_version(struct json_object *facts, const char *key, unsigned long v)
{
	char text[48];

	snprintf(text, sizeof(text), "%lu.%lu.%lu", v / 1000000, v / 1000 % 1000,
		 v % 1000);
	json_put_text(facts, key, text);
}

static void put_versions(struct json_object *facts, virConnectPtr conn)
{
	unsigned long version;

	if (virConnectGetVersion(conn, &version) == 0)
		put_version(facts, "qemu", version);
	if (virConnectGetLibVersion(conn, &version) == 0)
		put_version(facts, "libvirt", version);
}

static int bring_up(struct libvirt *l, struct libvirt_lease *lease,
		    const struct vm_machine *m, const struct lease_request *want,
		    int64_t deadline_ns, struct err *err)
{
	struct json_object *facts = lease->base.info.facts;

	if (choose_virt(m, lease, facts, err) ||
	    libvirt_connect(&l->c, l->uri, l->starts_daemon, err))
		return -1;
	vm_machine_facts(m, facts);
	put_versions(facts, l->c.conn);
	lease_note(want, "making disk and keys");
	if (vm_files_make(&lease->files, want->workdir, lease->name, m, err) ||
	    stop_check(err))
		return -1;
	if (start_domain(l, lease, m, want->run_id, err))
		return -1;
	return reach(lease, m, want, deadline_ns, err);
}

static int libvirt_acquire(struct provisioner *p, const struct lease_request *want,
			   struct lease **ret, struct err *err)
{
	struct libvirt *l = (struct libvirt *)p;
	int64_t started = clock_mono_ns();
	int64_t deadline = clock_deadline_ns(want->timeout_ns);
	struct libvirt_lease *lease;
	struct lease_info *info;
	struct vm_machine m;
	int rc;

	if (vm_machine_read(&m, want->machine, "plan", "", err)) {
		vm_machine_release(&m);
		return -1;
	}
	lease = x_calloc(1, sizeof(*lease));
	*ret = &lease->base;
	info = &lease->base.info;
	info->facts = json_object_new_object();
	info->name = lease->name = lease_name(want->run_id, want->label);
	info->user = lease->user = x_strdup(m.user);
	rc = bring_up(l, lease, &m, want, deadline, err);
	vm_machine_release(&m);
	if (rc && lease->domain)
		vm_console_quote(&lease->files, err);
	info->id = lease->id;
	info->address = lease->address;
	info->key_file = lease->files.key_file;
	info->host_key_sha256 = lease->files.host_key_sha256;
	info->boot_ns = clock_mono_ns() - started;
	return rc;
}

static void libvirt_keep(struct lease *l)
{
	lease_free((struct libvirt_lease *)l);
}

static int libvirt_release(struct provisioner *p, struct lease *base, struct err *err)
{
	struct libvirt_lease *lease = (struct libvirt_lease *)base;
	int rc = lease->domain ? end_domain(lease->domain, err) : 0;

	(void)p;
	if (!rc && lease->files.folder)
		rc = vm_folder_remove(lease->files.folder, lease->name, err);
	lease_free(lease);
	return rc;
}

/* After a crash */

typedef int domain_visitor(virDomainPtr domain, const char *name, void *ctx,
			   struct err *err);

/* Every domain that carries that run's id ("": any run's). Goes on after a failure. */
static int each_domain(struct libvirt *l, const char *run_id, domain_visitor *visit,
		       void *ctx, struct err *err)
{
	char *uri = *run_id ? x_asprintf(DOMAIN_RUN_URI_PREFIX "%s", run_id)
			    : x_strdup(DOMAIN_LEASE_URI);
	virDomainPtr *all = NULL;
	int nr, rc = 0;

	if (libvirt_connect(&l->c, l->uri, l->starts_daemon, err)) {
		free(uri);
		return -1;
	}
	nr = virConnectListAllDomains(l->c.conn, &all, 0);
	if (nr < 0)
		rc = libvirt_failed(err, "list machines");
	for (int i = 0; i < nr; i++) {
		const char *name = virDomainGetName(all[i]);

		if (name && lease_is_name(name, "") && has_metadata(all[i], uri) &&
		    visit(all[i], name, ctx, err))
			rc = -1;
		virDomainFree(all[i]);
	}
	free(all);
	free(uri);
	return rc;
}

static int sweep_one(virDomainPtr domain, const char *name, void *ctx, struct err *err)
{
	char *folder = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_DESCRIPTION, NULL,
					    VIR_DOMAIN_AFFECT_CURRENT);
	int rc = end_domain(domain, err);

	if (!rc && folder)
		rc = vm_folder_remove(folder, name, err);
	if (rc)
		err_wrap(err, "%s", name);
	free(folder);
	++*(size_t *)ctx;
	return rc;
}

static int libvirt_sweep(struct provisioner *p, const char *run_id, size_t *ret_nr,
			 struct err *err)
{
	*ret_nr = 0;
	return each_domain((struct libvirt *)p, run_id, sweep_one, ret_nr, err);
}

static int list_one(virDomainPtr domain, const char *name, void *ctx, struct err *err)
{
	(void)domain;
	(void)err;
	strvec_add(ctx, name);
	return 0;
}

static int libvirt_list(struct provisioner *p, const char *run_id, struct strvec *ret,
			struct err *err)
{
	return each_domain((struct libvirt *)p, run_id, list_one, ret, err);
}

static void libvirt_free(struct provisioner *p)
{
	struct libvirt *l = (struct libvirt *)p;

	libvirt_disconnect(&l->c);
	fields_release(libvirt_fields, l);
	free(l);
}

static int libvirt_check(struct provisioner *p, struct json_object *machine,
			 struct json_object **ret, struct err *err)
{
	(void)p;
	return vm_check("", machine, ret, err);
}

static const struct provisioner_ops libvirt_ops = {
	.kind = "libvirt",
	.acquire = libvirt_acquire,
	.release = libvirt_release,
	.keep = libvirt_keep,
	.sweep = libvirt_sweep,
	.list = libvirt_list,
	.free = libvirt_free,
	.check = libvirt_check,
};

static struct provisioner *libvirt_open(struct json_object *config, struct err *err)
{
	static const char *const others[] = {"kind", NULL};
	struct libvirt *l = x_calloc(1, sizeof(*l));

	fields_init(libvirt_fields, l);
	l->base.ops = &libvirt_ops;
	if (fields_bind_json(libvirt_fields, l, config, "provisioner libvirt", "", others,
			     err) == 0 &&
	    (!l->uri || strncmp(l->uri, "qemu:///", 8) == 0))
		return &l->base;
	if (l->uri)
		err_set(err, ERR_USAGE,
			"libvirt: uri '%.80s': only this computer's (qemu:///...): disks "
			"and keys are made here; for another computer run tare there",
			l->uri);
	libvirt_free(&l->base);
	return NULL;
}

const struct provisioner_kind libvirt_provisioner = {
	.name = "libvirt",
	.summary = "virtual machines on this computer",
	.fields = libvirt_fields,
	.machine_fields = vm_machine_fields,
	.check_machine = vm_machine_check,
	.machine_devices = vm_machine_devices,
	.open = libvirt_open,
};
