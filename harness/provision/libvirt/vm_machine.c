#include "harness/provision/libvirt/vm_machine.h"

#include "core/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const virt_names[] = {"auto", "kvm", "qemu", NULL};
static const char *const firmware_names[] = {"default", "efi", NULL};

const struct field vm_machine_fields[] = {
	{.name = "image",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, image),
	 .arg = "FILE",
	 .is_required = true,
	 .help = "Disk image, qcow2 or raw. It is only read: every lease writes to a "
		 "layer of its own. The image learns its keys from a NoCloud seed, as "
		 "cloud images do."},
	{.name = "kernel",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, kernel),
	 .arg = "FILE",
	 .help = "Kernel to start directly; without it the image's boot loader runs."},
	{.name = "initrd",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, initrd),
	 .arg = "FILE",
	 .help = "Initial RAM disk of that kernel."},
	{.name = "cmdline",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, cmdline),
	 .arg = "TEXT",
	 .help = "That kernel's command line; without it one that mounts the image as a "
		 "disk without partitions and writes to the serial console."},
	{.name = "vcpus",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct vm_machine, vcpus),
	 .unset = "2",
	 .min = 1,
	 .max = 4096,
	 .help = "Virtual CPUs."},
	{.name = "memory",
	 .kind = FIELD_BYTES,
	 .offset = offsetof(struct vm_machine, memory_bytes),
	 .unset = "2Gi",
	 .min = 64.0 * (1 << 20),
	 .max = 64.0 * (1LL << 40),
	 .help = "Memory."},
	{.name = "disk",
	 .kind = FIELD_BYTES,
	 .offset = offsetof(struct vm_machine, disk_bytes),
	 .unset = "0",
	 .min = 0,
	 .max = 64.0 * (1LL << 40),
	 .help = "Size of the disk that the guest sees; 0: the image's own."},
	{.name = "virt",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct vm_machine, virt),
	 .choices = virt_names,
	 .unset = "auto",
	 .help = "kvm runs the guest on the processor, qemu emulates one in software; "
		 "auto is kvm where this computer can really do it."},
	{.name = "machine",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, machine),
	 .help = "QEMU's machine type; without it q35 (x86-64) or virt (aarch64)."},
	{.name = "cpu",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, cpu),
	 .help = "CPU model; without it the host's own (kvm) or the most that can be "
		 "emulated (qemu)."},
	{.name = "firmware",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct vm_machine, firmware),
	 .choices = firmware_names,
	 .unset = "default",
	 .help = "efi starts UEFI without secure boot; default is the machine type's."},
	{.name = "network",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, network),
	 .unset = "user",
	 .help = "user: SSH through a port of 127.0.0.1, needs no bridge; anything else "
		 "is a network of libvirt, such as default."},
	{.name = "user",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, user),
	 .unset = "root",
	 .help = "Who logs in; made by the image's cloud-init unless it is root."},
	{.name = "gpus",
	 .kind = FIELD_TEXTS,
	 .offset = offsetof(struct vm_machine, gpus),
	 .arg = "ADDRESS",
	 .help = "PCI addresses of devices that are passed through, as in "
		 "\"0008:01:00.0\"."},
	{.name = "pin_cpus",
	 .kind = FIELD_INTS,
	 .offset = offsetof(struct vm_machine, pin_cpus),
	 .min = 0,
	 .max = 65535,
	 .help = "CPUs of the host, one for each virtual CPU in their order."},
	{.name = "numa_node",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct vm_machine, numa_node),
	 .unset = "-1",
	 .min = -1,
	 .max = 1023,
	 .help = "NUMA node of the host that all memory comes from; -1: any."},
	{.name = "hugepages",
	 .kind = FIELD_BYTES,
	 .offset = offsetof(struct vm_machine, hugepage_bytes),
	 .unset = "0",
	 .min = 0,
	 .max = 64.0 * (1LL << 30),
	 .help = "Size of the huge pages that back the memory, as in 2Mi or 1Gi; 0: "
		 "none."},
	{.name = "confined",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct vm_machine, confined),
	 .help = "Leave libvirt's own account and AppArmor or SELinux confinement for "
		 "QEMU in force; it must then be able to read the image and the run's "
		 "folder. Otherwise QEMU runs as the user who runs tare."},
	{.name = "xml",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct vm_machine, xml),
	 .arg = "FILE",
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
