/*
 * The facts of machines in tests/machines. The expected values are those that the text of
 * each tree says, worked out by hand (kB times 1024).
 */
#include "core/machine/machine.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "core/machine/sysfs.h"
#include "tests/support/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct json_object *read_tree(const char *file)
{
	char *root = tree_make(file);
	struct json_object *o = machine_read(root);

	tree_remove(root);
	return o;
}

static void check_text(struct json_object *o, const char *path, const char *want)
{
	struct json_object *v = json_at(o, path);

	if (!v)
		fail_msg("%s is not known", path);
	assert_string_equal(json_object_get_string(v), want);
}

static void check_int(struct json_object *o, const char *path, long long want)
{
	struct json_object *v = json_at(o, path);

	if (!v || !json_object_is_type(v, json_type_int))
		fail_msg("%s is not a whole number", path);
	assert_int_equal(json_object_get_int64(v), want);
}

static void check_bool(struct json_object *o, const char *path, bool want)
{
	struct json_object *v = json_at(o, path);

	if (!v || !json_object_is_type(v, json_type_boolean))
		fail_msg("%s is not true or false", path);
	assert_int_equal(json_object_get_boolean(v), want);
}

/* The key is there, and says that it does not know. */
static void check_null(struct json_object *o, const char *object, const char *key)
{
	struct json_object *v, *parent = *object ? json_at(o, object) : o;

	assert_true(json_object_object_get_ex(parent, key, &v));
	assert_null(v);
}

static void test_x86_host(void **state)
{
	struct json_object *o = read_tree("tests/machines/x86-host.tree");

	(void)state;
	check_text(o, "schema", "tare.machine/1");
	check_text(o, "cpu/model", "Intel(R) Xeon(R) Platinum 8480+");
	check_text(
		o, "cpu/isa",
		"sse4_2 avx avx2 fma avx_vnni avx512f avx512bw avx512_bf16 avx512_fp16 "
		"amx_tile amx_bf16 amx_int8");
	check_int(o, "cpu/sockets", 2);
	check_int(o, "cpu/cores", 2);
	check_int(o, "cpu/threads", 4);
	check_int(o, "cpu/threads_per_core", 2);
	check_int(o, "cpu/clock_max_hz", 3800000000);
	check_int(o, "cpu/cache/l1_bytes", 48 * 1024);
	check_int(o, "cpu/cache/l3_bytes", 107520 * 1024);
	check_text(o, "mitigations/meltdown", "Not affected");
	check_text(o, "power/governor", "performance");
	check_int(o, "numa/count", 2);
	check_int(o, "numa/without_memory", 0);
	check_bool(o, "numa/balancing", true);
	check_int(o, "numa/nodes/0/memory_bytes", 528000000LL * 1024);
	check_int(o, "numa/nodes/0/huge_pages/0/free", 180);
	check_text(o, "numa/nodes/1/cpus", "1,3");
	check_int(o, "memory/total_bytes", 1056400000LL * 1024);
	check_int(o, "memory/page_size_bytes", 4096);
	check_text(o, "memory/thp_enabled", "always");
	check_text(o, "memory/thp_defrag", "madvise");
	check_bool(o, "memory/ksm", false);
	check_int(o, "memory/huge_pages/0/size_bytes", 2048 * 1024);
	check_int(o, "memory/huge_pages/1/total", 200);
	check_text(o, "kernel/os", "Ubuntu 24.04.1 LTS");
	check_text(o, "hypervisor/kind", "none");
	check_bool(o, "hypervisor/is_guest", false);
	check_bool(o, "hypervisor/can_host_kvm", true);
	check_text(o, "iommu/kind", "intel");
	check_int(o, "iommu/units", 2);
	check_int(o, "iommu/groups", 2);
	check_int(o, "clock/steal_ticks", 0);
	json_object_put(o);
}

