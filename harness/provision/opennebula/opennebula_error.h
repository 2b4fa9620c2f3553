/*
 * OpenNebula's own refusals: code, object and text become a sentence that says what it
 * means here and what to do. The front-end's words are always quoted. err.origin is
 * "opennebula", err.code the front-end's code, the kind ERR_ENVIRONMENT (exit status 5).
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_ERROR_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_ERROR_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum one_code {
	ONE_E_AUTHENTICATION = 0x100,
	ONE_E_AUTHORIZATION = 0x200, /* quotas and restricted attributes too */
	ONE_E_NO_EXISTS = 0x400,
	ONE_E_ACTION = 0x800, /* wrong state, no capacity on an enforced deploy */
	ONE_E_XML_RPC_API = 0x1000,
	ONE_E_INTERNAL = 0x2000, /* every template mistake too */
	ONE_E_ALLOCATE = 0x4000,
	ONE_E_LOCKED = 0x8000,
	ONE_E_REPLICATION = 0x10000
};

/* Always -1. 'object' is the id that the front-end complains of, -1 for none. */
int one_error(struct err *err, int64_t code, int64_t object, const char *text);

bool one_is_code(const struct err *err, enum one_code code);
/* The network or the server's HTTP side failed: the call may have happened or not. */
bool one_is_uncertain(const struct err *err);
/* A follower of a cluster that is electing its leader said so: ask again. */
bool one_is_election(const struct err *err);

#endif
