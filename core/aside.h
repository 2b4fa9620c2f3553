/*
 * A call that has no deadline of its own (a resolver, a library that opens a connection)
 * is made by a thread, which is left behind when the call takes too long.
 *
 *	static const struct aside_call lookup = {.run = look_up, .release = lookup_free};
 *
 *	if (aside_run(&lookup, ctx, deadline_ns, true) == ASIDE_DONE)
 *		... what run() left in ctx ...
 */
#ifndef TARE_CORE_ASIDE_H
#define TARE_CORE_ASIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct aside_call {
	void (*run)(void *ctx);     /* on a thread of its own */
	void (*release)(void *ctx); /* frees ctx, with what run() put there */
};

enum aside_end {
	ASIDE_DONE,     /* run() has returned, and ctx is the caller's */
	ASIDE_LATE,     /* not by the deadline */
	ASIDE_STOPPED,  /* a stop was requested (core/stop.h) */
	ASIDE_NO_THREAD /* nothing ran, for this process gets no more threads or files */
};

/*
 * But for ASIDE_DONE ctx is gone for the caller: whoever is last, this or the thread that
 * is left behind, releases it.
 */
enum aside_end aside_run(const struct aside_call *call, void *ctx, int64_t deadline_ns,
			 bool heeds_stop);

/* A thread that gets no signals: they are the main thread's. 0, or why not as errno has it.
 */
int aside_start(pthread_t *ret, void *(*work)(void *), void *ctx);

#endif
