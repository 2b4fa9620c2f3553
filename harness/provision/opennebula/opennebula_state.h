/*
 * The states of an OpenNebula VM (include/VirtualMachine.h of release 7.4) as somebody
 * sees them who waits for it to run: one table, with a sentence for each way to fail.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_STATE_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_STATE_H

#include <stdint.h>

enum one_outlook {
	ONE_WAIT,   /* it gets there by itself */
	ONE_READY,  /* ACTIVE, RUNNING */
	ONE_HELD,   /* somebody must release or deploy it */
	ONE_LOST,   /* the agent does not know it; a single such reading may be false */
	ONE_FAILED, /* it will not run without help */
	ONE_ENDING, /* it is being ended or moved */
	ONE_GONE    /* DONE */
};

struct one_state {
	int16_t state, lcm; /* lcm -1: any */
	enum one_outlook outlook;
	const char *name; /* "ACTIVE/BOOT_FAILURE" */
	const char
		*remedy; /* for FAILED and others that do not run: what to do; or NULL */
};

#define ONE_STATE_DONE 6

/* Never NULL: an unknown pair is ONE_FAILED with a name that says so. */
const struct one_state *one_state_find(int64_t state, int64_t lcm);

#endif
