/*
 * NVML's door, telemetry and MIG on the fake library of tests/support/fakes, with which
 * the test starts itself again (tests/support/built.h).
 */
#include "core/machine/mig.h"
#include "core/machine/nvml.h"
#include "core/machine/telemetry.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/support/built.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int clear_faults(void **state)
{
	static const char *const names[] = {
		"TARE_FAKE_NVML_SHAPE",      "TARE_FAKE_NVML_FAIL_AT",
		"TARE_FAKE_NVML_CODE",       "TARE_FAKE_NVML_NA",
		"TARE_FAKE_NVML_BUSY",       "TARE_FAKE_NVML_OTHERS",
		"TARE_FAKE_NVML_PENDING",    "TARE_FAKE_NVML_BRAKE",
		"TARE_FAKE_NVML_NEIGHBOURS", "TARE_FAKE_NVML_INIT",
		"TARE_FAKE_NVML_GPUS",       "TARE_FAKE_NVML_UNREADABLE",
		"TARE_FAKE_NVML_SET"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	return 0;
}

static struct nvml *open_fake(struct nvml_gpu **ret_gpu)
{
	struct err err = ERR_INIT;
	struct nvml *n = nvml_open(&err);

	if (!n)
		print_error("%s\n", err.text);
	assert_non_null(n);
	assert_int_equal(nvml_gpu_at(n, 0, ret_gpu, &err), 0);
	return n;
}

static void test_facts(void **state)
{
	struct json_object *o, *gpu;

	(void)state;
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	o = nvml_machine_json(NULL);
	assert_string_equal(json_get_text(o, "driver", ""), "999.99.FAKE");
	assert_int_equal(json_object_array_length(json_member(o, "gpus")), 4);
	gpu = json_object_array_get_idx(json_member(o, "gpus"), 3);
	assert_string_equal(json_get_text(gpu, "uuid", ""),
			    "GPU-fafafafa-fafa-fafa-fafa-fafafafafa03");
	assert_string_equal(json_get_text(json_member(gpu, "pci"), "address", ""),
			    "0020:01:00.0");
	assert_false(json_get_bool(json_member(gpu, "mig"), "enabled", true));
	assert_true(json_get_real(gpu, "max_sm_clock_hz", 0) == 2062e6);
	assert_int_equal(json_get_int(gpu, "c2c_links", 0), 10);
	json_object_put(o);
}

/* What a GPU does not tell is null, and the rest is there. */
static void test_not_told(void **state)
{
	struct json_object *o, *gpu;

	(void)state;
	setenv("TARE_FAKE_NVML_NA", "1", 1);
	o = nvml_machine_json(NULL);
	gpu = json_object_array_get_idx(json_member(o, "gpus"), 0);
	assert_string_equal(json_get_text(gpu, "name", ""), "NVIDIA H200 (FAKE)");
	assert_true(json_object_object_get_ex(gpu, "ecc", NULL));
	assert_null(json_member(gpu, "ecc"));
	assert_null(json_member(gpu, "power_limit_w"));
	assert_null(json_member(gpu, "nvlinks"));
	json_object_put(o);
}

static void check_found(struct nvml *n, const char *which, const char *uuid)
{
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	char got[NVML_UUID_SIZE];

	assert_int_equal(nvml_gpu_find(n, which, &g, &err), 0);
	assert_int_equal(nvml_gpu_uuid(n, g, got, &err), 0);
	assert_string_equal(got, uuid);
}

static void test_find(void **state)
{
	static const char *const first = "GPU-fafafafa-fafa-fafa-fafa-fafafafafa00";
	static const char *const second = "GPU-fafafafa-fafa-fafa-fafa-fafafafafa01";
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n;

	(void)state;
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	n = open_fake(&g);
	check_found(n, second, second);
	check_found(n, "gpu-FAFAFAFA-fafa-fafa-fafa-fafafafafa01", second);
	check_found(n, "0010:01:00.0", second);
	check_found(n, "00000008:01:00.0", first);
	check_found(n, "1", second);
	assert_int_equal(nvml_gpu_find(n, "0010:02:00.0", &g, &err), -1);
	assert_non_null(strstr(err.text, "no such GPU '0010:02:00.0' among 4"));
	nvml_close(n);
}

/* Every call fails once; what was opened is closed (the sanitizers see to it). */
static void test_facts_survive_every_fault(void **state)
{
	(void)state;
	for (int i = 1; i < 60; i++) {
		struct err err = ERR_INIT;
		char number[16];
		struct json_object *o;

		snprintf(number, sizeof(number), "%d", i);
		setenv("TARE_FAKE_NVML_FAIL_AT", number, 1);
		o = nvml_machine_json(&err);
		/* To start and to count are needed; a fault says which call it was. */
		assert_true(i <= 2 || o);
		assert_true(o || err.text[0]);
		json_object_put(o);
		err_clear(&err);
	}
}

/* A GPU that fell off the bus stays where it was, so that no other takes its number. */
static void test_a_lost_gpu_keeps_its_place(void **state)
{
	struct json_object *o, *gpus;

	(void)state;
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	setenv("TARE_FAKE_NVML_UNREADABLE", "1", 1);
	o = nvml_machine_json(NULL);
	gpus = json_member(o, "gpus");
	assert_int_equal(json_length(gpus), 4);
	assert_non_null(strstr(json_get_text(json_at(gpus, "1"), "error", ""),
			       "NVML_ERROR_GPU_IS_LOST (15)"));
	assert_null(json_get_text(json_at(gpus, "1"), "uuid", NULL));
	assert_string_equal(json_get_text(json_at(gpus, "2"), "uuid", ""),
			    "GPU-fafafafa-fafa-fafa-fafa-fafafafafa02");
	assert_int_equal(json_length(json_member(o, "unreadable")), 1);
	assert_int_equal(json_object_get_int64(json_at(o, "unreadable/0")), 1);
	json_object_put(o);
}

/* The words are nvidia-smi's, and the remedy stands behind them. */
static void test_a_driver_that_does_not_start(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	setenv("TARE_FAKE_NVML_INIT", "18", 1);
	assert_null(nvml_machine_json(&err));
	assert_non_null(strstr(err.text, "Driver/library version mismatch"));
	assert_non_null(strstr(err.text, "modprobe"));
	err_clear(&err);
	setenv("TARE_FAKE_NVML_INIT", "9", 1);
	assert_null(nvml_machine_json(&err));
	assert_non_null(strstr(err.text, "couldn't communicate with the NVIDIA driver"));
}

static void test_health_and_sharing(void **state)
{
	struct json_object *o, *gpu;

	(void)state;
	o = nvml_machine_json(NULL);
	gpu = json_at(o, "gpus/0");
	assert_string_equal(json_get_text(gpu, "serial", ""), "1650000000000");
	assert_string_equal(json_get_text(gpu, "persistence", ""), "on");
	assert_string_equal(json_get_text(gpu, "virtualization", ""), "none");
	assert_string_equal(json_get_text(gpu, "cc_mode", ""), "off");
	assert_false(json_get_bool(gpu, "ecc_pending", true));
	assert_false(json_get_bool(gpu, "mps", true));
	assert_null(json_member(gpu, "vgpu_type"));
	json_object_put(o);
	setenv("TARE_FAKE_NVML_SET",
	       "ecc_next=0 remap_pending=1 remap_failed=1 retired_double=3 mps=2 fabric=2 "
	       "virtual=2 cc=1 nvle=1 compute=2",
	       1);
	o = nvml_machine_json(NULL);
	gpu = json_at(o, "gpus/0");
	assert_true(json_get_bool(gpu, "ecc_pending", false));
	assert_true(json_get_bool(json_at(gpu, "remap"), "pending", false));
	assert_true(json_get_bool(json_at(gpu, "remap"), "failed", false));
	assert_int_equal(json_get_int(json_at(gpu, "retired_pages"), "double", 0), 3);
	assert_string_equal(json_get_text(json_at(gpu, "fabric"), "state", ""),
			    "In Progress");
	assert_string_equal(json_get_text(gpu, "vgpu_type", ""), "NVIDIA H200 (FAKE)");
	assert_string_equal(json_get_text(gpu, "cc_mode", ""), "on");
	assert_string_equal(json_get_text(gpu, "compute_mode", ""), "prohibited");
	assert_true(json_get_bool(gpu, "nvlink_encryption", false));
	assert_true(json_get_bool(gpu, "mps", false));
	json_object_put(o);
}

static void test_errors_have_names(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	setenv("TARE_FAKE_NVML_FAIL_AT", "1", 1);
	assert_null(nvml_open(&err));
	assert_non_null(
		strstr(err.text, "NVML_ERROR_GPU_IS_LOST (15): said by the FAKE"));
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	setenv("TARE_FAKE_NVML_CODE", "4", 1);
	assert_null(nvml_open(&err));
	assert_non_null(strstr(err.text, "NVML_ERROR_NO_PERMISSION (4)"));
	assert_non_null(strstr(err.text, "run as root"));
}

static void test_processes(void **state)
{
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n = open_fake(&g);
	unsigned pids[4] = {0}, nr = 0;

	(void)state;
	assert_int_equal(nvml_processes(n, g, pids, 4, &nr, &err), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(pids[0], getpid());
	setenv("TARE_FAKE_NVML_OTHERS", "99", 1); /* more than fit into one answer */
	assert_int_equal(nvml_processes(n, g, pids, 4, &nr, &err), 0);
	assert_int_equal(nr, 100);
	nvml_close(n);
}

/* The thread has taken a sample when a reading with all four quantities is there. */
static struct json_object *watch(bool marks)
{
	struct err err = ERR_INIT;
	struct telemetry *t = telemetry_start("0000:17:00.0", &err);
	struct json_object *o;

	assert_non_null(t);
	if (marks) {
		telemetry_mark(t, true);
		telemetry_mark(t, false);
	}
	telemetry_stop(t);
	o = telemetry_json(t);
	telemetry_free(t);
	return o;
}

static void test_telemetry(void **state)
{
	struct json_object *o = watch(true);

	(void)state;
	assert_string_equal(json_get_text(o, "uuid", ""),
			    "GPU-fafafafa-fafa-fafa-fafa-fafafafafa00");
	/* One look at the begin and one at the end: 5 ms and 2 J apart. */
	assert_true(json_get_real(json_member(o, "throttle_s"), "sw_power_cap", 0) ==
		    0.005);
	assert_true(json_get_real(o, "energy_j", 0) == 2);
	assert_true(json_get_real(json_member(o, "ecc"), "corrected", -1) == 0);
	assert_true(json_get_real(json_member(o, "ecc"), "corrected_ever", -1) == 3);
	assert_null(json_member(json_member(o, "nvlink"), "tx_bytes"));
	assert_null(json_member(json_member(o, "pcie"), "generation"));
	json_object_put(o);
}

/* How often the thread has rested since, each time after a sample. */
static atomic_uint rests;
static atomic_bool is_restless; /* it does not wait for its next sample */

int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
			   const struct timespec *until)
{
	int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
		    const struct timespec *);

	assert_int_equal(clock, CLOCK_MONOTONIC);
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
	atomic_fetch_add(&rests, 1);
	return atomic_load(&is_restless) ? ETIMEDOUT : real(c, m, clock, until);
}

