/*
 * MIG partitions of a GPU of this machine as one action: what 'tare mig' and
 * 'tare-probe --mig' do, on core/machine/mig.h. Profile names and numbers are the driver's own.
 *
 * An action that changes anything first looks: at the profiles asked for and whether they
 * fit together, at MIG mode, and at the processes that compute on the GPU, for it would take
 * it away under them. It refuses with a sentence that says what to do. The document tells
 * what was there before, and MIG_PARTITION_RESTORE puts exactly that back.
 */
#ifndef TARE_CORE_MACHINE_MIG_PARTITION_H
#define TARE_CORE_MACHINE_MIG_PARTITION_H

#include "core/base/err.h"
#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mig_partition_action {
	MIG_PARTITION_LIST,
	MIG_PARTITION_APPLY,
	MIG_PARTITION_RESTORE,
	MIG_PARTITION_CLEAR
};

struct mig_partition_request {
	enum mig_partition_action action;
	/* UUID, PCI address or number. NULL: the machine's only GPU; LIST: every one. */
	const char *device;
	/* APPLY: profiles as mig_profile_find() takes them ("1g.18gb", "2"), made in this
	 * order in place of what is there. */
	const char *const *profiles;
	size_t nr;
	struct json_object *layout; /* RESTORE: mig_layout_json(); names its GPU itself */
	bool may_switch;     /* APPLY may switch MIG mode on where it is off, CLEAR off */
	bool is_dry;         /* look and refuse as usual, change nothing */
	int64_t patience_ns; /* how long processes on the GPU are waited for */
	/* Told before the first change, in words: "GPU-...: 3g.71gb goes; 1g.18gb is
	 * made". NULL: nobody is told. */
	void (*tell)(const char *what);
};

/*
 * *ret, owned by the caller and there on failure too (NULL only where no driver answers):
 *
 *	{schema: "tare.mig/1", action, changed, error, before: layout or null, gpus: [{uuid,
 *	 name, pci_address, multiprocessors, processes, layout, why_no_layout, profiles}]}
 *
 * 'gpus' is how they are afterwards; a GPU without MIG has layout and profiles null.
 */
int mig_partition_act(const struct mig_partition_request *want, struct json_object **ret,
		      struct err *err);

#endif
