/* The command line of tare-probe. */
#ifndef TARE_PROBE_PROBE_OPTIONS_H
#define TARE_PROBE_PROBE_OPTIONS_H

#include "core/options/opt.h"

#include <stdbool.h>

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

#endif
