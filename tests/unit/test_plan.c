/*
 * Reading a plan: what is right is read and written back the same; what is wrong stops
 * with the file, the JSON pointer, what was expected and the nearest known name. The
 * workload's program is tests/support/fake_gemm.h.
 */
#include "harness/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/plan/workload_kind.h"
#include "harness/provision/provisioner.h"
#include "tests/support/fake_gemm.h"

static int read_text(const char *dir, const char *text, struct plan *ret, struct err *err)
{
	char *path = path_join(dir, "p.json");
	int rc = file_write(path, text, strlen(text), 0644, NULL);

	assert_int_equal(rc, 0);
	rc = plan_read(ret, path, err);
	free(path);
	return rc;
}

#define GOOD_ARMS                                                                    \
	"\"arms\": {\"a\": {\"target\": \"local\"}, \"b\": {\"target\": \"local\", " \
	"\"same_machine_as\": \"a\"}}"
#define GOOD_WORK "\"workloads\": [{\"gemm\": {\"n\": 64}}]"
#define GOOD_REST "\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS ", " GOOD_WORK

static void a_whole_plan_is_read(void **state)
{
	static const char text[] =
		"// comments are allowed\n"
		"{ \"name\": \"x\",\n"
		"  \"provisioners\": { \"rack\": { \"kind\": \"list\", \"machines\": "
		"[{\"address\": \"h\"}] } },\n"
		"  \"arms\": {\n"
		"    \"metal\": { \"target\": \"ssh\", \"host\": \"gpu-7\", \"user\": "
		"\"root\",\n"
		"               \"port\": 2222, \"driver\": \"nvidia\" },\n"
		"    \"here\": { \"target\": \"local\" } },\n"
		"  \"baseline\": \"metal\", /* the other kind too */\n"
		"  \"workloads\": [\n"
		"    { \"gemm\": { \"n\": 64, \"precision\": \"fp64\" }, \"name\": "
		"\"small\",\n"
		"      \"timeout\": \"2min\", \"gate\": false },\n"
		"    { \"gemm\": { \"n\": 128, \"warmup_seconds\": 0.5 } } ],\n"
		"  \"schedule\": { \"rounds\": { \"min\": 4 }, \"order\": \"abab\" },\n"
		"  \"margins\": { \"gemm.flops\": 0.02 } }\n";
	struct err err = ERR_INIT;
	struct plan p;

	if (read_text(*state, text, &p, &err))
		fail_msg("%s", err.text);
	assert_string_equal(p.name, "x");
	assert_int_equal(p.arms_nr, 2);
	assert_int_equal(p.arms[0].target, ARM_SSH);
	assert_int_equal(p.arms[0].driver, ARM_DRIVER_NVIDIA);
	assert_string_equal(p.arms[0].ssh.host, "gpu-7");
	assert_int_equal(p.arms[0].ssh.port, 2222);
	assert_int_equal(p.workloads_nr, 2);
	assert_string_equal(p.workloads[0].name, "small");
	assert_string_equal(p.workloads[1].name, "gemm");
	assert_int_equal(p.workloads[0].timeout_ns, 120 * NS_PER_S);
	assert_false(p.workloads[0].is_gating);
	assert_true(p.workloads[1].is_gating);
	assert_int_equal(p.schedule.rounds_min, 4);
	assert_int_equal(p.schedule.rounds_max, 12);
	assert_int_equal(p.schedule.order, ORDER_ABAB);
	plan_release(&p);
}

/* Blocks drawn by a seed, and the one margin that may be 0. */
static void random_blocks_and_failures_are_read(void **state)
{
	static const char text[] =
		"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
		", \"workloads\": [{\"gemm\": {\"n\": 64}}]"
		", \"schedule\": {\"order\": \"random-blocks\", \"seed\": 7}"
		", \"margins\": {\"%s\": 0}}";
	struct err err = ERR_INIT;
	struct plan p;
	char *given = x_asprintf(text, "failures");

	assert_int_equal(read_text(*state, given, &p, &err), 0);
	assert_int_equal(p.schedule.order, ORDER_RANDOM_BLOCKS);
	assert_int_equal(p.schedule.seed, 7);
	plan_release(&p);
	free(given);
	given = x_asprintf(text, "gemm.flops");
	assert_int_equal(read_text(*state, given, &p, &err), -1);
	free(given);
}

