#include "harness/run/driver_check.h"

#include <stdlib.h>
#include <string.h>

/* The facts list whatever vfio has, network cards too. Class as sysfs has it: 0x030200. */
static bool is_gpu(struct json_object *d)
{
	const char *class = json_get_text(d, "class", NULL);
	unsigned long code = class ? strtoul(class, NULL, 16) : 0;

	return !class || code >> 16 == 0x03 || code >> 16 == 0x12 || code >> 8 == 0x0b40;
}

static bool has_driver(struct json_object *d, int driver)
{
	const char *is = json_get_text(d, "driver", "");

	return driver == ARM_DRIVER_VFIO ? strstr(is, "vfio") != NULL
					 : strcmp(is, "nvidia") == 0;
}

static struct json_object *device_at(struct json_object *list, const char *address)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (strcmp(json_get_text(d, "address", ""), address) == 0)
			return d;
	}
	return NULL;
}

static int wrong_driver(const char *name, const char *address, struct json_object *d,
			struct err *err)
{
	if (!d)
		return err_set(
			err, ERR_ENVIRONMENT,
			"the machine does not show the GPU %s that the plan names; "
			"lspci -D there lists them",
			address);
	return err_set(err, ERR_ENVIRONMENT,
		       "the GPU %s has the driver '%s', not the '%s' that the arm asks "
		       "for; as root on the machine: tare-probe --bind %s --device %s",
		       address, json_get_text(d, "driver", "none"), name, name, address);
}

/* Any GPU will do where the plan names none. */
static int check_any(struct json_object *list, int driver, const char *name,
		     struct err *err)
{
	const char *other = NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (is_gpu(d) && has_driver(d, driver))
			return 0;
		if (!other && strcmp(json_get_text(d, "vendor", ""), "0x10de") == 0)
			other = json_get_text(d, "address", "?");
	}
	if (!other)
		return err_set(err, ERR_ENVIRONMENT,
			       "the arm asks for a GPU with the driver '%s' and the "
			       "machine shows no GPU",
			       name);
	return err_set(err, ERR_ENVIRONMENT,
		       "no GPU has the driver '%s' that the arm asks for; as root on the "
		       "machine: tare-probe --bind %s --device %s",
		       name, name, other);
}

int driver_check(const struct arm *arm, struct json_object *facts, struct err *err)
{
	const char *name = arm->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia";
	struct json_object *list = json_member(facts, "pci");
	/* A guest's GPU has another address than its host's, which is what a plan pins. */
	const struct gpu_host *pinned = arm->target == ARM_VM ? NULL : arm->gpu_host;

	if (arm->driver == ARM_DRIVER_ASIS ||
	    (arm->driver == ARM_DRIVER_VFIO && arm->target == ARM_VM))
		return 0;
	if (!pinned)
		return check_any(list, arm->driver, name, err);
	for (size_t i = 0; i < pinned->gpus.nr; i++) {
		struct json_object *d = device_at(list, pinned->gpus.items[i]);

		if (!d || !has_driver(d, arm->driver))
			return wrong_driver(name, pinned->gpus.items[i], d, err);
	}
	return 0;
}
