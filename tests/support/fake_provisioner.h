/*
 * A provisioner that lends nothing real. Plans can name it in build/tests/support/tare, whose
 * table of kinds is tests/support/kinds; every lease says so in its facts
 * ({"type": "fake"}) and in its id ("fake:...").
 *
 *	"provisioners": { "lab": { "kind": "fake", "state_dir": "/tmp/x" } }
 *	"arms": { "vm": { "target": "vm", "provisioner": "lab", "port": 2222 } }
 *
 * A machine is a file in state_dir, named as the lease and holding {run_id, label}:
 * acquire makes it, release removes it, list and sweep read the folder. So a test sees
 * what a crash left with ls(1). Whatever listens at address and port (a local sshd, say)
 * plays the machine; with "wait": true acquire waits for its SSH greeting.
 *
 * Failures. Calls of acquire, release, sweep and list are counted from 1 over the life of
 * state_dir (the file .calls, so that a resumed process goes on counting), or by kind in
 * fail_call. The call number fail_at fails in the way that fail_how says:
 *
 *	error    -1, nothing was changed
 *	after    the work is done, but -1 comes back all the same (an answer that got lost)
 *	kill     the process gets SIGKILL before the work
 *	killed   the process gets SIGKILL after it
 */
#ifndef TARE_TESTS_SUPPORT_FAKE_PROVISIONER_H
#define TARE_TESTS_SUPPORT_FAKE_PROVISIONER_H

#include "harness/provision/provisioner.h"

extern const struct provisioner_kind fake_provisioner;

#endif
