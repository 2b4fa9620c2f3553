/* The product's table of kinds with the fake one behind it, for build/tests/support/tare. */
#include "harness/provision/kinds/provisioner_kinds.h"

#include "harness/provision/libvirt/libvirt.h"
#include "harness/provision/list/list.h"
#include "harness/provision/opennebula/opennebula.h"
#include "tests/support/fake_provisioner.h"

static const struct provisioner_kind *const kinds[] = {
	&opennebula_provisioner,
	&libvirt_provisioner,
	&list_provisioner,
	&fake_provisioner,
	NULL,
};

const struct provisioner_kind *const *provisioner_kinds(void)
{
	return kinds;
}