/* What is written into the run directory reads back as the same plan. */
static void it_is_written_and_read_the_same(void **state)
{
	static const char text[] =
		"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
		", \"workloads\": [{\"gemm\": {\"n\": 64}, \"gate\": false}]"
		", \"schedule\": {\"rounds\": {\"max\": 2}}}";
	char *path = path_join(*state, "again.json");
	char first[65], second[65];
	struct err err = ERR_INIT;
	struct json_object *o;
	struct plan p;

	assert_int_equal(read_text(*state, text, &p, &err), 0);
	assert_int_equal(p.schedule.rounds_min, 2);
	plan_digest(&p, first);
	o = plan_to_json(&p);
	plan_release(&p);
	assert_int_equal(json_write_file(path, o, 0644, &err), 0);
	json_object_put(o);
	if (plan_read(&p, path, &err))
		fail_msg("%s", err.text);
	plan_digest(&p, second);
	assert_false(p.workloads[0].is_gating);
	plan_release(&p);
	assert_string_equal(first, second);
	free(path);
}

/* Every way to say it, and the plan that comes of it says the same again. */
static void mig_is_read_and_written(void **state)
{
	static const char text[] =
		"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {"
		"\"a\": {\"target\": \"local\", \"mig\": \"all\"}, "
		"\"b\": {\"target\": \"ssh\", \"host\": \"h\", \"mig\": {\"slices\": "
		"2}}, "
		"\"c\": {\"target\": \"local\", \"same_machine_as\": \"a\", "
		"\"mig\": {\"profile\": \"1g.18gb+me\", "
		"\"gpu\": \"GPU-1\"}}, \"d\": {\"target\": \"local\", "
		"\"same_machine_as\": \"a\"}}, " GOOD_WORK "}";
	struct err err = ERR_INIT;
	struct json_object *o;
	struct plan p, again;

	if (read_text(*state, text, &p, &err))
		fail_msg("%s", err.text);
	assert_true(p.arms[0].mig.is_wanted && p.arms[0].mig.is_all);
	assert_true(p.arms[1].mig.is_wanted && !p.arms[1].mig.is_all);
	assert_int_equal(p.arms[1].mig.slices, 2);
	assert_string_equal(p.arms[2].mig.profile, "1g.18gb+me");
	assert_string_equal(p.arms[2].mig.gpu, "GPU-1");
	assert_false(p.arms[3].mig.is_wanted);
	o = plan_to_json(&p);
	if (plan_from_json(&again, o, "again", &err))
		fail_msg("%s", err.text);
	assert_true(again.arms[0].mig.is_all);
	assert_int_equal(again.arms[1].mig.slices, 2);
	assert_string_equal(again.arms[2].mig.gpu, "GPU-1");
	assert_false(again.arms[3].mig.is_wanted);
	json_object_put(o);
	plan_release(&again);
	plan_release(&p);
}

static void the_baseline_gets_a_twin(void **state)
{
	struct err err = ERR_INIT;
	struct plan p, twin;

	assert_int_equal(read_text(*state, "{" GOOD_REST "}", &p, &err), 0);
	if (plan_against_itself(&twin, &p, &err))
		fail_msg("%s", err.text);
	assert_string_equal(twin.name, "x-aa");
	assert_int_equal(twin.arms_nr, 2);
	assert_string_equal(twin.arms[0].name, "a");
	assert_string_equal(twin.arms[1].name, "a-again");
	assert_int_equal(twin.baseline, 0);
	assert_null(twin.arms[0].same_machine_as);
	assert_string_equal(twin.arms[1].same_machine_as, "a");
	plan_release(&twin);
	plan_release(&p);
}

