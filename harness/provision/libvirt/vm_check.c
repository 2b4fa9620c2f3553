#include "harness/provision/libvirt/vm_check.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/provision/check_row.h"
#include "harness/provision/libvirt/vm_machine.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct checker {
	const char *root;
	const struct vm_machine *machine;
	struct json_object *checks;
	int failures, warnings;
};

static void add(struct checker *c, const char *name, const char *state,
		const char *remedy, const char *fmt, ...) ERR_PRINTF(5, 6);

static void add(struct checker *c, const char *name, const char *state,
		const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check_row_vadd(c->checks, name, state, remedy, fmt, ap);
	va_end(ap);
	c->failures += strcmp(state, "failed") == 0;
	c->warnings += strcmp(state, "warning") == 0;
}

static void check_virt(struct checker *c)
{
	char why[256] = "";

	if (vm_host_has_kvm(c->root, why, sizeof(why)))
		add(c, "kvm", "ok", NULL, "KVM runs guests on this computer");
	else
		add(c, "kvm", c->machine->virt == VM_VIRT_KVM ? "failed" : "warning",
		    "enable virtualisation in the firmware and load kvm_amd or "
		    "kvm_intel; without it the guest is emulated and some 10 to 100 "
		    "times slower",
		    "no KVM: %s", why);
}

static void check_file(struct checker *c, const char *name, const char *path)
{
	if (!path)
		return;
	if (access(path, R_OK) == 0)
		add(c, name, "ok", NULL, "%s", path);
	else
		add(c, name, "failed", "correct the path in the plan, or make the file",
		    "%s cannot be read", path);
}

/* The whole number in a file of /sys; -1 when there is none. */
static int64_t read_number(const char *path)
{
	struct buf text;
	int64_t value;

	if (file_read(path, 4096, &text, NULL))
		return -1;
	value = strtoll(text.data, NULL, 10);
	buf_release(&text);
	return value;
}

static void check_hugepages(struct checker *c)
{
	int64_t size = c->machine->hugepage_bytes, need, free_pages;
	char *path;

	if (!size)
		return;
	need = (c->machine->memory_bytes + size - 1) / size;
	if (c->machine->numa_node >= 0)
		path = x_asprintf("%s/sys/devices/system/node/node%lld/hugepages/"
				  "hugepages-%lldkB/free_hugepages",
				  c->root, (long long)c->machine->numa_node,
				  (long long)(size / 1024));
	else
		path = x_asprintf("%s/sys/kernel/mm/hugepages/hugepages-%lldkB/"
				  "free_hugepages",
				  c->root, (long long)(size / 1024));
	free_pages = read_number(path);
	if (free_pages >= need)
		add(c, "hugepages", "ok", NULL, "%lld free, %lld needed",
		    (long long)free_pages, (long long)need);
	else
		add(c, "hugepages", "failed",
		    "write the number of pages into nr_hugepages beside that file",
		    "%lld pages of %lld KiB needed, %lld free (%s)", (long long)need,
		    (long long)(size / 1024),
		    (long long)(free_pages < 0 ? 0 : free_pages), path);
	free(path);
}

static void check_placement(struct checker *c)
{
	char *path;

	if (c->machine->numa_node >= 0) {
		path = x_asprintf("%s/sys/devices/system/node/node%lld", c->root,
				  (long long)c->machine->numa_node);
		add(c, "numa_node", file_exists(path) ? "ok" : "failed",
		    file_exists(path) ? NULL : "numactl --hardware lists the nodes",
		    "NUMA node %lld", (long long)c->machine->numa_node);
		free(path);
	}
	for (size_t i = 0; i < c->machine->pin_cpus.nr; i++) {
		long long cpu = (long long)c->machine->pin_cpus.items[i];

		path = x_asprintf("%s/sys/devices/system/cpu/cpu%lld", c->root, cpu);
		if (!file_exists(path))
			add(c, "pin_cpus", "failed", "lscpu lists the CPUs",
			    "this computer has no CPU %lld", cpu);
		free(path);
	}
}

static const char *link_base(const char *path, char *target, size_t size)
{
	ssize_t n = readlink(path, target, size - 1);

	if (n <= 0)
		return NULL;
	target[n] = 0;
	return path_base(target);
}

static void check_gpu(struct checker *c, const char *text)
{
	struct pci_address a;
	char target[PATH_MAX], *device, *group, *driver;
	const char *name;

	if (pci_address_parse(text, &a, NULL))
		return;
	device = x_asprintf("%s/sys/bus/pci/devices/%04x:%02x:%02x.%x", c->root, a.domain,
			    a.bus, a.slot, a.function);
	group = path_join(device, "iommu_group");
	driver = path_join(device, "driver");
	if (!file_exists(device)) {
		add(c, "gpu", "failed", "lspci -D lists the devices",
		    "no PCI device %s on this computer", text);
	} else if (!(name = link_base(group, target, sizeof(target)))) {
		add(c, "gpu", "failed",
		    "enable the IOMMU in the firmware and on the kernel's command line "
		    "(intel_iommu=on; AMD and Arm have it on)",
		    "%s has no IOMMU group and cannot be passed through", text);
	} else {
		char number[32];

		snprintf(number, sizeof(number), "%s", name);
		name = link_base(driver, target, sizeof(target));
		add(c, "gpu", "ok", NULL, "%s in IOMMU group %s, driver %s", text, number,
		    name ? name : "none");
	}
	free(device);
	free(group);
	free(driver);
}

int vm_check(const char *root, struct json_object *machine, struct json_object **ret,
	     struct err *err)
{
	struct vm_machine m;
	struct checker c = {.root = root, .machine = &m};
	char summary[96];

	if (vm_machine_read(&m, machine, "plan", "", err)) {
		vm_machine_release(&m);
		return -1;
	}
	c.checks = json_object_new_array();
	check_virt(&c);
	check_file(&c, "image", m.image);
	check_file(&c, "kernel", m.kernel);
	check_file(&c, "initrd", m.initrd);
	check_file(&c, "xml", m.xml);
	check_hugepages(&c);
	check_placement(&c);
	for (size_t i = 0; i < m.gpus.nr; i++)
		check_gpu(&c, m.gpus.items[i]);
	vm_machine_release(&m);
	snprintf(summary, sizeof(summary), "%d would fail, %d to look at", c.failures,
		 c.warnings);
	*ret = json_object_new_object();
	json_put_text(*ret, "summary", summary);
	json_put(*ret, "checks", c.checks);
	return 0;
}
