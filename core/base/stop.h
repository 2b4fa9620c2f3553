/*
 * Ctrl-C: SIGINT, SIGTERM and SIGHUP as a request that long work looks at, and a descriptor
 * that a poll() can wait on. What was begun is cleaned up before the process ends:
 *
 *	first signal    a stop is requested; stop_requested(), stop_check() and stop_fd() say so
 *	second signal   one line on stderr says that cleaning up goes on, and that one more ends it
 *	third signal    one line for each thing that is left behind, then the end, with status 130
 *
 * Clean-up runs behind a shield. While it is up, no wait sees the request, whenever it
 * came; when the outermost shield ends, the request is there as before. Nothing takes a
 * request back: whoever shields only ends first what must be ended.
 *
 *	stop_shield_begin();
 *	rc = give_back(machine, err);            its waits go on to their own deadlines
 *	stop_shield_end();
 *	if (!rc)
 *		rc = stop_check(err);            a stop that came before or meanwhile
 *
 * Shields nest and are the process's, so threads that work for a clean-up are behind them
 * too. So a wait behind a shield must have a deadline of its own, and every loop that polls
 * asks for stop_fd() anew each time round.
 *
 * Whoever makes something that must not stay says beforehand what a third signal would leave:
 *
 *	struct stop_leaves *l = stop_leaves_begin("machine %s; 'tare clean %s'", name, dir);
 *	...                                      made, used and given back
 *	stop_leaves_end(l);
 *
 * These two are the main thread's, which is the one that gets the signals.
 */
#ifndef TARE_CORE_BASE_STOP_H
#define TARE_CORE_BASE_STOP_H

#include "core/base/err.h"

#include <stdbool.h>

void stop_install(void); /* ignores SIGPIPE too; may be called again */
bool stop_requested(void);
/* To poll for POLLIN: readable once stop was requested; -1 (poll() passes it over) behind a
 * shield and before stop_install(). */
int stop_fd(void);
/* Fills err with ERR_INTERRUPTED and returns -1 when a stop was requested, else 0. */
int stop_check(struct err *err);

void stop_shield_begin(void);
void stop_shield_end(void);

/*
 * What is left behind if the process is ended now, in words for a person with the remedy;
 * the line on stderr is "tare: left behind: TEXT". Ends in any order; NULL is fine.
 */
struct stop_leaves *stop_leaves_begin(const char *fmt, ...) ERR_PRINTF(1, 2);
void stop_leaves_end(struct stop_leaves *l);

#endif
