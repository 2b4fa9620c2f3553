/*
 * tare-link's copies and triad as a user runs them, on the fake CUDA driver. The fake really
 * copies, so that what arrives is judged by the program's own comparison, and its clock gives
 * each copy the rate that the environment names: the figures expected here follow from that.
 */
#include "core/base/mem.h"
#include "link/pattern.h"
#include "link/verify.h"
#include "tests/support/link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const small[] = {"--what",    "copies", "--sizes", "64Ki,1Mi",
				    "--samples", "3",      NULL};

static void assert_rate(struct json_object *o, const char *name, double expected)
{
	double found = link_value(o, name);

	if (found < expected * 0.999 || found > expected * 1.001)
		fail_msg("%s is %g and not %g", name, found, expected);
}

/* 50 GB/s to and from the host; both ways at once twice that; ten times that inside. */
static void test_rates(void **state)
{
	struct json_object *o = link_document(NULL, small, 0);

	(void)state;
	assert_rate(o, "link.h2d.gpu0", 50e9);
	assert_rate(o, "link.h2d.gpu0@64Ki", 50e9);
	assert_rate(o, "link.d2h.gpu0", 50e9);
	assert_rate(o, "link.both.gpu0", 100e9);
	assert_rate(o, "link.local.gpu0", 500e9);
	assert_true(link_value(o, "link.pageable_h2d.gpu0") > 0);
	assert_true(link_value(o, "link.pageable_d2h.gpu0@64Ki") > 0);
	assert_null(link_cell(o, "link.triad.node0"));
	assert_int_equal(
		json_length(json_member(link_cell(o, "link.h2d.gpu0"), "values")), 3);
	json_object_put(o);
}

/* The largest size of what gates, and nothing else. */
static void test_gates(void **state)
{
	static const char *const gating[] = {"link.h2d.gpu0", "link.d2h.gpu0",
					     "link.both.gpu0"};
	struct json_object *o = link_document(NULL, small, 0);
	struct json_object *list = json_member(o, "metrics");
	size_t gates = 0;

	(void)state;
	for (size_t i = 0; i < json_length(list); i++)
		gates += json_get_bool(json_object_array_get_idx(list, i), "gate", false);
	assert_int_equal(gates, ARRAY_SIZE(gating));
	for (size_t i = 0; i < ARRAY_SIZE(gating); i++)
		assert_true(json_get_bool(link_cell(o, gating[i]), "gate", false));
	json_object_put(o);
}

static void test_evidence(void **state)
{
	struct json_object *o = link_document(NULL, small, 0);

	(void)state;
	assert_string_equal(json_get_text(json_at(o, "workload"), "kind", ""), "link");
	assert_string_equal(json_get_text(json_at(o, "evidence/computed"), "device", ""),
			    "FAKE GPU 0");
	assert_string_equal(json_get_text(json_at(o, "evidence/computed"), "library", ""),
			    "CUDA driver 13.0");
	assert_string_equal(json_get_text(json_at(o, "details/gpus/0"), "pci", ""),
			    "0000:17:00.0");
	json_object_put(o);
}

/* Every GPU has cells of its own, however many there are. */
static void test_every_number_of_gpus(void **state)
{
	static const int numbers[] = {1, 2, 4, 8, 72};
	static const char *const one[] = {"--what",    "copies", "--sizes", "4Ki",
					  "--samples", "1",      NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char devices[40], last[40], beyond[40];
		const char *faults[] = {devices, NULL};
		struct json_object *o;

		snprintf(devices, sizeof(devices), "TARE_FAKE_CUDA_DEVICES=%d",
			 numbers[i]);
		snprintf(last, sizeof(last), "link.d2h.gpu%d", numbers[i] - 1);
		snprintf(beyond, sizeof(beyond), "link.d2h.gpu%d", numbers[i]);
		o = link_document(faults, one, 0);
		assert_rate(o, "link.d2h.gpu0", 50e9);
		assert_rate(o, last, 50e9);
		assert_null(link_cell(o, beyond));
		assert_int_equal(json_length(json_at(o, "details/gpus")), numbers[i]);
		json_object_put(o);
	}
}

/* A bit that changes on its way makes the result invalid, and the sentence says where. */
static void test_wrong_data(void **state)
{
	static const char *const faults[] = {"TARE_FAKE_CUDA_DEVICES=2",
					     "TARE_FAKE_CUDA_CORRUPT=1", NULL};
	struct json_object *o = link_document(faults, small, 4);
	const char *text = link_failed(o, "copies-are-right");

	(void)state;
	assert_string_equal(json_get_text(o, "status", ""), "invalid");
	assert_non_null(text);
	assert_non_null(strstr(text, "first link.h2d of GPU 0: 8 of 65536 bytes"));
	json_object_put(o);
}

