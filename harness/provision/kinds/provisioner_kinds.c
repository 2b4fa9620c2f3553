#include "harness/provision/kinds/provisioner_kinds.h"

#include "harness/provision/fake.h"
#include "harness/provision/libvirt/libvirt.h"
#include "harness/provision/list/list.h"
#include "harness/provision/opennebula/opennebula.h"

#include <stdlib.h>
#include <string.h>

/* The fake one stands last, so that leaving it out is starting one later at the end. */
static const struct provisioner_kind *const kinds[] = {
	&opennebula_provisioner,
	&libvirt_provisioner,
	&list_provisioner,
	NULL,
};
static const struct provisioner_kind *const kinds_of_tests[] = {
	&opennebula_provisioner,
	&libvirt_provisioner,
	&list_provisioner,
	&fake_provisioner,
	NULL,
};

const struct provisioner_kind *const *provisioner_kinds(void)
{
	const char *fake = getenv(PROVISIONER_FAKE_VARIABLE);

	return fake && strcmp(fake, "1") == 0 ? kinds_of_tests : kinds;
}

const struct provisioner_kind *provisioner_kind_find(const char *name)
{
	for (const struct provisioner_kind *const *k = provisioner_kinds(); *k; k++)
		if (strcmp((*k)->name, name) == 0)
			return *k;
	return NULL;
}
