/* tare-probe: its command line, and what is done once that is read. */
#ifndef TARE_PROBE_PROBE_H
#define TARE_PROBE_PROBE_H

#include "core/options/opt.h"
#include "probe/binding.h"

struct probe_options {
	bool json;
	char *output;
	char *root;
	bool check;
	char *bind, *override;
	bool binding;
	struct strvec devices;
	bool any_device;
	int mig; /* 0: not asked for; else 1 + enum mig_partition_action */
	struct strvec profiles;
	char *layout;
	bool switch_mode;
	int64_t patience_ns;
};

extern const struct opt_command probe_command;

/*
 * Prints facts or checks of the machine below o->root, or looks at or changes the drivers
 * of the machine that 'host' leads to. The exit status, or -1 with *err filled.
 */
int probe_run(const struct probe_options *o, const struct binding_host *host,
	      struct err *err);

#endif
