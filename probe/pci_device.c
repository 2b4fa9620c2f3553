#include "probe/pci_device.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char devices[] = "/sys/bus/pci/devices";

/* Device ids that the kernel's nvgrace-gpu driver knows (drivers/vfio/pci/nvgrace-gpu). */
static const int64_t grace_gpus[] = {0x2342, 0x2345, 0x2348, 0x2941, 0x31c2};

bool pci_device_is_address(const char *text)
{
	static const char form[] = "hhhh:hh:hh.d";
	size_t i;

	for (i = 0; form[i] && text[i]; i++) {
		if (form[i] == 'h' && !(isdigit((unsigned char)text[i]) ||
					(text[i] >= 'a' && text[i] <= 'f')))
			return false;
		if (form[i] == 'd' && !(text[i] >= '0' && text[i] <= '7'))
			return false;
		if ((form[i] == ':' || form[i] == '.') && text[i] != form[i])
			return false;
	}
	return !form[i] && !text[i];
}

bool pci_device_exists(const char *root, const char *address)
{
	return sysfs_exists(root, "%s/%s/vendor", devices, address);
}

char *pci_device_driver(const char *root, const char *address)
{
	return sysfs_link_name(root, "%s/%s/driver", devices, address);
}

char *pci_device_group(const char *root, const char *address)
{
	return sysfs_link_name(root, "%s/%s/iommu_group", devices, address);
}

bool pci_device_ids(const char *root, const char *address, int64_t *vendor,
		    int64_t *device, int64_t *class_code)
{
	return sysfs_int(vendor, root, "%s/%s/vendor", devices, address) &&
	       sysfs_int(device, root, "%s/%s/device", devices, address) &&
	       sysfs_int(class_code, root, "%s/%s/class", devices, address);
}

bool pci_device_is_accelerator(int64_t class_code)
{
	return class_code >> 16 == 0x03 || class_code >> 16 == 0x12 ||
	       class_code >> 8 == 0x0b40;
}

static bool is_bridge(int64_t class_code)
{
	return class_code >> 16 == 0x06;
}

bool pci_device_is_grace_gpu(int64_t vendor, int64_t device)
{
	for (size_t i = 0; vendor == 0x10de && i < ARRAY_SIZE(grace_gpus); i++) {
		if (device == grace_gpus[i])
			return true;
	}
	return false;
}

