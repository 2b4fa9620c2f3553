/* What exists in the fake front-end, and the life of its machines. */
#include "tests/support/fake_opennebula_impl.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GB200 "10de", "2941", "NVIDIA Corporation GB200 (fake)"
#define MIG_PROFILES                                                          \
	"1127 (NVIDIA H100XM-1-10C),1130 (NVIDIA H100XM-2-20C),1132 (NVIDIA " \
	"H100XM-3-40C)"
#define VF "10de", "2330", "NVIDIA vGPU device (fake)"
#define GRACE_PCI                                                                 \
	"PCI=[ CLASS=\"0302\", DEVICE=\"2941\", IOMMU=\"YES\", IOMMUFD=\"YES\", " \
	"ROOT=\"dedicated\", VENDOR=\"10de\", ACPI_NODES="

static const struct fake_host hosts[HOSTS_NR] = {
	{"gb200-a",
	 "aarch64",
	 2,
	 0,
	 {{"0008:01:00:0", "0008:01:00.0", GB200, "0", NULL, -1},
	  {"0009:01:00:0", "0009:01:00.0", GB200, "0", NULL, -1},
	  {"0018:01:00:0", "0018:01:00.0", GB200, "1", NULL, -1},
	  {"0019:01:00:0", "0019:01:00.0", GB200, "1", NULL, -1}},
	 4},
	{"h200-one",
	 "x86_64",
	 2,
	 0,
	 {{"0000:e1:00:0", "e1:00.0", "10de", "2335", "NVIDIA Corporation H200 (fake)",
	   "0", NULL, -1}},
	 1},
	{"h100-mig",
	 "x86_64",
	 2,
	 0,
	 {{"0000:41:00:4", "41:00.4", VF, "0", MIG_PROFILES, -1},
	  {"0000:41:00:5", "41:00.5", VF, "0", MIG_PROFILES, -1}},
	 2},
	{"dead", "x86_64", 3, 0, {{0}}, 0},
};

const struct fake_template fake_templates[TEMPLATES_NR] = {
	{"gb200-1gpu", GRACE_PCI "\"2-9\" ]\n"},
	{"gb200-4gpu", GRACE_PCI "\"2-9\" ]\n" GRACE_PCI "\"10-17\" ]\n" GRACE_PCI
				 "\"18-25\" ]\n" GRACE_PCI "\"26-33\" ]\n"},
	{"h200-1gpu", "OS=[ ARCH=\"x86_64\" ]\nPCI=[ VENDOR=\"10de\", DEVICE=\"2335\", "
		      "CLASS=\"0302\" ]\n"},
	{"mig-slice", "PCI=[ VENDOR=\"10de\", DEVICE=\"2330\", CLASS=\"0302\", "
		      "PROFILE=\"1127 (NVIDIA H100XM-1-10C)\" ]\n"},
	{"cpu-only", "CPU=\"1\"\nMEMORY=\"512\"\n"},
	{"twin", "CPU=\"1\"\n"},
	{"twin", "CPU=\"2\"\n"},
};

void fake_world_init(struct fake_world *w)
{
	*w = (struct fake_world){.fate = FAKE_ONE_RUNS};
	memcpy(w->hosts, hosts, sizeof(hosts));
	snprintf(w->address, sizeof(w->address), "127.0.0.1");
}

void fake_world_release(struct fake_world *w)
{
	for (size_t i = 0; i < w->vms_nr; i++)
		free(w->vms[i].pci);
	free(w->vms);
	w->vms = NULL;
}

unsigned fake_world_living(const struct fake_world *w)
{
	unsigned nr = 0;

	for (size_t i = 0; i < w->vms_nr; i++)
		nr += w->vms[i].state != 6;
	return nr;
}

unsigned fake_world_held(const struct fake_world *w)
{
	unsigned nr = 0;

	for (size_t i = 0; i < HOSTS_NR; i++)
		for (size_t k = 0; k < w->hosts[i].devices_nr; k++)
			nr += w->hosts[i].devices[k].vm >= 0;
	return nr;
}

struct fake_vm *fake_world_add_vm(struct fake_world *w, int uid, const char *name)
{
	struct fake_vm *vm;

	GROW(w->vms, w->vms_nr, w->vms_alloc);
	vm = &w->vms[w->vms_nr];
	*vm = (struct fake_vm){.id = (int)w->vms_nr,
			       .uid = uid,
			       .state = 1,
			       .host = -1,
			       .wanted_host_id = -1,
			       .fate = w->fate};
	w->vms_nr++;
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	snprintf(vm->address, sizeof(vm->address), "%s", w->address);
	snprintf(vm->host_key, sizeof(vm->host_key), "%s", w->host_key);
	for (size_t i = 0; i < SECTIONS_MAX; i++)
		vm->device[i] = -1;
	return vm;
}

static bool matches(const struct fake_section *s, const struct fake_device *d)
{
	const char *at = fake_section_get(s, "SHORT_ADDRESS");
	const char *vendor = fake_section_get(s, "VENDOR"),
		   *id = fake_section_get(s, "DEVICE");
	const char *class_id = fake_section_get(s, "CLASS");

	if (at)
		return !strcmp(at, d->short_address);
	return (!vendor || !strcasecmp(vendor, d->vendor)) &&
	       (!id || !strcasecmp(id, d->device)) &&
	       (!class_id || !strcasecmp(class_id, "0302"));
}

