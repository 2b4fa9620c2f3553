/* The kind 'opennebula': virtual machines from an OpenNebula front-end, 7.x. */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_H

#include "harness/provision/provisioner.h"

extern const struct provisioner_kind opennebula_provisioner;

#endif
