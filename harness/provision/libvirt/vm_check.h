/*
 * Whether this computer can run an arm's machine, before anything starts: KVM, files,
 * CPUs, NUMA node, huge pages, devices and their IOMMU groups. Only reads.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_VM_CHECK_H
#define TARE_HARNESS_PROVISION_LIBVIRT_VM_CHECK_H

#include "core/document/json.h"

/* As provisioner_check(). 'root' is put in front of /proc, /sys and /dev for tests. */
int vm_check(const char *root, struct json_object *machine, struct json_object **ret,
	     struct err *err);

#endif
