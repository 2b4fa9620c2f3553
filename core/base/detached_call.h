/*
 * A call that has no deadline of its own (a resolver, a library that opens a connection)
 * is made by a thread, which is left behind when the call takes too long.
 *
 *	static const struct detached_call lookup = {.run = look_up, .release = lookup_free};
 *
 *	if (detached_call_run(&lookup, ctx, deadline_ns) == DETACHED_DONE)
 *		... what run() left in ctx ...
 */
#ifndef TARE_CORE_BASE_DETACHED_CALL_H
#define TARE_CORE_BASE_DETACHED_CALL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct detached_call {
	void (*run)(void *ctx);     /* on a thread of its own */
	void (*release)(void *ctx); /* frees ctx, with what run() put there */
};

enum detached_end {
	DETACHED_DONE,    /* run() has returned, and ctx is the caller's */
	DETACHED_LATE,    /* not by the deadline */
	DETACHED_STOPPED, /* a stop was requested (core/base/stop.h) */
	DETACHED_NO_THREAD /* nothing ran, for this process gets no more threads or files */
};

/*
 * But for DETACHED_DONE ctx is gone for the caller: whoever is last, this or the thread that
 * is left behind, releases it.
 */
enum detached_end detached_call_run(const struct detached_call *call, void *ctx,
				    int64_t deadline_ns);

/* A thread that gets no signals: they are the main thread's. 0, or why not as errno has it.
 */
int detached_start(pthread_t *ret, void *(*work)(void *), void *ctx);

#endif
