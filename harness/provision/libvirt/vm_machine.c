#include "harness/provision/libvirt/vm_machine.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/machine/sysfs.h"
#include "harness/provision/check_row.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const virt_names[] = {"auto", "kvm", "qemu", NULL};
static const char *const firmware_names[] = {"default", "efi", NULL};

const struct field vm_machine_fields[] = {
	{"image", FIELD_TEXT, offsetof(struct vm_machine, image), .arg = "FILE",
	 .is_required = true,
	 .help = "Disk image, qcow2 or raw. It is only read: every lease writes to a "
		 "layer of its own. The image learns its keys from a NoCloud seed, as "
		 "cloud images do."},
	{"kernel", FIELD_TEXT, offsetof(struct vm_machine, kernel), .arg = "FILE",
	 .help = "Kernel to start directly; without it the image's boot loader runs."},
	{"initrd", FIELD_TEXT, offsetof(struct vm_machine, initrd), .arg = "FILE",
	 .help = "Initial RAM disk of that kernel."},
	{"cmdline", FIELD_TEXT, offsetof(struct vm_machine, cmdline), .arg = "TEXT",
	 .help = "That kernel's command line; without it one that mounts the image as a "
		 "disk without partitions and writes to the serial console."},
	{"vcpus", FIELD_INT, offsetof(struct vm_machine, vcpus), .unset = "2", .min = 1,
	 .max = 4096, .help = "Virtual CPUs."},
	{"memory", FIELD_BYTES, offsetof(struct vm_machine, memory_bytes), .unset = "2Gi",
	 .min = 64.0 * (1 << 20), .max = 64.0 * (1LL << 40), .help = "Memory."},
	{"disk", FIELD_BYTES, offsetof(struct vm_machine, disk_bytes), .unset = "0",
	 .max = 64.0 * (1LL << 40),
	 .help = "Size of the disk that the guest sees; 0: the image's own."},
	{"virt", FIELD_CHOICE, offsetof(struct vm_machine, virt), .unset = "auto",
	 .choices = virt_names,
	 .help = "kvm runs the guest on the processor, qemu emulates one in software; "
		 "auto is kvm where this computer can really do it."},
	{"machine", FIELD_TEXT, offsetof(struct vm_machine, machine),
	 .help = "QEMU's machine type; without it q35 (x86-64) or virt (aarch64)."},
	{"cpu", FIELD_TEXT, offsetof(struct vm_machine, cpu),
	 .help = "CPU model; without it the host's own (kvm) or the most that can be "
		 "emulated (qemu)."},
	{"firmware", FIELD_CHOICE, offsetof(struct vm_machine, firmware),
	 .unset = "default", .choices = firmware_names,
	 .help = "efi starts UEFI without secure boot; default is the machine type's."},
	{"network", FIELD_TEXT, offsetof(struct vm_machine, network), .unset = "user",
	 .help = "user: SSH through a port of 127.0.0.1, needs no bridge; anything else "
		 "is a network of libvirt, such as default."},
	{"user", FIELD_TEXT, offsetof(struct vm_machine, user), .unset = "root",
	 .help = "Who logs in; made by the image's cloud-init unless it is root."},
	{"gpus", FIELD_TEXTS, offsetof(struct vm_machine, gpus), .arg = "ADDRESS",
	 .help = "PCI addresses of devices that are passed through, as in "
		 "\"0008:01:00.0\"."},
	{"pin_cpus", FIELD_INTS, offsetof(struct vm_machine, pin_cpus), .max = 65535,
	 .help = "CPUs of the host, one for each virtual CPU in their order."},
	{"numa_node", FIELD_INT, offsetof(struct vm_machine, numa_node), .unset = "-1",
	 .min = -1, .max = 1023,
	 .help = "NUMA node of the host that all memory comes from; -1: any."},
	{"hugepages", FIELD_BYTES, offsetof(struct vm_machine, hugepage_bytes),
	 .unset = "0", .max = 64.0 * (1LL << 30),
	 .help = "Size of the huge pages that back the memory, as in 2Mi or 1Gi; 0: "
		 "none."},
	{"confined", FIELD_FLAG, offsetof(struct vm_machine, confined),
	 .help = "Leave libvirt's own account and AppArmor or SELinux confinement for "
		 "QEMU in force; it must then be able to read the image and the run's "
		 "folder. Otherwise QEMU runs as the user who runs tare."},
	{"xml", FIELD_TEXT, offsetof(struct vm_machine, xml), .arg = "FILE",
	 .help = "Your own domain XML with placeholders such as @NAME@ and @DISK@, in "
		 "place of what tare writes; see docs/provisioners.md."},
	{0},
};

