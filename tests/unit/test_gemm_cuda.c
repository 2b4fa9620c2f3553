/*
 * tare-gemm as a user runs it, on the fake CUDA driver and cuBLAS of tests/support/fakes,
 * found through LD_LIBRARY_PATH as the real ones are. The fakes really multiply, so the
 * program's own verification is the judge of what it did.
 */
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "gemm/element.h"
#include "tests/support/built.h"
#include "tests/support/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 24 };

/* Runs it with "NAME=value" (or NULL), once or twice, added to the environment. */
static struct proc_outcome gemm_with(const char *const faults[2],
				     const char *const *extra)
{
	char *program = built_path("tare-gemm"), *fakes = built_path("tests/fakes");
	char *path = x_asprintf("LD_LIBRARY_PATH=%s", fakes);
	const char *env[] = {path, faults[0], faults[1], NULL};
	const char *argv[ARGUMENTS_MAX] = {program, "--warmup-seconds", "0",
					   "--iterations", "3"};
	struct proc_spec spec = {.argv = argv,
				 .env = env,
				 .timeout_ns = INT64_C(60000000000),
				 .output_max = 1 << 20};
	struct proc_outcome out;
	struct err err = ERR_INIT;
	size_t at = 5;

	for (; extra && *extra && at < ARGUMENTS_MAX - 1; extra++)
		argv[at++] = *extra;
	assert_int_equal(proc_run(&spec, &out, &err), 0);
	assert_int_equal(out.end, PROC_EXITED);
	free(path);
	free(fakes);
	free(program);
	return out;
}

static struct proc_outcome gemm(const char *fault, const char *const *extra)
{
	const char *const faults[2] = {fault};

	return gemm_with(faults, extra);
}

static struct json_object *document(const struct proc_outcome *out)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(out->out.data, out->out.len, "stdout", &err);

	if (!o)
		print_error("%s\n%s", err.text, out->diag.data);
	assert_non_null(o);
	return o;
}

/* Sizes that differ, and factors: whole ones, for int8. */
static void check_right(const char *precision)
{
	const char *extra[] = {"--m",    "32",          "--n",     "48",     "--k",
			       "64",     "--alpha",     "2",       "--beta", "-1",
			       "--json", "--precision", precision, NULL};
	struct proc_outcome out = gemm(NULL, extra);
	struct json_object *o = document(&out), *params = json_at(o, "workload/params");

	assert_int_equal(out.code, 0);
	assert_string_equal(json_get_text(o, "status", ""), "ok");
	assert_string_equal(json_get_text(json_at(o, "details/gpu"), "name", ""),
			    "FAKE GPU 0");
	assert_string_equal(json_get_text(json_at(o, "details"), "backend", ""),
			    "cublas");
	assert_string_equal(json_get_text(params, "precision", ""), precision);
	assert_int_equal(json_get_int(params, "m", 0), 32);
	assert_int_equal(json_get_int(params, "n", 0), 48);
	assert_int_equal(json_get_int(params, "k", 0), 64);
	assert_true(json_get_real(params, "alpha", 0) == 2);
	assert_true(json_get_real(params, "beta", 0) == -1);
	json_object_put(o);
	proc_outcome_release(&out);
}

static void test_every_precision(void **state)
{
	static const char *const precisions[] = {"fp32", "tf32", "bf16", "fp16",
						 "fp64", "fp8",  "int8"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(precisions); i++)
		check_right(precisions[i]);
}

/* The same work gives the same digest, other work another one. */
static void test_digest(void **state)
{
	const char *same[] = {"--n", "32", "--json", NULL};
	const char *other[] = {"--n", "32", "--seed", "2", "--json", NULL};
	const char *const *const runs[] = {same, same, other};
	char digests[3][40];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct proc_outcome out = gemm(NULL, runs[i]);
		struct json_object *o = document(&out);

		snprintf(digests[i], sizeof(digests[i]), "%s",
			 json_get_text(json_at(o, "details/c"), "digest", ""));
		json_object_put(o);
		proc_outcome_release(&out);
	}
	assert_int_equal(strlen(digests[0]), 32);
	assert_string_equal(digests[0], digests[1]);
	assert_string_not_equal(digests[0], digests[2]);
}

