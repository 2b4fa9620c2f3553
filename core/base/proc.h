/*
 * Running a local program by argument vector, to its end, with a deadline and bounded
 * output. The child gets its own process group; on deadline, stop request or error the
 * whole group is ended (SIGTERM, a grace of two seconds, SIGKILL) and reaped.
 */
#ifndef TARE_CORE_BASE_PROC_H
#define TARE_CORE_BASE_PROC_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdint.h>

/* A piece of the child's output as it arrives; 'data' is not NUL-terminated. */
typedef void proc_sink(void *ctx, const char *data, size_t len);

struct proc_spec {
	const char *const *argv; /* argv[0] is looked up in PATH when it has no '/' */
	const char *const *env;  /* "NAME=value" additions to our own, or NULL */
	const char *dir;         /* working folder, or NULL for ours */
	const void *input;       /* its standard input, or NULL for none */
	size_t input_len;
	int64_t timeout_ns;          /* must be positive */
	size_t output_max;           /* bytes kept of each stream; the rest is counted in
					buf.dropped */
	proc_sink *on_out, *on_diag; /* also told as it arrives; may be NULL */
	void *sink_ctx;
};

enum proc_end { PROC_EXITED, PROC_KILLED, PROC_TIMED_OUT, PROC_STOPPED };

/* Owned by the caller after a 0 return: proc_outcome_release(). */
struct proc_outcome {
	enum proc_end end;
	int code; /* exit status, or the signal's number */
	int64_t wall_ns;
	struct buf out, diag; /* standard output, standard error */
};

/*
 * 0 whatever the program thought of its input; -1 only when we cannot say what happened:
 * no such program, no more processes. PROC_STOPPED means stop_requested() (core/base/stop.h).
 */
int proc_run(const struct proc_spec *spec, struct proc_outcome *ret, struct err *err);
void proc_outcome_release(struct proc_outcome *o);

/*
 * Whoever started us may ignore SIGCHLD, as some supervisors do: the kernel would then
 * throw away how our children end. proc_run() and program_begin() see to it.
 */
void proc_want_statuses(void);

/*
 * proc_run() for callers that need success: any other end becomes an error that quotes
 * the last line of standard error. 'ret' is untouched on failure.
 */
int proc_run_ok(const struct proc_spec *spec, struct proc_outcome *ret, struct err *err);

/* "exit status 3", "killed by signal 9 (Killed)", "no answer within 30.0 s", "stopped" */
const char *proc_end_text(const struct proc_outcome *o, char *text, size_t size);

/* The last non-empty line of a program's diagnostics, cut to 'size'; "" when none. */
const char *proc_last_line(const struct buf *diag, char *line, size_t size);

#endif
