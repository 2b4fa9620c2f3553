/*
 * Machines that exist already: a fixed list in the plan, of which a lease takes the first
 * that nobody uses. It starts and stops nothing.
 *
 *	"provisioners": { "lab": { "kind": "list", "machines": [
 *		{ "address": "gb200-07", "user": "root", "key_file": "~/.ssh/id_ed25519",
 *		  "host_key_sha256": "SHA256:..." } ] } }
 *
 * A machine on loan is a file <address>-<port>.json in lock_dir with the run's id, so
 * that two runs on this computer (or on several that share lock_dir) do not meet on one
 * machine, and so that 'tare clean' gives back what a killed run held. An acquire waits
 * for a machine to become free until its time is up.
 */
#ifndef TARE_HARNESS_PROVISION_LIST_LIST_H
#define TARE_HARNESS_PROVISION_LIST_LIST_H

#include "harness/provision/provisioner.h"

extern const struct provisioner_kind list_provisioner;

#endif
