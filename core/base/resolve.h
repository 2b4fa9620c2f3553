/*
 * The addresses of a machine's name, with a deadline that a stop request ends early.
 * getaddrinfo(3) has neither: with name servers that do not answer it takes as long as
 * resolv.conf's timeouts, attempts and search domains multiply to.
 */
#ifndef TARE_CORE_BASE_RESOLVE_H
#define TARE_CORE_BASE_RESOLVE_H

#include "core/base/err.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

/* TCP addresses of 'host', a name or an address, in the system's order; freeaddrinfo(). */
int resolve(const char *host, uint16_t port, int64_t deadline_ns, struct addrinfo **ret,
	    struct err *err);

#endif