static void test_x86_devices(void **state)
{
	struct json_object *o = read_tree("tests/machines/x86-host.tree");

	(void)state;
	assert_int_equal(json_object_array_length(json_at(o, "pci")), 3);
	check_text(o, "pci/0/driver", "ast");
	check_int(o, "pci/0/boot_display", 1);
	check_null(o, "pci/0", "iommu_group");
	check_null(o, "pci/0/link", "width");
	check_text(o, "pci/1/address", "0000:18:00.0");
	check_text(o, "pci/1/driver", "nvidia");
	check_text(o, "pci/1/iommu_group", "41");
	check_int(o, "pci/1/link/width", 16);
	assert_true(json_get_real(json_at(o, "pci/1/link"), "speed_gt_per_s", 0) == 32.0);
	check_int(o, "pci/1/largest_bar_bytes", 0x2000000000);
	check_text(o, "pci/2/driver", "vfio-pci");
	assert_int_equal(json_object_array_length(json_at(o, "gpus")), 1);
	check_text(o, "gpus/0/uuid", "GPU-7f1c2d3e-1111-2222-3333-444455556666");
	check_text(o, "gpus/0/name", "NVIDIA H100 80GB HBM3");
	check_text(o, "gpus/0/driver_version", "570.133.20");
	check_text(o, "gpus/0/vbios", "96.00.74.00.01");
	json_object_put(o);
}

static void test_grace_host(void **state)
{
	struct json_object *o = read_tree("tests/machines/grace-host.tree");

	(void)state;
	check_text(o, "cpu/architecture", "aarch64");
	check_text(o, "cpu/model", "Arm Neoverse V2");
	check_text(o, "cpu/isa",
		   "asimd asimdhp asimddp sve sve2 i8mm svei8mm bf16 svebf16");
	check_text(o, "power/governor", "mixed");
	check_int(o, "memory/page_size_bytes", 65536);
	check_int(o, "numa/count", 4);
	check_int(o, "numa/without_cpus", 2);
	check_int(o, "numa/without_memory", 1);
	check_int(o, "numa/nodes/3/id", 10);
	check_bool(o, "numa/balancing", false);
	check_text(o, "hypervisor/kind", "none");
	check_text(o, "iommu/kind", "smmuv3");
	check_text(o, "pci/0/driver", "nvgrace_gpu_vfio_pci");
	check_null(o, "", "gpus"); /* there, and its driver is not: cannot be told */
	json_object_put(o);
}

static void test_guests(void **state)
{
	struct json_object *kvm = read_tree("tests/machines/kvm-guest.tree");
	struct json_object *tcg = read_tree("tests/machines/tcg-guest.tree");

	(void)state;
	check_text(kvm, "hypervisor/kind", "kvm");
	check_bool(kvm, "hypervisor/is_guest", true);
	check_bool(kvm, "hypervisor/cpuid_flag", true);
	check_int(kvm, "clock/steal_ticks", 100);
	assert_true(json_get_real(json_at(kvm, "clock"), "steal_ratio", 0) == 0.1);
	assert_int_equal(json_object_array_length(json_at(kvm, "gpus")), 0);
	check_text(tcg, "hypervisor/kind", "qemu");
	check_bool(tcg, "hypervisor/is_guest", true);
	json_object_put(kvm);
	json_object_put(tcg);
}

/* By hand: printf 'tareTEXT' | sha256sum, the first 16 digits. */
static void test_identity(void **state)
{
	struct json_object *o = read_tree("tests/machines/x86-host.tree");

	(void)state;
	check_text(o, "identity/machine", "a8b73a86fece9104");
	check_text(o, "identity/boot", "afd5317bfed4b3a0");
	check_text(o, "identity/board", "80949600714c877a");
	json_object_put(o);
}

static const char *container_of(const char *root)
{
	static char kind[64];
	struct json_object *o = machine_read(root);

	snprintf(kind, sizeof(kind), "%s",
		 json_get_text(json_member(o, "container"), "kind", "?"));
	json_object_put(o);
	return kind;
}

