/*
 * An SSH connection over which commands run: the project's only door to libssh. It knows
 * host keys, login and channels; what the commands are is ssh_target.c's subject.
 *
 * libssh is driven without blocking from one poll() that also sees the deadline and a
 * stop request. Files go through channels too ('cat' on the other side): libssh 0.10's
 * SFTP only blocks, and a bare guest need not have an SFTP server.
 */
#ifndef TARE_HARNESS_TARGET_SSH_H
#define TARE_HARNESS_TARGET_SSH_H

#include "core/base/proc.h"
#include "harness/target/target.h"

#include <stdbool.h>

struct ssh_link;

struct ssh_link *ssh_link_open(const struct ssh_params *p, struct err *err);
void ssh_link_close(struct ssh_link *l); /* NULL is fine */
/* False once the connection was lost or given up. */
bool ssh_link_is_alive(const struct ssh_link *l);

struct ssh_exec {
	const char *command; /* one line for the login shell there */
	const void *input;   /* the first bytes of its standard input */
	size_t input_len;
	int input_fd;         /* what follows them, to its end; -1: nothing */
	bool holds_input;     /* keep its input open until it ends: its end is an order */
	const bool *gives_up; /* a sink sets it when it has had enough; may be NULL */
	proc_sink *on_out, *on_diag;
	void *sink_ctx;
	int64_t deadline_ns;
};

struct ssh_end {
	enum proc_end end;
	int code; /* exit status or signal number */
};

/*
 * Runs it to its end. On deadline, stop or giving up its input is closed and it has five
 * seconds to end; then the connection is dropped, which ends it too. -1: the connection
 * failed, or it could not be started.
 */
int ssh_link_exec(struct ssh_link *l, const struct ssh_exec *e, struct ssh_end *ret,
		  struct err *err);

#endif
