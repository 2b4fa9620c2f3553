/*
 * Starts libvirtd where no service manager does, as in a container. It gets --timeout, so
 * that it ends by itself when nobody has used it for two minutes and nothing of ours
 * stays behind.
 *
 * Only as root and only where systemd does not run: there the service's own way of
 * starting is right, and the error says which command that is. That a daemon is there
 * already is no error.
 *
 * The daemon sees a qemu.conf of ours in place of the system's, in a mount namespace of
 * its own where we may make one: QEMU as root without control groups, namespaces and
 * security drivers, none of which a container can be relied on to have, and logs written
 * without virtlogd. Where QEMU's account cannot open /dev/kvm, libvirt would otherwise
 * ask QEMU anew for its abilities at every step of every start: 100 s for one machine as
 * against 1 s. Where no namespace can be made, virtlogd and libvirtd start as they are.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_DAEMON_H
#define TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_DAEMON_H

#include "core/base/err.h"

int libvirt_daemon_start(struct err *err);

#endif
