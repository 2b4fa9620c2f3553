/*
 * MIG partitions as an action, on the fake NVML of tests/support/fakes: what is refused
 * before anything is touched, what is told, and what comes back.
 */
#include "core/machine/mig_partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "tests/support/built.h"

static char told[512];

static void tell(const char *what)
{
	snprintf(told, sizeof(told), "%s", what);
}

static int set_up(void **state)
{
	char *dir = dir_make_temporary("tare-test-partition", NULL);
	char *path = dir ? path_join(dir, "gpus") : NULL;

	setenv("TARE_FAKE_NVML_STATE", path, 1);
	free(path);
	*state = dir;
	told[0] = '\0';
	return dir ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"TARE_FAKE_NVML_STATE",     "TARE_FAKE_NVML_SHAPE",
		"TARE_FAKE_NVML_OTHERS",    "TARE_FAKE_NVML_PENDING",
		"TARE_FAKE_NVML_CODE",      "TARE_FAKE_NVML_FAIL_AT",
		"TARE_FAKE_NVML_PLACELESS", "TARE_FAKE_NVML_UNREADABLE"};
	int rc = dir_remove(*state, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	free(*state);
	return rc;
}

static const char *const three[] = {"3g.71gb", "1"};
static const char *const two[] = {"2g.35gb"};

static struct json_object *act(const struct mig_partition_request *want)
{
	struct json_object *o;
	struct err err = ERR_INIT;

	if (mig_partition_act(want, &o, &err) != 0)
		fail_msg("%s", err.text);
	assert_null(json_member(o, "error"));
	return o;
}

/* The layout of the first GPU in the document, "3g.71gb@0 1g.18gb@4" or "off". */
static void check_layout(struct json_object *o, const char *path, const char *wanted)
{
	struct json_object *l = json_at(o, path);
	struct json_object *list = json_member(l, "instances");
	char text[256] = "";
	size_t at = 0;

	assert_non_null(l);
	if (!json_get_bool(l, "enabled", true))
		at += (size_t)snprintf(text, sizeof(text), "off");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s@%lld",
				       at ? " " : "", json_get_text(e, "profile", "?"),
				       (long long)json_get_int(e, "start", -1));
	}
	assert_string_equal(text, wanted);
}

static void check_refused(const struct mig_partition_request *want, enum err_kind kind,
			  const char *word)
{
	struct json_object *o;
	struct err err = ERR_INIT;

	told[0] = '\0';
	assert_int_equal(mig_partition_act(want, &o, &err), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, word))
		fail_msg("'%s' is not in: %s", word, err.text);
	assert_string_equal(json_get_text(o, "error", ""), err.text);
	assert_false(json_get_bool(o, "changed", true));
	assert_string_equal(told, "");
	json_object_put(o);
}

static void test_made_and_put_back(void **state)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = three,
					     .nr = 2,
					     .may_switch = true,
					     .tell = tell};
	struct json_object *first = act(&want), *second, *o;

	(void)state;
	assert_non_null(strstr(
		told, "there is: MIG mode off; will be: 3g.71gb at 0, 1g.18gb at 4"));
	check_layout(first, "before", "off");
	check_layout(first, "gpus/0/layout", "3g.71gb@0 1g.18gb@4");
	want = (struct mig_partition_request){
		.action = MIG_PARTITION_APPLY, .profiles = two, .nr = 1, .tell = tell};
	second = act(&want);
	check_layout(second, "gpus/0/layout", "2g.35gb@0");
	want = (struct mig_partition_request){.action = MIG_PARTITION_RESTORE,
					      .layout = json_member(second, "before")};
	o = act(&want);
	check_layout(o, "gpus/0/layout", "3g.71gb@0 1g.18gb@4");
	json_object_put(o);
	o = act(&want); /* it is as wanted already */
	assert_false(json_get_bool(o, "changed", true));
	json_object_put(o);
	want.layout = json_member(first, "before");
	o = act(&want);
	check_layout(o, "gpus/0/layout", "off");
	json_object_put(o);
	json_object_put(first);
	json_object_put(second);
}