static void check_fails(const char *fault, const char *const *extra, int status,
			const char *word)
{
	struct proc_outcome out = gemm(fault, extra);

	assert_int_equal(out.code, status);
	if (!strstr(out.diag.data, word))
		fail_msg("'%s' is not in: %s", word, out.diag.data);
	proc_outcome_release(&out);
}

static void test_errors(void **state)
{
	static const char *const plain[] = {"--n", "32", NULL};
	static const char *const large[] = {"--n", "20000", NULL};
	static const char *const unknown[] = {"--n", "32", "--device", "GPU-no", NULL};
	static const char *const second[] = {"--n", "32", "--device", "1", NULL};
	static const char *const sms[] = {"--n", "32", "--sms", "200", NULL};
	static const char *const odd[] = {"--n", "33", "--precision", "fp8", NULL};
	static const char *const newer[] = {"--n", "32", "--compute", "bf16x9", NULL};
	static const char *const forced[] = {"--n", "32", "--backend", "cublas", NULL};

	(void)state;
	check_fails(NULL, large, 5, "out of memory on the GPU");
	check_fails(NULL, unknown, 5, "no such device 'GPU-no'");
	check_fails(NULL, second, 5, "no such device '1'");
	check_fails("TARE_FAKE_CUDA_DEVICES=0", forced, 5, "CUDA_ERROR_NO_DEVICE (100)");
	check_fails(NULL, sms, 2, "more than the 132");
	check_fails(NULL, odd, 2, "multiples of 16");
	check_fails(NULL, newer, 2, "compute capability 10.0");
	check_fails("NVIDIA_TF32_OVERRIDE=1", plain, 4, "TF32");
	check_fails("TARE_FAKE_CUBLAS_WRONG=1", plain, 4, "c-is-right");
	check_fails("TARE_FAKE_CUBLAS_FAIL_AT=1", plain, 5,
		    "CUBLAS_STATUS_INTERNAL_ERROR (14)");
	check_fails("TARE_FAKE_CUDA_FAIL_AT=9", plain, 5, "CUDA_ERROR_UNKNOWN (999)");
}

/* Without a GPU 'auto' goes on to the processor, and says which. */
static void test_falls_through(void **state)
{
	static const char *const extra[] = {"--n", "32", "--json", NULL};
	static const char *const none[] = {"TARE_FAKE_CUDA_DEVICES=0",
					   "TARE_FAKE_NVML_GPUS=0"};
	struct proc_outcome out = gemm_with(none, extra);
	struct json_object *o = document(&out);

	(void)state;
	assert_int_equal(out.code, 0);
	assert_string_equal(json_get_text(json_at(o, "details"), "backend", ""),
			    "openblas");
	json_object_put(o);
	proc_outcome_release(&out);
}

