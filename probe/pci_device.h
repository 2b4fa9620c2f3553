/*
 * A PCI device as sysfs shows it: what decides whether its driver may be changed. Shared
 * by binding and preflight.
 */
#ifndef TARE_PROBE_PCI_DEVICE_H
#define TARE_PROBE_PCI_DEVICE_H

#include "core/base/strvec.h"

#include <stdbool.h>
#include <stdint.h>

/* "dddd:bb:dd.f" in lower case hexadecimal, and nothing else: it becomes part of a path. */
bool pci_device_is_address(const char *text);
bool pci_device_exists(const char *root, const char *address);
char *pci_device_driver(const char *root, const char *address); /* NULL: none; free() */
char *pci_device_group(const char *root, const char *address);  /* NULL: none; free() */
/* Vendor, device and class codes; false where one cannot be read. */
bool pci_device_ids(const char *root, const char *address, int64_t *vendor,
		    int64_t *device, int64_t *class_code);

/* Display, co-processor, accelerator. */
bool pci_device_is_accelerator(int64_t class_code);
bool pci_device_is_grace_gpu(int64_t vendor, int64_t device);
bool driver_is_vfio(const char *driver);

/* The other devices of its IOMMU group that a driver other than vfio's has, without
 * bridges: "0000:18:00.1 (snd_hda_intel)". Those in 'except' (may be NULL) do not count. */
void pci_device_group_users(const char *root, const char *address,
			    const char *const *except, struct strvec *ret);
/*
 * Processes that have one of its device nodes open: "1234 (nvidia-persiste)". Whoever may
 * not look into others' processes sees only own ones: pci_device_sees_openers() tells.
 */
bool pci_device_sees_openers(const char *root);
void pci_device_open_by(const char *root, const char *address, struct strvec *ret);
/*
 * What lives below it, used or idle, and goes with its driver: virtual functions and mediated
 * devices ("0000:18:00.4 (virtual function)"), and MIG slices ("MIG slice gi1").
 */
void pci_device_children(const char *root, const char *address, struct strvec *ret);
void pci_device_slices(const char *root, const char *address, struct strvec *ret);
/* The console or a monitor is on it. */
bool pci_device_shows_display(const char *root, const char *address);

#endif
