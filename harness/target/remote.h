/*
 * The text that a remote POSIX shell is given: what to run there and how to look after
 * it. Pure text, no connection, so that tests feed it to a shell of this machine.
 *
 * A command's script is fed to 'exec sh' on standard input rather than put on a command
 * line, so that neither arguments nor secrets in the environment show in 'ps' and nothing
 * is bounded by one argument's size. It is one compound command: a script that was cut
 * short is a syntax error and runs nothing. After it, standard input stays open and empty
 * for as long as the command may live: a watcher in the background waits for its end and
 * then ends the command's process group (SIGTERM, two seconds, SIGKILL). A connection
 * that is closed or lost closes it too. A second watcher does the same after 'limit_s' on
 * the remote clock, in case the network went silent without a word. The command itself
 * replaces the shell, so that the server reports its exit status or signal as it was.
 */
#ifndef TARE_HARNESS_TARGET_REMOTE_H
#define TARE_HARNESS_TARGET_REMOTE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/proc.h"
#include "harness/target/bundle.h"

#include <stdint.h>

/* What every script is fed to. */
#define REMOTE_SHELL "exec sh"

/* Stands in front of the one line of standard error when the command was never started.
 */
#define REMOTE_NOT_STARTED "tare: not started: "

/*
 * The script for one command. 'input_file': a path there that becomes its standard input;
 * NULL: none. -1: an environment entry that no shell can set.
 */
int remote_run_script(struct buf *b, const struct proc_spec *spec, const char *input_file,
		      int64_t limit_s, struct err *err);

/*
 * A command line (not a script) that writes its standard input to 'path': whole, with
 * that size and SHA-256, or not at all.
 */
void remote_put_command(struct buf *b, const char *path, int64_t size, const char *sha256,
			unsigned mode);
/* A command line that prints the file's SHA-256 on a line of standard error, then the
 * file itself on standard output. */
void remote_get_command(struct buf *b, const char *path);

/*
 * Scripts for a bundle. The first prints "machine NAME", "folder PATH" (where bundles and
 * objects live), and then "ready", when the bundle stands there with the right contents,
 * or "need SHA256" for each object that is missing. The second puts the bundle together
 * from its objects, checks it, and throws out what was not used for 30 days.
 */
void remote_survey_script(struct buf *b, const struct bundle *bundle);
void remote_assemble_script(struct buf *b, const struct bundle *bundle);

#endif