/* Watches the GPU until it was read so often. */
static struct telemetry *watch_long(unsigned samples)
{
	int64_t deadline = clock_deadline_ns(60 * NS_PER_S);
	struct telemetry *t;

	atomic_store(&rests, 0);
	t = telemetry_start("0", NULL);
	assert_non_null(t);
	while (atomic_load(&rests) < samples && !clock_passed(deadline))
		clock_sleep_until(clock_mono_ns() + NS_PER_MS);
	telemetry_stop(t);
	return t;
}

static void test_telemetry_samples(void **state)
{
	struct telemetry *t = watch_long(1);
	struct json_object *o = NULL;

	(void)state;
	assert_true(telemetry_mean_sm_clock_hz(t) == 1980e6);
	assert_true(telemetry_hardware_slowdown_s(t) == 0);
	assert_true(telemetry_uncorrected_errors(t) == 0);
	o = telemetry_json(t);
	assert_true(json_get_real(json_member(o, "power_w"), "mean", 0) == 432);
	assert_true(json_get_real(json_member(o, "temperature_c"), "mean", 0) == 51);
	assert_true(json_get_real(json_member(o, "memory_clock_hz"), "most", 0) ==
		    3201e6);
	assert_true(json_object_array_length(json_at(o, "series/power_w")) >= 1);
	/* one for each reading; the fake's power cap always holds */
	assert_int_equal(json_object_array_length(json_at(o, "series/reasons")),
			 json_object_array_length(json_at(o, "series/t_s")));
	assert_int_equal(json_object_get_int64(json_at(o, "series/reasons/0")), 4);
	json_object_put(o);
	telemetry_free(t);
}

