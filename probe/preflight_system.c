/* Checks of kernel, memory, CPU and power. */
#include "probe/preflight_check.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *part(struct preflight_look *l, const char *key)
{
	return json_member(l->machine, key);
}

/* A text of the document, noted as it is; NULL: it is not there. */
static const char *noted(struct preflight_look *l, const char *object, const char *key)
{
	const char *text = json_get_text(part(l, object), key, NULL);

	if (text)
		preflight_note(l, "%.300s", text);
	return text;
}

/* A fact against what it should be: unknown when it is not there. */
static enum preflight_state expect_bool(struct preflight_look *l, const char *path,
					bool want, enum preflight_state otherwise)
{
	struct json_object *v = json_at(l->machine, path);

	if (!v)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%s", json_object_get_boolean(v) ? "on" : "off");
	return json_object_get_boolean(v) == want ? PREFLIGHT_OK : otherwise;
}

static enum preflight_state look_kernel(struct preflight_look *l)
{
	const char *release = noted(l, "kernel", "release");
	int major, minor;

	if (!release || sscanf(release, "%d.%d", &major, &minor) != 2)
		return PREFLIGHT_UNKNOWN;
	if (l->has_grace_gpu && (major < 6 || (major == 6 && minor < 2)))
		return PREFLIGHT_FAIL;
	return major < 5 ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state look_cmdline(struct preflight_look *l)
{
	const char *line = noted(l, "kernel", "cmdline");

	if (!line)
		return PREFLIGHT_UNKNOWN;
	return strstr(line, "mitigations=off") ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state look_page_size(struct preflight_look *l)
{
	int64_t size = json_get_int(part(l, "memory"), "page_size_bytes", 0);

	if (!l->is_arm)
		return PREFLIGHT_NOT_APPLICABLE;
	if (!size)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%lld KiB", (long long)size / 1024);
	return size == 65536 ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_balancing(struct preflight_look *l)
{
	return expect_bool(l, "numa/balancing", false,
			   l->has_grace_gpu ? PREFLIGHT_FAIL : PREFLIGHT_WARN);
}

static enum preflight_state look_ksm(struct preflight_look *l)
{
	return expect_bool(l, "memory/ksm", false, PREFLIGHT_WARN);
}

static enum preflight_state look_thp(struct preflight_look *l)
{
	const char *thp = noted(l, "memory", "thp_enabled");

	if (!thp)
		return PREFLIGHT_UNKNOWN;
	return strcmp(thp, "never") == 0 ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

/* Pools of any size with pages to spare, node by node. */
static enum preflight_state look_huge_pages(struct preflight_look *l)
{
	struct json_object *nodes = json_at(l->machine, "numa/nodes");
	int64_t pages = 0;
	bool known = false;

	for (size_t i = 0; i < json_length(nodes); i++) {
		struct json_object *node = json_object_array_get_idx(nodes, i);
		struct json_object *pools = json_member(node, "huge_pages");

		for (size_t k = 0; k < json_length(pools); k++) {
			struct json_object *pool = json_object_array_get_idx(pools, k);
			int64_t spare = json_get_int(pool, "free", 0);

			known = true;
			pages += spare;
			if (spare)
				preflight_note(
					l, "node %lld: %lld free of %lld KiB",
					(long long)json_get_int(node, "id", 0),
					(long long)spare,
					(long long)json_get_int(pool, "size_bytes", 0) /
						1024);
		}
	}
	if (!known)
		return PREFLIGHT_UNKNOWN;
	if (!pages)
		preflight_note(l, "none free");
	return pages ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_governor(struct preflight_look *l)
{
	const char *governor = noted(l, "power", "governor");

	if (!governor)
		return PREFLIGHT_UNKNOWN;
	return strcmp(governor, "performance") == 0 ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

/* cpufreq's own switch, and intel_pstate's, which is the other way round. */
static enum preflight_state look_turbo(struct preflight_look *l)
{
	int64_t boost = json_get_int(part(l, "power"), "boost", -1);
	int64_t no_turbo = json_get_int(part(l, "power"), "no_turbo", -1);
	bool is_off = boost == 0 || no_turbo == 1;

	if (boost < 0 && no_turbo < 0)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%s", is_off ? "off" : "on");
	return is_off ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

/* Idle states that take longer than this to leave show in launch latency. */
enum { SLOW_WAKE_US = 100 };

static enum preflight_state look_idle(struct preflight_look *l)
{
	static const char dir[] = "/sys/devices/system/cpu/cpu0/cpuidle";
	struct strvec states = {0};
	enum preflight_state worst = PREFLIGHT_OK;

	sysfs_list(&states, l->root, "%s", dir);
	for (size_t i = 0; i < states.nr; i++) {
		int64_t latency, off = 0;
		char *name = sysfs_text(l->root, "%s/%s/name", dir, states.items[i]);

		(void)sysfs_int(&off, l->root, "%s/%s/disable", dir, states.items[i]);
		if (sysfs_int(&latency, l->root, "%s/%s/latency", dir, states.items[i]) &&
		    !off && latency > SLOW_WAKE_US) {
			preflight_note(l, "%s takes %lld us to leave", name ? name : "?",
				       (long long)latency);
			worst = PREFLIGHT_WARN;
		}
		free(name);
	}
	if (!states.nr)
		worst = PREFLIGHT_UNKNOWN;
	strvec_release(&states);
	return worst;
}

static enum preflight_state look_irqbalance(struct preflight_look *l)
{
	const char *isolated = json_get_text(part(l, "cpu"), "isolated", NULL);
	bool is_on = sysfs_runs(l->root, "irqbalance");

	preflight_note(l, "irqbalance %s, isolated CPUs: %s",
		       is_on ? "runs" : "does not run", isolated ? isolated : "none");
	return is_on && isolated ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state look_isolated(struct preflight_look *l)
{
	const char *isolated = json_get_text(part(l, "cpu"), "isolated", NULL);

	preflight_note(l, "isolated CPUs: %s", isolated ? isolated : "none");
	return isolated ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_mitigations(struct preflight_look *l)
{
	struct json_object *all = part(l, "mitigations");
	enum preflight_state state = PREFLIGHT_OK;

	if (!all)
		return PREFLIGHT_UNKNOWN;
	json_object_object_foreach(all, name, value)
	{
		const char *text = json_object_get_string(value);

		if (text && strncmp(text, "Vulnerable", 10) == 0) {
			preflight_note(l, "%s: %s", name, text);
			state = PREFLIGHT_WARN;
		}
	}
	return state;
}

/* More than a hundredth of all time given to others is more than most margins. */
static enum preflight_state look_steal(struct preflight_look *l)
{
	double ratio = json_get_real(part(l, "clock"), "steal_ratio", -1);

	if (ratio < 0)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%.4f of all time since boot", ratio);
	return ratio > 0.01 ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state look_clock(struct preflight_look *l)
{
	static const char *const fast[] = {"tsc", "kvm-clock", "arch_sys_counter",
					   "hyperv_clocksource_tsc_page", NULL};
	const char *source = noted(l, "clock", "source");

	if (!source)
		return PREFLIGHT_UNKNOWN;
	for (const char *const *f = fast; *f; f++) {
		if (strcmp(*f, source) == 0)
			return PREFLIGHT_OK;
	}
	return PREFLIGHT_WARN;
}

static enum preflight_state look_numa(struct preflight_look *l)
{
	struct json_object *numa = part(l, "numa");
	int64_t count = json_get_int(numa, "count", 0);
	int64_t bare = json_get_int(numa, "without_memory", 0);

	if (!count)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%lld nodes, %lld without memory, %lld without CPUs",
		       (long long)count, (long long)bare,
		       (long long)json_get_int(numa, "without_cpus", 0));
	/* The driver of a Grace GPU wants nodes for its memory, MIG or not: how many, the
	 * host's firmware says ("host.initiators"). */
	return l->has_grace_gpu && l->is_guest &&
			       json_get_int(numa, "without_cpus", 0) <
				       preflight_grace_gpus(l)
		       ? PREFLIGHT_FAIL
		       : PREFLIGHT_OK;
}

/* A container is a boundary of its own, and its limits are its host's. */
static enum preflight_state look_container(struct preflight_look *l)
{
	const char *kind = noted(l, "container", "kind");

	if (!kind || strcmp(kind, "unknown") == 0)
		return PREFLIGHT_UNKNOWN;
	return strcmp(kind, "none") == 0 ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_quota(struct preflight_look *l)
{
	struct json_object *c = part(l, "confinement");
	double quota = json_get_real(c, "cpu_quota", 0);

	if (!json_get_text(c, "source", NULL))
		return PREFLIGHT_UNKNOWN;
	if (quota <= 0) {
		preflight_note(l, "none");
		return PREFLIGHT_OK;
	}
	preflight_note(l, "%g of %lld CPUs (%s)", quota,
		       (long long)json_get_int(part(l, "cpu"), "threads", 0),
		       json_get_text(c, "source", ""));
	return PREFLIGHT_WARN;
}

static enum preflight_state look_affinity(struct preflight_look *l)
{
	const char *may = json_get_text(part(l, "confinement"), "affinity", NULL);
	const char *online = json_get_text(part(l, "cpu"), "online", NULL);

	if (!may || !online)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%.120s of %.120s", may, online);
	return strcmp(may, online) == 0 ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_memory_limit(struct preflight_look *l)
{
	struct json_object *c = part(l, "confinement");
	int64_t limit = json_get_int(c, "memory_max_bytes", 0);
	int64_t total = json_get_int(part(l, "memory"), "total_bytes", 0);

	if (!json_get_text(c, "source", NULL) || !total)
		return PREFLIGHT_UNKNOWN;
	if (!limit || limit >= total) {
		preflight_note(l, "none");
		return PREFLIGHT_OK;
	}
	preflight_note(l, "%lld of %lld MiB", (long long)limit >> 20,
		       (long long)total >> 20);
	return PREFLIGHT_WARN;
}

static enum preflight_state look_time(struct preflight_look *l)
{
	struct json_object *time = part(l, "time");
	struct json_object *synchronised = json_member(time, "synchronised");

	if (!synchronised)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%s, off by %g s at most",
		       json_object_get_boolean(synchronised) ? "synchronised"
							     : "not synchronised",
		       json_get_real(time, "max_error_s", 0));
	return json_object_get_boolean(synchronised) ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state look_swap(struct preflight_look *l)
{
	int64_t swap = json_get_int(part(l, "memory"), "swap_bytes", -1);

	if (swap < 0)
		return PREFLIGHT_UNKNOWN;
	preflight_note(l, "%lld MiB", (long long)swap >> 20);
	return swap ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state look_hypervisor(struct preflight_look *l)
{
	const char *kind = json_get_text(part(l, "hypervisor"), "kind", "unknown");

	preflight_note(l, "%s", kind);
	return strcmp(kind, "qemu") == 0 ? PREFLIGHT_FAIL : PREFLIGHT_OK;
}

const struct preflight_check preflight_system_checks[] = {
	{"kernel.release", "Kernel", "Grace passthrough needs Linux 6.2 or later",
	 "install a newer kernel", SIDE_BOTH, .machine = look_kernel},
	{"kernel.cmdline", "Kernel command line",
	 "mitigations=off on one side is a difference that tenants do not get",
	 "boot both sides with the options that tenants get", SIDE_BOTH,
	 .machine = look_cmdline},
	{"kernel.page_size", "Page size",
	 "on Grace 64 KiB pages are the recommended ones; 4 KiB cost TLB misses",
	 "boot the -64k kernel, on both sides", SIDE_BOTH, .machine = look_page_size},
	{"kernel.numa_balancing", "Automatic NUMA balancing",
	 "it moves pages under a running program, on Grace also to GPU memory",
	 "sysctl -w kernel.numa_balancing=0", SIDE_BOTH, .machine = look_balancing},
	{"kernel.mitigations", "Vulnerable without mitigation",
	 "each side must have what tenants get",
	 "compare both sides; update the microcode", SIDE_BOTH,
	 .machine = look_mitigations},
	{"memory.ksm", "Kernel same-page merging", "merged pages are copied when written",
	 "echo 2 > /sys/kernel/mm/ksm/run", SIDE_BOTH, .machine = look_ksm},
	{"memory.thp", "Transparent huge pages", "without them the TLB misses more",
	 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled", SIDE_BOTH,
	 .machine = look_thp},
	{"memory.huge_pages", "Free huge pages",
	 "a VM's memory on them saves page walks in two dimensions",
	 "sysctl -w vm.nr_hugepages=N, or hugepagesz=1G hugepages=N at boot", SIDE_HOST,
	 .machine = look_huge_pages},
	{"memory.swap", "Swap", "swapped memory makes outliers", "swapoff -a", SIDE_BOTH,
	 .machine = look_swap},
	{"numa.nodes", "NUMA nodes",
	 "a Grace guest without the nodes of its GPUs has no GPU memory to use",
	 "add acpi-generic-initiator nodes to the VM's template, as many as the host has",
	 SIDE_BOTH, .machine = look_numa},
	{"container.kind", "Container",
	 "it is a boundary of its own: both arms must be in one of a kind, or neither",
	 "start outside of it", SIDE_BOTH, .machine = look_container},
	{"cpu.quota", "CPU quota",
	 "the kernel stops what has used it up until the next period",
	 "systemctl set-property UNIT CPUQuota=, docker update --cpus 0, or no "
	 "limits.cpu in the pod",
	 SIDE_BOTH, .machine = look_quota},
	{"cpu.affinity", "CPUs that may be used",
	 "fewer than the machine has: launches and copies share them",
	 "taskset -pc 0-N $$, or the same list on both arms", SIDE_BOTH,
	 .machine = look_affinity},
	{"memory.limit", "Memory limit",
	 "what a control group may use, not what the machine has, is what there is",
	 "systemctl set-property UNIT MemoryMax=infinity, or the same on both arms",
	 SIDE_BOTH, .machine = look_memory_limit},
	{"clock.synchronised", "Clock disciplined",
	 "results are dated by it, and a step moves what was measured in between",
	 "timedatectl set-ntp true, or chronyd", SIDE_BOTH, .machine = look_time},
	{"power.governor", "Frequency governor", "others let the clock wander",
	 "cpupower frequency-set -g performance", SIDE_HOST, .machine = look_governor},
	{"power.turbo", "Turbo", "without it the CPU stays below what tenants get",
	 "echo 0 > /sys/devices/system/cpu/intel_pstate/no_turbo, or 1 > "
	 "/sys/devices/system/cpu/cpufreq/boost",
	 SIDE_HOST, .machine = look_turbo},
	{"power.idle", "Deep idle states", "waking from them shows in launch latency",
	 "cpupower idle-set -D 100, or a tuned latency profile", SIDE_HOST,
	 .machine = look_idle},
	{"cpu.irqbalance", "Interrupts on isolated CPUs",
	 "irqbalance may move interrupts to the CPUs that a VM is pinned to",
	 "systemctl stop irqbalance, or IRQBALANCE_BANNED_CPULIST", SIDE_HOST,
	 .machine = look_irqbalance},
	{"cpu.isolated", "CPUs kept for the VM",
	 "others' work on the VM's CPUs is steal time in the guest",
	 "isolcpus= or a cpuset, and PIN_POLICY or cputune in the template", SIDE_HOST,
	 .machine = look_isolated},
	{"guest.hypervisor", "Virtualisation",
	 "emulation without hardware's help is many times slower",
	 "load kvm on the host and use type kvm", SIDE_GUEST, .machine = look_hypervisor},
	{"guest.steal", "Steal time", "the host gave this guest's CPU time to others",
	 "pin the VM's CPUs and keep them free of others", SIDE_GUEST,
	 .machine = look_steal},
	{"clock.source", "Clock source", "slow ones make every time stamp an exit",
	 "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource",
	 SIDE_BOTH, .machine = look_clock},
	{0},
};
