/*
 * A TCP connection with a deadline that a stop request ends early; both cover the search
 * for the name's addresses (core/base/resolve.h). The socket is non-blocking, without Nagle's
 * delay, and gives up on a silent peer after about half a minute (TCP keep-alive and
 * TCP_USER_TIMEOUT, RFC 1122 and RFC 5482), so that a machine that died under us is noticed
 * whatever runs above.
 */
#ifndef TARE_HARNESS_TARGET_DIAL_H
#define TARE_HARNESS_TARGET_DIAL_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The descriptor, or -1. Every address that the name has is tried, each with its share of
 * the time that is left.
 */
int dial_tcp(const char *host, uint16_t port, int64_t deadline_ns, struct err *err);

#endif
