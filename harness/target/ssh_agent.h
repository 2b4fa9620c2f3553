/*
 * The ssh-agent that the environment names (SSH_AUTH_SOCK), where it keeps a login waiting.
 * libssh asks it with reads that have no deadline and see no stop request; an agent that was
 * stopped, or forwarded over a line that is dead, would hold them for ever.
 *
 * Before the login it must list its keys, which asks nobody: ssh_agent_check(). A signature
 * may need a person, who is given longer: libssh gets its connection from ssh_agent_watch(),
 * and a thread ends that when time is up or a stop was requested. For libssh the agent has
 * then hung up, and it goes on without.
 */
#ifndef TARE_HARNESS_TARGET_SSH_AGENT_H
#define TARE_HARNESS_TARGET_SSH_AGENT_H

#include "core/base/clock.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* As long as sshd waits for a login (LoginGraceTime, sshd_config(5)). */
#define SSH_AGENT_PATIENCE (120 * NS_PER_S)

/*
 * 0: it answers, or there is none (libssh then goes on to the default keys). -1: it took the
 * connection and says nothing within ten seconds or the deadline, or a stop was requested.
 */
int ssh_agent_check(int64_t deadline_ns, struct err *err);

struct ssh_agent_watch;

/* *ret_fd is the caller's to close, once the watch has ended. NULL: nothing to watch. */
struct ssh_agent_watch *ssh_agent_watch(int64_t patience_ns, int *ret_fd);
/*
 * Ends the watch and frees it; NULL is fine. -1: it had to end the connection, and *err says
 * why.
 */
int ssh_agent_watch_end(struct ssh_agent_watch *w, struct err *err);

#endif
