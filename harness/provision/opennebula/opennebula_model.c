#include "harness/provision/opennebula/opennebula_model.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *copy(const xmlNode *n, const char *path)
{
	return x_strdup(one_text(n, path, NULL));
}

/* A member that is a text: where the document has it. A table ends with {NULL}. */
struct text {
	const char *path;
	size_t offset;
};

static void read_texts(void *to, const xmlNode *n, const struct text *t)
{
	for (; t->path; t++)
		*(char **)((char *)to + t->offset) = copy(n, t->path);
}

static void free_texts(void *of, const struct text *t)
{
	for (; t->path; t++)
		free(*(char **)((char *)of + t->offset));
}

static const struct text pci_texts[] = {
	{"ADDRESS", offsetof(struct one_pci, address)},
	{"SHORT_ADDRESS", offsetof(struct one_pci, short_address)},
	{"VENDOR", offsetof(struct one_pci, vendor)},
	{"DEVICE", offsetof(struct one_pci, device)},
	{"CLASS", offsetof(struct one_pci, class_id)},
	{"DEVICE_NAME", offsetof(struct one_pci, name)},
	{"PROFILE", offsetof(struct one_pci, profile)},
	{"PROFILES", offsetof(struct one_pci, profiles)},
	{"NUMA_NODE", offsetof(struct one_pci, numa_node)},
	{"UUID", offsetof(struct one_pci, uuid)},
	{"VM_ADDRESS", offsetof(struct one_pci, vm_address)},
	{"TYPE", offsetof(struct one_pci, type)},
	{NULL, 0},
};
static const struct text vm_texts[] = {
	{"NAME", offsetof(struct one_vm, name)},
	{"UNAME", offsetof(struct one_vm, owner)},
	{"USER_TEMPLATE/" ONE_RUN_ATTRIBUTE, offsetof(struct one_vm, run_id)},
	{"USER_TEMPLATE/" ONE_HOST_KEY_ATTRIBUTE, offsetof(struct one_vm, host_key)},
	{"USER_TEMPLATE/SCHED_MESSAGE", offsetof(struct one_vm, sched_message)},
	{"USER_TEMPLATE/ERROR", offsetof(struct one_vm, error)},
	{NULL, 0},
};
static const struct text history_texts[] = {
	{"HOSTNAME", offsetof(struct one_vm, host_name)},
	{"VM_MAD", offsetof(struct one_vm, hypervisor)},
	{NULL, 0},
};
static const struct text host_texts[] = {
	{"NAME", offsetof(struct one_host, name)},
	{"CLUSTER", offsetof(struct one_host, cluster)},
	{"TEMPLATE/ERROR", offsetof(struct one_host, error)},
	{NULL, 0},
};

static bool is_any(const char *name, const char *const *of)
{
	for (; *of; of++)
		if (!strcmp(name, *of))
			return true;
	return false;
}

/*
 * The attributes of a template's section other than those that choose the device, in the
 * syntax of templates: what has to come along when the choice is replaced.
 */
static char *rest_of_section(const xmlNode *pci)
{
	static const char *const chosen[] = {
		"VENDOR", "DEVICE", "CLASS", "SHORT_ADDRESS", "PCI_ID", "PROFILE", NULL};
	struct buf b;
	char *rest;

	buf_init(&b, 64 << 10);
	for (const xmlNode *n = pci->children; n; n = n->next) {
		const char *value;

		if (n->type != XML_ELEMENT_NODE || is_any((const char *)n->name, chosen))
			continue;
		value = one_text(n, "", "");
		buf_printf(&b, "%s%s=\"", b.len ? ", " : "", (const char *)n->name);
		for (; *value; value++) {
			if (*value == '"' || *value == '\\')
				buf_add(&b, "\\", 1);
			buf_add(&b, value, 1);
		}
		buf_puts(&b, "\"");
	}
	rest = x_strndup(b.data, b.len);
	buf_release(&b);
	return rest;
}

static void read_pcis(struct one_pcis *ret, const xmlNode *parent, bool with_rest)
{
	for (const xmlNode *n = one_at(parent, "PCI"); n; n = one_next(n)) {
		GROW(ret->items, ret->nr, ret->alloc);
		ret->items[ret->nr] = (struct one_pci){
			.vm_id = one_int(n, "VMID", -1),
			.rest = with_rest ? rest_of_section(n) : NULL,
		};
		read_texts(&ret->items[ret->nr], n, pci_texts);
		ret->nr++;
	}
}

static void pcis_release(struct one_pcis *p)
{
	for (size_t i = 0; i < p->nr; i++) {
		free_texts(&p->items[i], pci_texts);
		free(p->items[i].rest);
	}
	free(p->items);
	*p = (struct one_pcis){.nr = 0};
}

