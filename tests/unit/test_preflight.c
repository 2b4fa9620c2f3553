/*
 * Preflight on the machines of tests/machines; which state each check must have follows
 * from the tree's text and the sentence in the check's table. ACS registers are laid out
 * by hand after the PCI Express specification.
 */
#include "probe/preflight.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/machine/machine.h"
#include "core/base/mem.h"
#include "probe/acs.h"
#include "tests/support/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	char *root;
	struct preflight p;
};

static void look_at(struct seen *s)
{
	struct json_object *machine = machine_read(s->root);

	preflight_run(&s->p, s->root, machine);
	json_object_put(machine);
}

static void look(struct seen *s, const char *file)
{
	s->root = tree_make(file);
	look_at(s);
}

static void look_again(struct seen *s)
{
	preflight_release(&s->p);
	look_at(s);
}

static void done(struct seen *s)
{
	preflight_release(&s->p);
	tree_remove(s->root);
}

static const struct preflight_row *row(const struct seen *s, const char *id)
{
	for (size_t i = 0; i < s->p.nr; i++) {
		if (strcmp(s->p.rows[i].id, id) == 0)
			return &s->p.rows[i];
	}
	fail_msg("no check %s", id);
	return NULL;
}

static void expect(const struct seen *s, const char *id, enum preflight_state want)
{
	const struct preflight_row *r = row(s, id);

	if (r->state != want)
		fail_msg("%s is %d, not %d: %s", id, (int)r->state, (int)want,
			 r->evidence);
}

static void test_x86_host(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/x86-host.tree");
	expect(&s, "host.iommu", PREFLIGHT_OK);
	expect(&s, "host.iommufd", PREFLIGHT_NOT_APPLICABLE);
	expect(&s, "host.iommu_groups", PREFLIGHT_OK);
	expect(&s, "gpu.driver", PREFLIGHT_OK);
	expect(&s, "gpu.link_width", PREFLIGHT_FAIL);
	expect(&s, "gpu.link_speed", PREFLIGHT_WARN);
	expect(&s, "kernel.page_size", PREFLIGHT_NOT_APPLICABLE);
	expect(&s, "kernel.numa_balancing", PREFLIGHT_WARN);
	expect(&s, "kernel.mitigations", PREFLIGHT_OK);
	expect(&s, "memory.huge_pages", PREFLIGHT_OK);
	expect(&s, "memory.ksm", PREFLIGHT_OK);
	expect(&s, "power.governor", PREFLIGHT_OK);
	expect(&s, "power.idle", PREFLIGHT_UNKNOWN);
	expect(&s, "cpu.isolated", PREFLIGHT_WARN);
	expect(&s, "guest.steal", PREFLIGHT_NOT_APPLICABLE);
	expect(&s, "gpu.uuid", PREFLIGHT_OK);
	expect(&s, "gpu.persistence", PREFLIGHT_UNKNOWN);
	assert_non_null(
		strstr(row(&s, "gpu.link_width")->evidence, "0000:2a:00.0: x8 of x16"));
	done(&s);
}

