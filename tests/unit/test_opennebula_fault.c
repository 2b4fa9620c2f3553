/*
 * The life of a lease against the FAKE front-end (tests/support/fake_opennebula.h) with its
 * n-th call failing, for every n and every way to fail. What must hold at the end is
 * counted by the fake itself: no machine, no device.
 */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/strvec.h"
#include "tests/support/one_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The whole life: acquire, release. With its n-th call failing once, it either ends with
 * an error that names that call, or (where giving back tried again) well; never with a
 * machine or a device. The names come from the fake's own record of the calls.
 */
static bool live(struct one_rig *w, struct provisioner *p, bool *ret_released)
{
	struct lease *l;

	*ret_released = false;
	if (one_rig_acquire_within(w, p, ONE_RIG_PINNED, ONE_RIG_PATIENCE_NS, &l))
		return false;
	*ret_released = true;
	return !provisioner_release(p, l, &w->err);
}

/* What was wrong, in words; NULL: nothing. */
static char *fail_call(struct one_rig *w, struct provisioner *p, unsigned n,
		       enum fake_one_fault fault)
{
	const char *name = fake_one_fault_name(fault);
	char method[48];
	bool released, lived;

	fake_one_reset(w->fake);
	fake_one_fail_at(w->fake, n, fault, false);
	lived = live(w, p, &released);
	fake_one_method(w->fake, n, method, sizeof(method));
	if (!lived && !strstr(w->err.text, method))
		return x_asprintf("%s at call %u: '%s' does not name %s", name, n,
				  w->err.text, method);
	if (lived && !released)
		return x_asprintf("%s at call %u (%s) went unnoticed", name, n, method);
	if (fake_one_living_vms(w->fake) || fake_one_held_devices(w->fake))
		return x_asprintf("%s at call %u (%s): left %u machines, %u devices (%s)",
				  name, n, method, fake_one_living_vms(w->fake),
				  fake_one_held_devices(w->fake), w->err.text);
	return NULL;
}

/* Only what hangs makes time pass; short, it may be too short for a call that does not. */
static void check_call(struct one_rig *w, unsigned n, enum fake_one_fault fault)
{
	bool hangs = fault == FAKE_ONE_HANG || fault == FAKE_ONE_HANG_AFTER;
	int64_t ns = hangs ? 100 * NS_PER_MS : ONE_RIG_PATIENCE_NS;
	char *why = NULL;

	do {
		struct provisioner *p = one_rig_open_within(w, ns, ONE_RIG_PATIENCE_NS);

		free(why);
		why = fail_call(w, p, n, fault);
		provisioner_free(p);
		ns *= 4;
	} while (why && ns < ONE_RIG_PATIENCE_NS);
	if (why)
		fail_msg("%s", why);
}

static unsigned calls_of_a_life(struct one_rig *w, unsigned *ret_acquire)
{
	struct lease *l;

	fake_one_reset(w->fake);
	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	*ret_acquire = fake_one_calls(w->fake);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	return fake_one_calls(w->fake);
}

static void every_call_fails_in_every_way(void **state)
{
	struct one_rig *w = *state;
	unsigned before, calls = calls_of_a_life(w, &before);

	assert_true(calls >= 12);
	for (int fault = FAKE_ONE_OK + 1; fault < FAKE_ONE_FAULTS_NR; fault++) {
		for (unsigned n = 1; n <= calls; n++)
			check_call(w, n, fault);
	}
}

/* Dead from call n on. The call that met it is named, if there was the time to make it. */
static void die_at(struct one_rig *w, unsigned n)
{
	for (int64_t ns = 400 * NS_PER_MS; ns < ONE_RIG_PATIENCE_NS; ns *= 2) {
		struct provisioner *brief =
			one_rig_open_within(w, ONE_RIG_PATIENCE_NS, ns);
		bool released, lived;

		fake_one_reset(w->fake);
		fake_one_fail_at(w->fake, n, FAKE_ONE_RESET_AFTER, true);
		lived = live(w, brief, &released);
		provisioner_free(brief);
		assert_false(lived);
		if (strstr(w->err.text, "one."))
			return;
	}
	fail_msg("death at call %u: '%s' names no call", n, w->err.text);
}

/* The front-end dies at call n and stays dead; later 'tare clean' finishes the job. */
static void dies_at_every_call(void **state)
{
	struct one_rig *w = *state;
	unsigned before, calls = calls_of_a_life(w, &before);

	for (unsigned n = 1; n <= calls; n++) {
		size_t nr;

		die_at(w, n);
		fake_one_fail_at(w->fake, 0, FAKE_ONE_OK, false);
		if (provisioner_sweep(w->p, ONE_RIG_RUN, &nr, &w->err))
			fail_msg("sweep after death at call %u: %s", n, w->err.text);
		one_rig_nothing_left(w);
	}
}

static void reads_are_repeated_when_asked(void **state)
{
	struct one_rig *w = *state;
	struct provisioner *patient = one_rig_open(w, w->auth, 2);
	bool released;

	fake_one_fail_at(w->fake, 1, FAKE_ONE_RESET, false); /* a pool: not repeated */
	assert_false(live(w, patient, &released));
	fake_one_fail_at(w->fake, 2, FAKE_ONE_RESET, false); /* one.template.info */
	assert_true(live(w, patient, &released));
	fake_one_fail_at(w->fake, 4, FAKE_ONE_ELECTION, false); /* instantiate */
	assert_true(live(w, patient, &released));
	provisioner_free(patient);
	one_rig_nothing_left(w);
}

/* A pool of 20,000 machines is 12 MB of XML here; a few of them are ours. */
static void a_pool_of_20000_machines(void **state)
{
	struct one_rig *w = *state;
	struct strvec names = {0};

	fake_one_fill(w->fake, 20000, 5000, ONE_RIG_RUN);
	assert_int_equal(provisioner_list(w->p, ONE_RIG_RUN, &names, &w->err), 0);
	assert_int_equal(names.nr, 4);
	strvec_release(&names);
}

int main(void)
{
#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, one_rig_set_up, one_rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(every_call_fails_in_every_way),
		WITH_RIG(dies_at_every_call),
		WITH_RIG(reads_are_repeated_when_asked),
		WITH_RIG(a_pool_of_20000_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
