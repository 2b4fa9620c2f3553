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

/* The bus: how many GPUs are on it, and how many of them other drivers have. */
struct on_bus {
	int64_t nr, elsewhere;
};

/* A virtual function is a part of the GPU that it belongs to. */
static bool is_nvidia_gpu(const char *root, const char *address)
{
	int64_t vendor, code;

	return sysfs_int(&vendor, root, "/sys/bus/pci/devices/%s/vendor", address) &&
	       vendor == 0x10de &&
	       sysfs_int(&code, root, "/sys/bus/pci/devices/%s/class", address) &&
	       code >> 16 == 0x03 &&
	       !sysfs_exists(root, "/sys/bus/pci/devices/%s/physfn", address);
}

static struct on_bus count_bus(const char *root)
{
	struct strvec names = {0};
	struct on_bus ret = {0};

	sysfs_list(&names, root, "/sys/bus/pci/devices");
	for (size_t i = 0; i < names.nr; i++) {
		char *driver;

		if (!is_nvidia_gpu(root, names.items[i]))
			continue;
		driver = sysfs_link_name(root, "/sys/bus/pci/devices/%s/driver",
					 names.items[i]);
		ret.nr++;
		ret.elsewhere += driver && strcmp(driver, "nvidia") != 0;
		free(driver);
	}
	strvec_release(&names);
	return ret;
}

/* Members that both sources have, and those that NVML does not know of. */
static void complete(struct json_object *gpu, size_t index, const char *driver, bool mps)
{
	const char *address = json_get_text(json_member(gpu, "pci"), "address", NULL);
	static const char *const needed[] = {"uuid", "name", "vbios"};

	json_put_int(gpu, "index", (int64_t)index);
	json_put_text(gpu, "driver_version", driver);
	json_put_text(gpu, "pci_address", address);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!json_member(gpu, needed[i]))
			json_put(gpu, needed[i], NULL);
	json_put(gpu, "link_path", address ? machine_link_path("", address) : NULL);
	/* The daemon may run before it has a client. */
	if (mps && !json_member(gpu, "error"))
		json_put_bool(gpu, "mps", true);
}

/* NVML's list; NULL with the reason where it does not start. */
static struct json_object *by_nvml(struct json_object *count)
{
	struct err err = ERR_INIT;
	struct json_object *all = nvml_machine_json(&err);
	struct json_object *gpus = json_object_get(json_member(all, "gpus"));
	const char *driver = json_get_text(all, "driver", NULL);
	bool mps = sysfs_runs("", "nvidia-cuda-mps");

	json_put_text(count, "nvml_error", all ? NULL : err.text);
	if (!all)
		return NULL;
	json_put_int(count, "nvml", (int64_t)json_length(gpus));
	json_put(count, "unreadable", json_object_get(json_member(all, "unreadable")));
	for (size_t i = 0; i < json_length(gpus); i++)
		complete(json_object_array_get_idx(gpus, i), i, driver, mps);
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
		json_put(gpu, "link_path", machine_link_path(root, names.items[i]));
		json_object_array_add(list, gpu);
		free(text);
	}
	strvec_release(&names);
	free(version);
	return list;
}

void machine_put_gpus(struct json_object *o, const char *root)
{
	struct json_object *count = json_object_new_object();
	struct on_bus bus = count_bus(root);
	struct json_object *gpus;

	json_put_int(count, "pci", bus.nr);
	json_put_int(count, "pci_elsewhere", bus.elsewhere);
	json_put(count, "nvml", NULL);
	json_put_text(count, "nvml_error",
		      *root ? "not asked of a recorded machine" : NULL);
	json_put(count, "unreadable", json_object_new_array());
	gpus = *root ? NULL : by_nvml(count);
	if (!gpus)
		gpus = by_driver(root);
	/* A GPU that is there and that its driver does not show cannot be asked. */
	if (!json_length(gpus) && bus.nr) {
		json_object_put(gpus);
		gpus = NULL;
	}
	json_put(o, "gpus", gpus);
	json_put(o, "gpu_count", count);
}