/* The same host with one thing after the other made wrong. */
static void test_x86_host_gone_wrong(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/x86-host.tree");
	tree_put(s.root, "/proc/sys/kernel/numa_balancing", "0\n");
	tree_put(s.root, "/sys/kernel/mm/ksm/run", "1\n");
	tree_put(s.root, "/sys/kernel/mm/transparent_hugepage/enabled",
		 "always madvise [never]\n");
	tree_put(s.root, "/sys/devices/system/cpu/cpufreq/policy1/scaling_governor",
		 "powersave\n");
	tree_put(s.root, "/sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable\n");
	tree_put(s.root, "/sys/devices/system/cpu/cpu0/cpuidle/state3/name", "C6\n");
	tree_put(s.root, "/sys/devices/system/cpu/cpu0/cpuidle/state3/latency", "290\n");
	tree_put(s.root, "/sys/devices/system/cpu/cpu0/cpuidle/state3/disable", "0\n");
	tree_put(s.root, "/sys/devices/system/cpu/isolated", "2-3\n");
	tree_put(s.root, "/proc/77/comm", "irqbalance\n");
	tree_link(s.root, "/sys/bus/pci/devices/0000:18:00.0/driver",
		  "../../../bus/pci/drivers/nouveau");
	tree_put(s.root, "/sys/kernel/iommu_groups/41/devices/0000:03:00.0/x", "\n");
	tree_put(s.root, "/proc/driver/nvidia/gpus/0000:18:00.0/information",
		 "Device Minor: 	 0\n");
	tree_link(s.root, "/proc/4242/fd/7", "/dev/nvidia0");
	tree_put(s.root, "/proc/4242/comm", "python3\n");
	look_again(&s);
	expect(&s, "kernel.numa_balancing", PREFLIGHT_OK);
	expect(&s, "memory.ksm", PREFLIGHT_WARN);
	expect(&s, "memory.thp", PREFLIGHT_WARN);
	expect(&s, "power.governor", PREFLIGHT_WARN);
	expect(&s, "kernel.mitigations", PREFLIGHT_WARN);
	expect(&s, "power.idle", PREFLIGHT_WARN);
	expect(&s, "cpu.irqbalance", PREFLIGHT_WARN);
	expect(&s, "cpu.isolated", PREFLIGHT_OK);
	expect(&s, "gpu.driver", PREFLIGHT_FAIL);
	expect(&s, "host.iommu_groups", PREFLIGHT_FAIL);
	expect(&s, "gpu.users", PREFLIGHT_WARN);
	expect(&s, "gpu.uuid", PREFLIGHT_FAIL);
	assert_non_null(strstr(row(&s, "gpu.users")->evidence, "4242 (python3)"));
	tree_put(s.root, "/sys/devices/system/cpu/cpu0/cpuidle/state3/disable", "1\n");
	tree_put(s.root, "/proc/4242/comm", "nvidia-persiste\n");
	look_again(&s);
	expect(&s, "power.idle", PREFLIGHT_OK);
	expect(&s, "gpu.users", PREFLIGHT_OK);
	expect(&s, "power.turbo", PREFLIGHT_OK);
	tree_put(s.root, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	look_again(&s);
	expect(&s, "power.turbo", PREFLIGHT_WARN);
	done(&s);
}

/* Nobody sees others' open files without being root: that is not 'nobody has it open'. */
static void test_users_that_cannot_be_seen(void **state)
{
	struct seen s;
	char *fds;

	(void)state;
	if (geteuid() != 0)
		skip();
	look(&s, "tests/machines/x86-host.tree");
	tree_put(s.root, "/proc/1/fd/x", "");
	look_again(&s);
	expect(&s, "gpu.users", PREFLIGHT_OK);
	fds = x_asprintf("%s/proc/1/fd", s.root);
	assert_int_equal(chmod(s.root, 0755), 0);
	assert_int_equal(chmod(fds, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	look_again(&s);
	assert_int_equal(seteuid(0), 0);
	expect(&s, "gpu.users", PREFLIGHT_UNKNOWN);
	free(fds);
	done(&s);
}

static void test_grace_host(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/grace-host.tree");
	expect(&s, "host.iommu", PREFLIGHT_OK);
	expect(&s, "host.iommufd", PREFLIGHT_FAIL);
	expect(&s, "gpu.driver", PREFLIGHT_OK);
	expect(&s, "gpu.link_width", PREFLIGHT_NOT_APPLICABLE);
	expect(&s, "kernel.release", PREFLIGHT_OK);
	expect(&s, "kernel.page_size", PREFLIGHT_OK);
	expect(&s, "kernel.numa_balancing", PREFLIGHT_OK);
	expect(&s, "power.governor", PREFLIGHT_WARN);
	expect(&s, "gpu.uuid", PREFLIGHT_NOT_APPLICABLE); /* vfio has it, on a host */
	tree_put(s.root, "/dev/iommu", "\n");
	tree_link(s.root, "/sys/bus/pci/devices/0008:01:00.0/driver",
		  "../../../bus/pci/drivers/vfio-pci");
	tree_put(s.root, "/proc/sys/kernel/osrelease", "6.1.0-28-arm64\n");
	tree_put(s.root, "/proc/sys/kernel/numa_balancing", "1\n");
	look_again(&s);
	expect(&s, "host.iommufd", PREFLIGHT_OK);
	expect(&s, "gpu.driver", PREFLIGHT_FAIL); /* not Grace's own */
	expect(&s, "kernel.release", PREFLIGHT_FAIL);
	expect(&s, "kernel.numa_balancing", PREFLIGHT_FAIL);
	done(&s);
}

/* What a guest's template needs is counted on the host, not eight of everything. */
static void test_grace_nodes(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/grace-host.tree");
	expect(&s, "host.initiators", PREFLIGHT_OK); /* one empty node, one GPU */
	assert_non_null(strstr(row(&s, "host.initiators")->evidence,
			       "1 nodes without CPUs and memory for 1 GPUs"));
	expect(&s, "host.gpu_memory", PREFLIGHT_UNKNOWN);
	expect(&s, "iommu.vcmdq", PREFLIGHT_OK);
	assert_non_null(strstr(row(&s, "iommu.vcmdq")->evidence, "no CMDQ-V"));
	tree_put(s.root, "/proc/iomem", "a0000000-a1ffffff : System RAM (NVIDIA)\n");
	tree_put(s.root, "/sys/bus/acpi/devices/NVDA200C:00/status", "15\n");
	tree_put(s.root, "/sys/devices/system/node/node10/meminfo",
		 "Node 10 MemTotal: 190000000 kB\n");
	look_again(&s);
	expect(&s, "host.gpu_memory", PREFLIGHT_FAIL);
	expect(&s, "host.initiators", PREFLIGHT_WARN);
	assert_non_null(strstr(row(&s, "iommu.vcmdq")->evidence, "1 CMDQ-V"));
	expect(&s, "host.stack", PREFLIGHT_UNKNOWN);
	tree_put(s.root, "/var/lib/dpkg/status",
		 "Package: libvirt-daemon-driver-qemu\nVersion: 1.0\n\n"
		 "Package: qemu-system-arm\nStatus: install ok installed\n"
		 "Version: 1:10.1.0+nvidia1egmfix-1\n\n"
		 "Package: libvirt-daemon\nVersion: 12.2.0-1\n\n");
	look_again(&s);
	expect(&s, "host.stack", PREFLIGHT_OK);
	tree_put(s.root, "/var/lib/dpkg/status",
		 "Package: qemu-system-arm\nVersion: 1:10.1.0+ds-5\n\n"
		 "Package: libvirt-daemon\nVersion: 11.9.0+nvidia4-1\n\n");
	look_again(&s);
	expect(&s, "host.stack", PREFLIGHT_FAIL);
	/* The same as a guest: two nodes for its one GPU are enough, none is not. */
	tree_put(s.root, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	look_again(&s);
	expect(&s, "host.initiators", PREFLIGHT_NOT_APPLICABLE);
	expect(&s, "numa.nodes", PREFLIGHT_OK);
	tree_put(s.root, "/sys/devices/system/node/node2/cpulist", "2\n");
	tree_put(s.root, "/sys/devices/system/node/node10/cpulist", "3\n");
	look_again(&s);
	expect(&s, "numa.nodes", PREFLIGHT_FAIL);
	done(&s);
}

static void test_guests(void **state)
{
	struct seen kvm, tcg;

	(void)state;
	look(&kvm, "tests/machines/kvm-guest.tree");
	look(&tcg, "tests/machines/tcg-guest.tree");
	expect(&kvm, "host.iommu", PREFLIGHT_NOT_APPLICABLE);
	expect(&kvm, "guest.hypervisor", PREFLIGHT_OK);
	expect(&kvm, "guest.steal", PREFLIGHT_WARN);
	expect(&kvm, "clock.source", PREFLIGHT_OK);
	expect(&kvm, "gpu.uuid", PREFLIGHT_NOT_APPLICABLE);
	expect(&tcg, "guest.hypervisor", PREFLIGHT_FAIL);
	expect(&tcg, "clock.source", PREFLIGHT_WARN);
	expect(&tcg, "guest.steal", PREFLIGHT_UNKNOWN);
	/* A GPU arrives and its driver does not. */
	tree_put(kvm.root, "/sys/bus/pci/devices/0000:05:00.0/vendor", "0x10de\n");
	tree_put(kvm.root, "/sys/bus/pci/devices/0000:05:00.0/device", "0x2330\n");
	tree_put(kvm.root, "/sys/bus/pci/devices/0000:05:00.0/class", "0x030200\n");
	look_again(&kvm);
	expect(&kvm, "gpu.uuid", PREFLIGHT_FAIL);
	expect(&kvm, "guest.devices", PREFLIGHT_WARN);
	expect(&kvm, "gpu.driver", PREFLIGHT_WARN);
	done(&kvm);
	done(&tcg);
}

/* What NVML says of a GPU, as core/machine/nvml.h lists it. */
static void test_gpu_settings(void **state)
{
	static const char text[] =
		"{\"hypervisor\":{\"is_guest\":false},\"gpus\":[{\"uuid\":\"GPU-a\","
		"\"pci_address\":\"0000:18:00.0\",\"persistence\":\"off\","
		"\"ecc\":{\"enabled\":true,\"pending\":true},"
		"\"mig\":{\"enabled\":false,\"pending\":true},\"power_limit_w\":500,"
		"\"default_power_limit_w\":700,\"max_sm_clock_hz\":1980000000}]}";
	struct json_object *machine = json_parse(text, strlen(text), "test", NULL);
	struct seen s = {.root = tree_make("/dev/null")};

	(void)state;
	preflight_run(&s.p, s.root, machine);
	expect(&s, "gpu.persistence", PREFLIGHT_WARN);
	expect(&s, "gpu.ecc", PREFLIGHT_OK);
	expect(&s, "gpu.mig", PREFLIGHT_FAIL);
	expect(&s, "gpu.power_limit", PREFLIGHT_WARN);
	expect(&s, "gpu.clock", PREFLIGHT_OK);
	expect(&s, "gpu.c2c", PREFLIGHT_NOT_APPLICABLE);
	json_object_put(machine);
	done(&s);
}

static void put_link(const char *root, const char *dir, int width, int most, int gts,
		     int most_gts)
{
	const struct {
		const char *file;
		int value;
		const char *unit;
	} files[] = {{"current_link_width", width, ""},
		     {"max_link_width", most, ""},
		     {"current_link_speed", gts, ".0 GT/s PCIe"},
		     {"max_link_speed", most_gts, ".0 GT/s PCIe"}};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *path = x_asprintf("%s/%s", dir, files[i].file);
		char *text = x_asprintf("%d%s", files[i].value, files[i].unit);

		tree_put(root, path, text);
		free(path);
		free(text);
	}
}

static void put_bus(const char *root, const char *at, const char *address,
		    const char *vendor, const char *class_code)
{
	char *link = x_asprintf("/sys/bus/pci/devices/%s", address);
	char *to = x_asprintf("../../../..%s", at);
	char *vendor_file = x_asprintf("%s/vendor", at);
	char *class_file = x_asprintf("%s/class", at);

	tree_put(root, vendor_file, vendor);
	tree_put(root, class_file, class_code);
	tree_link(root, link, to);
	free(link);
	free(to);
	free(vendor_file);
	free(class_file);
}

/* A GPU behind a switch: its own link is whole, the switch's way up is not. */
static void test_links_up_to_the_root_port(void **state)
{
	static const char root_port[] = "/sys/devices/pci0000:36/0000:36:01.0";
	static const char up[] = "/sys/devices/pci0000:36/0000:36:01.0/0000:37:00.0";
	static const char down[] =
		"/sys/devices/pci0000:36/0000:36:01.0/0000:37:00.0/0000:38:00.0";
	static const char gpu[] = "/sys/devices/pci0000:36/0000:36:01.0/0000:37:00.0/"
				  "0000:38:00.0/0000:39:00.0";
	struct seen s = {.root = tree_make("/dev/null")};

	(void)state;
	put_bus(s.root, root_port, "0000:36:01.0", "0x8086", "0x060400");
	put_bus(s.root, up, "0000:37:00.0", "0x1000", "0x060400");
	put_bus(s.root, down, "0000:38:00.0", "0x1000", "0x060400");
	put_bus(s.root, gpu, "0000:39:00.0", "0x10de", "0x030200");
	put_link(s.root, gpu, 16, 16, 32, 32);
	put_link(s.root, down, 16, 16, 32, 32);
	put_link(s.root, up, 16, 16, 32, 32);
	put_link(s.root, root_port, 16, 16, 32, 32);
	look_at(&s);
	expect(&s, "gpu.link_width", PREFLIGHT_OK);
	expect(&s, "gpu.link_speed", PREFLIGHT_OK);
	assert_non_null(strstr(row(&s, "gpu.link_width")->evidence, "0000:36:01.0: x16"));
	put_link(s.root, up, 8, 16, 8, 32);
	look_again(&s);
	expect(&s, "gpu.link_width", PREFLIGHT_FAIL);
	expect(&s, "gpu.link_speed", PREFLIGHT_WARN);
	put_link(s.root, up, 16, 16, 32, 32);
	put_link(s.root, root_port, 8, 16, 8, 32);
	look_again(&s);
	expect(&s, "gpu.link_width", PREFLIGHT_FAIL);
	/* A card of eight lanes in a slot of sixteen has all that it can have. */
	put_link(s.root, root_port, 16, 16, 32, 32);
	put_link(s.root, gpu, 8, 8, 32, 32);
	put_link(s.root, down, 8, 16, 32, 32);
	look_again(&s);
	expect(&s, "gpu.link_width", PREFLIGHT_OK);
	/* QEMU's port has no lanes: what it says holds nothing up. */
	put_bus(s.root, down, "0000:38:00.0", "0x1b36", "0x060400");
	put_link(s.root, down, 1, 32, 3, 16);
	look_again(&s);
	expect(&s, "gpu.link_width", PREFLIGHT_OK);
	expect(&s, "gpu.link_speed", PREFLIGHT_OK);
	done(&s);
}

/* What confines this process and not the machine. */
static void test_confinement(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/x86-host.tree");
	expect(&s, "container.kind", PREFLIGHT_OK);
	expect(&s, "cpu.quota", PREFLIGHT_OK);
	expect(&s, "cpu.affinity", PREFLIGHT_OK);
	expect(&s, "memory.limit", PREFLIGHT_OK);
	expect(&s, "clock.synchronised", PREFLIGHT_UNKNOWN);
	tree_put(s.root, "/proc/self/status", "Cpus_allowed_list:\t0\n");
	tree_put(s.root, "/sys/fs/cgroup/user.slice/cpu.max", "250000 100000\n");
	tree_put(s.root, "/sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
	look_again(&s);
	expect(&s, "cpu.quota", PREFLIGHT_WARN);
	expect(&s, "cpu.affinity", PREFLIGHT_WARN);
	expect(&s, "memory.limit", PREFLIGHT_WARN);
	assert_non_null(strstr(row(&s, "cpu.quota")->evidence, "2.5 of 4 CPUs"));
	assert_non_null(strstr(row(&s, "memory.limit")->evidence, "1024 of "));
	done(&s);
	look(&s, "tests/machines/pod.tree");
	expect(&s, "container.kind", PREFLIGHT_WARN);
	done(&s);
	look(&s, "/dev/null");
	expect(&s, "container.kind", PREFLIGHT_UNKNOWN);
	expect(&s, "cpu.quota", PREFLIGHT_UNKNOWN);
	expect(&s, "memory.limit", PREFLIGHT_UNKNOWN);
	done(&s);
}

static void test_xids(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/x86-host.tree");
	expect(&s, "gpu.xid", PREFLIGHT_UNKNOWN); /* no log */
	tree_put(s.root, "/dev/kmsg",
		 "6,0,0,-;Linux version 6.8\n SUBSYSTEM=x\n6,1,5,-;nvidia: loaded\n");
	look_again(&s);
	expect(&s, "gpu.xid", PREFLIGHT_OK);
	tree_put(s.root, "/dev/kmsg",
		 "6,0,0,-;Linux\n"
		 "4,7,9,-;NVRM: Xid (PCI:0000:18:00): 31, pid=12, name=x, MMU Fault\n");
	look_again(&s);
	expect(&s, "gpu.xid", PREFLIGHT_WARN);
	tree_put(s.root, "/dev/kmsg",
		 "6,0,0,-;Linux\n"
		 "4,7,9,-;NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.\n");
	look_again(&s);
	expect(&s, "gpu.xid", PREFLIGHT_FAIL);
	/* A ring that has lost its beginning does not say that nothing was in it. */
	tree_put(s.root, "/dev/kmsg", "6,4711,0,-;eth0: link up\n");
	look_again(&s);
	expect(&s, "gpu.xid", PREFLIGHT_UNKNOWN);
	done(&s);
	look(&s, "tests/machines/kvm-guest.tree");
	expect(&s, "gpu.xid", PREFLIGHT_NOT_APPLICABLE); /* no GPU */
	done(&s);
}

/* A recorded host: the GPU that vfio has is not missed, one of the driver's is. */
static void test_gpus_are_counted(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "tests/machines/x86-host.tree");
	expect(&s, "gpu.count", PREFLIGHT_OK);
	tree_put(s.root, "/sys/bus/pci/devices/0000:3a:00.0/vendor", "0x10de\n");
	tree_put(s.root, "/sys/bus/pci/devices/0000:3a:00.0/class", "0x030200\n");
	tree_link(s.root, "/sys/bus/pci/devices/0000:3a:00.0/driver",
		  "../../../bus/pci/drivers/nvidia");
	look_again(&s);
	expect(&s, "gpu.count", PREFLIGHT_FAIL);
	/* A virtual function is no GPU of its own on its host. */
	tree_put(s.root, "/sys/bus/pci/devices/0000:3a:00.0/physfn/vendor", "0x10de\n");
	look_again(&s);
	expect(&s, "gpu.count", PREFLIGHT_OK);
	done(&s);
}

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* AER (0x0001) at 0x100, then ACS (0x000d) at 0x148 with its control register behind. */
static void test_acs(void **state)
{
	unsigned char config[4096] = {0};
	uint16_t control = 0;
	bool is_cut;

	(void)state;
	put32(config + 0x100, 0x14820001);
	put32(config + 0x148, 0x0001000d);
	put32(config + 0x14c, 0x001d005f);
	assert_true(acs_control(config, sizeof(config), &control, &is_cut));
	assert_int_equal(control, 0x1d);
	assert_false(acs_control(config, 64, &control, &is_cut));
	assert_true(is_cut);
	put32(config + 0x148, 0x10010003); /* a ring: back to 0x100 */
	assert_false(acs_control(config, sizeof(config), &control, &is_cut));
	assert_false(is_cut);
}

/* Every check tells why and how, and has an id of its own. */
static void test_table(void **state)
{
	struct seen s;

	(void)state;
	look(&s, "/dev/null");
	for (size_t i = 0; i < s.p.nr; i++) {
		const struct preflight_row *r = &s.p.rows[i];

		assert_true(r->why && *r->why && r->mend && *r->mend && r->title);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(r->id, s.p.rows[k].id);
	}
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86_host),
		cmocka_unit_test(test_x86_host_gone_wrong),
		cmocka_unit_test(test_users_that_cannot_be_seen),
		cmocka_unit_test(test_grace_host),
		cmocka_unit_test(test_grace_nodes),
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_gpu_settings),
		cmocka_unit_test(test_links_up_to_the_root_port),
		cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_xids),
		cmocka_unit_test(test_gpus_are_counted),
		cmocka_unit_test(test_acs),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
