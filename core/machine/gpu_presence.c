#include "core/machine/gpu_presence.h"

#include "core/base/mem.h"
#include "core/machine/nvml.h"
#include "core/machine/nvml_impl.h"
#include "core/machine/sysfs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES "/sys/bus/pci/devices"

static const char unknown_remedy[] = "nvidia-smi and the kernel's log (dmesg) say why; "
				     "reload the driver or reboot";

/* By the driver that has the device; NULL: none. The first that fits. */
static const struct {
	const char *driver, *remedy;
} by_driver[] = {
	{NULL, "no driver has it: modprobe nvidia, and dmesg says why if that fails"},
	{"vfio", "it is kept for a virtual machine: give it back to the driver nvidia"},
	{"nouveau", "nouveau has it: install NVIDIA's driver"},
};

/* By what NVML says when it starts. */
static const struct {
	int code;
	const char *remedy;
} by_code[] = {
	{NVML_DRIVER_NOT_LOADED, "the driver is not loaded: modprobe nvidia"},
	{NVML_NO_PERMISSION, "run as root, or see the rights of /dev/nvidia*"},
	{NVML_GPU_IS_LOST, "it fell off the bus: look for Xid 79 in dmesg, then reboot"},
	{18, "driver and libraries are of two versions: reload the driver or reboot"},
};

static void say(struct gpu_presence *p, const char *remedy)
{
	if (!p->remedy[0])
		snprintf(p->remedy, sizeof(p->remedy), "%s", remedy);
}

static bool is_nvidia(const char *root, const char *address)
{
	int64_t vendor, class_code;

	return sysfs_int(&vendor, root, DEVICES "/%s/vendor", address) &&
	       vendor == 0x10de &&
	       sysfs_int(&class_code, root, DEVICES "/%s/class", address) &&
	       class_code >> 16 == 0x03;
}

static void say_of_driver(struct gpu_presence *p, const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_driver); i++) {
		const char *of = by_driver[i].driver;

		if (of ? driver && strstr(driver, of) : !driver)
			say(p, by_driver[i].remedy);
	}
}

static bool by_pci(struct gpu_presence *p, const char *root)
{
	struct strvec names = {0};
	bool is_found = false;

	sysfs_list(&names, root, DEVICES);
	for (size_t i = 0; i < names.nr && !is_found; i++) {
		char *driver;

		if (!is_nvidia(root, names.items[i]))
			continue;
		is_found = true;
		driver = sysfs_link_name(root, DEVICES "/%s/driver", names.items[i]);
		snprintf(p->shown_by, sizeof(p->shown_by),
			 "PCI device %.32s (driver %.64s)", names.items[i],
			 driver ? driver : "none");
		say_of_driver(p, driver);
		free(driver);
	}
	strvec_release(&names);
	return is_found;
}

/* A folder's first name that has a digit behind 'prefix'; "": any. */
static bool by_file(struct gpu_presence *p, const char *root, const char *folder,
		    const char *prefix)
{
	struct strvec names = {0};
	size_t len = strlen(prefix);
	bool is_found = false;

	sysfs_list(&names, root, "%s", folder);
	for (size_t i = 0; i < names.nr && !is_found; i++) {
		is_found = !len || (strncmp(names.items[i], prefix, len) == 0 &&
				    isdigit((unsigned char)names.items[i][len]));
		if (is_found)
			snprintf(p->shown_by, sizeof(p->shown_by), "%s/%.64s", folder,
				 names.items[i]);
	}
	strvec_release(&names);
	return is_found;
}

/* A GPU in MIG mode is seen by its parts alone. */
static void say_of_mig(struct gpu_presence *p, struct nvml *n, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		struct nvml_mig_state mig;
		struct nvml_gpu *g;

		if (nvml_gpu_at(n, i, &g, NULL) != 0)
			continue;
		nvml_mig_state(n, g, &mig);
		if (mig.is_on)
			say(p, mig.devices ? "its MIG mode is on: name one of its MIG "
					     "devices (nvidia-smi -L) by --device"
					   : "its MIG mode is on and it has no MIG "
					     "device: make one, or turn the mode off "
					     "(tare mig)");
	}
}

static bool by_nvml(struct gpu_presence *p)
{
	struct err err = ERR_INIT;
	struct nvml *n = nvml_open(&err);
	unsigned nr = 0;

	if (n && nvml_count(n, &nr, &err) == 0) {
		say_of_mig(p, n, nr);
		if (nr && !p->shown_by[0])
			snprintf(p->shown_by, sizeof(p->shown_by), "NVML counts %u", nr);
	}
	nvml_close(n);
	for (size_t i = 0; err.code && i < ARRAY_SIZE(by_code); i++)
		if (by_code[i].code == err.code)
			say(p, by_code[i].remedy);
	if (err.kind && !err.code)
		say(p,
		    "the driver's libraries are not here: install those of its version; "
		    "a container gets them from NVIDIA's container toolkit");
	/* No library, or one without a driver, is how a machine without a GPU looks. */
	if (err.code && err.code != NVML_DRIVER_NOT_LOADED && !p->shown_by[0])
		snprintf(p->shown_by, sizeof(p->shown_by), "%.150s", err.text);
	return p->shown_by[0];
}

/* What CUDA was told to see: by the user, or by a program that was asked for a UUID. */
static void say_of_visible(struct gpu_presence *p, const char *asked)
{
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	char text[sizeof(p->remedy)];

	if (!visible)
		return;
	snprintf(text, sizeof(text), "CUDA_VISIBLE_DEVICES=%.48s may hide it: unset it",
		 visible);
	say(p, asked && strcmp(asked, visible) == 0
		       ? "nvidia-smi -L lists the UUIDs of what is there"
		       : text);
}

bool gpu_presence_read(struct gpu_presence *ret, const char *root, const char *asked)
{
	struct gpu_presence p = {.shown_by = ""};
	bool is_found = by_pci(&p, root) ||
			by_file(&p, root, "/proc/driver/nvidia/gpus", "") ||
			by_file(&p, root, "/dev", "nvidia");

	if (!*root) {
		is_found = by_nvml(&p) || is_found;
		say_of_visible(&p, asked);
	}
	say(&p, unknown_remedy);
	*ret = p;
	return is_found;
}
