#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char devices[] = "/sys/bus/pci/devices";

/* PCI base classes (PCI Code and ID Assignment): display, co-processor, accelerator. */
static bool is_of_interest(int64_t class_code, const char *driver)
{
	int64_t base = class_code >> 16, sub = class_code >> 8;

	return base == 0x03 || base == 0x12 || sub == 0x0b40 ||
	       (driver && strstr(driver, "vfio"));
}

static void put_file(struct json_object *o, const char *key, const char *root,
		     const char *address, const char *file)
{
	char *path = x_asprintf("%s/%s/%s", devices, address, file);

	sysfs_put_text(o, key, root, path);
	free(path);
}

static void put_number(struct json_object *o, const char *key, const char *root,
		       const char *address, const char *file)
{
	char *path = x_asprintf("%s/%s/%s", devices, address, file);

	sysfs_put_int(o, key, root, path);
	free(path);
}

/* "16.0 GT/s PCIe"; a device without a link says "Unknown". */
static void put_speed(struct json_object *o, const char *key, const char *root,
		      const char *address, const char *file)
{
	char *text = sysfs_text(root, "%s/%s/%s", devices, address, file);
	double speed = text ? strtod(text, NULL) : 0;

	json_put(o, key, speed > 0 ? json_new_real(speed) : NULL);
	free(text);
}

static struct json_object *link_facts(const char *root, const char *address)
{
	struct json_object *o = json_object_new_object();

	put_speed(o, "speed_gt_per_s", root, address, "current_link_speed");
	put_speed(o, "max_speed_gt_per_s", root, address, "max_link_speed");
	put_number(o, "width", root, address, "current_link_width");
	put_number(o, "max_width", root, address, "max_link_width");
	return o;
}

/* QEMU's own ports are lines of code; what they say of their width holds nothing up. */
static bool is_emulated(const char *root, const char *address)
{
	int64_t vendor;

	return sysfs_int(&vendor, root, "%s/%s/vendor", devices, address) &&
	       vendor == 0x1b36;
}

static void add_hop(struct json_object *list, const char *root, const char *address,
		    const char *kind)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "address", address);
	json_put_text(o, "kind", is_emulated(root, address) ? "emulated-port" : kind);
	put_number(o, "width", root, address, "current_link_width");
	put_number(o, "width_max", root, address, "max_link_width");
	put_speed(o, "speed_gts", root, address, "current_link_speed");
	put_speed(o, "speed_max", root, address, "max_link_speed");
	json_object_array_add(list, o);
}

/* "0000:16:01.0" and not "pci0000:16". */
static bool is_address(const char *part)
{
	unsigned domain, bus, device, function;
	int used = 0;

	return sscanf(part, "%x:%x:%x.%x%n", &domain, &bus, &device, &function, &used) ==
		       4 &&
	       !part[used];
}

/* The device's real path names the ports: .../pci0000:16/0000:16:01.0/0000:18:00.0 */
struct json_object *machine_link_path(const char *root, const char *address)
{
	char *path = x_asprintf("%s%s/%s", root, devices, address);
	char *real = realpath(path, NULL), *save = NULL;
	struct json_object *list = NULL;
	struct strvec ports = {0};

	for (char *part = real ? strtok_r(real, "/", &save) : NULL; part;
	     part = strtok_r(NULL, "/", &save))
		if (is_address(part) && strcmp(part, address) != 0)
			strvec_add(&ports, part);
	if (real) {
		list = json_object_new_array();
		add_hop(list, root, address, "device");
	}
	for (size_t i = ports.nr; i-- > 0;)
		add_hop(list, root, ports.items[i], i ? "switch-port" : "root-port");
	strvec_release(&ports);
	free(real);
	free(path);
	return list;
}

/* The largest of "start end flags" in the resource file: the BAR that holds its memory. */
static void put_largest_bar(struct json_object *o, const char *root, const char *address)
{
	char *text = sysfs_text(root, "%s/%s/resource", devices, address);
	int64_t largest = 0;

	for (char *p = text; p && *p;) {
		char *end;
		unsigned long long from = strtoull(p, &end, 16);
		unsigned long long to = strtoull(end, &end, 16);

		if (to > from && (int64_t)(to - from) + 1 > largest)
			largest = (int64_t)(to - from) + 1;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	json_put(o, "largest_bar_bytes", largest ? json_object_new_int64(largest) : NULL);
	free(text);
}

static struct json_object *one_device(const char *root, const char *address,
				      const char *driver)
{
	struct json_object *o = json_object_new_object();
	char *group = sysfs_link_name(root, "%s/%s/iommu_group", devices, address);

	json_put_text(o, "address", address);
	put_file(o, "vendor", root, address, "vendor");
	put_file(o, "device", root, address, "device");
	put_file(o, "subsystem_vendor", root, address, "subsystem_vendor");
	put_file(o, "subsystem_device", root, address, "subsystem_device");
	put_file(o, "class", root, address, "class");
	json_put_text(o, "driver", driver);
	json_put_text(o, "iommu_group", group);
	put_number(o, "numa_node", root, address, "numa_node");
	put_number(o, "boot_display", root, address, "boot_vga");
	json_put(o, "link", link_facts(root, address));
	json_put(o, "link_path", machine_link_path(root, address));
	put_largest_bar(o, root, address);
	free(group);
	return o;
}

struct json_object *machine_pci(const char *root)
{
	struct json_object *list = json_object_new_array();
	struct strvec names = {0};

	sysfs_list(&names, root, "%s", devices);
	for (size_t i = 0; i < names.nr; i++) {
		const char *address = names.items[i];
		char *driver = sysfs_link_name(root, "%s/%s/driver", devices, address);
		int64_t code;

		if (sysfs_int(&code, root, "%s/%s/class", devices, address) &&
		    is_of_interest(code, driver))
			json_object_array_add(list, one_device(root, address, driver));
		free(driver);
	}
	strvec_release(&names);
	return list;
}

/* The kinds of IOMMU by the names that their drivers give: dmar0, ivhd0, smmu3.0x... */
static const char *iommu_kind(const char *name)
{
	static const struct {
		const char *prefix, *kind;
	} kinds[] = {{"dmar", "intel"},
		     {"ivhd", "amd"},
		     {"smmu3", "smmuv3"},
		     {"smmu", "smmu"},
		     {"virtio", "virtio"}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].kind;
	}
	return "unknown";
}

struct json_object *machine_iommu(const char *root)
{
	struct json_object *o = json_object_new_object();
	struct strvec units = {0}, groups = {0};

	sysfs_list(&units, root, "/sys/class/iommu");
	sysfs_list(&groups, root, "/sys/kernel/iommu_groups");
	json_put_text(o, "kind", units.nr ? iommu_kind(units.items[0]) : "none");
	json_put_int(o, "units", (int64_t)units.nr);
	json_put_int(o, "groups", (int64_t)groups.nr);
	json_put_bool(o, "iommufd", sysfs_exists(root, "/dev/iommu"));
	strvec_release(&units);
	strvec_release(&groups);
	return o;
}