static void parameters_become_arguments(void **state)
{
	static const char params[] =
		"{\"n\": 64, \"precision\": \"fp64\", \"warmup_seconds\": 0.5}";
	struct json_object *o = json_parse(params, strlen(params), "params", NULL);
	struct field *options = program_options("tare-gemm", NULL);
	struct strvec args = {0};

	(void)state;
	assert_non_null(options);
	program_args(options, o, &args);
	fields_free_described(options);
	assert_int_equal(args.nr, 3);
	assert_string_equal(args.items[0], "--n=64");
	assert_string_equal(args.items[1], "--precision=fp64");
	assert_string_equal(args.items[2], "--warmup-seconds=0.5");
	strvec_release(&args);
	json_object_put(o);
}

/* However many workloads it has, and however often they run. */
static void a_program_is_asked_once(void **state)
{
	static const char text[] =
		"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
		", \"workloads\": [{\"gemm\": {\"n\": 1}}, {\"gemm\": {\"n\": 2}, "
		"\"name\": \"two\"}]}";
	char *asked = path_join(*state, FAKE_GEMM_ASKED);
	struct err err = ERR_INIT;
	struct buf lines;
	struct plan p;

	(void)unlink(asked);
	if (read_text(*state, text, &p, &err))
		fail_msg("%s", err.text);
	assert_ptr_equal(p.workloads[0].options, p.workloads[1].options);
	plan_release(&p);
	assert_int_equal(file_read(asked, 1000, &lines, &err), 0);
	assert_string_equal(lines.data, "asked\n");
	buf_release(&lines);
	free(asked);
}

