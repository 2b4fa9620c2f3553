/* Every kind of provisioner in one table: what a plan's "kind" may say. */
#ifndef TARE_HARNESS_PROVISION_KINDS_PROVISIONER_KINDS_H
#define TARE_HARNESS_PROVISION_KINDS_PROVISIONER_KINDS_H

#include "harness/provision/provisioner.h"

/*
 * NULL-terminated. To add one: write its file, then add it in provisioner_kinds.c. That file
 * is the table alone, so that a program of the tests can be linked with another one.
 */
const struct provisioner_kind *const *provisioner_kinds(void);
const struct provisioner_kind *provisioner_kind_find(const char *name);

#endif
