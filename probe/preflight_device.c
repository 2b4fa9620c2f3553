/* Checks of the host's devices: IOMMU, isolation, drivers, who uses them, links. */
#include "probe/preflight_check.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"
#include "probe/acs.h"
#include "probe/pci_device.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum preflight_state look_iommu(struct preflight_look *l)
{
	struct json_object *iommu = json_member(l->machine, "iommu");
	int64_t groups = json_get_int(iommu, "groups", 0);

	preflight_note(l, "%s, %lld groups", json_get_text(iommu, "kind", "none"),
		       (long long)groups);
	return groups > 0 ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

static enum preflight_state group_of_one(struct preflight_look *l, struct json_object *d,
					 const char *address)
{
	struct strvec users = {0};
	enum preflight_state state = PREFLIGHT_OK;

	if (!json_get_text(d, "iommu_group", NULL)) {
		preflight_note(l, "%s: no group", address);
		return PREFLIGHT_FAIL;
	}
	pci_device_group_users(l->root, address, NULL, &users);
	for (size_t i = 0; i < users.nr; i++)
		preflight_note(l, "%s shares group %s with %s", address,
			       json_get_text(d, "iommu_group", "?"), users.items[i]);
	if (users.nr)
		state = PREFLIGHT_FAIL;
	strvec_release(&users);
	return state;
}

/* The configuration space of a port; up to 4096 bytes. */
static size_t read_config(const char *root, const char *port, unsigned char *config)
{
	char *path = x_asprintf("%s/sys/bus/pci/devices/%s/config", root, port);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, config, 4096);

	if (fd >= 0)
		close(fd);
	free(path);
	return len > 0 ? (size_t)len : 0;
}

static enum preflight_state one_port(struct preflight_look *l, const char *port)
{
	const uint16_t want = ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT |
			      ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING;
	unsigned char config[4096];
	size_t len = read_config(l->root, port, config);
	uint16_t control = 0;
	bool is_cut = true;

	if (len && acs_control(config, len, &control, &is_cut)) {
		preflight_note(l, "%s ACSCtl 0x%04x", port, control);
		return (control & want) == want ? PREFLIGHT_OK : PREFLIGHT_WARN;
	}
	preflight_note(l, "%s %s", port,
		       is_cut ? "not readable (be root)" : "has no ACS");
	return is_cut ? PREFLIGHT_UNKNOWN : PREFLIGHT_WARN;
}

static enum preflight_state ports_of_one(struct preflight_look *l, struct json_object *d,
					 const char *address)
{
	struct json_object *path = json_member(d, "link_path");
	enum preflight_state worst = PREFLIGHT_NOT_APPLICABLE;

	(void)address;
	for (size_t i = 1; i < json_length(path); i++)
		worst = preflight_worse(
			worst,
			one_port(l, json_get_text(json_object_array_get_idx(path, i),
						  "address", "?")));
	return worst;
}

static enum preflight_state driver_of_one(struct preflight_look *l, struct json_object *d,
					  const char *address)
{
	const char *driver = json_get_text(d, "driver", NULL);

	preflight_note(l, "%s: %s", address, driver ? driver : "no driver");
	if (!driver)
		return PREFLIGHT_WARN;
	if (strcmp(driver, "nouveau") == 0)
		return PREFLIGHT_FAIL;
	if (l->has_grace_gpu && strcmp(driver, "vfio-pci") == 0)
		return PREFLIGHT_FAIL;
	return PREFLIGHT_OK;
}

static enum preflight_state users_of_one(struct preflight_look *l, struct json_object *d,
					 const char *address)
{
	struct strvec who = {0};
	enum preflight_state state = PREFLIGHT_OK;

	(void)d;
	pci_device_children(l->root, address, &who);
	pci_device_open_by(l->root, address, &who);
	for (size_t i = 0; i < who.nr; i++) {
		preflight_note(l, "%s: %s", address, who.items[i]);
		/* The persistence daemon keeps the GPU awake and computes nothing. */
		if (!strstr(who.items[i], "(nvidia-persiste"))
			state = PREFLIGHT_WARN;
	}
	strvec_release(&who);
	if (pci_device_sees_openers(l->root))
		return state;
	preflight_note(l, "others' processes cannot be seen (be root)");
	return preflight_worse(state, PREFLIGHT_UNKNOWN);
}

static enum preflight_state display_of_one(struct preflight_look *l,
					   struct json_object *d, const char *address)
{
	(void)d;
	if (!pci_device_shows_display(l->root, address))
		return PREFLIGHT_OK;
	preflight_note(l, "%s shows the console or a monitor", address);
	return PREFLIGHT_WARN;
}

/* What a link could do: a port never more than the device at its lower end. */
static double best_of(struct json_object *path, size_t i, const char *key)
{
	double most = json_get_real(json_object_array_get_idx(path, i), key, 0);
	double lower =
		i % 2 ? json_get_real(json_object_array_get_idx(path, i - 1), key, most)
		      : most;

	return lower < most ? lower : most;
}

