/*
 * The life of a lease against the FAKE front-end (tests/support/fake_opennebula.h). What
 * must hold at the end is counted by the fake itself: no machine, no device.
 */
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "tests/support/child.h"
#include "tests/support/one_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_refused(struct one_rig *w, const char *machine, const char *part)
{
	struct lease *l;

	assert_int_equal(one_rig_acquire(w, machine, &l), -1);
	if (!strstr(w->err.text, part))
		fail_msg("'%s' does not hold '%s'", w->err.text, part);
	one_rig_nothing_left(w);
}

static void pinned_to_a_device(void **state)
{
	struct one_rig *w = *state;
	struct strvec names = {0};
	struct json_object *device;
	struct lease *l;

	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	assert_string_equal(lease_info(l)->name, "tare-" ONE_RIG_RUN "-r001-vm");
	assert_string_equal(lease_info(l)->address, "127.0.0.1");
	assert_true(lease_info(l)->boot_ns > 0);
	device = json_object_array_get_idx(json_member(lease_info(l)->facts, "devices"),
					   0);
	assert_string_equal(json_get_text(device, "address", ""), "0018:01:00:0");
	assert_string_equal(json_get_text(lease_info(l)->facts, "host", ""), "gb200-a");
	assert_int_equal(fake_one_held_devices(w->fake), 1);
	assert_int_equal(provisioner_list(w->p, ONE_RIG_RUN, &names, &w->err), 0);
	assert_int_equal(names.nr, 1);
	strvec_release(&names);
	assert_int_equal(provisioner_list(w->p, "another", &names, &w->err), 0);
	assert_int_equal(names.nr, 0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	one_rig_nothing_left(w);
}

static void all_four_gpus_of_a_grace_host(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;

	assert_int_equal(one_rig_acquire(w, "{\"template\": \"gb200-4gpu\"}", &l), 0);
	assert_int_equal(fake_one_held_devices(w->fake), 4);
	assert_int_equal(
		json_object_array_length(json_member(lease_info(l)->facts, "devices")),
		4);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	one_rig_nothing_left(w);
}

static void by_kind_and_by_profile(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;

	assert_int_equal(
		one_rig_acquire(w,
				"{\"template\": \"cpu-only\", \"gpu\": {\"count\": 2, "
				"\"device\": \"2330\", \"profile\": \"1130 (NVIDIA "
				"H100XM-2-20C)\"}, \"pin\": {\"host\": \"h100-mig\"}}",
				&l),
		0);
	assert_int_equal(fake_one_held_devices(w->fake), 2);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	assert_refused(w,
		       "{\"template\": \"cpu-only\", \"gpu\": {\"device\": \"2330\", "
		       "\"profile\": \"113 (NVIDIA H100XM-2-20C)\"}, \"pin\": {\"host\": "
		       "\"h100-mig\"}}",
		       "offers no profile");
	/* Without a pin nobody looks before: only the proof does. */
	assert_refused(w,
		       "{\"template\": \"cpu-only\", \"gpu\": {\"device\": \"2330\", "
		       "\"profile\": \"9999 (NO-SUCH-PROFILE)\"}}",
		       "does not offer");
}

static void says_what_is_wrong_before(void **state)
{
	struct one_rig *w = *state;

	assert_refused(w, "{\"template\": \"gb200-1gpo\"}", "did you mean 'gb200-1gpu'");
	assert_refused(w, "{\"template\": \"4242\"}", "there is no such template");
	assert_refused(w, "{\"template\": \"twin\"}", "ids 6 and 5");
	assert_refused(w, "{\"template\": \"0\", \"pin\": {\"host\": \"gb200-b\"}}",
		       "did you mean 'gb200-a'");
	assert_refused(w, "{\"template\": \"0\", \"pin\": {\"host\": \"dead\"}}",
		       "is in error: Error monitoring Host dead");
	assert_refused(w,
		       "{\"template\": \"0\", \"pin\": {\"host\": \"gb200-a\", \"gpu\": "
		       "\"0020:01:00.0\"}}",
		       "has no device 0020:01:00.0");
	assert_refused(w, "{\"template\": \"0\", \"pin\": {\"host\": \"h200-one\"}}",
		       "0 devices of the kind");
	assert_refused(w, "{\"template\": \"0\", \"gpu\": {\"vendor\": \"0x10de\"}}",
		       "gpu/vendor");
	assert_refused(w, "{\"template\": \"0\", \"pin\": {\"gpu\": \"01:00.0\"}}",
		       "'gpu' needs 'host'");
	assert_refused(w, "{\"template\": \"0\", \"pin\": {\"hosst\": \"x\"}}", "host");
}

static void a_second_machine_is_told_who_has_the_device(void **state)
{
	struct one_rig *w = *state;
	struct lease *l, *second;

	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &second), -1);
	assert_non_null(strstr(w->err.text, "belongs to VM 0"));
	assert_int_equal(fake_one_living_vms(w->fake), 1);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	one_rig_nothing_left(w);
}