int pci_address_parse(const char *text, struct pci_address *ret, struct err *err)
{
	struct pci_address a = {0};
	int end = -1;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &a.domain, &a.bus, &a.slot, &a.function,
		   &end) != 4 ||
	    end < 0 || text[end]) {
		a.domain = 0;
		end = -1;
		if (sscanf(text, "%2x:%2x.%1x%n", &a.bus, &a.slot, &a.function, &end) !=
			    3 ||
		    end < 0 || text[end])
			end = -1;
	}
	/* sscanf() passes over blanks and signs, which have no place in an address. */
	if (end < 0 || text[strspn(text, "0123456789abcdefABCDEF:.")] || a.slot > 0x1f ||
	    a.function > 7)
		return err_set(err, ERR_USAGE,
			       "'%.40s' is not a PCI address such as 0000:41:00.0 (lspci "
			       "-D lists them)",
			       text);
	*ret = a;
	return 0;
}

static void expand(char **path)
{
	char *full = *path ? path_expand(*path) : NULL;

	free(*path);
	*path = full;
}

static int check_whole(const struct vm_machine *m, const char *file, const char *pointer,
		       struct err *err)
{
	struct pci_address address;

	if ((m->initrd || m->cmdline) && !m->kernel && !m->xml)
		return err_set(err, ERR_USAGE,
			       "%s: %s: 'initrd' and 'cmdline' belong to a 'kernel'",
			       file, pointer);
	if (m->kernel && m->firmware == VM_FIRMWARE_EFI)
		return err_set(err, ERR_USAGE,
			       "%s: %s: 'kernel' starts without firmware; leave out one "
			       "of 'kernel' and 'firmware'",
			       file, pointer);
	if (m->pin_cpus.nr && (int64_t)m->pin_cpus.nr != m->vcpus)
		return err_set(err, ERR_USAGE,
			       "%s: %s/pin_cpus: %zu host CPUs for %lld virtual ones; "
			       "name one for each",
			       file, pointer, m->pin_cpus.nr, (long long)m->vcpus);
	for (size_t i = 0; i < m->gpus.nr; i++)
		if (pci_address_parse(m->gpus.items[i], &address, err))
			return err_wrap(err, "%s: %s/gpus", file, pointer);
	return 0;
}

int vm_machine_read(struct vm_machine *ret, struct json_object *o, const char *file,
		    const char *pointer, struct err *err)
{
	/* An arm's keys that are not the machine's. */
	static const char *const others[] = {"target", "provisioner", "driver", NULL};

	*ret = (struct vm_machine){0};
	fields_init(vm_machine_fields, ret);
	if (fields_bind_json(vm_machine_fields, ret, o, file, pointer, others, err) ||
	    check_whole(ret, file, pointer, err))
		return -1;
	expand(&ret->image);
	expand(&ret->kernel);
	expand(&ret->initrd);
	expand(&ret->xml);
	return 0;
}

void vm_machine_devices(struct json_object *machine, struct strvec *ret_gpus,
			char **ret_host)
{
	struct vm_machine m;

	if (!vm_machine_read(&m, machine, "plan", "", NULL))
		strvec_add_all(ret_gpus, strvec_argv(&m.gpus));
	*ret_host = NULL;
	vm_machine_release(&m);
}

void vm_machine_release(struct vm_machine *m)
{
	fields_release(vm_machine_fields, m);
}

int vm_machine_check(struct json_object *o, const char *file, const char *pointer,
		     struct err *err)
{
	struct vm_machine m;
	int rc = vm_machine_read(&m, o, file, pointer, err);

