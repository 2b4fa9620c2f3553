/*
 * A CPU quota that held a measurement back is said, and beyond 1 % of the span makes it
 * invalid: by the numbers themselves, by a recorded machine (53 of 62 periods, as a container
 * with 0.15 processors had), and, where this test is root and groups can be made, by
 * tare-gemm in a real group that may use a fifth of a processor.
 */
#include "core/machine/around.h"

#include "core/base/mem.h"
#include "core/base/proc.h"
#include "tests/support/built.h"
#include "tests/support/kernel.h"
#include "tests/support/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void report(struct result *r, const struct evidence *e)
{
	result_init(r, "test", "gemm", "test");
	around_report(e, r);
}

static void test_limit(void **state)
{
	static const struct {
		double throttled_s;
		enum result_status status;
	} cases[] = {{0, RESULT_OK},
		     {0.02, RESULT_OK}, /* of 2 s */
		     {0.0201, RESULT_INVALID},
		     {7, RESULT_INVALID}}; /* many processors */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence e;
		struct result r;

		evidence_init(&e);
		e.span.seconds = 2;
		e.cpu.throttled_s = cases[i].throttled_s;
		e.cpu.throttled_periods = 53;
		e.cpu.periods = 62;
		report(&r, &e);
		assert_int_equal(r.status, cases[i].status);
		assert_int_equal(json_object_array_length(r.checks), 1);
		assert_non_null(strstr(json_text(r.checks), "53 of 62 periods"));
		assert_true(json_get_int(json_at(r.evidence, "cpu"), "periods", 0) == 62);
		result_release(&r);
		evidence_release(&e);
	}
}

/* What is not known is no check that passed. */
static void test_unknown(void **state)
{
	struct evidence e;
	struct result r;

	(void)state;
	evidence_init(&e);
	e.span.seconds = 2;
	report(&r, &e);
	assert_int_equal(json_object_array_length(r.checks), 0);
	assert_null(json_at(r.evidence, "cpu/throttled_s"));
	result_release(&r);
	evidence_release(&e);
}

static void test_recorded(void **state)
{
	char *root = tree_make("/dev/null");
	struct around around;
	struct evidence e;
	struct result r;

	(void)state;
	tree_put(root, "/proc/self/cgroup", "0::/box");
	tree_put(root, "/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3\n");
	tree_put(root, "/sys/fs/cgroup/box/cpu.max", "15000 100000");
	tree_put(root, "/sys/fs/cgroup/box/cpu.stat",
		 "nr_periods 100\nnr_throttled 10\nthrottled_usec 5000");
	evidence_init(&e);
	around_begin(&around, root);
	tree_put(root, "/sys/fs/cgroup/box/cpu.stat",
		 "nr_periods 162\nnr_throttled 63\nthrottled_usec 4505000");
	around_end(&around, &e);
	report(&r, &e);
	assert_int_equal(r.status, RESULT_INVALID);
	assert_non_null(strstr(r.reasons.items[0],
			       "cpu-not-held-back: a CPU quota held processors back for "
			       "4.5 s in"));
	assert_non_null(strstr(r.reasons.items[0], "(53 of 62 periods)"));
	assert_string_equal(json_get_text(json_at(r.evidence, "cpu"), "affinity", ""),
			    "0-3");
	result_release(&r);
	evidence_release(&e);
	tree_remove(root);
}

/* ---- a real group ---- */

static bool put(const char *group, const char *file, const char *text)
{
	char *path = x_asprintf("%s/%s", group, file);
	FILE *f = fopen(path, "w");
	bool is_put = f && fputs(text, f) >= 0;

	if (f && fclose(f) != 0)
		is_put = false;
	free(path);
	return is_put;
}

/* A new group with a fifth of a processor, of version 1 or 2; NULL: not here. */
static char *new_group(void)
{
	static const char *const tops[] = {
		"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"};

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		char *group = x_asprintf("%s/tare-test-%d", tops[i], (int)getpid());

		if (mkdir(group, 0755) == 0) {
			if (put(group, "cpu.cfs_quota_us", "20000") ||
			    put(group, "cpu.max", "20000 100000"))
				return group;
			rmdir(group);
		}
		free(group);
	}
	return NULL;
}

