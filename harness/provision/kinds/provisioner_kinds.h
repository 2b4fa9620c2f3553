/* Every kind of provisioner in one table: what a plan's "kind" may say. */
#ifndef TARE_HARNESS_PROVISION_KINDS_PROVISIONER_KINDS_H
#define TARE_HARNESS_PROVISION_KINDS_PROVISIONER_KINDS_H

#include "harness/provision/provisioner.h"

/*
 * NULL-terminated. To add one: write its file, then add it in provisioner_kinds.c. The kind
 * "fake" (harness/provision/fake.h) is there only while TARE_TEST_FAKE=1 is set.
 */
const struct provisioner_kind *const *provisioner_kinds(void);
const struct provisioner_kind *provisioner_kind_find(const char *name);

#endif