/*
 * From the GPU up to the root port, for the narrowest link is the transfer rate. Each link
 * has two ends in the path; QEMU's own ports have no lanes.
 */
static enum preflight_state path_of_one(struct preflight_look *l, struct json_object *d,
					const char *now_key, const char *most_key,
					const char *front, const char *back,
					enum preflight_state slower)
{
	struct json_object *path = json_member(d, "link_path");
	enum preflight_state worst = PREFLIGHT_NOT_APPLICABLE;

	for (size_t i = 0; i < json_length(path); i++) {
		struct json_object *hop = json_object_array_get_idx(path, i);
		const char *address = json_get_text(hop, "address", "?");
		double now = json_get_real(hop, now_key, 0);
		double most = best_of(path, i, most_key);

		if (strcmp(json_get_text(hop, "kind", ""), "emulated-port") == 0)
			continue;
		if (now <= 0 || most <= 0) {
			worst = preflight_worse(worst, preflight_not_told(l, address));
			continue;
		}
		preflight_note(l, "%s: %s%g of %s%g%s", address, front, now, front, most,
			       back);
		worst = preflight_worse(worst, now < most ? slower : PREFLIGHT_OK);
	}
	return worst;
}

static enum preflight_state width_of_one(struct preflight_look *l, struct json_object *d,
					 const char *address)
{
	(void)address;
	return path_of_one(l, d, "width", "width_max", "x", "", PREFLIGHT_FAIL);
}

static enum preflight_state speed_of_one(struct preflight_look *l, struct json_object *d,
					 const char *address)
{
	(void)address;
	return path_of_one(l, d, "speed_gts", "speed_max", "", " GT/s", PREFLIGHT_WARN);
}

/* A guest's devices are those it was given; an accelerator that nobody drives is one
 * that somebody forgot. */
static enum preflight_state look_strangers(struct preflight_look *l)
{
	struct json_object *list = json_member(l->machine, "pci");
	enum preflight_state state = PREFLIGHT_OK;

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		preflight_note(l, "%s %s:%s", json_get_text(d, "address", "?"),
			       json_get_text(d, "vendor", "?"),
			       json_get_text(d, "device", "?"));
		if (!json_get_text(d, "driver", NULL) &&
		    strcmp(json_get_text(d, "vendor", ""), "0x10de") == 0)
			state = PREFLIGHT_WARN;
	}
	return state;
}

const struct preflight_check preflight_device_checks[] = {
	{"host.iommu", "IOMMU", "without one no device can be given to a VM",
	 "switch on VT-d, AMD-Vi or the SMMU in the firmware; boot with intel_iommu=on "
	 "iommu=pt",
	 SIDE_HOST, .machine = look_iommu},
	{"host.iommu_groups", "IOMMU groups",
	 "a group is given away as a whole: what shares it cannot stay in use",
	 "enable ACS on the port in the firmware, or give the whole group", SIDE_HOST,
	 .pci_gpu = group_of_one},
	{"host.acs", "ACS on the ports above",
	 "without redirection peers reach each other past the IOMMU",
	 "setpci -s PORT ECAP_ACS+6.w=001d, or the firmware's ACS option", SIDE_HOST,
	 PLATFORM_NOT_GRACE, .pci_gpu = ports_of_one},
	{"gpu.driver", "Driver of each GPU",
	 "the wrong one gives no GPU, or on Grace one without its memory",
	 "tare-probe --bind nvidia|vfio --device ADDRESS", SIDE_BOTH,
	 .pci_gpu = driver_of_one},
	{"gpu.users", "Processes and parts in use",
	 "they share its time and its memory, and go when its driver changes",
	 "stop them; nvidia-smi --query-compute-apps=pid,name --format=csv", SIDE_BOTH,
	 .pci_gpu = users_of_one},
	{"host.display", "Display on a GPU", "drawing takes time and blocks passthrough",
	 "use another device as console (firmware: primary display)", SIDE_HOST,
	 .pci_gpu = display_of_one},
	/* On Grace data goes over C2C; the PCIe link only carries control. */
	{"gpu.link_width", "PCIe width up to the root port",
	 "half the lanes anywhere on the way are half the transfer rate",
	 "reseat the card or its riser; lspci -vv shows LnkSta", SIDE_BOTH,
	 PLATFORM_NOT_GRACE, .pci_gpu = width_of_one},
	{"gpu.link_speed", "PCIe speed up to the root port",
	 "an idle link slows down by itself; under load it must not stay there",
	 "look again under load; firmware: link speed, ASPM off", SIDE_BOTH,
	 PLATFORM_NOT_GRACE, .pci_gpu = speed_of_one},
	{"guest.devices", "Devices in the guest",
	 "a device that nobody drives was given by mistake, or its driver is missing",
	 "install its driver, or take it out of the VM's template", SIDE_GUEST,
	 .machine = look_strangers},
	{0},
};
