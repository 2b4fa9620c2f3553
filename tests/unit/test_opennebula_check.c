/*
 * What 'tare check' is told of an OpenNebula arm, by the FAKE front-end
 * (tests/support/fake_opennebula.h).
 */
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "tests/support/one_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct json_object *check_named(struct json_object *report, const char *name,
					     const char *state)
{
	struct json_object *list = json_member(report, "checks");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *c = json_object_array_get_idx(list, i);

		if (!strcmp(json_get_text(c, "name", ""), name) &&
		    !strcmp(json_get_text(c, "state", ""), state))
			return c;
	}
	fail_msg("no check %s is %s in %s", name, state, json_text(report));
	return NULL;
}

static struct json_object *check(struct one_rig *w, const char *machine)
{
	struct json_object *o = one_rig_parse(machine), *report = NULL;

	assert_int_equal(provisioner_check(w->p, o, &report, &w->err), 0);
	json_object_put(o);
	return report;
}

static void preflight(void **state)
{
	struct one_rig *w = *state;
	struct provisioner *admin = w->p;
	char *auth = path_join(w->dir, "alice");
	struct json_object *r = check(w, ONE_RIG_PINNED), *gpu;
	struct lease *l;

	check_named(r, "host", "ok");
	check_named(r, "template", "ok");
	assert_int_equal(json_object_array_length(json_member(r, "gpus")), 7);
	json_object_put(r);
	assert_int_equal(one_rig_acquire(w, ONE_RIG_PINNED, &l), 0);
	r = check(w, ONE_RIG_PINNED);
	check_named(r, "host", "failed");
	check_named(r, "leftovers", "warning");
	/* Hosts come with ids descending: gb200-a is the last, its third device is taken. */
	gpu = json_object_array_get_idx(json_member(r, "gpus"), 5);
	assert_string_equal(json_get_text(gpu, "address", ""), "0018:01:00.0");
	assert_false(json_get_bool(gpu, "is_free", true));
	assert_string_equal(json_get_text(gpu, "owner", ""), "oneadmin");
	json_object_put(r);
	assert_int_equal(provisioner_release(w->p, l, &w->err), 0);

	assert_int_equal(file_write(auth, "alice:alicepw", 13, 0600, &w->err), 0);
	w->p = one_rig_open(w, auth, 0);
	r = check(w, ONE_RIG_PINNED);
	check_named(r, "host", "failed");
	check_named(r, "rights", "failed");
	json_object_put(r);
	fake_one_grant(w->fake);
	r = check(w, "{\"template\": \"gb200-4gpu\"}");
	check_named(r, "quota", "failed");
	check_named(r, "host", "ok");
	json_object_put(r);
	provisioner_free(w->p);
	w->p = admin;
	free(auth);
}

static struct json_object *try_isolation(struct one_rig *w)
{
	struct json_object *o = one_rig_parse("{\"template\": \"cpu-only\"}"), *report;

	if (provisioner_check_isolation(w->p, o, "run-9", &report, &w->err))
		fail_msg("%s", w->err.text);
	json_object_put(o);
	assert_int_equal(fake_one_living_vms(w->fake), 0);
	return report;
}

/*
 * The hole of 7.4.0 (recorded: template.instantiate.regular_user_pci_override), that it is
 * shut by sub-attributes (pci_override_blocked_by_subattr), and that nothing stays.
 */
static void isolation(void **state)
{
	struct one_rig *w = *state;
	struct provisioner *admin = w->p;
	char *auth = path_join(w->dir, "alice");
	struct json_object *r = try_isolation(w);

	check_named(r, "account", "unknown"); /* an administrator proves nothing */
	json_object_put(r);
	assert_int_equal(file_write(auth, "alice:alicepw", 13, 0600, &w->err), 0);
	w->p = one_rig_open(w, auth, 0);
	r = try_isolation(w);
	check_named(r, "by-address", "ok"); /* she may add nothing */
	check_named(r, "hosts", "ok");
	check_named(r, "quota", "ok");
	check_named(r, "placing", "ok");
	json_object_put(r);
	fake_one_grant(w->fake);
	r = try_isolation(w);
	check_named(r, "by-address", "failed");
	check_named(r, "by-kind", "failed");
	check_named(r, "hosts", "warning");
	json_object_put(r);
	fake_one_restrict(w->fake);
	r = try_isolation(w);
	check_named(r, "by-address", "ok");
	check_named(r, "by-kind", "ok");
	json_object_put(r);
	provisioner_free(w->p);
	w->p = admin;
	free(auth);
}

/* Failing at call n, for every n: an error or a report, and no machine either way. */
static void isolation_leaves_nothing(void **state)
{
	static const enum fake_one_fault faults[] = {FAKE_ONE_RESET, FAKE_ONE_RESET_AFTER,
						     FAKE_ONE_HTTP_503, FAKE_ONE_GARBAGE};
	struct one_rig *w = *state;
	struct provisioner *admin = w->p;
	char *auth = path_join(w->dir, "alice");
	struct json_object *o = one_rig_parse("{\"template\": \"cpu-only\"}");

	assert_int_equal(file_write(auth, "alice:alicepw", 13, 0600, &w->err), 0);
	w->p = one_rig_open(w, auth, 0);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		for (unsigned n = 1;; n++) {
			struct json_object *report = NULL;

			err_clear(&w->err);
			fake_one_grant(w->fake);
			fake_one_fail_at(w->fake, n, faults[i], false);
			provisioner_check_isolation(w->p, o, "run-9", &report, &w->err);
			json_object_put(report);
			if (fake_one_calls(w->fake) < n)
				break;
			if (fake_one_living_vms(w->fake))
				fail_msg("call %u leaves a machine: %s", n, w->err.text);
		}
	}
	fake_one_fail_at(w->fake, 0, FAKE_ONE_OK, false);
	json_object_put(o);
	provisioner_free(w->p);
	w->p = admin;
	free(auth);
}

int main(void)
{
#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, one_rig_set_up, one_rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(preflight),
		WITH_RIG(isolation),
		WITH_RIG(isolation_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