static void test_refusals(void **state)
{
	static const char *const unknown[] = {"5g.1gb"};
	struct mig_partition_request want = {
		.action = MIG_PARTITION_APPLY, .profiles = two, .nr = 1, .tell = tell};

	(void)state;
	check_refused(&want, ERR_ENVIRONMENT,
		      "MIG mode is off; as root: nvidia-smi -i GPU-fafafafa");
	want.may_switch = true;
	want.profiles = unknown;
	check_refused(&want, ERR_USAGE, "no MIG profile '5g.1gb'; it has 1g.18gb");
	want.nr = 0;
	check_refused(&want, ERR_USAGE, "which MIG profiles?");
	want.nr = 1;
	want.profiles = two;
	setenv("TARE_FAKE_NVML_OTHERS", "2", 1);
	check_refused(&want, ERR_ENVIRONMENT, "2 processes compute on it (1, 2)");
	want.action = MIG_PARTITION_CLEAR;
	check_refused(&want, ERR_ENVIRONMENT, "2 processes compute on it");
	unsetenv("TARE_FAKE_NVML_OTHERS");
	want.device = "GPU-none";
	check_refused(&want, ERR_ENVIRONMENT, "no such GPU 'GPU-none'");
	want.device = NULL;
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	check_refused(&want, ERR_USAGE, "4 GPUs: say which one");
}

static void test_dry_run_changes_nothing(void **state)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = two,
					     .nr = 1,
					     .may_switch = true,
					     .is_dry = true,
					     .tell = tell};
	struct json_object *o = act(&want);

	(void)state;
	assert_non_null(strstr(told, "will be: 2g.35gb at 0"));
	assert_false(json_get_bool(o, "changed", true));
	check_layout(o, "gpus/0/layout", "off");
	json_object_put(o);
}

/* The layout that is there, made anew for each test. */
static void make_three(void)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = three,
					     .nr = 2,
					     .may_switch = true};

	json_object_put(act(&want));
}

static void check_three_are_there(void)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_LIST};
	struct json_object *o = act(&want);

	check_layout(o, "gpus/0/layout", "3g.71gb@0 1g.18gb@4");
	json_object_put(o);
}

/* What cannot fit is refused before anything goes, dry or not. */
static void test_what_does_not_fit_destroys_nothing(void **state)
{
	static const char *const too_much[][4] = {
		{"3g.71gb", "3g.71gb", "1g.18gb"}, /* nine memory slices of eight */
		{"4g.71gb", "4g.71gb"},            /* it has one place */
		{"1g.18gb+me", "1g.18gb+me"},      /* one of a GPU */
		{"4g.71gb", "2g.35gb", "2g.35gb"}, /* eight compute slices of seven */
	};
	static const char overlapping[] =
		"{\"gpu\": \"GPU-fafafafa-fafa-fafa-fafa-fafafafafa00\", \"enabled\": true, "
		"\"pending\": true, \"instances\": ["
		"{\"id\": 1, \"profile\": \"3g.71gb\", \"profile_id\": 9, \"start\": 0, "
		"\"size\": 4, \"uuid\": \"\"}, "
		"{\"id\": 2, \"profile\": \"2g.35gb\", \"profile_id\": 14, \"start\": 2, "
		"\"size\": 2, \"uuid\": \"\"}]}";
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY, .tell = tell};

	(void)state;
	make_three();
	for (size_t i = 0; i < ARRAY_SIZE(too_much); i++) {
		want.profiles = too_much[i];
		for (want.nr = 0; want.nr < 4 && too_much[i][want.nr];)
			want.nr++;
		for (int dry = 0; dry < 2; dry++) {
			want.is_dry = dry;
			check_refused(&want, ERR_USAGE, "do not fit on one GPU together");
			check_three_are_there();
		}
	}
	want = (struct mig_partition_request){.action = MIG_PARTITION_RESTORE,
					      .tell = tell};
	want.layout = json_parse(overlapping, strlen(overlapping), "test", NULL);
	check_refused(&want, ERR_USAGE, "do not fit on one GPU together");
	check_three_are_there();
	json_object_put(want.layout);
}

/* A small one asked for first leaves the places that only the large ones have. */
static void test_places_are_found_for_all(void **state)
{
	static const char *const wanted[] = {"1g.18gb", "2g.35gb", "4g.71gb"};
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = wanted,
					     .nr = 3,
					     .may_switch = true,
					     .tell = tell};
	struct json_object *o = act(&want);

	(void)state;
	assert_non_null(strstr(told, "1g.18gb at 4, 2g.35gb at 6, 4g.71gb at 0"));
	check_layout(o, "gpus/0/layout", "4g.71gb@0 1g.18gb@4 2g.35gb@6");
	json_object_put(o);
}

