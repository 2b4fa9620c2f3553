/* What tare-probe does, once its command line is read. */
#ifndef TARE_HARNESS_PROBE_PROBE_H
#define TARE_HARNESS_PROBE_PROBE_H

#include "harness/probe/binding.h"
#include "harness/probe/options.h"

/*
 * Prints facts or checks of the machine below o->root, or looks at or changes the drivers
 * of the machine that 'host' leads to. *ret_status is the exit status of a 0 return.
 */
int probe_run(const struct probe_options *o, const struct binding_host *host,
	      int *ret_status, struct err *err);

#endif
