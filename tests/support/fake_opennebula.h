/*
 * A FAKE OpenNebula front-end for tests: it speaks XML-RPC on 127.0.0.1 as the recorded
 * exchanges of a 7.4.0 front-end show, with hosts, PCI devices, templates, users, quotas
 * and a life for its machines, and it fails on demand. Nothing runs behind it.
 *
 * A machine's state moves on by one step with each look at it (one.vm.info), never with
 * the clock, so that tests see the same life every time.
 *
 * The world (see fake_opennebula_world.c): hosts gb200-a (0), h200-one (1), h100-mig (2),
 * dead (3, in error); templates gb200-1gpu (0), gb200-4gpu (1), h200-1gpu (2), mig-slice
 * (3), cpu-only (4), twin (5 and 6); users oneadmin:lab-opennebula and, with a quota of
 * one PCI device and few rights, alice:alicepw.
 */
#ifndef TARE_TESTS_SUPPORT_FAKE_OPENNEBULA_H
#define TARE_TESTS_SUPPORT_FAKE_OPENNEBULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_one;

/* What happens to one call. Those with AFTER are carried out first. */
enum fake_one_fault {
	FAKE_ONE_OK,
	FAKE_ONE_HTTP_404,
	FAKE_ONE_HTTP_500,
	FAKE_ONE_HTTP_503,
	FAKE_ONE_FAULT,           /* <fault> -501 */
	FAKE_ONE_DENIED,          /* 512 not authorized */
	FAKE_ONE_QUOTA,           /* 512 limit reached */
	FAKE_ONE_AUTH,            /* 256 */
	FAKE_ONE_NO_EXISTS,       /* 1024 */
	FAKE_ONE_ACTION,          /* 2048 */
	FAKE_ONE_INTERNAL,        /* 8192 */
	FAKE_ONE_ELECTION,        /* 8192, the cluster has no leader */
	FAKE_ONE_TRUNCATED,       /* AFTER: XML that ends in the middle */
	FAKE_ONE_INNER_TRUNCATED, /* AFTER: the document inside ends in the middle */
	FAKE_ONE_GARBAGE,         /* AFTER: not XML */
	FAKE_ONE_WRONG_TYPES,     /* AFTER: an array of other types */
	FAKE_ONE_HANG,            /* no answer until the client goes */
	FAKE_ONE_HANG_AFTER,      /* AFTER: carried out, never answered */
	FAKE_ONE_RESET,           /* the connection is reset */
	FAKE_ONE_RESET_AFTER,     /* AFTER: reset instead of an answer */
	FAKE_ONE_EMPTY,           /* closed without a byte */
	FAKE_ONE_FAULTS_NR
};

/* What becomes of machines that are made from now on. */
enum fake_one_fate {
	FAKE_ONE_RUNS,
	FAKE_ONE_STAYS_PENDING,
	FAKE_ONE_STAYS_IN_PROLOG,
	FAKE_ONE_PROLOG_FAILURE,
	FAKE_ONE_BOOT_FAILURE,
	FAKE_ONE_LOST_ONCE,   /* UNKNOWN for one look, then RUNNING */
	FAKE_ONE_LOST,        /* UNKNOWN for good */
	FAKE_ONE_WITHOUT_GPU, /* RUNNING, but PCI has no ADDRESS */
	FAKE_ONE_FOREIGN_GPU, /* RUNNING, but the host says the device is another's */
	FAKE_ONE_KEEPS_GPU,   /* DONE, but the device stays taken */
	FAKE_ONE_NEVER_ENDS,  /* terminate is taken and nothing happens */
	FAKE_ONE_WITHOUT_NIC,
	FAKE_ONE_CLONING_FAILURE,
	FAKE_ONE_STRANGE_STATE, /* a state of a later release */
	FAKE_ONE_FATES_NR
};

/* port 0: any free one. NULL with errno when it cannot listen. */
struct fake_one *fake_one_start(uint16_t port);
void fake_one_stop(struct fake_one *f); /* ends the thread and frees; NULL is fine */

uint16_t fake_one_port(const struct fake_one *f);
/* "http://127.0.0.1:PORT/RPC2"; borrowed */
const char *fake_one_endpoint(const struct fake_one *f);
/* A port that greets as an SSH server does and hangs up: what a guest would offer. */
uint16_t fake_one_ssh_port(const struct fake_one *f);

/* The n-th call from now on, counted from 1; is_lasting: and all that follow. */
void fake_one_fail_at(struct fake_one *f, unsigned n, enum fake_one_fault fault,
		      bool is_lasting);
void fake_one_set_fate(struct fake_one *f, enum fake_one_fate fate);
void fake_one_set_latency(struct fake_one *f, unsigned ms); /* of each answer */
/* What machines say their address is; "127.0.0.1" at first. */
void fake_one_set_address(struct fake_one *f, const char *address);
/* Makes machines tell this as their host key (TARE_SSH_HOST_KEY); NULL: none. */
void fake_one_set_host_key(struct fake_one *f, const char *key);
/* Lets alice do what an administrator of OpenNebula would grant a benchmark's user. */
void fake_one_grant(struct fake_one *f);
/* Makes PCI in a user's own template a restricted attribute in effect, as
 * VM_RESTRICTED_ATTR="PCI/SHORT_ADDRESS" and so on do; in 7.4.0 "PCI" does not. */
void fake_one_restrict(struct fake_one *f);
/* Machines of others and, every 'of_run_every'-th, of run 'run_id', for big pools. */
void fake_one_fill(struct fake_one *f, unsigned nr, unsigned of_run_every,
		   const char *run_id);
void fake_one_set_host_state(struct fake_one *f, int host, int state);
int fake_one_host_state(struct fake_one *f, int host);
/* A machine of somebody else on that host, without a device. */
void fake_one_add_neighbour(struct fake_one *f, int host);
void fake_one_reset(struct fake_one *f); /* the world as it was at the start */

unsigned fake_one_calls(struct fake_one *f); /* since the last fail_at or reset */
/* The method of the n-th of them, counted from 1; "" when there was none. Copied. */
void fake_one_method(struct fake_one *f, unsigned n, char *text, size_t size);
/* The last request's body; free(). */
char *fake_one_last_request(struct fake_one *f);
unsigned fake_one_living_vms(struct fake_one *f);
unsigned fake_one_held_devices(struct fake_one *f);

const char *fake_one_fault_name(enum fake_one_fault fault); /* "reset-after" */
const char *fake_one_fate_name(enum fake_one_fate fate);

#endif