/* What an image leaves behind proves nothing on a machine whose processes are its own. */
static void test_containers(void **state)
{
	char *root = tree_make("/dev/null");

	(void)state;
	assert_string_equal(container_of(root), "unknown");
	tree_put(root, "/.dockerenv", "");
	assert_string_equal(container_of(root), "docker");
	tree_link(root, "/proc/self/ns/pid", "pid:[4026531836]");
	assert_string_equal(container_of(root), "none");
	tree_put(root, "/proc/self/cgroup",
		 "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ab.scope");
	assert_string_equal(container_of(root), "kubernetes");
	tree_put(root, "/proc/self/cgroup",
		 "4:memory:/\n0::/system.slice/docker-ab.scope");
	assert_string_equal(container_of(root), "docker");
	tree_put(root, "/proc/self/cgroup", "0::/system.slice/docker.service");
	assert_string_equal(container_of(root), "none");
	tree_link(root, "/proc/self/ns/pid", "pid:[4026532999]");
	tree_put(root, "/run/systemd/container", "systemd-nspawn");
	assert_string_equal(container_of(root), "systemd-nspawn");
	tree_remove(root);
}

static void test_confinement(void **state)
{
	struct json_object *free_host = read_tree("tests/machines/x86-host.tree");
	struct json_object *pod = read_tree("tests/machines/pod.tree");

	(void)state;
	check_text(free_host, "container/kind", "none");
	check_text(free_host, "confinement/source", "cgroup v2");
	check_null(free_host, "confinement", "cpu_quota");
	check_null(free_host, "confinement", "memory_max_bytes");
	check_int(free_host, "confinement/memory_effective_bytes", 1056400000LL * 1024);
	check_text(pod, "container/kind", "kubernetes");
	check_text(pod, "confinement/affinity", "2-3");
	check_text(pod, "confinement/cpuset", "2-3");
	/* The pod's own group says 4; the one above it says 1.5. */
	assert_true(json_get_real(json_at(pod, "confinement"), "cpu_quota", 0) == 1.5);
	check_int(pod, "confinement/memory_max_bytes", 2147483648);
	check_int(pod, "confinement/memory_effective_bytes", 2147483648);
	json_object_put(free_host);
	json_object_put(pod);
}

/* A folder with nothing in it: everything is null or empty, and nothing is 0. */
static void test_nothing_to_read(void **state)
{
	char *root = tree_make("/dev/null");
	struct json_object *o = machine_read(root);

	(void)state;
	check_null(o, "identity", "machine");
	check_null(o, "identity", "board");
	check_null(o, "confinement", "affinity");
	check_null(o, "confinement", "source");
	check_null(o, "confinement", "memory_effective_bytes");
	check_null(o, "cpu", "model");
	check_null(o, "cpu", "clock_max_hz");
	check_null(o, "memory", "total_bytes");
	check_null(o, "memory", "page_size_bytes");
	check_null(o, "memory", "ksm");
	check_null(o, "numa", "balancing");
	check_null(o, "power", "governor");
	check_null(o, "clock", "source");
	check_null(o, "", "mitigations");
	assert_null(json_at(o, "numa/count"));
	json_object_put(o);
	tree_remove(root);
}

/* The running machine against what the C library and the kernel say. */
static void test_this_machine(void **state)
{
	struct json_object *o = machine_read("");

	(void)state;
	check_int(o, "memory/page_size_bytes", sysconf(_SC_PAGESIZE));
	assert_true(json_get_int(json_at(o, "memory"), "total_bytes", 0) > 0);
	check_text(o, "libraries/json_c", json_c_version());
	json_object_put(o);
}

static void test_values(void **state)
{
	char *v = sysfs_value("a b : 1\nb: two words \nc = 3\n", "b");

	(void)state;
	assert_string_equal(v, "two words");
	free(v);
	assert_null(sysfs_value("ab: 1\n", "a"));
}

static void test_choices(void **state)
{
	struct json_object *o = json_object_new_object();
	char *root = dir_make_temporary("tare-test-choices", NULL);

	(void)state;
	tree_put(root, "/chosen", "x [y z] w");
	tree_put(root, "/plain", "plain");
	sysfs_put_choice(o, "chosen", root, "/chosen");
	sysfs_put_choice(o, "plain", root, "/plain");
	sysfs_put_choice(o, "absent", root, "/absent");
	check_text(o, "chosen", "y z");
	check_text(o, "plain", "plain");
	assert_null(json_get_text(o, "absent", NULL));
	json_object_put(o);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86_host),
		cmocka_unit_test(test_x86_devices),
		cmocka_unit_test(test_grace_host),
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_nothing_to_read),
		cmocka_unit_test(test_this_machine),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