static char *guest_address(const xmlNode *vm)
{
	static const char *const places[] = {
		"TEMPLATE/NIC/IP", "TEMPLATE/CONTEXT/ETH0_IP", "TEMPLATE/NIC/IP6_GLOBAL",
		"TEMPLATE/NIC/IP6"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (one_text(vm, places[i], NULL))
			return copy(vm, places[i]);
	for (const xmlNode *n = one_at(vm, "TEMPLATE/PCI"); n; n = one_next(n))
		if (!strcmp(one_text(n, "TYPE", ""), "NIC") && one_text(n, "IP", NULL))
			return copy(n, "IP");
	return NULL;
}

int one_vm_read(struct one_vm *ret, const xmlNode *vm, struct err *err)
{
	const xmlNode *history = one_at(vm, "HISTORY_RECORDS/HISTORY");

	*ret = (struct one_vm){.host_id = -1};
	if (one_need_int(vm, "ID", &ret->id, err) ||
	    one_need_int(vm, "STATE", &ret->state, err) ||
	    one_need_int(vm, "LCM_STATE", &ret->lcm_state, err))
		return -1;
	while (history && one_next(history)) /* the last record is where it is now */
		history = one_next(history);
	read_texts(ret, vm, vm_texts);
	ret->address = guest_address(vm);
	ret->submitted_s = one_int(vm, "STIME", 0);
	if (history) {
		ret->host_id = one_int(history, "HID", -1);
		read_texts(ret, history, history_texts);
		ret->prolog_s = one_int(history, "PSTIME", 0);
		ret->prolog_end_s = one_int(history, "PETIME", 0);
	}
	if (one_at(vm, "TEMPLATE"))
		read_pcis(&ret->pcis, one_at(vm, "TEMPLATE"), false);
	return 0;
}

void one_vm_release(struct one_vm *vm)
{
	free_texts(vm, vm_texts);
	free_texts(vm, history_texts);
	free(vm->address);
	pcis_release(&vm->pcis);
	*vm = (struct one_vm){.id = -1};
}

int one_host_read(struct one_host *ret, const xmlNode *host, struct err *err)
{
	*ret = (struct one_host){.id = -1};
	if (one_need_int(host, "ID", &ret->id, err) ||
	    one_need_int(host, "STATE", &ret->state, err))
		return -1;
	read_texts(ret, host, host_texts);
	if (!ret->name)
		ret->name = x_strdup("?");
	ret->running_vms = one_int(host, "HOST_SHARE/RUNNING_VMS", -1);
	if (one_at(host, "HOST_SHARE/PCI_DEVICES"))
		read_pcis(&ret->pcis, one_at(host, "HOST_SHARE/PCI_DEVICES"), false);
	return 0;
}

void one_host_release(struct one_host *h)
{
	free_texts(h, host_texts);
	pcis_release(&h->pcis);
	*h = (struct one_host){.id = -1};
}

void one_hosts_release(struct one_hosts *h)
{
	for (size_t i = 0; i < h->nr; i++)
		one_host_release(&h->items[i]);
	free(h->items);
	*h = (struct one_hosts){.nr = 0};
}

int one_template_read(struct one_template *ret, const xmlNode *t, struct err *err)
{
	*ret = (struct one_template){.id = -1};
	if (one_need_int(t, "ID", &ret->id, err))
		return -1;
	ret->name = x_strdup(one_text(t, "NAME", "?"));
	if (one_at(t, "TEMPLATE"))
		read_pcis(&ret->pcis, one_at(t, "TEMPLATE"), true);
	return 0;
}

void one_template_release(struct one_template *t)
{
	free(t->name);
	pcis_release(&t->pcis);
	*t = (struct one_template){.id = -1};
}

/* A limit of -1 means what the zone's defaults say, which the same document holds. */
static int64_t limit_of(const xmlNode *n, const xmlNode *vm, const char *name)
{
	int64_t limit = one_int(vm, name, -1);
	const xmlNode *d = one_at(n, "DEFAULT_USER_QUOTAS/VM_QUOTA/VM");

	if (!d)
		d = one_at(n, "DEFAULT_GROUP_QUOTAS/VM_QUOTA/VM");
	return limit == -1 && d ? one_int(d, name, -1) : limit;
}

int one_account_read(struct one_account *ret, const xmlNode *n, struct err *err)
{
	static const char *const names[ONE_QUOTAS_MAX] = {
		"PCI_DEV", "RUNNING_PCI_DEV", "GPU", "RUNNING_GPU", "VMS", "RUNNING_VMS"};
	const xmlNode *vm = one_at(n, "VM_QUOTA/VM");

	*ret = (struct one_account){.id = -1};
	if (one_need_int(n, "ID", &ret->id, err))
		return -1;
	ret->gid = one_int(n, "GID", -1);
	ret->name = copy(n, "NAME");
	ret->group = copy(n, "GNAME");
	for (size_t i = 0; vm && i < ONE_QUOTAS_MAX; i++) {
		char used[32];

		snprintf(used, sizeof(used), "%s_USED", names[i]);
		if (one_at(vm, names[i]))
			ret->quotas[ret->quotas_nr++] = (struct one_quota){
				.name = names[i],
				.limit = limit_of(n, vm, names[i]),
				.used = one_int(vm, used, 0),
			};
	}
	return 0;
}

void one_account_release(struct one_account *a)
{
	free(a->name);
	free(a->group);
	*a = (struct one_account){.id = -1};
}

static int need_hex(const xmlNode *n, const char *path, uint64_t *ret, struct err *err)
{
	const char *text = one_text(n, path, "");
	char *end;

	*ret = strtoull(text, &end, 16);
	return end == text || *end ? err_set_code(err, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
						  "a rule's %s is not hexadecimal", path)
				   : 0;
}

int one_acl_read(struct one_acl *ret, const xmlNode *n, struct err *err)
{
	*ret = (struct one_acl){.user = 0};
	if (need_hex(n, "USER", &ret->user, err) ||
	    need_hex(n, "RESOURCE", &ret->resource, err) ||
	    need_hex(n, "RIGHTS", &ret->rights, err))
		return -1;
	ret->text = copy(n, "STRING");
	return 0;
}

void one_acls_release(struct one_acls *a)
{
	for (size_t i = 0; i < a->nr; i++)
		free(a->items[i].text);
	free(a->items);
	*a = (struct one_acls){.nr = 0};
}

bool one_pci_is_gpu(const struct one_pci *p)
{
	if (p->type && !strcmp(p->type, "NIC"))
		return false;
	/* A section without a class counts: what it asked for is what it must get. */
	return !p->class_id || !strncmp(p->class_id, "03", 2) ||
	       !strncmp(p->class_id, "12", 2);
}

/* Domain, bus, slot and function; a missing domain is 0. */
static bool parse_address(const char *s, unsigned v[4])
{
	char tail;

	/* Else "0x" would pass as a number. */
	if (!s || s[strspn(s, "0123456789abcdefABCDEF:.")])
		return false;
	if (sscanf(s, "%x:%x:%x%*1[.:]%x%c", &v[0], &v[1], &v[2], &v[3], &tail) == 4)
		return true;
	v[0] = 0;
	return sscanf(s, "%x:%x.%x%c", &v[1], &v[2], &v[3], &tail) == 3;
}

bool one_pci_is_at(const struct one_pci *p, const char *address)
{
	unsigned a[4], b[4];

	if (!parse_address(p->address ? p->address : p->short_address, a) ||
	    !parse_address(address, b))
		return false;
	return !memcmp(a, b, sizeof(a));
}

const char *one_host_state_name(int64_t state)
{
	static const char *const names[] = {
		[ONE_HOST_INIT] = "enabled",      [ONE_HOST_MONITORING] = "enabled",
		[ONE_HOST_MONITORED] = "enabled", [ONE_HOST_ERROR] = "in error",
		[ONE_HOST_DISABLED] = "disabled", [ONE_HOST_OFFLINE] = "offline",
	};
	bool is_known = state >= 0 && state < (int64_t)ARRAY_SIZE(names) && names[state];

	return is_known ? names[state] : "in an unknown state";
}

const struct one_pci *one_host_device(const struct one_host *h, const char *address)
{
	for (size_t i = 0; i < h->pcis.nr; i++)
		if (one_pci_is_at(&h->pcis.items[i], address))
			return &h->pcis.items[i];
	return NULL;
}

static const uint64_t individual = UINT64_C(0x100000000);
static const uint64_t group = UINT64_C(0x200000000);
static const uint64_t everybody = UINT64_C(0x400000000);
static const uint64_t id_bits = UINT64_C(0xffffffff);

bool one_rule_applies(const struct one_acl *rule, const struct one_account *a)
{
	int64_t id = (int64_t)(rule->user & id_bits);

	if (rule->user & everybody)
		return true;
	if (rule->user & individual)
		return id == a->id;
	return (rule->user & group) && id == a->gid;
}

bool one_may(const struct one_acls *acls, const struct one_account *a, uint64_t resource,
	     enum one_right right)
{
	if (a->id == 0 || a->gid == 0)
		return true;
	for (size_t i = 0; i < acls->nr; i++) {
		const struct one_acl *r = &acls->items[i];

		if (one_rule_applies(r, a) && (r->resource & resource) &&
		    (r->rights & (uint64_t)right))
			return true;
	}
	return false;
}
