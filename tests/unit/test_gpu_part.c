/*
 * What a result says of the part of a GPU that it ran on: shares against the whole GPU's
 * result, and what a platform's lease tells of its slice.
 */
#include "harness/run/gpu_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"

static const struct metric_def flops = {"gemm.flops", "FLOP/s", METRIC_HIGHER, true, ""};
static const struct metric_def shown = {"gemm.peak_share", "1", METRIC_HIGHER, false, ""};

static struct json_object *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "test", &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

/* A metric that does not gate comes first: the share is not of that one. */
static void make(struct result *r, double share, double first, double second)
{
	struct samples s;

	result_init(r, "test", "gemm", "gemm");
	samples_init(&s, &shown);
	samples_add(&s, share);
	result_add_metric(r, &s);
	samples_init(&s, &flops);
	samples_add(&s, first);
	samples_add(&s, second);
	result_add_metric(r, &s);
}

static void describe(const char *facts, bool has_whole, const char *whole,
		     struct result *r)
{
	struct gpu_part p = {.suffix = x_strdup("@1g.18gb"),
			     .facts = parse(facts),
			     .has_whole = has_whole};

	gpu_part_describe(&p, "gemm", whole, r);
	gpu_part_release(&p);
}

static double only(const struct result *r, const char *metric)
{
	const struct samples *s = result_metric(r, metric);

	assert_non_null(s);
	assert_int_equal(s->nr, 1);
	assert_false(s->def.gate);
	return s->values[0];
}

static const char slice[] = "{\"route\":\"host\",\"profile\":\"1g.18gb\","
			    "\"multiprocessors\":16,\"gpu_multiprocessors\":132}";

static void shares_are_of_the_whole(void **state)
{
	char *dir = dir_make_temporary("tare-test-part", NULL);
	char *path = path_join(dir, "whole.json");
	struct err err = ERR_INIT;
	struct result whole, part;

	(void)state;
	make(&whole, 0.8, 90, 110);
	assert_int_equal(result_write(&whole, path, &err), 0);
	make(&part, 0.9, 12, 13);
	describe(slice, true, path, &part);
	assert_true(only(&part, "mig.sm_ratio") == 16.0 / 132);
	assert_true(only(&part, "mig.throughput_share") == 12.5 / 100);
	assert_string_equal(json_get_text(json_at(part.details, "mig"), "whole", ""),
			    "gemm");
	result_release(&part);
	result_release(&whole);
	assert_int_equal(dir_remove(dir, NULL), 0);
	free(path);
	free(dir);
}

/* Nothing to be a share of: the metric is absent, not 0. */
static void without_a_whole_there_is_no_share(void **state)
{
	struct result part;

	(void)state;
	make(&part, 0.9, 12, 13);
	describe(slice, true, "/nowhere/whole.json", &part);
	assert_null(result_metric(&part, "mig.throughput_share"));
	result_release(&part);
	make(&part, 0.9, 12, 13);
	describe(slice, false, "/nowhere/whole.json", &part);
	assert_null(json_member(json_at(part.details, "mig"), "whole"));
	result_release(&part);
}

/* OpenNebula tells a profile and no more; the workload saw its multiprocessors. */
static void a_lease_tells_its_slice(void **state)
{
	struct json_object *facts = parse(
		"{\"platform\":\"opennebula\",\"devices\":[{\"address\":\"41:00.4\","
		"\"profile\":\"1127 (NVIDIA H100XM-1-10C)\"}]}");
	struct json_object *whole =
		parse("{\"platform\":\"opennebula\",\"devices\":[{\"profile\":null}]}");
	struct json_object *mig;
	struct gpu_part p;
	struct result r;

	(void)state;
	assert_false(gpu_part_of_lease(whole, &p));
	assert_false(gpu_part_of_lease(NULL, &p));
	assert_true(gpu_part_of_lease(facts, &p));
	assert_string_equal(p.suffix, "");
	assert_null(p.device);
	make(&r, 0.9, 12, 13);
	json_put(r.details, "gpu", parse("{\"multiprocessors\":16}"));
	gpu_part_describe(&p, "gemm", "/nowhere", &r);
	mig = json_at(r.details, "mig");
	assert_string_equal(json_get_text(mig, "route", ""), "opennebula");
	assert_string_equal(json_get_text(mig, "profile", ""),
			    "1127 (NVIDIA H100XM-1-10C)");
	assert_int_equal(json_get_int(mig, "multiprocessors", 0), 16);
	assert_null(json_member(mig, "gpu_multiprocessors"));
	assert_null(result_metric(&r, "mig.sm_ratio"));
	result_release(&r);
	gpu_part_release(&p);
	json_object_put(facts);
	json_object_put(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_of_the_whole),
		cmocka_unit_test(without_a_whole_there_is_no_share),
		cmocka_unit_test(a_lease_tells_its_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