/* Ten minutes and more: the end is told as well as the begin, a point for each four. */
static void test_a_long_watch_is_told_to_its_end(void **state)
{
	struct json_object *o, *times, *clocks;
	struct telemetry *t;
	size_t nr;

	(void)state;
	atomic_store(&is_restless, true);
	t = watch_long(6100);
	atomic_store(&is_restless, false);
	o = telemetry_json(t);
	times = json_at(o, "series/t_s");
	clocks = json_at(o, "series/sm_clock_hz");
	nr = (size_t)json_get_int(o, "samples", 0);
	assert_true(nr >= 6100);
	for (unsigned each = 1;; each *= 2)
		if (nr <= 3000 * each) {
			assert_int_equal(json_object_array_length(times),
					 (nr + each - 1) / each);
			assert_float_equal(
				json_get_real(json_member(o, "series"), "period_s", 0),
				each * 0.1, 1e-9);
			break;
		}
	assert_int_equal(json_object_array_length(clocks),
			 json_object_array_length(times));
	for (size_t i = 0; i < json_object_array_length(clocks); i++)
		assert_true(json_object_get_double(
				    json_object_array_get_idx(clocks, i)) == 1980e6);
	assert_true(json_get_real(json_member(o, "power_w"), "mean", 0) == 432);
	json_object_put(o);
	telemetry_free(t);
}

