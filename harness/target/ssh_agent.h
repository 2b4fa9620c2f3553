/*
 * Whether the ssh-agent that the environment names (SSH_AUTH_SOCK) answers at all. libssh
 * asks it for keys with reads that have no deadline and see no stop request, and an agent
 * that was stopped, or forwarded over a line that is dead, keeps a login waiting for ever.
 *
 * Once it lists its keys it is trusted: an agent that asks a person before it signs may
 * take as long as that person does.
 */
#ifndef TARE_HARNESS_TARGET_SSH_AGENT_H
#define TARE_HARNESS_TARGET_SSH_AGENT_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * 0: it answers, or there is none (libssh then goes on to the default keys). -1: it took the
 * connection and says nothing within ten seconds or the deadline, or a stop was requested.
 */
int ssh_agent_check(int64_t deadline_ns, bool ignores_stop, struct err *err);

#endif