static void check_refused(const char *const *faults, const char *const *arguments,
			  int status, const char *word)
{
	struct proc_outcome out = link_run(faults, arguments);

	if (out.code != status || !strstr(out.diag.data, word))
		fail_msg("status %d: %s", out.code, out.diag.data);
	proc_outcome_release(&out);
}

static void test_refused(void **state)
{
	static const char *const odd[] = {"--sizes", "5000", NULL};
	static const char *const large[] = {"--sizes", "1Mi", "--memory", "1Mi", NULL};
	static const char *const unknown[] = {"--what", "copise", NULL};
	static const char *const nothing[] = {"--what", ",", NULL};
	static const char *const no_gpu[] = {"TARE_FAKE_CUDA_DEVICES=0", NULL};
	static const char *const blocking[] = {"CUDA_LAUNCH_BLOCKING=1", NULL};
	static const char *const poor[] = {"TARE_FAKE_CUDA_MEMORY=1000000", NULL};

	(void)state;
	check_refused(NULL, odd, 2, "no multiple of 4Ki");
	check_refused(NULL, large, 2, "--memory 1048576");
	check_refused(NULL, unknown, 2, "copise");
	check_refused(NULL, nothing, 2, "names no part");
	check_refused(no_gpu, small, 5, "--what memory");
	check_refused(blocking, small, 4, "CUDA_LAUNCH_BLOCKING");
	check_refused(poor, small, 5, "out of memory on the GPU");
}

/* --memory leaves of the default sizes those that fit twice. */
static void test_memory(void **state)
{
	static const char *const limited[] = {"--what",    "copies", "--memory", "2Mi",
					      "--samples", "1",      NULL};
	struct json_object *o = link_document(NULL, limited, 0);

	(void)state;
	assert_string_equal(json_line(json_at(o, "workload/params/sizes")),
			    "[4096,65536,1048576]");
	json_object_put(o);
}

/* Whichever call fails is an error with the driver's own words, never a figure. */
static void test_every_call_fails(void **state)
{
	static const char *const one[] = {"--what",    "copies", "--sizes", "4Ki",
					  "--samples", "1",      NULL};
	int failed = 0;

	(void)state;
	for (int n = 1; n < 160; n += n < 90 ? 1 : 7) {
		char fault[48];
		const char *faults[] = {fault, NULL};
		struct proc_outcome out;

		snprintf(fault, sizeof(fault), "TARE_FAKE_CUDA_FAIL_AT=%d", n);
		out = link_run(faults, one);
		if (out.code != 0 && (out.code != 5 || !strstr(out.diag.data, "error:")))
			fail_msg("call %d: status %d: %s", n, out.code, out.diag.data);
		failed += out.code == 5;
		proc_outcome_release(&out);
	}
	assert_true(failed > 90);
}

/* The triad: a rate for each node, checked, and the only thing where there is no GPU. */
static void test_triad(void **state)
{
	static const char *const memory[] = {
		"--what", "memory", "--triad-bytes", "4Mi", "--samples", "2", NULL};
	struct json_object *o = link_document(NULL, memory, 0);

	(void)state;
	assert_true(link_value(o, "link.triad.node0") > 0);
	assert_string_equal(json_get_text(json_at(o, "evidence/computed"), "kind", ""),
			    "cpu");
	assert_string_equal(json_get_text(json_at(o, "workload"), "name", ""),
			    "link-host");
	assert_string_equal(json_get_text(json_at(o, "evidence/computed"), "library", ""),
			    "the host's memory alone");
	assert_true(json_get_bool(link_cell(o, "link.triad.node0"), "gate", false));
	assert_null(json_at(o, "details/gpus"));
	json_object_put(o);
}

/* Fibonacci hashing of 1 and 2 by hand: 2^64 / golden ratio, folded. */
static void test_pattern(void **state)
{
	uint64_t words[4];
	struct truth t = {0};

	(void)state;
	assert_true(pattern_word(0, 0) == 0);
	assert_true(pattern_word(0, 1) ==
		    (UINT64_C(0x9e3779b97f4a7c15) ^ UINT64_C(0x9e3779b9)));
	assert_true(pattern_word(1, 1) ==
		    (UINT64_C(0x3c6ef372fe94f82a) ^ UINT64_C(0x3c6ef372)));
	pattern_fill(words, sizeof(words), 5);
	assert_int_equal(pattern_wrong(words, sizeof(words), 5), 0);
	assert_int_equal(pattern_wrong(words, sizeof(words), 6), 4);
	words[2] ^= UINT64_C(1) << 63;
	assert_int_equal(pattern_wrong(words, sizeof(words), 5), 1);
	truth_note(&t, 1, 32, "a test");
	truth_note(&t, 0, 32, "a test");
	assert_int_equal(t.buffers, 2);
	assert_int_equal(t.wrong_buffers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_every_number_of_gpus),
		cmocka_unit_test(test_wrong_data),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_every_call_fails),
		cmocka_unit_test(test_triad),
		cmocka_unit_test(test_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