/* Each bad end of a machine, and what its user must be told. */
static void bad_fates(void **state)
{
	static const struct {
		enum fake_one_fate fate;
		const char *part;
	} cases[] = {
		{FAKE_ONE_PROLOG_FAILURE, "PROLOG_FAILURE"},
		{FAKE_ONE_BOOT_FAILURE, "DEPLOY: fake"},
		{FAKE_ONE_LOST, "UNKNOWN"},
		{FAKE_ONE_WITHOUT_GPU, "RUNNING without its GPU"},
		{FAKE_ONE_FOREIGN_GPU, "VM 999"},
		{FAKE_ONE_WITHOUT_NIC, "no network card"},
		{FAKE_ONE_STRANGE_STATE, "does not know"},
	};
	struct one_rig *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_one_set_fate(w->fake, cases[i].fate);
		assert_refused(w, ONE_RIG_PINNED, cases[i].part);
		fake_one_reset(w->fake);
	}
	fake_one_set_fate(w->fake, FAKE_ONE_CLONING_FAILURE);
	assert_refused(w, "{\"template\": \"0\"}", "CLONING_FAILURE");
}

static void a_single_lost_reading_is_forgiven(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;

	fake_one_set_fate(w->fake, FAKE_ONE_LOST_ONCE);
	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	one_rig_nothing_left(w);
}

/* The machine is not there in the time that it has: the error says how far it came. */
static void assert_given_up(struct one_rig *w, const char *machine, const char *part)
{
	struct lease *l;

	for (int64_t ns = NS_PER_S / 10; ns < ONE_RIG_PATIENCE_NS; ns *= 2) {
		assert_int_equal(one_rig_acquire_within(w, w->p, machine, ns, &l), -1);
		one_rig_nothing_left(w);
		if (strstr(w->err.text, part))
			return;
	}
	fail_msg("'%s' does not hold '%s'", w->err.text, part);
}

static void waits_only_so_long(void **state)
{
	struct one_rig *w = *state;

	fake_one_set_fate(w->fake, FAKE_ONE_STAYS_PENDING);
	assert_given_up(w, "{\"template\": \"0\"}", "Unavailable PCI devices on hosts");
	fake_one_set_fate(w->fake, FAKE_ONE_STAYS_IN_PROLOG);
	assert_given_up(w, "{\"template\": \"0\"}", "still in state ACTIVE/PROLOG");
}

/* The machine is not given back in the time that there is: so says the error. */
static void assert_kept(struct one_rig *w, enum fake_one_fate fate, const char *part)
{
	for (int64_t ns = 400 * NS_PER_MS; ns < ONE_RIG_PATIENCE_NS; ns *= 2) {
		struct provisioner *brief =
			one_rig_open_within(w, ONE_RIG_PATIENCE_NS, ns);
		struct lease *l;
		int rc;

		fake_one_reset(w->fake);
		fake_one_set_fate(w->fake, fate);
		rc = one_rig_acquire_within(w, brief, ONE_RIG_PINNED, ONE_RIG_PATIENCE_NS,
					    &l);
		assert_int_equal(rc, 0);
		rc = provisioner_release(brief, l, &w->err);
		provisioner_free(brief);
		assert_int_equal(rc, -1);
		if (strstr(w->err.text, part))
			return;
	}
	fail_msg("'%s' does not hold '%s'", w->err.text, part);
}

static void says_when_it_cannot_let_go(void **state)
{
	struct one_rig *w = *state;

	assert_kept(w, FAKE_ONE_KEEPS_GPU, "device 0018:01:00.0 of host 'gb200-a' still");
	assert_kept(w, FAKE_ONE_NEVER_ENDS, "VM 0 may still be there");
}

/* Presses Ctrl-C twice as soon as the machine is made. */
static void press_twice(void *ctx, const char *what)
{
	(void)ctx;
	if (strncmp(what, "VM 0 is", 7) == 0 && !stop_requested()) {
		raise(SIGINT);
		raise(SIGINT);
	}
}

