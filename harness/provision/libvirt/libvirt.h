/*
 * Virtual machines on this computer through libvirt, without any cloud around them.
 * libvirt.c is the project's only door to the library.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_H
#define TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_H

#include "harness/provision/provisioner.h"

extern const struct provisioner_kind libvirt_provisioner;

#endif
