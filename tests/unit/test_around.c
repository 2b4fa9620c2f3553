/*
 * What is read around a timed span: evidence, throttling by control groups of both
 * versions, steal. The values are those that the texts say, worked out by hand.
 */
#include "core/machine/around.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/tree.h"

static const char pod_group[] = "/sys/fs/cgroup/kubepods.slice/kubepods-pod1.slice";

/* What is not known is null, in every part. */
static void test_nothing_is_known(void **state)
{
	struct evidence e;
	struct json_object *o;
	int nulls = 0;

	(void)state;
	evidence_init(&e);
	o = evidence_to_json(&e);
	json_object_object_foreach(o, part, members)
	{
		if (!json_object_is_type(members, json_type_object)) {
			assert_null(members);
			continue;
		}
		json_object_object_foreach(members, key, value)
		{
			(void)part;
			if (json_object_is_type(value, json_type_boolean)) {
				assert_string_equal(key, "known");
				assert_false(json_object_get_boolean(value));
				continue;
			}
			assert_null(value);
			nulls++;
		}
	}
	assert_int_equal(nulls, 9 + 4 + 5 + 1);
	json_object_put(o);
	evidence_release(&e);
}

static void test_what_computed(void **state)
{
	struct evidence e;
	struct json_object *o;

	(void)state;
	evidence_init(&e);
	e.computed = (struct evidence_computed){.kind = EVIDENCE_GPU,
						.device = "NVIDIA GB200",
						.multiprocessors = 18,
						.multiprocessors_whole = 152};
	e.others.known = true;
	e.digest_c = "ab";
	o = evidence_to_json(&e);
	assert_string_equal(json_get_text(json_at(o, "computed"), "kind", ""), "gpu");
	assert_int_equal(json_get_int(json_at(o, "computed"), "multiprocessors", 0), 18);
	assert_true(json_get_bool(json_at(o, "others"), "known", false));
	assert_int_equal(json_get_int(json_at(o, "others"), "processes", -1), 0);
	assert_string_equal(json_get_text(o, "digest_c", ""), "ab");
	json_object_put(o);
	evidence_release(&e);
}

/* The group above holds it back longer than its own; steal is in ticks of 1/100 s. */
static void test_held_back_by_the_group_above(void **state)
{
	char *root = tree_make("tests/machines/pod.tree");
	char path[256];
	struct around a;
	struct evidence e;

	(void)state;
	evidence_init(&e);
	around_begin(&a, root);
	snprintf(path, sizeof(path), "%s/cpu.stat", pod_group);
	tree_put(root, path,
		 "usage_usec 1\nnr_periods 162\nnr_throttled 63\nthrottled_usec 2900000");
	tree_put(root, "/proc/stat", "cpu 1 2 3 4 5 6 7 950 0 0");
	tree_put(root, "/proc/self/status", "Cpus_allowed_list:\t3");
	around_end(&a, &e);
	assert_int_equal(e.cpu.periods, 62);
	assert_int_equal(e.cpu.throttled_periods, 53);
	assert_true(fabs(e.cpu.throttled_s - 2.5) < 1e-9);
	assert_true(fabs(e.cpu.steal_s - 150.0 / (double)sysconf(_SC_CLK_TCK)) < 1e-9);
	assert_string_equal(e.cpu.affinity, "2-3, then 3");
	assert_true(e.span.seconds >= 0 && fabs(e.span.wall_step_s) < 1);
	assert_true(strcmp(e.span.started, e.span.ended) <= 0);
	evidence_release(&e);
	tree_remove(root);
}

/* Version 1, in a container that sees its own group as the top: the path leads nowhere. */
static void test_version_1(void **state)
{
	char *root = tree_make("/dev/null");
	struct cgroup_limits l;
	struct cgroup_history begin, end;
	struct cgroup_throttling t;

	(void)state;
	tree_put(
		root, "/proc/self/cgroup",
		"5:memory:/docker/ab\n4:cpuset:/docker/ab\n3:cpu,cpuacct:/docker/ab\n0::/");
	tree_put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000");
	tree_put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
	tree_put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
		 "nr_periods 5\nnr_throttled 2\nthrottled_time 1500000000");
	tree_put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
		 "9223372036854771712");
	tree_put(root, "/sys/fs/cgroup/cpuset/cpuset.cpus", "0-1");
	cgroup_limits_read(&l, root);
	assert_string_equal(l.source, "cgroup v1");
	assert_true(l.cpus == 2.5);
	assert_int_equal(l.memory_bytes, 0);
	assert_string_equal(l.cpuset, "0-1");
	cgroup_limits_release(&l);
	cgroup_history_read(&begin, root);
	tree_put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
		 "nr_periods 9\nnr_throttled 3\nthrottled_time 1750000000");
	cgroup_history_read(&end, root);
	assert_true(cgroup_held_back(&begin, &end, &t));
	assert_int_equal(t.periods, 4);
	assert_int_equal(t.throttled, 1);
	assert_true(fabs(t.seconds - 0.25) < 1e-9);
	tree_remove(root);
}

/* Both versions side by side, the processor's in the second; no quota: known, and 0. */
static void test_both_versions(void **state)
{
	char *root = tree_make("/dev/null");
	struct cgroup_history h;
	struct cgroup_limits l;
	struct cgroup_throttling t;

	(void)state;
	cgroup_history_read(&h, root);
	assert_int_equal(h.nr, -1);
	assert_false(cgroup_held_back(&h, &h, &t));
	tree_put(root, "/proc/self/cgroup", "1:name=systemd:/x\n0::/user.slice");
	tree_put(root, "/sys/fs/cgroup/unified/cpu.stat", "usage_usec 5");
	tree_put(root, "/sys/fs/cgroup/unified/user.slice/cpu.max", "max 100000");
	cgroup_limits_read(&l, root);
	assert_string_equal(l.source, "cgroup v2");
	assert_true(l.cpus == 0);
	cgroup_limits_release(&l);
	cgroup_history_read(&h, root);
	assert_int_equal(h.nr, 2);
	assert_true(cgroup_held_back(&h, &h, &t));
	assert_int_equal(t.periods, 0);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_what_computed),
		cmocka_unit_test(test_held_back_by_the_group_above),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_both_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