/* First fit in the order of the list, addresses first: section 2.2 of the reference. */
static bool fit(const struct fake_vm *vm, const struct fake_host *h,
		int device[SECTIONS_MAX])
{
	bool taken[DEVICES_MAX] = {false};

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < vm->pci_nr; i++) {
			bool by_address =
				fake_section_get(&vm->pci[i], "SHORT_ADDRESS") != NULL;
			size_t k;

			if (by_address != !pass)
				continue;
			for (k = 0; k < h->devices_nr; k++)
				if (!taken[k] && h->devices[k].vm < 0 &&
				    matches(&vm->pci[i], &h->devices[k]))
					break;
			if (k == h->devices_nr)
				return false;
			taken[k] = true;
			device[i] = (int)k;
		}
	return true;
}

/* 0: placed; -1: no free device of the kind. */
int fake_world_place(struct fake_world *w, struct fake_vm *vm, int host, bool is_enforced)
{
	struct fake_host *h = &w->hosts[host];
	int device[SECTIONS_MAX];
	bool fits = fit(vm, h, device) && vm->fate != FAKE_ONE_WITHOUT_GPU;

	if (!fits && is_enforced && vm->fate != FAKE_ONE_WITHOUT_GPU)
		return -1;
	for (size_t i = 0; fits && i < vm->pci_nr; i++) {
		vm->device[i] = device[i];
		h->devices[device[i]].vm = vm->id;
	}
	h->running++;
	vm->host = host;
	vm->state = 3;
	vm->lcm = 1;
	return 0;
}

void fake_world_free_devices(struct fake_world *w, struct fake_vm *vm)
{
	if (vm->host < 0)
		return;
	w->hosts[vm->host].running--;
	for (size_t i = 0; i < vm->pci_nr; i++)
		if (vm->device[i] >= 0 && vm->fate != FAKE_ONE_KEEPS_GPU)
			w->hosts[vm->host].devices[vm->device[i]].vm = -1;
}

static void schedule(struct fake_world *w, struct fake_vm *vm)
{
	for (int i = 0; i < HOSTS_NR; i++) {
		const struct fake_host *h = &w->hosts[i];

		if (h->state != 2 ||
		    (vm->wanted_host_id >= 0 && vm->wanted_host_id != i) ||
		    (*vm->wanted_host && strcmp(vm->wanted_host, h->name) != 0))
			continue;
		if (!fake_world_place(w, vm, i, true)) {
			vm->message[0] = '\0';
			return;
		}
	}
	snprintf(vm->message, sizeof(vm->message),
		 "Sun Nov 22 14:10:17 2026: [HOST] Unavailable PCI devices on hosts: 1");
}

static void fail_boot(struct fake_vm *vm, int lcm, const char *what)
{
	vm->lcm = lcm;
	snprintf(vm->error, sizeof(vm->error), "Sun Nov 22 14:12:22 2026: %s: fake",
		 what);
}

/* PROLOG, BOOT, RUNNING, and the ways to leave that road. */
static void boot_step(struct fake_vm *vm)
{
	if (vm->lcm == 1 && vm->fate == FAKE_ONE_PROLOG_FAILURE)
		fail_boot(vm, 39, "CLONE");
	else if (vm->lcm == 1 && vm->fate != FAKE_ONE_STAYS_IN_PROLOG)
		vm->lcm = 2;
	else if (vm->lcm == 2 && vm->fate == FAKE_ONE_BOOT_FAILURE)
		fail_boot(vm, 36, "DEPLOY");
	else if (vm->lcm == 2 && vm->fate == FAKE_ONE_STRANGE_STATE)
		vm->lcm = 99;
	else if (vm->lcm == 2 && !vm->was_lost &&
		 (vm->fate == FAKE_ONE_LOST || vm->fate == FAKE_ONE_LOST_ONCE)) {
		vm->lcm = 16;
		vm->was_lost = true;
	} else if (vm->lcm == 2 || (vm->lcm == 16 && vm->fate == FAKE_ONE_LOST_ONCE))
		vm->lcm = 3;
}

/* One look moves a machine on by one step, after it was shown. */
void fake_world_step(struct fake_world *w, struct fake_vm *vm)
{
	if (vm->is_ending && vm->fate != FAKE_ONE_NEVER_ENDS) {
		fake_world_free_devices(w, vm);
		vm->state = 6;
		vm->lcm = 0;
		vm->is_ending = false;
	} else if (vm->state == 1 && vm->fate == FAKE_ONE_CLONING_FAILURE) {
		vm->state = 11;
	} else if (vm->state == 1 && vm->fate != FAKE_ONE_STAYS_PENDING) {
		schedule(w, vm);
	} else if (vm->state == 1) {
		snprintf(vm->message, sizeof(vm->message),
			 "Sun Nov 22 14:10:17 2026: [HOST] Unavailable PCI devices on "
			 "hosts: 1");
	} else if (vm->state == 3 && !vm->is_ending) {
		boot_step(vm);
	}
}
