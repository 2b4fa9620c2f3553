/*
 * tare-link's peers on the fake CUDA driver: GPUs that reach each other's memory, that do not,
 * that say so and do not, that hang, and one pair of many that is slow. Rates follow from the
 * fake's clock: 500 GB/s between GPUs, a tenth of it for the slow pair.
 */
#include "core/base/mem.h"
#include "tests/support/link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const small[] = {"--what",    "peers", "--sizes",        "4Ki",
				    "--samples", "1",     "--no-telemetry", NULL};

static struct json_object *peers(int gpus, const char *fault, int status)
{
	char devices[40];
	const char *faults[] = {devices, fault, NULL};

	snprintf(devices, sizeof(devices), "TARE_FAKE_CUDA_DEVICES=%d", gpus);
	return link_document(faults, small, status);
}

static void assert_near(struct json_object *o, const char *name, double expected)
{
	double found = link_value(o, name);

	if (found < expected * 0.999 || found > expected * 1.001)
		fail_msg("%s is %g and not %g", name, found, expected);
}

/* n (n - 1) cells of write, read and loads, half as many of both; all pairs are true. */
static void test_every_number_of_gpus(void **state)
{
	static const int numbers[] = {2, 4, 8, 72};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int n = numbers[i], pairs = n * (n - 1) / 2;
		struct json_object *o = peers(n, NULL, 0);
		struct json_object *list = json_at(o, "details/peers");
		char name[40];

		assert_int_equal(json_length(json_member(o, "metrics")), 7 * pairs);
		assert_int_equal(json_length(list), pairs);
		snprintf(name, sizeof(name), "link.peer_write.%d_%d", n - 1, n - 2);
		assert_near(o, name, 500e9);
		assert_near(o, "link.peer_read.0_1", 500e9);
		assert_near(o, "link.peer_both.0_1", 1000e9);
		assert_null(link_cell(o, "link.peer_both.1_0"));
		assert_near(o, "link.load_peer_s.1_0", 0.2e-6);
		json_object_put(o);
	}
}

static void test_one_gpu(void **state)
{
	static const char *const faults[] = {"TARE_FAKE_CUDA_DEVICES=1", NULL};
	struct proc_outcome out = link_run(faults, small);

	(void)state;
	assert_int_equal(out.code, 5);
	assert_non_null(strstr(out.diag.data, "--what peers needs two GPUs"));
	proc_outcome_release(&out);
}

/* Access that is granted and false: the sentence, no bandwidth, and the other pairs' figures. */
static void test_false_peer(void **state)
{
	struct json_object *o = peers(4, "TARE_FAKE_CUDA_FALSE_PEER=1-3", 4);
	const char *text = link_failed(o, "peers-are-true");

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "1 of 6 pairs"));
	assert_non_null(strstr(text, "GPU 1 may store in the memory of GPU 3, and GPU 3 "
				     "does not see what it stored there"));
	assert_null(link_cell(o, "link.peer_write.1_3"));
	assert_null(link_cell(o, "link.peer_read.3_1"));
	assert_null(link_cell(o, "link.load_peer_s.1_3"));
	assert_near(o, "link.peer_write.1_2", 500e9);
	assert_near(o, "link.peer_write.3_2", 500e9);
	json_object_put(o);
}

/* A pair without access is no failure: it is said, and has no figures. */
static void test_no_access(void **state)
{
	struct json_object *o = peers(2, "TARE_FAKE_CUDA_NO_PEER=0-1", 0);
	struct json_object *pair = json_at(o, "details/peers/0");

	(void)state;
	assert_false(json_get_bool(pair, "is_granted", true));
	assert_null(json_member(pair, "is_true"));
	assert_int_equal(json_length(json_member(o, "metrics")), 0);
	json_object_put(o);
}

/* One slow pair among six is seen in its own cells, and in no other. */
static void test_slow_pair(void **state)
{
	struct json_object *o = peers(4, "TARE_FAKE_CUDA_SLOW_PAIR=0-2", 0);

	(void)state;
	assert_near(o, "link.peer_write.0_2", 50e9);
	assert_near(o, "link.peer_read.2_0", 50e9);
	assert_near(o, "link.peer_write.0_1", 500e9);
	assert_near(o, "link.peer_write.2_3", 500e9);
	json_object_put(o);
}

/*
 * A store that never ends makes the result invalid within its deadline, and names the pair. What
 * the GPU may write to still is not freed, which is no leak.
 */
static void test_hang(void **state)
{
	static const char *const faults[] = {"TARE_FAKE_CUDA_DEVICES=3",
					     "TARE_FAKE_CUDA_HANG_PAIR=0-1",
					     "ASAN_OPTIONS=detect_leaks=0", NULL};
	struct json_object *o = link_document(faults, small, 4);
	const char *text = link_failed(o, "peers-are-true");

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "between GPU 0 and GPU 1 did not end within 5 s"));
	assert_null(link_cell(o, "link.peer_write.0_1"));
	json_object_put(o);
}

/* What arrives wrong between GPUs is found as between host and GPU. */
static void test_wrong_data(void **state)
{
	struct json_object *o = peers(2, "TARE_FAKE_CUDA_CORRUPT=1", 4);
	const char *text = link_failed(o, "copies-are-right");

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "link.peer_write of GPUs 0 and 1"));
	json_object_put(o);
}

/* What the driver says of pairs and links: in a guest without a clique, and with a link lost. */
static void test_topology(void **state)
{
	static const char *const faults[] = {
		"TARE_FAKE_NVML_SHAPE=h200x2", "TARE_FAKE_CUDA_DEVICES=2",
		"TARE_FAKE_NVML_P2P=1", "TARE_FAKE_NVML_LOST_LINK=3", NULL};
	struct json_object *o = link_document(faults, small, 0);
	struct json_object *links = json_at(o, "details/gpus/1/nvlinks");
	struct json_object *pair = json_at(o, "details/topology/0");

	(void)state;
	assert_int_equal(json_length(json_at(o, "details/topology")), 1);
	assert_int_equal(json_object_get_int(json_at(pair, "gpus/1")), 1);
	assert_string_equal(json_get_text(pair, "write", ""), "chipset-not-supported");
	assert_int_equal(json_length(links), 18);
	assert_true(json_object_get_boolean(json_object_array_get_idx(links, 2)));
	assert_false(json_object_get_boolean(json_object_array_get_idx(links, 3)));
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number_of_gpus),
		cmocka_unit_test(test_one_gpu),
		cmocka_unit_test(test_false_peer),
		cmocka_unit_test(test_no_access),
		cmocka_unit_test(test_slow_pair),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_wrong_data),
		cmocka_unit_test(test_topology),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
