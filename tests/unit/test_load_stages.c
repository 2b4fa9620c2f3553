/* Stages of load over rounds: by label, in order of load, with their peak and saturation. */
#include "reports/results/load_stages.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/mem.h"

static void make(struct result *r, const char *details)
{
	result_init(r, "test", "load", "load");
	json_object_put(r->details);
	r->details = json_parse(details, strlen(details), "details", NULL);
	assert_non_null(r->details);
}

static void rounds_are_brought_together(void **state)
{
	struct result r[3];
	struct stage_curve c;

	(void)state;
	make(&r[0], "{\"saturation_concurrency\": 8, \"stages\": ["
		    "{\"label\": \"c8\", \"concurrency\": 8, \"mean_concurrency\": 8, "
		    "\"output_tokens_per_s\": 100,"
		    " \"distributions\": {\"latency\": {\"p95_s\": 2.0}}},"
		    "{\"label\": \"c1\", \"concurrency\": 1, \"mean_concurrency\": 1, "
		    "\"output_tokens_per_s\": 20}]}");
	make(&r[1], "{\"saturation_concurrency\": 16, \"stages\": ["
		    "{\"label\": \"c8\", \"concurrency\": 8, \"mean_concurrency\": 8, "
		    "\"output_tokens_per_s\": 120,"
		    " \"distributions\": {\"latency\": {\"p95_s\": null}}},"
		    "{\"label\": \"r5\", \"concurrency\": null, \"rate_per_s\": 5, "
		    "\"mean_concurrency\": 3}]}");
	make(&r[2], "{\"stages\": [{\"label\": \"c1\", \"output_tokens_per_s\": 1e9}]}");
	r[2].status = RESULT_FAILED; /* counts for nothing */
	stage_curve_read(&c, r, 3);

	assert_int_equal(c.nr, 3);
	assert_string_equal(c.items[0].label, "c1");
	assert_string_equal(c.items[1].label, "r5");
	assert_string_equal(c.items[2].label, "c8");
	assert_true(c.items[2].mean[STAGE_TOKENS] == 110);
	assert_true(c.items[2].low[STAGE_TOKENS] == 100);
	assert_true(c.items[2].high[STAGE_TOKENS] == 120);
	assert_int_equal(c.items[2].nr[STAGE_LATENCY_P95], 1);
	assert_true(c.items[2].mean[STAGE_LATENCY_P95] == 2);
	assert_true(isnan(c.items[1].mean[STAGE_TOKENS]));
	assert_true(isnan(c.items[1].concurrency));
	assert_ptr_equal(c.peak, &c.items[2]);
	assert_true(c.saturation == 12);
	assert_ptr_equal(stage_curve_find(&c, "r5"), &c.items[1]);
	assert_null(stage_curve_find(&c, "c2"));
	stage_curve_release(&c);
	for (size_t i = 0; i < 3; i++)
		result_release(&r[i]);
}

static void other_work_has_no_stages(void **state)
{
	static const char *const details[] = {"{}", "{\"stages\": 3}",
					      "{\"stages\": [1, null, {}]}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
		struct stage_curve c;
		struct result r;

		make(&r, details[i]);
		stage_curve_read(&c, &r, 1);
		assert_int_equal(c.nr, 0);
		assert_null(c.peak);
		assert_true(isnan(c.saturation));
		stage_curve_release(&c);
		result_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_are_brought_together),
		cmocka_unit_test(other_work_has_no_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