static void test_telemetry_brake_and_silence(void **state)
{
	struct err err = ERR_INIT;
	struct telemetry *t;

	(void)state;
	setenv("TARE_FAKE_NVML_BRAKE", "1", 1);
	t = telemetry_start("0", &err);
	telemetry_stop(t);
	assert_true(telemetry_hardware_slowdown_s(t) > 0.008);
	telemetry_free(t);
	unsetenv("TARE_FAKE_NVML_BRAKE");
	setenv("TARE_FAKE_NVML_NA", "1", 1);
	t = telemetry_start("0", &err);
	telemetry_stop(t);
	assert_true(telemetry_hardware_slowdown_s(t) < 0);
	assert_true(telemetry_uncorrected_errors(t) < 0);
	assert_true(telemetry_mean_sm_clock_hz(t) == 0);
	json_object_put(telemetry_json(t));
	telemetry_free(t);
	assert_null(telemetry_start("7", &err));
}

static void check_profiles(const char *shape, const char *smallest, const char *two,
			   unsigned two_sms)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n;
	size_t nr = 0;

	setenv("TARE_FAKE_NVML_SHAPE", shape, 1);
	n = open_fake(&g);
	assert_int_equal(mig_profiles(n, g, profiles, &nr, &err), 0);
	assert_true(nr >= 6);
	assert_string_equal(mig_profile_find(profiles, nr, "1")->name, smallest);
	assert_string_equal(mig_profile_find(profiles, nr, "1g")->name, smallest);
	assert_string_equal(mig_profile_find(profiles, nr, "2g")->name, two);
	assert_int_equal(mig_profile_find(profiles, nr, two)->multiprocessors, two_sms);
	assert_int_equal(mig_profile_find(profiles, nr, two)->id, 14);
	assert_null(mig_profile_find(profiles, nr, "5"));
	assert_null(mig_profile_find(profiles, nr, "1g.99gb"));
	nvml_close(n);
}

