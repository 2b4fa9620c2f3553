/*
 * The OpenNebula provisioner opened on a FAKE front-end (tests/support/fake_opennebula.h)
 * of its own for each test, with a scratch folder. Whatever goes wrong in here fails the
 * test.
 */
#ifndef TARE_TESTS_SUPPORT_ONE_RIG_H
#define TARE_TESTS_SUPPORT_ONE_RIG_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "harness/provision/opennebula/opennebula.h"
#include "tests/support/fake_opennebula.h"

#include <stdint.h>

#define ONE_RIG_RUN "20261122T191725-3f9a1c2b"

/* A machine of a plan: one device of one host. */
#define ONE_RIG_PINNED                                                              \
	"{\"template\": \"gb200-1gpu\", \"pin\": {\"host\": \"gb200-a\", \"gpu\": " \
	"\"0018:01:00.0\"}}"

struct one_rig {
	struct fake_one *fake;
	char *dir, *auth; /* auth: the file of an administrator */
	struct provisioner *p;
	struct err err;
};

/* Around each test, whose *state then is the rig. */
int one_rig_set_up(void **state);
int one_rig_tear_down(void **state);

/* Another user or number of repeated readings. Its patience is far more than calm needs. */
struct provisioner *one_rig_open(struct one_rig *w, const char *auth, int retries);
/*
 * With so much time for a call and for giving back, for tests in which one of them passes.
 * How much a busy machine needs for what comes before, nobody knows: such a test tries
 * again with more until what must happen does, and fails at ONE_RIG_PATIENCE_NS.
 */
struct provisioner *one_rig_open_within(struct one_rig *w, int64_t call_ns,
					int64_t release_ns);
#define ONE_RIG_PATIENCE_NS (INT64_C(20) * 1000000000)

struct json_object *one_rig_parse(const char *text); /* json_object_put() */

/* As provisioner_acquire(), of a machine in JSON; the error is in the rig. */
int one_rig_acquire_within(struct one_rig *w, struct provisioner *p, const char *machine,
			   int64_t timeout_ns, struct lease **ret);
int one_rig_acquire(struct one_rig *w, const char *machine, struct lease **ret);

/* The fake has neither a machine nor a device that is held. */
void one_rig_nothing_left(struct one_rig *w);

#endif
