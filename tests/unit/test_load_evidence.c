/*
 * What a load's result rests on: the server by its address, its kind and version where they
 * are told, and of a merge nothing that was around it.
 */
#include "inference/load/load_result.h"

#include "core/base/mem.h"
#include "core/machine/around.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *facts, const char *backend, const char *library)
{
	struct json_object *o = json_parse(facts, strlen(facts), "facts", NULL),
			   *computed;
	struct evidence around;
	struct result r;

	assert_non_null(o);
	evidence_init(&around);
	around.span.seconds = 30;
	around.cpu.affinity = x_strdup("0-3");
	around.cpu.throttled_s = 0.1;
	load_result_start(&r, o);
	load_result_add_evidence(&r, &around);
	computed = json_at(r.evidence, "computed");
	assert_string_equal(json_get_text(computed, "kind", ""), "server");
	assert_string_equal(json_get_text(computed, "device", ""), "http://gpu:8000");
	assert_string_equal(json_get_text(computed, "backend", "none"), backend);
	assert_string_equal(json_get_text(computed, "library", "none"), library);
	assert_string_equal(json_get_text(json_at(r.evidence, "cpu"), "affinity", ""),
			    "0-3");
	assert_int_equal(json_object_array_length(r.checks), 1);
	assert_int_equal(r.status, RESULT_OK);
	result_release(&r);
	evidence_release(&around);
	json_object_put(o);
}

#define TO "{\"target\": \"http://gpu:8000\", \"server\": "

static void test_server(void **state)
{
	(void)state;
	check(TO "{}}", "none", "none");
	check(TO "{\"version\": \"0.6.3\"}}", "none", "0.6.3");
	check(TO "{\"version\": \"1.4\", \"is_mock\": true}}", "mock", "1.4");
	check(TO "{\"version\": \"0.6.3\", \"tare_serve\": {\"kind\": \"vllm\"}}}",
	      "vllm", "vllm 0.6.3");
	check(TO "{\"version\": null, \"tare_serve\": {\"kind\": \"sglang\"}}}", "sglang",
	      "sglang");
}

/* A client that its quota held back has measured itself. */
static void test_held_back(void **state)
{
	struct json_object *o = json_parse("{}", 2, "facts", NULL);
	struct evidence around;
	struct result r;

	(void)state;
	evidence_init(&around);
	around.span.seconds = 30;
	around.cpu.throttled_s = 0.31;
	load_result_start(&r, o);
	load_result_add_evidence(&r, &around);
	assert_int_equal(r.status, RESULT_INVALID);
	result_release(&r);
	evidence_release(&around);
	json_object_put(o);
}

static void test_merged(void **state)
{
	struct json_object *o = json_parse(TO "{}}", strlen(TO "{}}"), "facts", NULL);
	struct evidence nothing;
	struct result r;

	(void)state;
	evidence_init(&nothing);
	load_result_start(&r, o);
	load_result_add_evidence(&r, &nothing);
	assert_null(json_at(r.evidence, "cpu/affinity"));
	assert_null(json_at(r.evidence, "span/seconds"));
	assert_int_equal(json_object_array_length(r.checks), 0);
	result_release(&r);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_held_back),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
