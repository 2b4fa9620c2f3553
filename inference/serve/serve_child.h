/*
 * Starting a program that outlives nothing: it gets SIGTERM when its starter dies, a
 * failed exec is told to the caller, and its end can be waited for by poll().
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_CHILD_H
#define TARE_INFERENCE_SERVE_SERVE_CHILD_H

#include "core/base/err.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <sys/types.h>

struct serve_child {
	pid_t pid; /* 0: none */
	int pidfd; /* readable once it ended */
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

/* Reaps all that ended, ours and adopted; notes the statuses of these 'nr'. */
void serve_children_reap(struct serve_child *const *children, size_t nr);

void serve_child_release(struct serve_child *c); /* closes the descriptor */

/* "exit status 3", "killed by signal 9 (Killed)" */
const char *serve_end_text(int status, char *text, size_t size);

/* The last 'lines' lines of a file as one text, at most 4 KiB; free(). */
char *serve_log_tail(const char *path, int lines);

#endif
