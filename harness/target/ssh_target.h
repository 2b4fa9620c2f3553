/*
 * What the files that make up the SSH target share: ssh_target.c (commands, life),
 * ssh_files.c (one file there and back), ssh_place.c (bundles).
 */
#ifndef TARE_HARNESS_TARGET_SSH_TARGET_H
#define TARE_HARNESS_TARGET_SSH_TARGET_H

#include "core/base/strvec.h"
#include "harness/target/ssh.h"
#include "harness/target/target_impl.h"

#include <stdbool.h>

/* The most that is kept of what our own commands say. */
#define SSH_WORDS_MAX ((size_t)64 << 10)

struct ssh_target {
	struct target base;
	struct ssh_params params; /* its texts are owned here */
	struct ssh_link *link;
	unsigned inputs;      /* numbers the files that become standard inputs */
	struct strvec placed; /* paths that target_place() handed out */
};

static inline struct ssh_target *ssh_target_of(struct target *t)
{
	return (struct ssh_target *)t;
}

/*
 * Connects again when the connection was lost since the last call; the host key is
 * checked again.
 */
int ssh_target_reach(struct ssh_target *s, struct err *err);

/* Runs one of our own scripts; anything but success is an error with its last line. */
int ssh_target_script(struct ssh_target *s, const struct buf *script, int64_t deadline_ns,
		      struct proc_outcome *ret, struct err *err);

/* ssh_files.c; 'sha256' is that of the local file. */
int ssh_send_file(struct ssh_target *s, const char *local, const char *sha256,
		  const char *remote, unsigned mode, int64_t deadline_ns,
		  struct err *err);
int ssh_put(struct target *t, const char *local, const char *remote, unsigned mode,
	    int64_t timeout_ns, struct err *err);
int ssh_get(struct target *t, const char *remote, const char *local, int64_t timeout_ns,
	    struct err *err);

/* ssh_place.c */
int ssh_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
	      const char **ret_path, struct err *err);

#endif
