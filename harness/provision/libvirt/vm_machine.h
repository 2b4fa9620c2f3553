/*
 * What an arm says about a virtual machine on this computer, the facts of the computer that
 * decide how it can be run, and whether it can.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_VM_MACHINE_H
#define TARE_HARNESS_PROVISION_LIBVIRT_VM_MACHINE_H

#include "core/base/err.h"
#include "core/options/field.h"

#include <stdbool.h>
#include <stdint.h>

enum vm_virt { VM_VIRT_AUTO, VM_VIRT_KVM, VM_VIRT_QEMU };
enum vm_firmware { VM_FIRMWARE_DEFAULT, VM_FIRMWARE_EFI };

struct vm_machine {
	char *image;                     /* disk that is only read: qcow2 or raw */
	char *kernel, *initrd, *cmdline; /* direct boot; NULL: the image's boot loader */
	char *machine, *cpu;             /* of QEMU; NULL: what suits */
	char *network;                   /* "user" or a libvirt network's name */
	char *user;                      /* who may log in with the key of the lease */
	char *xml; /* the user's own domain XML, with placeholders */
	int64_t vcpus, memory_bytes, disk_bytes, hugepage_bytes, numa_node;
	int virt;     /* enum vm_virt */
	int firmware; /* enum vm_firmware */
	bool confined;
	struct strvec gpus; /* PCI addresses of this computer: "0000:41:00.0" */
	struct int_list pin_cpus;
};

extern const struct field vm_machine_fields[];

/*
 * Binds and checks what no table can say (a kernel for an initrd, as many pinned CPUs as
 * virtual ones, PCI addresses). Paths have "~/" expanded afterwards. 'ret' needs
 * vm_machine_release() whatever comes back.
 */
int vm_machine_read(struct vm_machine *ret, struct json_object *o, const char *file,
		    const char *pointer, struct err *err);
/* Devices of this computer, which no platform places: see struct provisioner_kind. */
void vm_machine_devices(struct json_object *machine, struct strvec *ret_gpus,
			char **ret_host);
void vm_machine_release(struct vm_machine *m);
/* The kind's check_machine hook: vm_machine_read() without the result. */
int vm_machine_check(struct json_object *o, const char *file, const char *pointer,
		     struct err *err);

/* What of it belongs into a lease's facts. */
void vm_machine_facts(const struct vm_machine *m, struct json_object *facts);

struct pci_address {
	unsigned domain, bus, slot, function;
};

/* "0008:01:00.0", or "41:00.0" in domain 0. */
int pci_address_parse(const char *text, struct pci_address *ret, struct err *err);

/*
 * Whether KVM can run an ordinary guest here: /dev/kvm opens, KVM_CREATE_VM succeeds and,
 * on x86, the processor has VMX or SVM. The last one matters because there are kernels
 * whose /dev/kvm runs guests without those extensions, but only guests made for it.
 * 'root' is put in front of the paths ("" is the real computer). 'why' says what is
 * missing, in words.
 */
bool vm_host_has_kvm(const char *root, char *why, size_t size);

const char *vm_host_arch(void);                   /* "x86_64", "aarch64" */
const char *vm_default_machine(const char *arch); /* "q35", "virt" */
const char *vm_default_cmdline(const char *arch); /* for a disk without partitions */
int vm_free_port(uint16_t *ret, struct err *err); /* of 127.0.0.1, free right now */

/*
 * As provisioner_check(), before anything starts: KVM, files, CPUs, NUMA node, huge pages,
 * devices and their IOMMU groups. Only reads; 'root' as above.
 */
int vm_check(const char *root, struct json_object *machine, struct json_object **ret,
	     struct err *err);

#endif