static void two_stops_leave_no_machine_body(void **state)
{
	void *rig;
	struct one_rig *w;
	struct lease *l;
	struct lease_request want = {
		.run_id = ONE_RIG_RUN,
		.label = "r001-vm",
		.workdir = "/nowhere",
		.timeout_ns = ONE_RIG_PATIENCE_NS,
		.note = press_twice,
	};

	(void)state;
	assert_int_equal(one_rig_set_up(&rig), 0);
	w = rig;
	stop_install();
	want.machine = one_rig_parse(ONE_RIG_PINNED);
	assert_int_equal(provisioner_acquire(w->p, &want, &l, &w->err), -1);
	assert_int_equal(w->err.kind, ERR_INTERRUPTED);
	assert_true(stop_requested());
	one_rig_nothing_left(w);
	json_object_put(want.machine);
	one_rig_tear_down(&rig);
}

/* Both come before the machine is undone: what was begun is ended all the same. */
static void two_stops_leave_no_machine(void **state)
{
	char text[1000];

	if (child_outcome(two_stops_leave_no_machine_body, state, text, sizeof(text)))
		fail_msg("%s", text);
	assert_non_null(strstr(text, "tare: stopping; what was begun is cleaned up"));
}

static void refuses_neighbours(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;

	fake_one_add_neighbour(w->fake, 0);
	assert_refused(w, ONE_RIG_PINNED, "runs 2 machines");
	assert_int_equal(
		one_rig_acquire(w,
				"{\"template\": \"gb200-1gpu\", \"shared_host\": true, "
				"\"pin\": {\"host\": \"0\"}}",
				&l),
		0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
}

static void host_key_through_onegate(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;

	fake_one_set_host_key(w->fake, "SHA256:abcdef");
	assert_int_equal(
		one_rig_acquire(w, "{\"template\": \"4\", \"host_key\": \"onegate\"}",
				&l),
		0);
	assert_string_equal(lease_info(l)->host_key_sha256, "SHA256:abcdef");
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	fake_one_set_host_key(w->fake, "abcdef");
	assert_refused(w, "{\"template\": \"4\", \"host_key\": \"onegate\"}",
		       "not of the form SHA256");
	fake_one_set_host_key(w->fake, NULL);
	assert_given_up(w, "{\"template\": \"4\", \"host_key\": \"onegate\"}", "OneGate");
}

static void a_user_without_rights(void **state)
{
	struct one_rig *w = *state;
	struct provisioner *admin = w->p;
	char *auth = path_join(w->dir, "alice");
	struct lease *l;

	assert_int_equal(file_write(auth, "alice:alicepw", 13, 0600, &w->err), 0);
	w->p = one_rig_open(w, auth, 0);
	/* Without the right to add attributes, the name carries the run's id. */
	assert_int_equal(one_rig_acquire(w, "{\"template\": \"cpu-only\"}", &l), 0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	assert_refused(w, "{\"template\": \"gb200-1gpu\"}", "HOST");
	assert_refused(w, "{\"template\": \"gb200-1gpu\", \"gpu\": {}}",
		       "TEMPLATE/* CREATE");
	assert_refused(w, ONE_RIG_PINNED, "sees no host at all");
	fake_one_grant(w->fake);
	assert_refused(w, ONE_RIG_PINNED, "\"by\": \"scheduler\"");
	assert_refused(w, "{\"template\": \"gb200-4gpu\"}", "a quota is used up");
	assert_int_equal(
		one_rig_acquire(w,
				"{\"template\": \"gb200-1gpu\", \"pin\": {\"by\": "
				"\"scheduler\", \"host\": \"gb200-a\", \"gpu\": "
				"\"0009:01:00.0\"}}",
				&l),
		0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);
	one_rig_nothing_left(w);
	assert_int_equal(file_write(auth, "alice:wrong", 11, 0600, &w->err), 0);
	provisioner_free(w->p);
	w->p = one_rig_open(w, auth, 0);
	assert_refused(w, ONE_RIG_PINNED, "does not know this user and secret");
	assert_null(strstr(w->err.text, "wrong"));
	assert_int_equal(err_exit_status(&w->err), EXIT_ENVIRONMENT);
	provisioner_free(w->p);
	w->p = admin;
	free(auth);
}

static void sweeps_what_a_crash_left(void **state)
{
	struct one_rig *w = *state;
	struct lease *l;
	size_t nr = 99;

	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	fake_one_fill(w->fake, 5, 0, "");
	fake_one_fill(w->fake, 1, 1, "another-run");
	assert_int_equal(provisioner_sweep(w->p, ONE_RIG_RUN, &nr, &w->err), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(fake_one_living_vms(w->fake), 6);
	assert_int_equal(fake_one_held_devices(w->fake), 0);
	assert_int_equal(provisioner_sweep(w->p, ONE_RIG_RUN, &nr, &w->err), 0);
	assert_int_equal(nr, 0);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0); /* gone already */
}

static void hosts_out_of_scheduling_and_back(void **state)
{
	struct one_rig *w = *state;
	char *was = NULL;

	assert_int_equal(provisioner_host_reserve(w->p, "gb200-a", &was, &w->err), 0);
	assert_string_equal(was, "enabled");
	assert_int_equal(fake_one_host_state(w->fake, 0), 4);
	assert_refused(w, ONE_RIG_PINNED, "is disabled");
	assert_int_equal(provisioner_host_restore(w->p, "gb200-a", was, &w->err), 0);
	assert_int_equal(fake_one_host_state(w->fake, 0), 2);
	assert_int_equal(provisioner_host_restore(w->p, "gb200-a", was, &w->err), 0);
	free(was);
	was = NULL;
	fake_one_set_host_state(w->fake, 0, 4);
	assert_int_equal(provisioner_host_reserve(w->p, "gb200-a", &was, &w->err), 0);
	assert_string_equal(was, "disabled");
	assert_int_equal(provisioner_host_restore(w->p, "gb200-a", was, &w->err), 0);
	assert_int_equal(fake_one_host_state(w->fake, 0), 4);
	free(was);
	fake_one_set_host_state(w->fake, 0, 2);
	fake_one_add_neighbour(w->fake, 0);
	assert_int_equal(provisioner_host_reserve(w->p, "gb200-a", &was, &w->err), -1);
	assert_int_equal(fake_one_host_state(w->fake, 0), 2);
}

/* Presses Ctrl-C while the call behind the one that disabled the host hangs. */
static void *press_when_disabled(void *arg)
{
	struct fake_one *fake = arg;
	int64_t deadline = clock_deadline_ns(ONE_RIG_PATIENCE_NS);

	while (fake_one_calls(fake) < 4 && !clock_passed(deadline))
		clock_sleep_until(clock_deadline_ns(NS_PER_MS));
	kill(getpid(), SIGINT);
	return NULL;
}

static void a_stop_leaves_no_host_disabled_body(void **state)
{
	struct one_rig *w;
	pthread_t thread;
	char *was = NULL;
	void *rig;

	(void)state;
	assert_int_equal(one_rig_set_up(&rig), 0);
	w = rig;
	stop_install();
	/* The pool, the host, disabling it, and the host again. */
	fake_one_fail_at(w->fake, 4, FAKE_ONE_HANG, false);
	assert_int_equal(pthread_create(&thread, NULL, press_when_disabled, w->fake), 0);
	assert_int_equal(provisioner_host_reserve(w->p, "gb200-a", &was, &w->err), -1);
	pthread_join(thread, NULL);
	assert_int_equal(w->err.kind, ERR_INTERRUPTED);
	assert_int_equal(fake_one_host_state(w->fake, 0), 2);
	one_rig_tear_down(&rig);
}

static void a_stop_leaves_no_host_disabled(void **state)
{
	child_run(a_stop_leaves_no_host_disabled_body, state);
}

int main(void)
{
#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, one_rig_set_up, one_rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(pinned_to_a_device),
		WITH_RIG(all_four_gpus_of_a_grace_host),
		WITH_RIG(by_kind_and_by_profile),
		WITH_RIG(says_what_is_wrong_before),
		WITH_RIG(a_second_machine_is_told_who_has_the_device),
		WITH_RIG(bad_fates),
		WITH_RIG(a_single_lost_reading_is_forgiven),
		WITH_RIG(waits_only_so_long),
		WITH_RIG(says_when_it_cannot_let_go),
		cmocka_unit_test(two_stops_leave_no_machine),
		WITH_RIG(refuses_neighbours),
		WITH_RIG(host_key_through_onegate),
		WITH_RIG(a_user_without_rights),
		WITH_RIG(sweeps_what_a_crash_left),
		WITH_RIG(hosts_out_of_scheduling_and_back),
		cmocka_unit_test(a_stop_leaves_no_host_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