bool driver_is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio") != NULL;
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; list && *list; list++) {
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

void pci_device_group_users(const char *root, const char *address,
			    const char *const *except, struct strvec *ret)
{
	char *group = pci_device_group(root, address);
	struct strvec names = {0};

	if (group)
		sysfs_list(&names, root, "/sys/kernel/iommu_groups/%s/devices", group);
	for (size_t i = 0; i < names.nr; i++) {
		const char *other = names.items[i];
		char *driver = pci_device_driver(root, other);
		int64_t code = 0;

		(void)sysfs_int(&code, root, "%s/%s/class", devices, other);
		if (driver && strcmp(other, address) != 0 && !is_listed(except, other) &&
		    !driver_is_vfio(driver) && strcmp(driver, "pci-stub") != 0 &&
		    !is_bridge(code))
			strvec_addf(ret, "%s (%s)", other, driver);
		free(driver);
	}
	strvec_release(&names);
	free(group);
}

/* The number of its node: /dev/nvidiaN; NULL where NVIDIA's driver does not have it; free(). */
static char *nvidia_minor(const char *root, const char *address)
{
	char *info = sysfs_text(root, "/proc/driver/nvidia/gpus/%s/information", address);
	char *minor = info ? sysfs_value(info, "Device Minor") : NULL;

	free(info);
	return minor;
}

/* 8-4-4-4-12 hexadecimal digits, as mediated devices are called. */
static bool is_uuid(const char *name)
{
	static const char form[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
	size_t i;

	for (i = 0; form[i] && name[i]; i++)
		if (form[i] == 'h' ? !isxdigit((unsigned char)name[i]) : name[i] != '-')
			return false;
	return !form[i] && !name[i];
}

void pci_device_slices(const char *root, const char *address, struct strvec *ret)
{
	char *minor = nvidia_minor(root, address);
	struct strvec names = {0};

	if (minor)
		sysfs_list(&names, root, "/proc/driver/nvidia/capabilities/gpu%s/mig",
			   minor);
	for (size_t i = 0; i < names.nr; i++)
		if (strncmp(names.items[i], "gi", 2) == 0)
			strvec_addf(ret, "MIG slice %s", names.items[i]);
	strvec_release(&names);
	free(minor);
}

void pci_device_children(const char *root, const char *address, struct strvec *ret)
{
	struct strvec names = {0};

	sysfs_list(&names, root, "%s/%s", devices, address);
	for (size_t i = 0; i < names.nr; i++) {
		const char *name = names.items[i];
		char *to;

		if (is_uuid(name))
			strvec_addf(ret, "%s (mediated device)", name);
		if (strncmp(name, "virtfn", 6) != 0)
			continue;
		to = sysfs_link_name(root, "%s/%s/%s", devices, address, name);
		strvec_addf(ret, "%s (virtual function)", to ? to : name);
		free(to);
	}
	strvec_release(&names);
}

/* The names under which a process may have it open. */
static void list_nodes(const char *root, const char *address, struct strvec *ret)
{
	char *minor = nvidia_minor(root, address);
	char *group = pci_device_group(root, address);
	struct strvec names = {0};

	if (minor)
		strvec_addf(ret, "/dev/nvidia%s", minor);
	if (group)
		strvec_addf(ret, "/dev/vfio/%s", group);
	sysfs_list(&names, root, "%s/%s/vfio-dev", devices, address);
	for (size_t i = 0; i < names.nr; i++)
		strvec_addf(ret, "/dev/vfio/devices/%s", names.items[i]);
	strvec_release(&names);
	sysfs_list(&names, root, "%s/%s/drm", devices, address);
	for (size_t i = 0; i < names.nr; i++)
		strvec_addf(ret, "/dev/dri/%s", names.items[i]);
	strvec_release(&names);
	free(minor);
	free(group);
}

static bool has_open(const char *root, const char *pid, const struct strvec *nodes)
{
	struct strvec fds = {0};
	bool found = false;

	sysfs_list(&fds, root, "/proc/%s/fd", pid);
	for (size_t i = 0; i < fds.nr && !found; i++) {
		char *path = x_asprintf("%s/proc/%s/fd/%s", root, pid, fds.items[i]);
		char to[PATH_MAX];
		ssize_t len = readlink(path, to, sizeof(to) - 1);

		if (len > 0) {
			to[len] = '\0';
			found = strvec_has(nodes, to);
		}
		free(path);
	}
	strvec_release(&fds);
	return found;
}

bool pci_device_sees_openers(const char *root)
{
	char *path = x_asprintf("%s/proc/1/fd", root);
	DIR *dir = opendir(path);
	bool ret = dir || errno != EACCES;

	if (dir)
		closedir(dir);
	free(path);
	return ret;
}

void pci_device_open_by(const char *root, const char *address, struct strvec *ret)
{
	struct strvec nodes = {0}, pids = {0};

	list_nodes(root, address, &nodes);
	if (nodes.nr)
		sysfs_list(&pids, root, "/proc");
	for (size_t i = 0; i < pids.nr; i++) {
		char *name;

		if (!isdigit((unsigned char)pids.items[i][0]) ||
		    !has_open(root, pids.items[i], &nodes))
			continue;
		name = sysfs_text(root, "/proc/%s/comm", pids.items[i]);
		strvec_addf(ret, "%s (%s)", pids.items[i], name ? name : "?");
		free(name);
	}
	strvec_release(&nodes);
	strvec_release(&pids);
}

/* A connector of the card is switched on: cardN-HDMI-A-1/enabled. */
static bool has_monitor(const char *root, const char *address)
{
	struct strvec cards = {0};
	bool found = false;

	sysfs_list(&cards, root, "%s/%s/drm", devices, address);
	for (size_t i = 0; i < cards.nr && !found; i++) {
		struct strvec parts = {0};

		sysfs_list(&parts, root, "%s/%s/drm/%s", devices, address,
			   cards.items[i]);
		for (size_t k = 0; k < parts.nr && !found; k++) {
			char *on = sysfs_text(root, "%s/%s/drm/%s/%s/enabled", devices,
					      address, cards.items[i], parts.items[k]);

			found = on && strcmp(on, "enabled") == 0;
			free(on);
		}
		strvec_release(&parts);
	}
	strvec_release(&cards);
	return found;
}

bool pci_device_shows_display(const char *root, const char *address)
{
	int64_t boot = 0;

	(void)sysfs_int(&boot, root, "%s/%s/boot_vga", devices, address);
	return boot == 1 || sysfs_exists(root, "%s/%s/graphics/fb0", devices, address) ||
	       has_monitor(root, address);
}
