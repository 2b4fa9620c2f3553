/*
 * Words for a person, on stderr, one line an event. Only programs (main, the runner) log;
 * everything below returns an error instead. Level and colour are process-wide. Control
 * characters in a message, which may be another machine's words, are printed as blanks.
 */
#ifndef TARE_CORE_BASE_LOG_H
#define TARE_CORE_BASE_LOG_H

#include "core/base/err.h"

#include <stdbool.h>

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

void log_set_level(enum log_level level);

void log_error(const char *fmt, ...) ERR_PRINTF(1, 2); /* "tare: error: ..." always */
void log_warn(const char *fmt, ...) ERR_PRINTF(1, 2);  /* always */
void log_info(const char *fmt, ...) ERR_PRINTF(1, 2);  /* unless -q */
void log_debug(const char *fmt, ...) ERR_PRINTF(1, 2); /* with -v */

/* Prints the error and gives the exit status that belongs to it, for 'return' in main. */
int log_failure(const struct err *err);

/*
 * Progress of long work: rewritten in place on a terminal, a plain line now and then
 * elsewhere, nothing with -q. 'done' of 'total' units; the estimate comes from the pace
 * so far, or from 'expected_ns' where the caller knows better (0: unknown).
 */
struct progress {
	const char *what;
	long long started_ns, last_ns, expected_ns;
	bool on_terminal, is_drawn;
};

void progress_start(struct progress *p, const char *what, long long expected_ns);
void progress_update(struct progress *p, double done_fraction, const char *detail);
/* The same at once, whenever the last was: for a step that may take long and says it once. */
void progress_step(struct progress *p, const char *detail);
void progress_end(struct progress *p); /* wipes the line on a terminal */

#endif
