/*
 * Ctrl-C and SIGTERM as a flag that long work looks at, and a descriptor that a poll()
 * can wait on. The only mutable global beside the log level: a signal has nowhere else to
 * go. A second signal ends the process at once with status 130.
 */
#ifndef TARE_CORE_BASE_STOP_H
#define TARE_CORE_BASE_STOP_H

#include "core/base/err.h"

#include <stdbool.h>

void stop_install(void); /* SIGINT, SIGTERM, SIGHUP; ignores SIGPIPE */
bool stop_requested(void);
int stop_fd(void); /* readable once stop was requested; -1 before stop_install() */
/* Fills err with ERR_INTERRUPTED and returns -1 when a stop was requested, else 0. */
int stop_check(struct err *err);
/* For tests and for a clean-up that must not be cut short by the first signal. */
void stop_clear(void);

#endif