static const struct {
	const char *text;
	const char *says[3];
} mistakes[] = {
	{"{\"arms\": {\"a\": {\"target\": \"local\"}, \"b\": {\"target\": \"local\"}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/b", "'a' and 'b' are one machine", "\"same_machine_as\": \"a\""}},
	{"{\"arms\": {\"a\": {\"target\": \"ssh\", \"host\": \"GPU-7\"}, \"b\": "
	 "{\"target\": \"ssh\", \"host\": \"gpu-7\", \"port\": 22}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/b", "one machine"}},
	{"{\"arms\": {\"a\": {\"target\": \"local\"}, \"b\": {\"target\": \"ssh\", "
	 "\"host\": \"localhost\"}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/b", "one machine"}},
	{"{\"arms\": {\"aa\": {\"target\": \"local\"}, \"b\": {\"target\": \"local\", "
	 "\"same_machine_as\": \"ab\"}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"aa\"}",
	 {"/arms/b/same_machine_as", "'ab'", "'aa'"}},
	{"{" GOOD_REST ", \"trust\": [\"healt\"]}", {"/trust", "'healt'", "health"}},
	{"{\"arms\": {\"a\": {\"target\": \"local\", \"mig\": \"some\"}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/a/mig", "object"}},
	{"{\"arms\": {\"a\": {\"target\": \"local\", \"mig\": {\"slice\": "
	 "1}}}, " GOOD_WORK ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/a/mig", "'slices'"}},
	{"{\"arms\": {\"a\": {\"target\": \"local\", \"mig\": {\"gpu\": "
	 "\"0\"}}}, " GOOD_WORK ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/a/mig", "one of 'slices' and 'profile'"}},
	{"{\"provisioners\": {\"o\": {\"kind\": \"opennebula\", \"endpoint\": "
	 "\"http://f:2633/RPC2\"}}, \"arms\": {\"a\": "
	 "{\"target\": \"vm\", \"provisioner\": \"o\", \"template\": \"t\", \"gpu\": "
	 "{\"profile\": \"H100XM-1-10C\"}, \"mig\": \"all\"}}, " GOOD_WORK
	 ", \"name\": \"x\", \"baseline\": \"a\"}",
	 {"/arms/a/mig", "MIG-backed slice"}},
	{"{ \"name\": \"x\", ", {"p.json:", "not valid JSON"}},
	{"[]", {"expected an object", "a list"}},
	{"{" GOOD_REST ", \"marginns\": {}}", {"unknown key 'marginns'", "'margins'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_WORK "}",
	 {"/arms", "expected an object"}},
	{"{\"name\": \"x y\", \"baseline\": \"a\", " GOOD_ARMS ", " GOOD_WORK "}",
	 {"/name", "'x y'", "letters"}},
	{"{\"baseline\": \"a\", " GOOD_ARMS ", " GOOD_WORK "}", {"'name' is missing"}},
	{"{\"name\": \"x\", \"baseline\": \"aa\", " GOOD_ARMS ", " GOOD_WORK "}",
	 {"/baseline", "no arm 'aa'", "did you mean 'a'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": "
	 "\"locl\"}}, " GOOD_WORK "}",
	 {"/arms/a/target", "'locl'", "did you mean 'local'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": "
	 "\"local\", \"host\": 1}}, " GOOD_WORK "}",
	 {"/arms/a", "unknown key 'host'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": "
	 "\"ssh\"}}, " GOOD_WORK "}",
	 {"/arms/a", "needs 'host'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": \"ssh\", "
	 "\"host\": "
	 "\"h\", \"port\": 70000}}, " GOOD_WORK "}",
	 {"/arms/a/port", "70000", "65535"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": "
	 "\"vm\"}}, " GOOD_WORK "}",
	 {"/arms/a", "needs 'provisioner'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": \"vm\", "
	 "\"provisioner\": \"no\"}}, " GOOD_WORK "}",
	 {"/arms/a/provisioner", "'no'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS ", \"workloads\": []}",
	 {"/workloads", "list of workloads"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gem\": {}}]}",
	 {"/workloads/0", "'gem'", "did you mean 'gemm'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {}, \"load\": {}}]}",
	 {"/workloads/0", "are two"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {\"nn\": 4}}]}",
	 {"/workloads/0/gemm", "unknown key 'nn'", "did you mean 'n'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {\"n\": 0}}]}",
	 {"/workloads/0/gemm/n", "out of range"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {\"n\": \"big\"}}]}",
	 {"/workloads/0/gemm/n", "whole number", "a text"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {\"output\": \"f\"}}]}",
	 {"/workloads/0/gemm", "unknown key 'output'"}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {}}, {\"gemm\": {}}]}",
	 {"/workloads/1", "second workload called 'gemm'", "\"name\""}},
	{"{\"name\": \"x\", \"baseline\": \"a\", " GOOD_ARMS
	 ", \"workloads\": [{\"gemm\": {}, \"gate\": \"no\"}]}",
	 {"/workloads/0/gate", "true or false", "a text"}},
	{"{" GOOD_REST ", \"schedule\": {\"rounds\": {\"min\": 5, \"max\": 2}}}",
	 {"/schedule/rounds", "min is larger than max"}},
	{"{" GOOD_REST ", \"schedule\": {\"order\": \"baab\"}}",
	 {"/schedule/order", "'baab'"}},
	{"{" GOOD_REST ", \"margins\": {\"gemm.flops\": 1}}",
	 {"/margins/gemm.flops", "between 0 and 1"}},
	{"{" GOOD_REST ", \"provisioners\": {\"p\": {\"kind\": \"libvrt\"}}}",
	 {"/provisioners/p/kind", "'libvrt'", "did you mean"}},
	{"{" GOOD_REST ", \"provisioners\": {\"p\": {}}}",
	 {"/provisioners/p", "'kind' is missing"}},
};

static void every_mistake_is_explained(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct err err = ERR_INIT;
		struct plan p;

		if (!read_text(*state, mistakes[i].text, &p, &err))
			fail_msg("accepted: %s", mistakes[i].text);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "p.json"));
		for (size_t k = 0; k < 3 && mistakes[i].says[k]; k++)
			if (!strstr(err.text, mistakes[i].says[k]))
				fail_msg("'%s' does not say '%s'", err.text,
					 mistakes[i].says[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_plan_is_read),
		cmocka_unit_test(random_blocks_and_failures_are_read),
		cmocka_unit_test(it_is_written_and_read_the_same),
		cmocka_unit_test(mig_is_read_and_written),
		cmocka_unit_test(the_baseline_gets_a_twin),
		cmocka_unit_test(parameters_become_arguments),
		cmocka_unit_test(a_program_is_asked_once),
		cmocka_unit_test(every_mistake_is_explained),
	};

	return cmocka_run_group_tests(tests, fake_gemm_set_up, fake_gemm_tear_down);
}