/* The program in the group: a shell goes in and becomes it. */
static struct proc_outcome gemm_in(const char *group)
{
	char *program = built_path("tare-gemm"),
	     *procs = x_asprintf("%s/cgroup.procs", group);
	const char *argv[] = {"/bin/sh",
			      "-c",
			      "echo $$ >\"$1\" && shift && exec \"$@\"",
			      "sh",
			      procs,
			      program,
			      "--backend",
			      "openblas",
			      "--n",
			      "768",
			      "--threads",
			      "1",
			      "--iterations",
			      "40",
			      "--warmup-seconds",
			      "0",
			      "--json",
			      NULL};
	struct proc_spec spec = {
		.argv = argv, .timeout_ns = INT64_C(120000000000), .output_max = 1 << 20};
	struct proc_outcome out;
	struct err err = ERR_INIT;

	assert_int_equal(proc_run(&spec, &out, &err), 0);
	free(procs);
	free(program);
	return out;
}

static void test_real_group(void **state)
{
	char *program = built_path("tare-gemm"), *group = NULL;
	struct proc_outcome out;
	struct json_object *o;
	struct err err = ERR_INIT;

	(void)state;
	/* An emulator of the kernel needs more than the group's share for itself. */
	if (geteuid() == 0 && kernel_starts(program) && kernel_shares_vfork())
		group = new_group();
	free(program);
	if (!group) {
		print_message("no group of processors can be made or used here\n");
		skip();
	}
	out = gemm_in(group);
	rmdir(group);
	free(group);
	o = json_parse(out.out.data, out.out.len, "stdout", &err);
	if (!o)
		fail_msg("%s\n%s", err.text, out.diag.data);
	assert_int_equal(out.code, 4);
	assert_non_null(strstr(out.diag.data, "cpu-not-held-back"));
	assert_true(json_get_int(json_at(o, "evidence/cpu"), "throttled_periods", 0) > 0);
	assert_true(json_get_real(json_at(o, "evidence/cpu"), "throttled_s", 0) > 0);
	json_object_put(o);
	proc_outcome_release(&out);
}

/* ---- who is said to have computed ---- */

static void check_headline(const struct evidence_computed *c, const char *wanted)
{
	struct evidence e;
	struct json_object *o;
	char *text;

	evidence_init(&e);
	e.computed = *c;
	o = evidence_to_json(&e);
	text = evidence_headline(o);
	if (wanted)
		assert_string_equal(text, wanted);
	else
		assert_null(text);
	free(text);
	json_object_put(o);
	evidence_release(&e);
}

static void test_headline(void **state)
{
	(void)state;
	check_headline(&(struct evidence_computed){.device = "x"}, NULL);
	check_headline(&(struct evidence_computed){.kind = EVIDENCE_GPU,
						   .device = "NVIDIA H200",
						   .uuid = "GPU-1",
						   .library = "cuBLAS 13.0.2",
						   .kernels = "sm_90",
						   .multiprocessors = 16,
						   .multiprocessors_whole = 132},
		       "NVIDIA H200 (GPU-1), cuBLAS 13.0.2 for sm_90, 16 of 132 "
		       "multiprocessors");
	check_headline(&(struct evidence_computed){.kind = EVIDENCE_CPU,
						   .device = "AMD EPYC",
						   .library = "OpenBLAS 0.3.21",
						   .kernels = "Zen"},
		       "the processor, AMD EPYC, OpenBLAS 0.3.21 for Zen");
	check_headline(&(struct evidence_computed){.kind = EVIDENCE_SERVER,
						   .device = "http://127.0.0.1:1",
						   .multiprocessors = 3},
		       "the server http://127.0.0.1:1");
	check_headline(
		&(struct evidence_computed){.kind = EVIDENCE_GPU, .kernels = "sm_90"},
		"not named");
	assert_null(evidence_headline(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),    cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_recorded), cmocka_unit_test(test_real_group),
		cmocka_unit_test(test_headline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
