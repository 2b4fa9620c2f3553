/* What makes a comparison invalid: failed checks, other work, other machines. */
#include "reports/verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/honest.h"
#include "tests/support/known_run.h"

static void a_failed_check_is_invalid_with_its_reason(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 0.5, 5, METRIC_HIGHER);
	result_add_check(&s.results[7], "fp32-peak", false,
			 "99 TFLOP/s exceed the peak of 80");
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_int_equal(verdict_exit_status(j.overall), EXIT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "exceed the peak of 80"));
	judgement_release(&j);
	result_set_release(&s);
}

static void other_parameters_are_invalid(void **state)
{
	struct json_object *params = json_object_new_object();
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	json_put_int(params, "n", 4096);
	result_set_params(&s.results[8], params);
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "other parameters"));
	judgement_release(&j);
	result_set_release(&s);
}

/* That both the machine and the result are of this GPU. */
static void put_gpu(struct result *r, const char *uuid)
{
	honest_edit(r->machine, "gpus/0/uuid", uuid);
	honest_edit(r->evidence, "computed/uuid", uuid);
}

static void another_gpu_is_invalid(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	put_gpu(&s.results[5], "\"GPU-2\"");
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "GPU-2"));
	judgement_release(&j);
	result_set_release(&s);
}

static void another_gpu_in_a_later_round_is_invalid(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	judgement_release(&j);
	/* Both in one round: the pairs are still of one GPU. */
	put_gpu(&s.results[2], "\"GPU-2\"");
	put_gpu(&s.results[7], "\"GPU-2\"");
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	judgement_release(&j);
	put_gpu(&s.results[8], "\"GPU-3\"");
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "GPU (GPU-1, GPU-3) in round 4"));
	judgement_release(&j);
	result_set_release(&s);
}

static void another_server_version_is_invalid(void **state)
{
	struct json_object *server;
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	for (size_t i = 0; i < s.nr; i++) {
		server = json_object_new_object();
		json_put_text(server, "version", i == 9 ? "0.11.1" : "0.11.0");
		json_put(s.results[i].details, "server", server);
	}
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "server-version: "));
	assert_non_null(strstr(j.items[0].reason, "0.11.0 on metal, 0.11.1 on vm"));
	judgement_release(&j);
	result_set_release(&s);
}

static const double sample[] = {1, NAN};

/* One metric whose unit changed is invalid; the others are judged. */
static void mixed_units_are_invalid(void **state)
{
	static const struct metric_def other = {"other", "s", METRIC_LOWER, true, ""};
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	for (size_t i = 0; i < s.nr; i++) {
		struct samples m;

		samples_init(&m, &other);
		samples_add(&m, 1 + 0.001 * (double)(i % 3));
		result_add_metric(&s.results[i], &m);
	}
	s.results[6].metrics[0].def.unit = "unit/h";
	known_run_judge(&s, &j);
	assert_int_equal(j.nr, 2);
	assert_int_equal(j.items[0].verdict, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "unit/h"));
	assert_int_equal(j.items[1].verdict, VERDICT_EQUIVALENT);
	assert_int_equal(j.overall, VERDICT_INVALID);
	judgement_release(&j);
	result_set_release(&s);
}

/* Throughput that stops is a collapse, not a ratio that cannot be had. */
static void a_collapse_is_degraded(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	for (size_t i = 5; i < 10; i++)
		s.results[i].metrics[0].values[0] = 0;
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_DEGRADED);
	assert_non_null(strstr(j.items[0].reason, "collapse: vm did nothing in round 1"));
	judgement_release(&j);
	s.results[5].metrics[0].values[0] = 100;
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_DEGRADED);
	assert_non_null(strstr(j.items[0].reason, "in round 2"));
	judgement_release(&j);
	s.results[3].metrics[0].values[0] = 0;
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "the baseline metal did nothing"));
	judgement_release(&j);
	result_set_release(&s);
}

/* A latency of which no sample came to an end is a failure too. */
static void no_sample_at_all_is_degraded(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_LOWER);
	for (size_t i = 5; i < 10; i++) {
		s.results[i].metrics[0].nr = 0;
		s.results[i].metrics[0].failed = 8;
	}
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_DEGRADED);
	assert_non_null(strstr(j.items[0].reason, "none of 40 samples on vm"));
	judgement_release(&j);
	result_set_release(&s);
}

/* Where nothing gates nothing was decided, and that is never green. */
static void nothing_that_gates_is_never_green(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	for (size_t i = 0; i < s.nr; i++)
		s.results[i].metrics[0].def.gate = false;
	known_run_judge(&s, &j);
	assert_int_equal(j.items[0].verdict, VERDICT_EQUIVALENT);
	assert_int_equal(j.overall, VERDICT_INCONCLUSIVE);
	assert_false(judgement_is_decided(&j));
	judgement_release(&j);
	result_set_release(&s);
}

static void a_metric_of_one_side_is_invalid(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	s.is_run = true;
	known_run_add(&s, "metal", 1, "a", METRIC_HIGHER, sample);
	known_run_add(&s, "vm", 1, "b", METRIC_HIGHER, sample);
	result_set_sort(&s);
	known_run_judge(&s, &j);
	assert_int_equal(j.nr, 2);
	assert_int_equal(j.items[0].verdict, VERDICT_INVALID);
	assert_int_equal(j.items[1].verdict, VERDICT_INVALID);
	judgement_release(&j);
	result_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_check_is_invalid_with_its_reason),
		cmocka_unit_test(other_parameters_are_invalid),
		cmocka_unit_test(another_gpu_is_invalid),
		cmocka_unit_test(another_gpu_in_a_later_round_is_invalid),
		cmocka_unit_test(another_server_version_is_invalid),
		cmocka_unit_test(mixed_units_are_invalid),
		cmocka_unit_test(a_collapse_is_degraded),
		cmocka_unit_test(no_sample_at_all_is_degraded),
		cmocka_unit_test(nothing_that_gates_is_never_green),
		cmocka_unit_test(a_metric_of_one_side_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
