/*
 * NVIDIA GPUs: from NVML on the running machine, else as their driver shows them in
 * /proc/driver/nvidia. Both give uuid, name, vbios, driver_version and pci_address; NVML
 * adds what core/machine/nvml.h lists.
 */
#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/nvml.h"
#include "core/machine/sysfs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void put_value(struct json_object *o, const char *key, const char *text,
		      const char *name)
{
	char *value = text ? sysfs_value(text, name) : NULL;

	/* The driver fills in "??" for what it has not read yet. */
	json_put_text(o, key, value && !strchr(value, '?') ? value : NULL);
	free(value);
}

/* "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build ..."
 * The version is the first word with two dots or one between digits. */
static char *driver_version(const char *root)
{
	char *text = sysfs_text(root, "/proc/driver/nvidia/version");
	char *line = text ? sysfs_value(text, "NVRM version") : NULL;
	char *save = NULL, *ret = NULL;

	for (char *word = line ? strtok_r(line, " ", &save) : NULL; word && !ret;
	     word = strtok_r(NULL, " ", &save)) {
		if (isdigit((unsigned char)word[0]) && strchr(word, '.') &&
		    strspn(word, "0123456789.") == strlen(word))
			ret = x_strdup(word);
	}
	free(line);
	free(text);
	return ret;
}

static bool has_nvidia_device(const char *root)
{
	struct strvec names = {0};
	bool found = false;

	sysfs_list(&names, root, "/sys/bus/pci/devices");
	for (size_t i = 0; i < names.nr && !found; i++) {
		int64_t vendor, code;

		found = sysfs_int(&vendor, root, "/sys/bus/pci/devices/%s/vendor",
				  names.items[i]) &&
			vendor == 0x10de &&
			sysfs_int(&code, root, "/sys/bus/pci/devices/%s/class",
				  names.items[i]) &&
			code >> 16 == 0x03;
	}
	strvec_release(&names);
	return found;
}

/* NVML's list with the members that both sources have; NULL without a driver. */
static struct json_object *by_nvml(void)
{
	struct json_object *all = nvml_machine_json();
	struct json_object *gpus = json_object_get(json_member(all, "gpus"));
	const char *driver = json_get_text(all, "driver", NULL);

	for (size_t i = 0; gpus && i < json_object_array_length(gpus); i++) {
		struct json_object *gpu = json_object_array_get_idx(gpus, i);

		json_put_int(gpu, "index", (int64_t)i);
		json_put_text(gpu, "driver_version", driver);
		json_put_text(gpu, "pci_address",
			      json_get_text(json_member(gpu, "pci"), "address", NULL));
	}
	json_object_put(all);
	return gpus;
}

static struct json_object *by_driver(const char *root)
{
	struct json_object *list = json_object_new_array();
	struct strvec names = {0};
	char *version = driver_version(root);

	sysfs_list(&names, root, "/proc/driver/nvidia/gpus");
	for (size_t i = 0; i < names.nr; i++) {
		struct json_object *gpu = json_object_new_object();
		char *text = sysfs_text(root, "/proc/driver/nvidia/gpus/%s/information",
					names.items[i]);

		json_put_int(gpu, "index", (int64_t)i);
		put_value(gpu, "uuid", text, "GPU UUID");
		put_value(gpu, "name", text, "Model");
		json_put_text(gpu, "pci_address", names.items[i]);
		json_put_text(gpu, "driver_version", version);
		put_value(gpu, "vbios", text, "Video BIOS");
		put_value(gpu, "firmware", text, "GPU Firmware");
		json_object_array_add(list, gpu);
		free(text);
	}
	/* A GPU that another driver has is there and cannot be asked. */
	if (!names.nr && has_nvidia_device(root)) {
		json_object_put(list);
		list = NULL;
	}
	strvec_release(&names);
	free(version);
	return list;
}

struct json_object *machine_gpus(const char *root)
{
	struct json_object *gpus = *root ? NULL : by_nvml();

	return gpus ? gpus : by_driver(root);
}
