/* What makes a comparison invalid: failed checks, other work, other machines. */
#include "reports/verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

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

static struct json_object *gpu(const char *uuid)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct json_object *g = json_object_new_object();

	json_put_text(g, "uuid", uuid);
	json_object_array_add(list, g);
	json_put(o, "gpus", list);
	return o;
}

static void another_gpu_is_invalid(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 5, METRIC_HIGHER);
	result_set_machine(&s.results[0], gpu("GPU-1"));
	result_set_machine(&s.results[5], gpu("GPU-2"));
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
	for (size_t i = 0; i < s.nr; i++)
		result_set_machine(&s.results[i], gpu("GPU-1"));
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	judgement_release(&j);
	/* Both in one round: the pairs are still of one GPU. */
	result_set_machine(&s.results[2], gpu("GPU-2"));
	result_set_machine(&s.results[7], gpu("GPU-2"));
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_EQUIVALENT);
	judgement_release(&j);
	result_set_machine(&s.results[8], gpu("GPU-3"));
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

static void mixed_units_are_refused(void **state)
{
	struct judge_options o = {0};
	struct err err = ERR_INIT;
	struct result_set s;
	struct judgement j;

	(void)state;
	known_run_make(&s, 1, 3, METRIC_HIGHER);
	s.results[4].metrics[0].def.unit = "unit/h";
	assert_int_equal(judge_run(&j, &s, NULL, &o, &err), -1);
	assert_int_equal(err_exit_status(&err), EXIT_INVALID);
	assert_non_null(strstr(err.text, "unit/h"));
	result_set_release(&s);
}

static void a_metric_of_one_side_is_invalid(void **state)
{
	const double one[] = {1, NAN};
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	s.is_run = true;
	known_run_add(&s, "metal", 1, "a", METRIC_HIGHER, one);
	known_run_add(&s, "vm", 1, "b", METRIC_HIGHER, one);
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
		cmocka_unit_test(mixed_units_are_refused),
		cmocka_unit_test(a_metric_of_one_side_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