static void test_profiles(void **state)
{
	(void)state;
	check_profiles("h200", "1g.18gb", "2g.35gb", 32);
	check_profiles("a100", "1g.5gb", "2g.10gb", 28);
	check_profiles("gb200", "1g.23gb", "2g.47gb", 38);
}

static void check_same(const struct mig_layout *a, const struct mig_layout *b)
{
	assert_int_equal(a->is_enabled, b->is_enabled);
	assert_int_equal(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		assert_string_equal(a->instances[i].profile, b->instances[i].profile);
		assert_int_equal(a->instances[i].start, b->instances[i].start);
		assert_int_equal(a->instances[i].size, b->instances[i].size);
	}
}

/* What 'tare mig apply' does: where they would lie, then made; 'ret' as they are then. */
static int apply(struct nvml *n, struct nvml_gpu *g, const char *const *wanted, size_t nr,
		 struct mig_layout *ret, struct err *err)
{
	struct mig_layout to;

	return mig_plan(n, g, wanted, nr, &to, err) != 0 ||
			       mig_layout_apply(n, g, &to, err) != 0 ||
			       mig_layout_read(n, g, ret, err) != 0
		       ? -1
		       : 0;
}

/* Made, listed, put away as JSON, replaced by another, and put back as it was. */
static void test_layout_comes_back(void **state)
{
	static const char *const first[] = {"3g.71gb", "1g.18gb", "2g.35gb"};
	static const char *const other[] = {"1", "1", "1", "1", "1", "1", "1"};
	struct mig_layout none, made, seven, kept, again;
	struct err err = ERR_INIT;
	struct json_object *o;
	struct nvml_gpu *g;
	struct nvml *n = open_fake(&g);

	(void)state;
	assert_int_equal(mig_layout_read(n, g, &none, &err), 0);
	assert_false(none.is_enabled);
	assert_int_equal(apply(n, g, first, 3, &made, &err), 0);
	assert_int_equal(made.nr, 3);
	assert_string_equal(made.instances[0].profile, "3g.71gb");
	assert_int_equal(strncmp(made.instances[0].uuid, "MIG-", 4), 0);
	o = mig_layout_json(&made);
	assert_int_equal(mig_layout_from_json(&kept, o, &err), 0);
	json_object_put(o);
	assert_int_equal(apply(n, g, other, 7, &seven, &err), 0);
	assert_int_equal(seven.nr, 7);
	assert_int_equal(mig_layout_apply(n, g, &kept, &err), 0);
	assert_int_equal(mig_layout_read(n, g, &again, &err), 0);
	check_same(&again, &made);
	assert_int_equal(mig_layout_apply(n, g, &none, &err), 0);
	assert_int_equal(mig_layout_read(n, g, &again, &err), 0);
	check_same(&again, &none);
	nvml_close(n);
}

static void check_refused(const char *const *wanted, size_t nr, enum err_kind kind,
			  const char *word)
{
	struct mig_layout l;
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n = open_fake(&g);

	assert_int_equal(apply(n, g, wanted, nr, &l, &err), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, word))
		fail_msg("'%s' is not in: %s", word, err.text);
	nvml_close(n);
}

static void test_refused(void **state)
{
	static const char *const unknown[] = {"1g.5gb"};
	static const char *const many[] = {"4g.71gb", "4g.71gb"};
	static const char *const one[] = {"1"};

	(void)state;
	check_refused(unknown, 1, ERR_USAGE, "no MIG profile '1g.5gb'; it has 1g.18gb");
	check_refused(many, 2, ERR_USAGE, "do not fit on one GPU together");
	setenv("TARE_FAKE_NVML_PENDING", "1", 1);
	check_refused(one, 1, ERR_ENVIRONMENT, "reset the GPU");
	unsetenv("TARE_FAKE_NVML_PENDING");
	setenv("TARE_FAKE_NVML_NA", "1", 1);
	check_refused(one, 1, ERR_USAGE, "no MIG");
}

