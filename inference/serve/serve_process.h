/*
 * Programs that outlive nothing. A child gets SIGTERM when its starter dies, a failed exec
 * is told to the caller, and its end can be waited for. Whatever it starts in turn is ended
 * with it: the caller is a subreaper (serve_tree_adopt()), so a descendant whose parent has
 * gone becomes its child and no daemon escapes. Linux's /proc tells who is there.
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_PROCESS_H
#define TARE_INFERENCE_SERVE_SERVE_PROCESS_H

#include "core/base/err.h"
#include "core/base/strvec.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct serve_child {
	pid_t pid; /* 0: none */
	int pidfd; /* readable once it ended; -1 where the kernel gives none */
	bool has_ended;
	int status; /* as from waitpid(), once ended */
};

struct serve_child_spec {
	const struct strvec *argv;
	const struct strvec *environment; /* "NAME=value" additions; may be NULL */
	const char *directory;            /* or NULL */
	int out_fd; /* becomes its stdout and stderr, its stdin is empty; -1: ours */
	bool own_session; /* so that no terminal's signal reaches it */
};

int serve_child_start(const struct serve_child_spec *spec, struct serve_child *ret,
		      struct err *err);
/* For a child that was forked otherwise. Either way: serve_child_release(). */
void serve_child_watch(struct serve_child *c, pid_t pid);
void serve_child_release(struct serve_child *c);

/*
 * poll() that also returns when one of the children ends, and after a second at the latest.
 * Reaps all that ended, ours and adopted, and notes the statuses of these. 'revents' of the
 * descriptors are filled in; at most eight descriptors and children together.
 */
void serve_wait(struct pollfd *fds, size_t nr, struct serve_child *const *children,
		size_t children_nr, int64_t deadline_ns);

int serve_tree_adopt(struct err *err);

/*
 * Ends all descendants of this process: SIGTERM to each, SIGKILL after 'grace_ns', and
 * waits until none is left; notes the status of 'watched' when it is among them. An error
 * names those that will not die within ten seconds.
 */
int serve_tree_end(int64_t grace_ns, struct serve_child *watched, struct err *err);

/* "exit status 3", "killed by signal 9 (Killed)" */
const char *serve_end_text(int status, char *text, size_t size);

/* The last 'lines' lines of a file as one text, at most 4 KiB; free(). */
char *serve_log_tail(const char *path, int lines);

#endif