	vm_machine_release(&m);
	return rc;
}

void vm_machine_facts(const struct vm_machine *m, struct json_object *facts)
{
	struct json_object *gpus = json_object_new_array();

	json_put_text(facts, "image", m->image);
	json_put_text(facts, "arch", vm_host_arch());
	json_put_int(facts, "vcpus", m->vcpus);
	json_put_int(facts, "memory_bytes", m->memory_bytes);
	json_put_int(facts, "hugepage_bytes", m->hugepage_bytes);
	json_put_bool(facts, "is_pinned", m->pin_cpus.nr > 0);
	for (size_t i = 0; i < m->gpus.nr; i++)
		json_object_array_add(gpus, json_new_text(m->gpus.items[i]));
	json_put(facts, "devices", gpus);
}

#define CPUINFO_MAX ((size_t)16 << 20)

/* The first processor's flags speak for all. */
static bool has_flag(const char *cpuinfo, const char *flag)
{
	const char *line = strstr(cpuinfo, "\nflags");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	size_t len = strlen(flag);

	if (!line || !end)
		return false;
	for (const char *at = line; (at = strstr(at, flag)) && at < end; at += len)
		if (at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

static bool has_extension(const char *root, char *why, size_t size)
{
#if defined(__x86_64__)
	char *path = x_asprintf("%s/proc/cpuinfo", root);
	struct buf text;
	bool found = file_read(path, CPUINFO_MAX, &text, NULL) == 0;

	if (found) {
		found = has_flag(text.data, "vmx") || has_flag(text.data, "svm");
		buf_release(&text);
	}
	free(path);
	if (!found)
		snprintf(why, size,
			 "the processor offers neither VMX nor SVM, so that only guests "
			 "made for it could run on this /dev/kvm");
	return found;
#else
	(void)root;
	(void)why;
	(void)size;
	(void)has_flag;
	return true;
#endif
}

bool vm_host_has_kvm(const char *root, char *why, size_t size)
{
	char *path = x_asprintf("%s/dev/kvm", root);
	int fd = open(path, O_RDWR | O_CLOEXEC), vm = -1;
	bool can = false;

	if (fd < 0) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
	} else if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION ||
		   (vm = ioctl(fd, KVM_CREATE_VM, 0)) < 0) {
		snprintf(why, size, "%s creates no machine: %s", path, strerror(errno));
	} else {
		can = has_extension(root, why, size);
	}
	if (vm >= 0)
		close(vm);
	if (fd >= 0)
		close(fd);
	free(path);
	return can;
}

const char *vm_host_arch(void)
{
#if defined(__aarch64__)
	return "aarch64";
#elif defined(__x86_64__)
	return "x86_64";
#else
#error "tare runs on x86-64 and aarch64"
#endif
}

const char *vm_default_machine(const char *arch)
{
	return strcmp(arch, "aarch64") == 0 ? "virt" : "q35";
}

const char *vm_default_cmdline(const char *arch)
{
	/*
	 * panic=1: a guest that cannot boot ends, so that nobody waits for it.
	 * no_timer_check: on a busy host the ticks that QEMU emulates come too late for
	 * the kernel's test of its interrupt controller, which then panics.
	 */
	return strcmp(arch, "aarch64") == 0
		       ? "root=/dev/vda rw console=ttyAMA0 quiet panic=1"
		       : "root=/dev/vda rw console=ttyS0 quiet panic=1 "
			 "no_timer_check";
}