/* A GPU that NVML has, or that an NVML which does not start may have, is no processor. */
static void test_no_silent_processor(void **state)
{
	static const char *const automatic[] = {"--n", "32", NULL};
	static const char *const by_name[] = {"--n", "32", "--backend", "openblas", NULL};
	static const struct {
		const char *fault, *words;
	} cases[] = {
		{"TARE_FAKE_NVML_GPUS=1", "yet a GPU is here (NVML counts 1)"},
		{"TARE_FAKE_NVML_LOST=1", "NVML_ERROR_GPU_IS_LOST (15)"},
		{"CUDA_VISIBLE_DEVICES=", "CUDA_VISIBLE_DEVICES= may hide it: unset it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const faults[] = {"TARE_FAKE_CUDA_DEVICES=0", cases[i].fault};
		struct proc_outcome out = gemm_with(faults, automatic);

		assert_int_equal(out.code, 5);
		if (!strstr(out.diag.data, cases[i].words))
			fail_msg("'%s' is not in: %s", cases[i].words, out.diag.data);
		assert_non_null(strstr(out.diag.data, "--backend openblas"));
		proc_outcome_release(&out);
		out = gemm_with(faults, by_name);
		assert_int_equal(out.code, 0);
		proc_outcome_release(&out);
	}
}

static struct json_object *evidence_of(const char *fault, const char *const *extra,
				       struct json_object **ret_document)
{
	struct proc_outcome out = gemm(fault, extra);

	*ret_document = document(&out);
	assert_int_equal(out.code, 0);
	proc_outcome_release(&out);
	return json_at(*ret_document, "evidence");
}

/* What the result rests on: of the GPU that multiplied, and what is not known is null. */
static void test_evidence(void **state)
{
	static const char *const part[] = {"--n", "32", "--sms", "13", "--json", NULL};
	static const char *const plain[] = {"--n", "32", "--json", NULL};
	struct json_object *o, *e = evidence_of(NULL, part, &o);

	(void)state;
	assert_string_equal(json_get_text(json_at(e, "computed"), "kind", ""), "gpu");
	assert_string_equal(json_get_text(json_at(e, "computed"), "device", ""),
			    "FAKE GPU 0");
	assert_string_equal(json_get_text(json_at(e, "computed"), "uuid", ""),
			    "GPU-fafafafa-fafa-fafa-fafa-fafafafafa00");
	assert_string_equal(json_get_text(json_at(e, "computed"), "library", ""),
			    "cuBLAS 13.0.0");
	assert_string_equal(json_get_text(json_at(e, "computed"), "kernels", ""),
			    "sm_90");
	assert_int_equal(json_get_int(json_at(e, "computed"), "multiprocessors", 0), 16);
	assert_int_equal(json_get_int(json_at(e, "computed"), "multiprocessors_whole", 0),
			 132);
	assert_true(json_get_int(json_at(e, "computed"), "memory_bytes", 0) ==
		    150754820096);
	assert_true(json_get_bool(json_at(e, "others"), "known", false));
	assert_int_equal(json_get_int(json_at(e, "others"), "processes", -1), 0);
	assert_true(json_get_real(json_at(e, "span"), "seconds", 0) > 0);
	assert_non_null(json_at(e, "cpu/affinity"));
	assert_string_equal(json_get_text(e, "digest_c", ""),
			    json_get_text(json_at(o, "details/c"), "digest", "?"));
	/* The clock and the power of a span that is over before a reading was due. */
	assert_true(json_get_real(json_at(o, "telemetry/sm_clock_hz"), "mean", 0) ==
		    1980e6);
	assert_true(json_get_real(json_at(o, "telemetry/power_w"), "mean", 0) == 432);
	json_object_put(o);
	e = evidence_of("TARE_FAKE_NVML_LOST=1", plain, &o);
	assert_false(json_get_bool(json_at(e, "others"), "known", true));
	assert_null(json_at(e, "others/processes"));
	assert_null(json_at(e, "computed/multiprocessors_whole"));
	json_object_put(o);
	/* A list without even this process knows nobody. */
	e = evidence_of("TARE_FAKE_NVML_UNLISTED=1", plain, &o);
	assert_false(json_get_bool(json_at(e, "others"), "known", true));
	assert_non_null(strstr(json_get_text(json_at(o, "details"), "not_watched", ""),
			       "not even this one"));
	json_object_put(o);
	/* A vGPU that tells neither clock nor power: null, not 0. */
	e = evidence_of("TARE_FAKE_NVML_NA=1", plain, &o);
	assert_null(json_at(o, "telemetry/sm_clock_hz/mean"));
	assert_null(json_at(o, "telemetry/power_w/mean"));
	json_object_put(o);
}

/* The terminal says in its head what computed. */
static void test_headline(void **state)
{
	static const char *const plain[] = {"--n", "32", NULL};
	static const char *const on_cpu[] = {"--n", "32", "--backend", "openblas", NULL};
	struct proc_outcome out = gemm(NULL, plain);

	(void)state;
	assert_non_null(strstr(out.out.data,
			       "\non FAKE GPU 0 (GPU-fafafafa-fafa-fafa-fafa-"
			       "fafafafafa00), cuBLAS 13.0.0 for sm_90, 132 of 132 "
			       "multiprocessors\n"));
	proc_outcome_release(&out);
	out = gemm(NULL, on_cpu);
	assert_non_null(strstr(out.out.data, "\non the processor, "));
	assert_non_null(strstr(out.out.data, ", OpenBLAS 0."));
	proc_outcome_release(&out);
}

/* Half of the multiprocessors, as under an MPS limit, or a part of the memory: invalid. */
static void test_whole_device(void **state)
{
	static const char *const extra[] = {"--n", "32", NULL};

	(void)state;
	check_fails("TARE_FAKE_CUDA_SMS=66", extra, 4,
		    "device-is-whole: CUDA has 66 multiprocessors");
	check_fails("TARE_FAKE_CUDA_TOTAL=75377410048", extra, 4, "70.20 GiB");
}

static void test_green_context(void **state)
{
	static const char *const extra[] = {"--n", "32", "--sms", "13", "--json", NULL};
	struct proc_outcome out = gemm(NULL, extra);
	struct json_object *o = document(&out);

	(void)state;
	assert_int_equal(
		json_get_int(json_at(o, "details/gpu"), "multiprocessors_used", 0), 16);
	assert_int_equal(json_get_int(json_at(o, "details/gpu"), "multiprocessors", 0),
			 132);
	json_object_put(o);
	proc_outcome_release(&out);
}

/* The fake's H200 has profiles of 16, 26, 32, 60, 64 and all 132 multiprocessors; green
 * contexts come in eights. */
static void test_profile_sweep(void **state)
{
	static const char *const extra[] = {"--n", "32", "--sweep-profiles", "--json",
					    NULL};
	static const char *const on_cpu[] = {
		"--n", "32", "--backend", "openblas", "--sweep-profiles", NULL};
	static const char *const twice[] = {
		"--n", "32", "--sms", "16", "--sweep-profiles", NULL};
	static const int wanted[][2] = {{16, 16}, {26, 32}, {32, 32},
					{60, 64}, {64, 64}, {132, 132}};
	/* Every product takes 2 ms, on however many: all shares are 1. */
	struct proc_outcome out = gemm("TARE_FAKE_CUDA_EVENT_MS=2", extra);
	struct json_object *o = document(&out), *sweep = json_at(o, "details/sweep");

	(void)state;
	assert_int_equal(out.code, 0);
	assert_int_equal(json_object_array_length(sweep), ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct json_object *p = json_object_array_get_idx(sweep, i);

		assert_int_equal(json_get_int(p, "multiprocessors", 0), wanted[i][0]);
		assert_int_equal(json_get_int(p, "multiprocessors_used", 0),
				 wanted[i][1]);
		assert_true(fabs(json_get_real(p, "throughput_share", 0) - 1) < 1e-6);
		assert_true(fabs(json_get_real(p, "sm_ratio", 0) - wanted[i][0] / 132.0) <
			    1e-12);
	}
	assert_string_equal(
		json_get_text(json_object_array_get_idx(sweep, 0), "profiles", ""),
		"1g.18gb, 1g.18gb+me");
	assert_non_null(strstr(out.out.data, "gemm.flops@sms60"));
	assert_non_null(strstr(out.out.data, "C was wrong on 0 of 5 numbers"));
	assert_null(strstr(out.out.data, "gemm.flops@sms132"));
	json_object_put(o);
	proc_outcome_release(&out);
	out = gemm("TARE_FAKE_CUBLAS_WRONG=1", extra);
	assert_int_equal(out.code, 4);
	assert_non_null(strstr(out.out.data, "C was wrong on 5 of 5 numbers"));
	proc_outcome_release(&out);
	check_fails(NULL, on_cpu, 2, "--sweep-profiles needs a GPU");
	check_fails(NULL, twice, 2, "exclude each other");
	check_fails("TARE_FAKE_NVML_NA=1", extra, 2, "no MIG");
	check_fails("TARE_FAKE_NVML_NO_PROFILES=1", extra, 2, "names no MIG profile");
}

/*
 * Every call of a library fails once, the first, the second ... until a run has fewer
 * calls than that: each failure is a sentence and a status, and only failures of closing
 * may go unnoticed. Leaks and bad accesses are the sanitizers' to find.
 */
static void sweep(const char *variable, const char *const *extra, int at_least)
{
	int failed = 0, passed = 0;

	for (int n = 1; passed < 30 && n < 400; n++) {
		char *fault = x_asprintf("%s=%d", variable, n);
		struct proc_outcome out = gemm(fault, extra);

		assert_true(out.code == 0 || out.code == 5);
		if (out.code == 5) {
			failed++;
			passed = 0;
			assert_non_null(strstr(out.diag.data, "FAKE"));
		} else {
			passed++;
		}
		proc_outcome_release(&out);
		free(fault);
	}
	assert_true(failed >= at_least);
	assert_true(passed == 30);
}

static void test_sweeps(void **state)
{
	static const char *const fp32[] = {"--n", "16", "--sms", "16", NULL};
	static const char *const fp8[] = {"--n", "16", "--precision", "fp8", NULL};

	(void)state;
	sweep("TARE_FAKE_CUDA_FAIL_AT", fp32, 60);
	sweep("TARE_FAKE_CUBLAS_FAIL_AT", fp32, 8);
	sweep("TARE_FAKE_CUBLASLT_FAIL_AT", fp8, 10);
}

/* NVML's word makes a measurement invalid; without NVML it stands, unwatched. */
static void test_watch(void **state)
{
	static const char *const plain[] = {"--n", "32", NULL};
	static const char *const shared[] = {"--n", "32", "--no-exclusive", "--json",
					     NULL};
	static const char *const lost[] = {"--n", "32", "--json", NULL};
	struct proc_outcome out;
	struct json_object *o;

	(void)state;
	check_fails("TARE_FAKE_NVML_OTHERS=2", plain, 4, "2 other processes");
	check_fails("TARE_FAKE_NVML_BRAKE=1", plain, 4, "gpu-not-slowed");
	out = gemm("TARE_FAKE_NVML_OTHERS=2", shared);
	assert_int_equal(out.code, 0);
	proc_outcome_release(&out);
	out = gemm("TARE_FAKE_NVML_LOST=1", lost);
	o = document(&out);
	assert_int_equal(out.code, 0);
	assert_non_null(strstr(out.diag.data, "NVML_ERROR_GPU_IS_LOST"));
	json_object_put(o);
	proc_outcome_release(&out);
}

/* The fake has three algorithms, the second of which is wrong. */
static void test_autotune(void **state)
{
	static const char *const extra[] = {"--n", "32", "--autotune", "--json", NULL};
	static const char *const on_cpu[] = {"--n",       "32",       "--autotune",
					     "--backend", "openblas", NULL};
	struct proc_outcome out = gemm(NULL, extra);
	struct json_object *o = document(&out), *tuned = json_at(o, "details/autotune");

	(void)state;
	assert_int_equal(out.code, 0);
	assert_int_equal(json_get_int(tuned, "candidates", 0), 3);
	assert_int_equal(json_get_int(tuned, "wrong", 0), 1);
	assert_true(json_get_int(tuned, "winner", 1) != 1);
	assert_non_null(strstr(out.out.data, "gemm.autotuned_flops"));
	json_object_put(o);
	proc_outcome_release(&out);
	check_fails(NULL, on_cpu, 2, "--autotune needs a GPU");
}

/* A bundle's libraries lie in lib/ beside the program, and it looks for them there. */
static void test_finds_its_bundle(void **state)
{
	char *program = built_path("tare-gemm");
	struct err err = ERR_INIT;
	struct buf text;

	(void)state;
	assert_int_equal(file_read(program, (size_t)64 << 20, &text, &err), 0);
	assert_non_null(memmem(text.data, text.len, "\0$ORIGIN/lib", 13));
	buf_release(&text);
	free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_precision),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_falls_through),
		cmocka_unit_test(test_no_silent_processor),
		cmocka_unit_test(test_whole_device),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_headline),
		cmocka_unit_test(test_green_context),
		cmocka_unit_test(test_profile_sweep),
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_autotune),
		cmocka_unit_test(test_finds_its_bundle),
	};
	char *program = built_path("tare-gemm");
	bool starts = kernel_starts(program);

	free(program);
	if (!starts)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