static void test_busy(void **state)
{
	static const char *const one[] = {"1"};
	struct mig_layout l;
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n = open_fake(&g);

	(void)state;
	assert_int_equal(apply(n, g, one, 1, &l, &err), 0);
	setenv("TARE_FAKE_NVML_BUSY", "1", 1);
	assert_int_equal(mig_clear(n, g, true, &err), -1);
	assert_non_null(strstr(err.text, "NVML_ERROR_IN_USE (19)"));
	unsetenv("TARE_FAKE_NVML_BUSY");
	err_clear(&err);
	assert_int_equal(mig_clear(n, g, true, &err), 0);
	assert_int_equal(mig_layout_read(n, g, &l, &err), 0);
	assert_true(l.nr == 0 && !l.is_enabled);
	nvml_close(n);
}

/* How the layout comes back when the n-th call fails; the second try must succeed. */
static bool restore_with_fault(int fail_at, const struct mig_layout *kept)
{
	static const char *const other[] = {"4g.71gb"};
	struct mig_layout l, after;
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n = open_fake(&g);
	char number[16];
	int rc;

	assert_int_equal(apply(n, g, other, 1, &l, &err), 0);
	nvml_close(n);
	n = open_fake(&g);
	snprintf(number, sizeof(number), "%d", fail_at);
	setenv("TARE_FAKE_NVML_FAIL_AT", number, 1);
	rc = mig_layout_apply(n, g, kept, &err);
	unsetenv("TARE_FAKE_NVML_FAIL_AT");
	assert_int_equal(mig_layout_read(n, g, &after, NULL), 0);
	if (rc != 0) {
		assert_non_null(strstr(err.text, "FAKE"));
		/* Not touched yet, or nothing half made. */
		assert_true(after.nr == 0 ||
			    (after.nr == 1 &&
			     strcmp(after.instances[0].profile, "4g.71gb") == 0));
		err_clear(&err);
		assert_int_equal(mig_layout_apply(n, g, kept, &err), 0);
		assert_int_equal(mig_layout_read(n, g, &after, NULL), 0);
	}
	check_same(&after, kept);
	nvml_close(n);
	return rc != 0;
}

static void test_layout_is_never_half_put_back(void **state)
{
	static const char *const wanted[] = {"3g.71gb", "1g.18gb", "2g.35gb"};
	char *path = x_asprintf("/tmp/tare-test-nvml-%d", (int)getpid());
	struct mig_layout kept;
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct nvml *n;
	int failed = 0;

	(void)state;
	setenv("TARE_FAKE_NVML_STATE", path, 1);
	n = open_fake(&g);
	assert_int_equal(apply(n, g, wanted, 3, &kept, &err), 0);
	nvml_close(n);
	for (int i = 1; i < 400; i++)
		failed += restore_with_fault(i, &kept);
	assert_true(failed > 30);
	unsetenv("TARE_FAKE_NVML_STATE");
	unlink(path);
	free(path);
}

static void test_parts_are_facts(void **state)
{
	struct json_object *o, *gpu, *part;

	(void)state;
	setenv("TARE_FAKE_NVML_SHAPE", "a100", 1);
	o = nvml_machine_json(NULL);
	gpu = json_object_array_get_idx(json_member(o, "gpus"), 0);
	assert_int_equal(json_get_int(gpu, "multiprocessors", 0), 108);
	part = json_object_array_get_idx(json_member(gpu, "mig_profiles"), 2);
	assert_string_equal(json_get_text(part, "name", ""), "3g.20gb");
	assert_int_equal(json_get_int(part, "multiprocessors", 0), 42);
	assert_null(json_member(part, "remaining"));
	json_object_put(o);
}

