/*
 * tare-link's latencies as a user runs them, on the fake CUDA driver, and its quantiles. What
 * the host's clock times can only be there and in order; what the GPU's clock times follows from
 * the fake's: 2 us a kernel, 0.2 us a load of its memory, 1 us of the host's.
 */
#include "core/base/mem.h"
#include "link/quantile.h"
#include "tests/support/link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const few[] = {"--what",    "latency", "--launches", "2000",
				  "--samples", "3",       NULL};

static void assert_near(struct json_object *o, const char *name, double expected)
{
	double found = link_value(o, name);

	if (found < expected * 0.99 || found > expected * 1.01)
		fail_msg("%s is %g and not %g", name, found, expected);
}

static void test_gpu_clock(void **state)
{
	struct json_object *o = link_document(NULL, few, 0);

	(void)state;
	assert_near(o, "link.launch_in_a_row_s.gpu0", 2e-6);
	assert_near(o, "link.load_local_s.gpu0", 0.2e-6);
	assert_near(o, "link.load_host_s.gpu0", 1e-6);
	json_object_put(o);
}

/* 2000 repeats support a median in each tenth, a 99th percentile of all, and no 99.9th. */
static void test_what_samples_support(void **state)
{
	static const struct {
		const char *name;
		size_t values; /* 0: absent */
	} cases[] = {
		{"link.launch_p50_s.gpu0", 10},     {"link.launch_p99_s.gpu0", 1},
		{"link.launch_p999_s.gpu0", 0},     {"link.launch_sync_p50_s.gpu0", 10},
		{"link.event_p50_s.gpu0", 10},      {"link.event_p99_s.gpu0", 0},
		{"link.small_copy_p50_s.gpu0", 10}, {"link.flag_p50_s.gpu0", 10},
		{"link.alloc_p50_s.gpu0", 1},       {"link.map_p50_s.gpu0", 1},
		{"link.map_p50_s.gpu0@64Mi", 1},    {"link.register_p50_s.gpu0", 1},
		{"link.context_p50_s.gpu0", 1},     {"link.context_p99_s.gpu0", 0},
	};
	struct json_object *o = link_document(NULL, few, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *cell = link_cell(o, cases[i].name);

		if (json_length(json_member(cell, "values")) != cases[i].values)
			fail_msg("%s has %zu values and not %zu", cases[i].name,
				 json_length(json_member(cell, "values")),
				 cases[i].values);
		if (cell)
			assert_true(link_value(o, cases[i].name) > 0);
	}
	json_object_put(o);
}

static void test_gates(void **state)
{
	struct json_object *o = link_document(NULL, few, 0);
	struct json_object *list = json_member(o, "metrics");

	(void)state;
	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *m = json_object_array_get_idx(list, i);
		const char *name = json_get_text(m, "name", "");
		bool expected = strcmp(name, "link.launch_p50_s.gpu0") == 0 ||
				strcmp(name, "link.launch_p99_s.gpu0") == 0;

		if (json_get_bool(m, "gate", false) != expected)
			fail_msg("%s %s", name, expected ? "does not gate" : "gates");
	}
	json_object_put(o);
}

/* What takes more of the GPU's memory than --memory allows is left out. */
static void test_memory(void **state)
{
	static const char *const limited[] = {"--what",     "latency", "--memory",
					      "1Mi",        "--sizes", "4Ki",
					      "--launches", "100",     NULL};
	struct json_object *o = link_document(NULL, limited, 0);

	(void)state;
	assert_null(link_cell(o, "link.alloc_p50_s.gpu0"));
	assert_null(link_cell(o, "link.map_p50_s.gpu0@64Mi"));
	assert_null(link_cell(o, "link.load_local_s.gpu0"));
	assert_true(link_value(o, "link.load_host_s.gpu0") > 0);
	json_object_put(o);
}

/* Whichever call fails is an error, never a figure, and says what was measured. */
static void test_calls_fail(void **state)
{
	static const char *const least[] = {"--what",    "latency", "--launches", "1",
					    "--samples", "1",       NULL};
	int failed = 0;

	(void)state;
	for (int n = 25; n < 700; n += 9) {
		char fault[48];
		const char *faults[] = {fault, NULL};
		struct proc_outcome out;

		snprintf(fault, sizeof(fault), "TARE_FAKE_CUDA_FAIL_AT=%d", n);
		out = link_run(faults, least);
		if (out.code != 0 && (out.code != 5 || !strstr(out.diag.data, "error:")))
			fail_msg("call %d: status %d: %s", n, out.code, out.diag.data);
		failed += out.code == 5;
		proc_outcome_release(&out);
	}
	assert_true(failed > 30);
}

/* 1 to 1000, mixed: the k-th hundredth of them all is 10 k; a tenth of 100 has 10 beyond 0.9. */
static void test_quantiles(void **state)
{
	double values[1000], found[QUANTILE_PARTS];

	(void)state;
	for (int i = 0; i < 1000; i++)
		values[i] = i % 100 * 10 + i / 100 + 1; /* each tenth: x1, x+10 ... */
	assert_int_equal(quantile_of_parts(values, 1000, 0.5, found), 10);
	for (int i = 0; i < QUANTILE_PARTS; i++)
		assert_true(found[i] == 491 + i); /* the 50th of 100 */
	assert_int_equal(quantile_of_parts(values, 1000, 0.9, found), 10);
	assert_true(found[3] == 894);
	assert_int_equal(quantile_of_parts(values, 1000, 0.99, found), 1);
	assert_true(found[0] == 990);
	assert_int_equal(quantile_of_parts(values, 1000, 0.999, found), 0);
	assert_int_equal(quantile_of_parts(values, 999, 0.99, found), 0);
	assert_int_equal(quantile_of_parts(values, 0, 0.5, found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gpu_clock),
		cmocka_unit_test(test_what_samples_support),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_calls_fail),
		cmocka_unit_test(test_quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
