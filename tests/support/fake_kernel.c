#include "tests/support/fake_kernel.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"
#include "probe/pci_device.h"
#include "tests/support/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *device_path(const char *address, const char *file)
{
	return x_asprintf("/sys/bus/pci/devices/%s/%s", address, file);
}

void fake_kernel_give(struct fake_kernel *k, const char *address, const char *driver)
{
	char *path = device_path(address, "driver");
	char *target = x_asprintf("../../drivers/%s", driver);

	tree_link(k->root, path, target);
	free(path);
	free(target);
}

/* The native driver of a device, by its vendor and class. */
static const char *native(struct fake_kernel *k, const char *address)
{
	int64_t vendor = 0, device = 0, code = 0;

	(void)pci_device_ids(k->root, address, &vendor, &device, &code);
	if (code >> 8 == 0x0108)
		return "nvme";
	return code >> 16 == 0x03 ? "nvidia" : "snd_hda_intel";
}

static int kernel_bind(struct fake_kernel *k, const char *driver, const char *address)
{
	char *path = device_path(address, "driver_override");
	char *override = tree_get(k->root, path);
	bool is_set = override && *override && strcmp(override, "(null)") != 0;
	const char *only = is_set ? override : native(k, address);
	int why = ENODEV;

	if (strcmp(driver ? driver : only, only) == 0 &&
	    sysfs_exists(k->root, "/sys/bus/pci/drivers/%s", only)) {
		fake_kernel_give(k, address, only);
		why = 0;
	}
	free(path);
	free(override);
	return driver ? why : 0; /* a probe that finds nobody is no error */
}

static int kernel_unbind(struct fake_kernel *k, const char *driver, const char *address)
{
	char *has = pci_device_driver(k->root, address);
	bool is_its = has && strcmp(has, driver) == 0;
	char *path = x_asprintf("%s/sys/bus/pci/devices/%s/driver", k->root, address);

	if (is_its)
		(void)unlink(path);
	free(path);
	free(has);
	return is_its ? 0 : ENODEV;
}

static int kernel_write(void *ctx, const char *path, const char *text)
{
	struct fake_kernel *k = ctx;
	char driver[64], file[16];

	k->writes++;
	if (k->fail_at &&
	    (k->writes == k->fail_at || (k->fails_on && k->writes > k->fail_at)))
		return EIO;
	if (k->writes == k->silent_at)
		return 0;
	if (strcmp(path, "/sys/bus/pci/drivers_probe") == 0)
		return kernel_bind(k, NULL, text);
	if (sscanf(path, "/sys/bus/pci/drivers/%63[^/]/%15s", driver, file) == 2)
		return strcmp(file, "bind") == 0 ? kernel_bind(k, driver, text)
						 : kernel_unbind(k, driver, text);
	tree_put(k->root, path, text[0] == '\n' ? "(null)\n" : text);
	return 0;
}

static int kernel_load(void *ctx, const char *module)
{
	struct fake_kernel *k = ctx;
	char *path = x_asprintf("/sys/bus/pci/drivers/%s/uevent", module);

	if (!k->not_there || strcmp(k->not_there, module) != 0)
		tree_put(k->root, path, "\n");
	free(path);
	return 0;
}

struct binding_host fake_kernel_host(struct fake_kernel *k)
{
	return (struct binding_host){
		.root = k->root, .write = kernel_write, .load = kernel_load, .ctx = k};
}