int vm_free_port(uint16_t *ret, struct err *err)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = -1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		err_errno(err, "find a free port of 127.0.0.1");
	} else {
		*ret = ntohs(a.sin_port);
		rc = 0;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

struct checker {
	const char *root;
	const struct vm_machine *machine;
	struct json_object *checks;
};

static void check_virt(struct checker *c)
{
	char why[256] = "";

	if (vm_host_has_kvm(c->root, why, sizeof(why)))
		check_row_add(c->checks, "kvm", "ok", NULL,
			      "KVM runs guests on this computer");
	else
		check_row_add(
			c->checks, "kvm",
			c->machine->virt == VM_VIRT_KVM ? "failed" : "warning",
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
		check_row_add(c->checks, name, "ok", NULL, "%s", path);
	else
		check_row_add(c->checks, name, "failed",
			      "correct the path in the plan, or make the file",
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
		check_row_add(c->checks, "hugepages", "ok", NULL,
			      "%lld free, %lld needed", (long long)free_pages,
			      (long long)need);
	else
		check_row_add(
			c->checks, "hugepages", "failed",
			"write the number of pages into nr_hugepages beside that file",
			"%lld pages of %lld KiB needed, %lld free (%s)", (long long)need,
			(long long)(size / 1024),
			(long long)(free_pages < 0 ? 0 : free_pages), path);
	free(path);
}

/* "MemTotal:  16384 kB" of /proc/meminfo in bytes; 0: not told. */
static int64_t memory_of(const char *info, const char *key)
{
	char *text = info ? sysfs_value(info, key) : NULL;
	int64_t bytes = text ? strtoll(text, NULL, 10) * 1024 : 0;

	free(text);
	return bytes;
}

/* More than the computer has would swap, or end in the hands of the kernel. */
static void check_memory(struct checker *c)
{
	char *info = sysfs_text(c->root, "/proc/meminfo");
	int64_t total = memory_of(info, "MemTotal");
	int64_t spare = memory_of(info, "MemAvailable"), want = c->machine->memory_bytes;
	bool fits = want <= (c->machine->hugepage_bytes || !spare ? total : spare);

	if (total)
		check_row_add(c->checks, "memory",
			      want > total ? "failed"
			      : fits       ? "ok"
					   : "warning",
			      fits ? NULL : "give the guest less, or free some",
			      "%lld MiB for the guest, %lld of %lld MiB available",
			      (long long)want >> 20, (long long)spare >> 20,
			      (long long)total >> 20);
	free(info);
}

static void check_placement(struct checker *c)
{
	char *path;

	if (c->machine->numa_node >= 0) {
		path = x_asprintf("%s/sys/devices/system/node/node%lld", c->root,
				  (long long)c->machine->numa_node);
		check_row_add(c->checks, "numa_node", file_exists(path) ? "ok" : "failed",
			      file_exists(path) ? NULL
						: "numactl --hardware lists the nodes",
			      "NUMA node %lld", (long long)c->machine->numa_node);
		free(path);
	}
	for (size_t i = 0; i < c->machine->pin_cpus.nr; i++) {
		long long cpu = (long long)c->machine->pin_cpus.items[i];

		path = x_asprintf("%s/sys/devices/system/cpu/cpu%lld", c->root, cpu);
		if (!file_exists(path))
			check_row_add(c->checks, "pin_cpus", "failed",
				      "lscpu lists the CPUs",
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
		check_row_add(c->checks, "gpu", "failed", "lspci -D lists the devices",
			      "no PCI device %s on this computer", text);
	} else if (!(name = link_base(group, target, sizeof(target)))) {
		check_row_add(c->checks, "gpu", "failed",
			      "enable the IOMMU in the firmware and on the kernel's "
			      "command line "
			      "(intel_iommu=on; AMD and Arm have it on)",
			      "%s has no IOMMU group and cannot be passed through", text);
	} else {
		char number[32];

		snprintf(number, sizeof(number), "%s", name);
		name = link_base(driver, target, sizeof(target));
		check_row_add(c->checks, "gpu", "ok", NULL,
			      "%s in IOMMU group %s, driver %s", text, number,
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
	check_memory(&c);
	check_hugepages(&c);
	check_placement(&c);
	for (size_t i = 0; i < m.gpus.nr; i++)
		check_gpu(&c, m.gpus.items[i]);
	vm_machine_release(&m);
	snprintf(summary, sizeof(summary), "%zu would fail, %zu to look at",
		 check_rows_in(c.checks, "failed"), check_rows_in(c.checks, "warning"));
	*ret = json_object_new_object();
	json_put_text(*ret, "summary", summary);
	json_put(*ret, "checks", c.checks);
	return 0;
}
