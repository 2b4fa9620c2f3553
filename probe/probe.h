/* tare-probe: its command line, and what is done once that is read. */
#ifndef TARE_PROBE_PROBE_H
#define TARE_PROBE_PROBE_H

#include "probe/binding.h"
#include "probe/probe_options.h"

/*
 * Prints facts or checks of the machine below o->root, or looks at or changes the drivers
 * of the machine that 'host' leads to. The exit status, or -1 with *err filled.
 */
int probe_run(const struct probe_options *o, const struct binding_host *host,
	      struct err *err);

#endif
