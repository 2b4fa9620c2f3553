#include "harness/provision/kinds/provisioner_kinds.h"

#include <string.h>

const struct provisioner_kind *provisioner_kind_find(const char *name)
{
	for (const struct provisioner_kind *const *k = provisioner_kinds(); *k; k++)
		if (strcmp((*k)->name, name) == 0)
			return *k;
	return NULL;
}