static void test_mig_device_is_found(void **state)
{
	static const char *const wanted[] = {"1", "2"};
	struct nvml_gpu *g, *gpu, *part;
	struct err err = ERR_INIT;
	struct mig_layout l;
	struct nvml *n = open_fake(&g);
	unsigned nr = 0;

	(void)state;
	assert_int_equal(apply(n, g, wanted, 2, &l, &err), 0);
	setenv("TARE_FAKE_NVML_NEIGHBOURS", "3", 1);
	assert_int_equal(nvml_mig_find(n, l.instances[1].uuid, &gpu, &part, &err), 0);
	assert_ptr_equal(gpu, g);
	assert_int_equal(nvml_processes(n, part, NULL, 0, &nr, &err), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(nvml_processes(n, gpu, NULL, 0, &nr, &err), 0);
	assert_int_equal(nr, 4);
	assert_int_equal(nvml_mig_find(n, "MIG-none", &gpu, &part, &err), -1);
	assert_non_null(strstr(err.text, "no MIG device 'MIG-none'"));
	assert_int_equal(mig_clear(n, g, true, &err), 0);
	nvml_close(n);
}

/*
 * Each call of apply() fails once: an error with a sentence, and no instance is left
 * behind, but where the failing call is the look at what was made.
 */
static void test_no_instance_left_behind(void **state)
{
	static const char *const wanted[] = {"3g.71gb", "2g.35gb"};
	int failed = 0;

	(void)state;
	setenv("TARE_FAKE_NVML_CODE", "4", 1);
	for (int i = 3; i < 400; i++) {
		struct mig_layout l, after;
		struct err err = ERR_INIT;
		struct nvml_gpu *g;
		struct nvml *n = open_fake(&g);
		char number[16];
		int rc;

		snprintf(number, sizeof(number), "%d", i);
		setenv("TARE_FAKE_NVML_FAIL_AT", number, 1);
		rc = apply(n, g, wanted, 2, &l, &err);
		unsetenv("TARE_FAKE_NVML_FAIL_AT");
		assert_int_equal(mig_layout_read(n, g, &after, NULL), 0);
		if (rc != 0) {
			failed++;
			assert_non_null(strstr(err.text, "FAKE"));
			assert_true(after.nr == 0 || after.nr == 2);
		} else {
			assert_int_equal(after.nr, 2);
		}
		nvml_close(n);
	}
	assert_true(failed > 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_facts, clear_faults),
		cmocka_unit_test_teardown(test_not_told, clear_faults),
		cmocka_unit_test_teardown(test_find, clear_faults),
		cmocka_unit_test_teardown(test_facts_survive_every_fault, clear_faults),
		cmocka_unit_test_teardown(test_a_lost_gpu_keeps_its_place, clear_faults),
		cmocka_unit_test_teardown(test_a_driver_that_does_not_start,
					  clear_faults),
		cmocka_unit_test_teardown(test_health_and_sharing, clear_faults),
		cmocka_unit_test_teardown(test_errors_have_names, clear_faults),
		cmocka_unit_test_teardown(test_processes, clear_faults),
		cmocka_unit_test_teardown(test_telemetry, clear_faults),
		cmocka_unit_test_teardown(test_telemetry_samples, clear_faults),
		cmocka_unit_test_teardown(test_a_long_watch_is_told_to_its_end,
					  clear_faults),
		cmocka_unit_test_teardown(test_telemetry_brake_and_silence, clear_faults),
		cmocka_unit_test_teardown(test_profiles, clear_faults),
		cmocka_unit_test_teardown(test_layout_comes_back, clear_faults),
		cmocka_unit_test_teardown(test_refused, clear_faults),
		cmocka_unit_test_teardown(test_busy, clear_faults),
		cmocka_unit_test_teardown(test_no_instance_left_behind, clear_faults),
		cmocka_unit_test_teardown(test_layout_is_never_half_put_back,
					  clear_faults),
		cmocka_unit_test_teardown(test_parts_are_facts, clear_faults),
		cmocka_unit_test_teardown(test_mig_device_is_found, clear_faults),
	};

	(void)argc;
	if (built_start_on_fakes(argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
