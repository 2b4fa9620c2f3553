/* tare-probe: its command line, and what is done once that is read. */
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

/*
 * What a program does with its options: probe_run() with the machine that it is for. It
 * may change them, but leaves what it puts there to fields_release(). Returns and gives
 * *ret_status as probe_run() does.
 */
typedef int probe_act(struct probe_options *o, int *ret_status, struct err *err);

/* All of main(): reads the command line, acts, says what failed; returns the exit status. */
int probe_main(int argc, char **argv, probe_act *act);

#endif
