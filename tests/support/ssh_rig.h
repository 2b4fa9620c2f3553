/*
 * A target over SSH for tests: a real OpenSSH server of this machine
 * (tests/support/sshd.h), which lives for a whole group of tests, and a scratch folder.
 * What the other side sees is checked on this side's files: they are one machine. Whatever
 * goes wrong in here fails the test.
 */
#ifndef TARE_TESTS_SUPPORT_SSH_RIG_H
#define TARE_TESTS_SUPPORT_SSH_RIG_H

#include "core/base/proc.h"
#include "harness/target/target.h"
#include "tests/support/sshd.h"

#include <stdbool.h>
#include <stddef.h>

struct ssh_rig {
	struct sshd *server;
	char *dir;
};

bool ssh_rig_missing(void); /* no OpenSSH server here, which it has said: exit 77 */
/* Around a group of tests, whose state ssh_rig() then is. */
int ssh_rig_set_up(void **state);
int ssh_rig_tear_down(void **state);
struct ssh_rig *ssh_rig(void **state);

struct target *ssh_rig_connect(struct sshd *s);
void ssh_rig_close(struct target *t); /* and nothing is left behind */
/* Within half a minute; proc_outcome_release() */
struct proc_outcome ssh_rig_run(struct target *t, const char *const *argv);

/* Sends a file there as a command's input, and names it in the workdir; as target_run(). */
int ssh_rig_send(struct target *t, const char *from, const char *name, int64_t timeout_ns,
		 struct err *err);
/* Gets one out of the workdir; as target_get(). */
int ssh_rig_get(struct target *t, const char *name, const char *to, int64_t timeout_ns,
		struct err *err);

/* Descriptors that this process has open. */
int ssh_rig_open_files(void);
void ssh_rig_write_random(const char *path, size_t size);

#endif
