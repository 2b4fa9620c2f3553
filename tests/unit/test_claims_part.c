/*
 * Slices of a GPU are never compared as alike across routes, profiles or with a whole
 * GPU, and the reason names what differs; a sweep beside a whole GPU lacks nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict.h"
#include "tests/support/honest.h"

static const struct metric_def flops = {"gemm.flops", "FLOP/s", METRIC_HIGHER, true, ""};

/* 'profile' NULL: the whole GPU of a sweep; 'route' NULL: an arm that knows no MIG. */
static void make(struct result *r, int side, int round, const char *name,
		 const char *route, const char *profile, double value)
{
	struct json_object *mig = json_object_new_object();
	struct samples m;

	result_init(r, "test", "gemm", name);
	samples_init(&m, &flops);
	samples_add(&m, value);
	result_add_metric(r, &m);
	json_put_text(mig, "route", profile ? route : NULL);
	json_put_text(mig, "profile", profile);
	json_put_text(mig, "whole", strchr(name, '@') ? "gemm" : NULL);
	if (route)
		json_put(r->details, "mig", mig);
	else
		json_object_put(mig);
	honest_result(r, side, round, HONEST_GPU);
}

static void check(const char *route_a, const char *profile_a, const char *route_b,
		  const char *profile_b, const char *wanted)
{
	const struct result_set run = {.is_run = true};
	const struct compared_side on_metal = {&run, "metal", "metal"},
				   on_vm = {&run, "vm", "vm"};
	struct result a, b;
	const struct workload_side sides[2] = {{&on_metal, &a, 1}, {&on_vm, &b, 1}};
	struct claims c;
	char *why, *note;

	make(&a, 0, 1, "gemm", route_a, profile_a, 1);
	make(&b, 1, 1, "gemm", route_b, profile_b, 1);
	claims_judge(&c, &(struct claims_spec){.sides = {sides[0], sides[1]}}, &note);
	why = claims_reason(&c);
	claims_release(&c);
	if (!wanted)
		assert_null(why);
	else
		assert_string_equal(why, wanted);
	free(why);
	result_release(&a);
	result_release(&b);
}

static void alike_and_not(void **state)
{
	(void)state;
	check(NULL, NULL, NULL, NULL, NULL);
	check("host", NULL, NULL, NULL, NULL); /* the whole GPU in a sweep */
	check("host", NULL, "guest", NULL, NULL);
	check("host", "1g.18gb", "host", "1g.18gb", NULL);
	check("host", "1g.18gb", "host", "2g.35gb",
	      "mig-part: metal ran on 1g.18gb and vm on 2g.35gb");
	check(NULL, NULL, "guest", "1g.18gb",
	      "mig-part: metal ran on a whole GPU and vm on 1g.18gb");
	check("host", "1g.18gb", "guest", "1g.18gb",
	      "mig-route: never alike: metal ran on 1g.18gb, cut by its host; vm on "
	      "1g.18gb, cut inside the guest that has the whole GPU");
	check("guest", "1g.10gb", "opennebula", "1127 (NVIDIA H100XM-1-10C)",
	      "mig-route: never alike: metal ran on 1g.10gb, cut inside the guest that "
	      "has the whole GPU; vm on 1127 (NVIDIA H100XM-1-10C), a MIG-backed vGPU "
	      "that OpenNebula gave");
}

/* Each arm is a machine of its own. */
static int side_of(const char *arm)
{
	static const char *const arms[] = {"metal", "vm", "sweep", "slice", "twin"};

	for (size_t i = 0; i < ARRAY_SIZE(arms); i++)
		if (strcmp(arms[i], arm) == 0)
			return (int)i;
	return 0;
}

static void add(struct result_set *s, const char *arm, int round, const char *name,
		const char *route, const char *profile)
{
	struct result r;

	make(&r, side_of(arm), round, name, route, profile, 100);
	r.arm = x_strdup(arm);
	r.round = round;
	result_set_add(s, &r, "by hand");
}

static void judge(struct result_set *s, struct judgement *j)
{
	struct judge_options o = {0};
	struct err err = ERR_INIT;

	s->is_run = true;
	result_set_sort(s);
	if (judge_run(j, s, "metal", &o, &err))
		fail_msg("%s", err.text);
}

static void another_route_is_invalid(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	for (int i = 1; i <= 3; i++) {
		add(&s, "metal", i, "gemm", "host", "1g.18gb");
		add(&s, "vm", i, "gemm", "guest", "1g.18gb");
	}
	judge(&s, &j);
	assert_int_equal(j.nr, 1);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_non_null(strstr(j.items[0].reason, "mig-route: never alike"));
	assert_true(j.items[0].has_ratio); /* shown all the same */
	judgement_release(&j);
	result_set_release(&s);
}

static void a_sweep_lacks_nothing(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	for (int i = 1; i <= 3; i++) {
		add(&s, "metal", i, "gemm", NULL, NULL);
		add(&s, "sweep", i, "gemm", "host", NULL);
		add(&s, "sweep", i, "gemm@1g.18gb", "host", "1g.18gb");
		add(&s, "slice", i, "gemm", "host", "1g.18gb");
	}
	judge(&s, &j);
	assert_int_equal(j.nr, 2); /* the slice beside a whole GPU is not alike */
	assert_int_equal(j.items[0].verdict, VERDICT_EQUIVALENT);
	assert_int_equal(j.items[1].verdict, VERDICT_INVALID);
	assert_int_equal(j.notes.nr, 1);
	assert_string_equal(j.notes.items[0],
			    "gemm@1g.18gb: only sweep ran on that slice of "
			    "the GPU; not judged");
	judgement_release(&j);
	result_set_release(&s);
}

/* Both sweep, and one of them has lost a slice: that is missing. */
static void a_lost_slice_is_missed(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	result_set_init(&s, "run");
	for (int i = 1; i <= 3; i++) {
		add(&s, "metal", i, "gemm@1g.18gb", "host", "1g.18gb");
		add(&s, "metal", i, "gemm@2g.35gb", "host", "2g.35gb");
		add(&s, "twin", i, "gemm@1g.18gb", "host", "1g.18gb");
	}
	judge(&s, &j);
	assert_int_equal(j.nr, 2);
	assert_int_equal(j.overall, VERDICT_INVALID);
	judgement_release(&j);
	result_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike_and_not),
		cmocka_unit_test(another_route_is_invalid),
		cmocka_unit_test(a_sweep_lacks_nothing),
		cmocka_unit_test(a_lost_slice_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
