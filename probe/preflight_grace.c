/*
 * Checks of hosts and guests with a Grace superchip: its GPU's memory is part of the machine's,
 * so that passing it on takes more than a PCI device (NVIDIA's Grace virtualization; KubeVirt's
 * VEP-199; Linux drivers/vfio/pci/nvgrace-gpu).
 */
#include "probe/preflight_check.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum preflight_state look_iommufd(struct preflight_look *l)
{
	bool is_there = json_get_bool(json_member(l->machine, "iommu"), "iommufd", false);

	preflight_note(l, "/dev/iommu %s", is_there ? "is there" : "is missing");
	return is_there ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

static enum preflight_state look_egm(struct preflight_look *l)
{
	struct strvec names = {0};
	size_t nr = 0;

	sysfs_list(&names, l->root, "/dev");
	for (size_t i = 0; i < names.nr; i++) {
		if (strncmp(names.items[i], "egm", 3) == 0) {
			preflight_note(l, "/dev/%s", names.items[i]);
			nr++;
		}
	}
	strvec_release(&names);
	/* Then most of the host's memory is the guests' by design, and no fault. */
	preflight_note(l, "%s", nr ? "the host's own memory is small" : "no /dev/egm*");
	return PREFLIGHT_OK;
}

/* As a template has to give them to a guest: nodes that have neither CPUs nor memory. */
static enum preflight_state look_initiators(struct preflight_look *l)
{
	struct json_object *nodes = json_at(l->machine, "numa/nodes");
	int64_t gpus = preflight_grace_gpus(l), empty = 0;

	if (!json_length(nodes))
		return PREFLIGHT_UNKNOWN;
	for (size_t i = 0; i < json_length(nodes); i++) {
		struct json_object *node = json_object_array_get_idx(nodes, i);

		empty += !*json_get_text(node, "cpus", "?") &&
			 json_get_int(node, "memory_bytes", -1) == 0;
	}
	preflight_note(l, "%lld nodes without CPUs and memory for %lld GPUs",
		       (long long)empty, (long long)gpus);
	return empty > 0 && empty % gpus == 0 ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

/* Memory of a GPU that vfio has must have left the host's own. */
static enum preflight_state look_gpu_memory(struct preflight_look *l)
{
	char *map = sysfs_text(l->root, "/proc/iomem");
	int lent = 0;

	if (!map)
		return PREFLIGHT_UNKNOWN;
	for (const char *p = map; (p = strstr(p, "System RAM (NVIDIA)")); p++)
		lent++;
	free(map);
	preflight_note(l, "%d ranges of GPU memory in the host's", lent);
	if (json_get_int(json_member(l->machine, "gpu_count"), "pci_elsewhere", 0) == 0)
		return PREFLIGHT_OK;
	return lent ? PREFLIGHT_FAIL : PREFLIGHT_OK;
}

/* Queues for a guest's own invalidations (ACPI device NVDA200C, driver tegra241-cmdqv). */
static enum preflight_state look_vcmdq(struct preflight_look *l)
{
	struct strvec names = {0};
	int queues = 0;

	sysfs_list(&names, l->root, "/sys/bus/acpi/devices");
	for (size_t i = 0; i < names.nr; i++)
		queues += strncmp(names.items[i], "NVDA200C", 8) == 0;
	if (queues)
		preflight_note(l, "%d CMDQ-V", queues);
	else
		preflight_note(l, "no CMDQ-V: mapping memory traps to the host");
	strvec_release(&names);
	return PREFLIGHT_OK;
}

/* ---- versions of what makes the guest's machine ---- */

enum { STATUS_MAX = 64 << 20 };

/* As dpkg has it, without its epoch: "10.1.0+nvidia1egmfix-1"; free(). NULL: not there. */
static char *package_version(const char *status, const char *name)
{
	char *head = x_asprintf("Package: %s\n", name);
	const char *at = strstr(status, head), *end = at ? strstr(at, "\n\n") : NULL;
	const char *line = at ? strstr(at, "\nVersion: ") : NULL;
	char *ret = NULL;

	free(head);
	if (!line || (end && line > end))
		return NULL;
	line += strlen("\nVersion: ");
	ret = x_strndup(line, strcspn(line, "\n"));
	if (strchr(ret, ':'))
		memmove(ret, strchr(ret, ':') + 1, strlen(strchr(ret, ':') + 1) + 1);
	return ret;
}

/* The first releases with iommufd, accelerated SMMUv3 and initiators, if not NVIDIA's own. */
static const struct {
	const char *package;
	int major, minor;
} stack[] = {{"qemu-system-arm", 11, 0}, {"libvirt-daemon", 12, 2}};

static enum preflight_state look_stack(struct preflight_look *l)
{
	char *path = x_asprintf("%s/var/lib/dpkg/status", l->root);
	enum preflight_state state = PREFLIGHT_OK;
	struct buf status;

	if (file_read(path, STATUS_MAX, &status, NULL) != 0) {
		free(path);
		return preflight_not_told(l, "packages (qemu-system-aarch64 --version)");
	}
	for (size_t i = 0; i < ARRAY_SIZE(stack); i++) {
		char *version = package_version(status.data, stack[i].package);
		int major = 0, minor = 0;

		preflight_note(l, "%s %s", stack[i].package,
			       version ? version : "is not installed");
		if (!version)
			state = preflight_worse(state, PREFLIGHT_UNKNOWN);
		else if (!strstr(version, "+nvidia") &&
			 (sscanf(version, "%d.%d", &major, &minor) != 2 ||
			  major < stack[i].major ||
			  (major == stack[i].major && minor < stack[i].minor)))
			state = preflight_worse(state, PREFLIGHT_FAIL);
		free(version);
	}
	buf_release(&status);
	free(path);
	return state;
}

const struct preflight_check preflight_grace_checks[] = {
	{"host.iommufd", "iommufd", "Grace GPUs are passed on by iommufd only",
	 "modprobe iommufd (Linux 6.2 or later)", SIDE_HOST, PLATFORM_GRACE,
	 .machine = look_iommufd},
	{"host.stack", "QEMU and libvirt for Grace",
	 "older ones know neither iommufd nor accelerated SMMUs: no GPU memory in the guest",
	 "QEMU 11.0 and libvirt 12.2 or later, or NVIDIA's own packages (+nvidia)",
	 SIDE_HOST, PLATFORM_GRACE, .machine = look_stack},
	{"host.initiators", "Nodes for a guest's GPUs",
	 "a guest needs as many for each GPU as the host's firmware gives it",
	 "bind every GPU to vfio and count again; configs/opennebula/grace-template",
	 SIDE_HOST, PLATFORM_GRACE, .machine = look_initiators},
	{"host.gpu_memory", "GPU memory in the host's",
	 "what the host still uses of it cannot go to a guest",
	 "wait until it is offline (grep NVIDIA /proc/iomem), with no driver on the GPU",
	 SIDE_HOST, PLATFORM_GRACE, .machine = look_gpu_memory},
	{"iommu.vcmdq", "SMMU queues for guests",
	 "without them each mapping of memory costs an exit; both plans must agree",
	 "cmdqv=on in the template's IOMMU; dmesg | grep -i cmdqv", SIDE_BOTH,
	 PLATFORM_GRACE, .machine = look_vcmdq},
	{"host.egm", "Extended GPU memory devices",
	 "they say whether host memory is lent to the GPUs; both arms must agree",
	 "record it; egm is set in the firmware", SIDE_HOST, PLATFORM_GRACE,
	 .machine = look_egm},
	{0},
};