/* A driver that does not tell places refuses only in the middle: then all comes back. */
static void test_what_fails_halfway_is_put_back(void **state)
{
	static const char *const too_much[] = {"3g.71gb", "3g.71gb", "1g.18gb"};
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = too_much,
					     .nr = 3,
					     .tell = tell};
	struct json_object *o;
	struct err err = ERR_INIT;

	(void)state;
	make_three();
	setenv("TARE_FAKE_NVML_PLACELESS", "1", 1);
	assert_int_equal(mig_partition_act(&want, &o, &err), -1);
	assert_non_null(strstr(err.text, "NVML_ERROR_INSUFFICIENT_RESOURCES"));
	assert_non_null(strstr(err.text, "what was there is back"));
	check_layout(o, "gpus/0/layout", "3g.71gb@0 1g.18gb@4");
	json_object_put(o);
}

/* A GPU that fell off the bus is told, in its place. */
static void test_a_lost_gpu_is_listed(void **state)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_LIST};
	struct json_object *o, *lost;

	(void)state;
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	setenv("TARE_FAKE_NVML_UNREADABLE", "2", 1);
	o = act(&want);
	assert_int_equal(json_length(json_member(o, "gpus")), 4);
	lost = json_at(o, "gpus/2");
	assert_null(json_member(lost, "uuid"));
	assert_non_null(strstr(json_get_text(lost, "why_no_layout", ""), "GPU_IS_LOST"));
	json_object_put(o);
	want = (struct mig_partition_request){.action = MIG_PARTITION_CLEAR,
					      .device = "GPU-none"};
	check_refused(&want, ERR_ENVIRONMENT, "1 of them cannot be opened");
}

/* On Ampere the mode waits for a reset; a restore must not leave it waiting. */
static void test_a_pending_mode_is_put_back(void **state)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = two,
					     .nr = 1,
					     .may_switch = true};
	struct json_object *first, *o;
	struct err err = ERR_INIT;

	(void)state;
	setenv("TARE_FAKE_NVML_PENDING", "1", 1);
	assert_int_equal(mig_partition_act(&want, &first, &err), -1);
	assert_non_null(strstr(err.text, "MIG mode on is pending: reset the GPU"));
	o = json_at(first, "gpus/0/layout");
	assert_true(json_get_bool(o, "pending", false));
	want = (struct mig_partition_request){.action = MIG_PARTITION_RESTORE,
					      .layout = json_member(first, "before")};
	o = act(&want);
	assert_false(json_get_bool(json_at(o, "gpus/0/layout"), "pending", true));
	json_object_put(o);
	json_object_put(first);
}

/* Every call fails once, without permission: whatever was made, what was before is told,
 * and putting it back works. */
static void test_every_fault_can_be_undone(void **state)
{
	int failed = 0;

	(void)state;
	setenv("TARE_FAKE_NVML_CODE", "4", 1);
	for (int i = 1; i < 300; i++) {
		struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
						     .profiles = three,
						     .nr = 2,
						     .may_switch = true};
		struct json_object *o, *back;
		struct err err = ERR_INIT;
		char number[16];

		snprintf(number, sizeof(number), "%d", i);
		setenv("TARE_FAKE_NVML_FAIL_AT", number, 1);
		failed += mig_partition_act(&want, &o, &err) != 0;
		unsetenv("TARE_FAKE_NVML_FAIL_AT");
		want = (struct mig_partition_request){.action = MIG_PARTITION_RESTORE,
						      .layout = json_member(o, "before")};
		if (want.layout) {
			back = act(&want);
			check_layout(back, "gpus/0/layout", "off");
			json_object_put(back);
		} else {
			assert_false(json_get_bool(o, "changed", false));
		}
		json_object_put(o);
	}
	assert_true(failed > 30);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_and_put_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dry_run_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_does_not_fit_destroys_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_places_are_found_for_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_fails_halfway_is_put_back,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_lost_gpu_is_listed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_pending_mode_is_put_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_every_fault_can_be_undone, set_up,
						tear_down),
	};

	(void)argc;
	if (built_start_on_fakes(argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
