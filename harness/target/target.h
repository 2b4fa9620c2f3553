/*
 * A target is somewhere commands can run: this machine or one over SSH (fixed, or leased
 * for the occasion). Callers never learn which. One target serves one thread at a time.
 *
 * Order of calls: target_*_new, target_place, target_run as often as wanted, target_get,
 * target_close. Everything waits for at most its deadline and ends early on a stop
 * request.
 */
#ifndef TARE_HARNESS_TARGET_TARGET_H
#define TARE_HARNESS_TARGET_TARGET_H

#include "core/base/err.h"
#include "core/base/proc.h"
#include "harness/target/bundle.h"

#include <stdbool.h>
#include <stdint.h>

struct target;

/*
 * Runs one command to its end: struct proc_spec's fields mean the same everywhere, except
 * that argv[0] without '/' is looked up in the remote PATH. Arguments arrive there
 * exactly as given here, whatever bytes they hold; neither they nor the environment show
 * in the remote process list of anything but the command itself. A command that ran and
 * disliked its input is an outcome; -1 means that we cannot say what happened.
 *
 * Over SSH the command is ended (SIGTERM to its process group, two seconds, SIGKILL) when
 * the deadline passes, on a stop request, and when the connection is lost; if the network
 * goes silent, by the machine itself at the deadline. An end by signal and an end by exit
 * status are told apart.
 */
int target_run(struct target *t, const struct proc_spec *spec, struct proc_outcome *ret,
	       struct err *err);

/*
 * Puts a program and its libraries where the target can run it and gives the program's
 * path there (borrowed from 't', valid until target_close()). On this machine the program
 * is used where it is. Elsewhere every file is kept under its SHA-256 in
 * ~/.cache/tare/objects and the bundle, under its own digest, in ~/.cache/tare/bundles:
 * what is already there and has the right contents is used again, also by later runs;
 * what has not been used for 30 days is removed. A program of another architecture is
 * refused.
 */
int target_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
		 const char **ret_path, struct err *err);

/* The most that target_get() takes from a machine that we do not trust to be sane. */
#define TARGET_GET_MAX ((int64_t)4 << 30)

/*
 * One file, by its absolute path there; 'local' appears whole or not at all, its SHA-256
 * checked on arrival. The folder must be there.
 */
int target_get(struct target *t, const char *remote, const char *local,
	       int64_t timeout_ns, struct err *err);

/*
 * A folder on the target (0700), made at the first call, that target_close() removes;
 * borrowed.
 */
const char *target_workdir(struct target *t, struct err *err);

/* This very machine: programs run where they are, nothing travels. */
bool target_is_here(const struct target *t);

const char *target_name(const struct target *t); /* "local", "root@10.0.0.7:22" */

/*
 * Removes the remote folder, closes the connection and frees; NULL is fine. -1 means that
 * something may be left behind, and *err names it; 't' is gone all the same.
 */
int target_close(struct target *t, struct err *err);

struct target *target_local_new(void);

/* Pointers are borrowed for the call. ~/.ssh/config is not read: the plan says it all. */
struct ssh_params {
	const char *host;
	uint16_t port;                /* 0: 22 */
	const char *user;             /* NULL: ours */
	const char *key_file;         /* NULL: the agent and the default keys */
	const char *known_hosts_file; /* NULL: ~/.ssh/known_hosts */
	/* "SHA256:base64" of the host key; NULL: the host must be in known_hosts_file. */
	const char *host_key_sha256;
	int64_t connect_timeout_ns; /* dial, key exchange and login together, but for */
	int64_t agent_timeout_ns;   /* ssh-agent's signatures; 0: two minutes */
};

/*
 * Connects, checks the host key and logs in. An unknown or changed key is refused with
 * the fingerprint and what to do about it. Passwords are never asked for or sent. The
 * login shell there may be anything that knows 'exec sh'; beside it the machine needs
 * POSIX utilities, mktemp and sha256sum (coreutils or busybox) and no SFTP server.
 */
struct target *target_ssh_new(const struct ssh_params *p, struct err *err);

#endif
