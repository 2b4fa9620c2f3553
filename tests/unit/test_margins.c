/* Which margin holds for a metric, and the file that shows the built-in ones. */
#include "reports/verdict/margins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void margins_hold_from_special_to_general(void **state)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_object_new_object();
	struct margins m;
	const char *name;

	(void)state;
	margins_init(&m);
	json_put_real(o, "gemm.flops", 0.02);
	json_put_real(o, "big/gemm.flops", 0.03);
	json_put_real(o, "gemm.gap:p99", 0.2);
	assert_int_equal(margins_add_json(&m, o, "test", &err), 0);
	assert_true(margins_get(&m, "big", "gemm.flops", "mean", &name) == 0.03);
	assert_string_equal(name, "big/gemm.flops");
	assert_true(margins_get(&m, "small", "gemm.flops", "mean", NULL) == 0.02);
	assert_true(margins_get(&m, "gemm", "gemm.gap", "p99", NULL) == 0.2);
	assert_true(margins_get(&m, "load", "load.ttft_p95_s", "mean", NULL) == 0.10);
	assert_true(margins_get(&m, "load", "load.ttft_p50_s@c8", "mean", NULL) == 0.05);
	assert_true(margins_get(&m, "link", "link.h2d.gpu7", "mean", &name) == 0.03);
	assert_string_equal(name, "link.h2d");
	assert_true(margins_get(&m, "link", "link.h2d.gpu7@64Ki", "p99", NULL) == 0.03);
	assert_true(margins_get(&m, "x", "unheard.of", "mean", &name) == MARGIN_FALLBACK);
	assert_null(name);
	json_put_real(o, "bad", 1.5);
	assert_int_equal(margins_add_json(&m, o, "test", &err), -1);
	assert_non_null(strstr(err.text, "/bad"));
	json_object_put(o);
	margins_release(&m);
}

/* Mistyped, a margin would leave its metric with another one in silence. */
static void a_margin_that_belongs_to_nothing_is_told(void **state)
{
	static const struct {
		const char *name, *words; /* NULL: it is used, or for another workload */
	} cases[] = {
		{"gemm.flops", NULL},
		{"gemm.flops:p99", NULL},
		{"big/gemm.flops", NULL},
		{"load.ttft_p50_s", NULL},
		{"load.ttft_p50_s@c8", NULL},
		{"link.h2d", NULL},   /* of the built-in table, not measured here */
		{"power.mean", NULL}, /* of a workload that did not run */
		{"gemm.flop", "did you mean 'gemm.flops'?"},
		{"bigg/gemm.flops", "did you mean 'big/gemm.flops'?"},
		{"gemm.something.else", "'gemm.something.else' belongs to nothing"},
		{"load.ttft_p50_s@c512", "'load.ttft_p50_s@c512' belongs to nothing"},
	};
	struct strvec metrics = {0};

	(void)state;
	strvec_add(&metrics, "gemm.flops");
	strvec_add(&metrics, "big/gemm.flops");
	strvec_add(&metrics, "load.ttft_p50_s@c8");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *o = json_object_new_object();
		struct strvec notes = {0};
		struct margins m;

		margins_init(&m);
		json_put_real(o, cases[i].name, 0.02);
		assert_int_equal(margins_add_json(&m, o, "test", NULL), 0);
		margins_unused(&m, &metrics, &notes);
		if ((cases[i].words ? 1 : 0) != (int)notes.nr)
			fail_msg("%s: %zu notes", cases[i].name, notes.nr);
		if (notes.nr && !strstr(notes.items[0], cases[i].words))
			fail_msg("%s: %s", cases[i].name, notes.items[0]);
		strvec_release(&notes);
		margins_release(&m);
		json_object_put(o);
	}
	strvec_release(&metrics);
}

static void the_margins_file_is_the_built_in_table(void **state)
{
	struct json_object *file;
	struct err err = ERR_INIT;

	(void)state;
	file = json_read_commented("configs/margins/default.json", JSON_FILE_MAX, &err);
	if (!file)
		fail_msg("%s", err.text);
	assert_int_equal(json_object_object_length(file), MARGIN_DEFAULTS);
	for (size_t i = 0; i < MARGIN_DEFAULTS; i++)
		assert_true(json_get_real(file, margin_defaults[i].name, -1) ==
			    margin_defaults[i].value);
	json_object_put(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(margins_hold_from_special_to_general),
		cmocka_unit_test(a_margin_that_belongs_to_nothing_is_told),
		cmocka_unit_test(the_margins_file_is_the_built_in_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
