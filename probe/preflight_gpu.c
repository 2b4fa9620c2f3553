/* Checks of what the GPU's own driver says; NVML's facts are in core/machine/nvml.h. */
#include "probe/preflight_check.h"

#include <string.h>

static enum preflight_state uuid_of_one(struct preflight_look *l, struct json_object *gpu,
					const char *name)
{
	const char *uuid = json_get_text(gpu, "uuid", NULL);

	preflight_note(l, "%s: %s", name, uuid ? uuid : "no UUID");
	return uuid ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

static enum preflight_state look_uuid(struct preflight_look *l)
{
	if (!json_member(l->machine, "gpus") && l->is_guest) {
		preflight_note(l, "there is a GPU and no driver that answers");
		return PREFLIGHT_FAIL;
	}
	return preflight_each_gpu(l, uuid_of_one);
}

/* "enabled"/"disabled", or {enabled, pending}. -1: not told. */
static int is_enabled(struct json_object *v)
{
	struct json_object *enabled = json_member(v, "enabled");

	if (enabled)
		return json_object_get_boolean(enabled);
	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v);
	if (json_object_is_type(v, json_type_string))
		return strcmp(json_object_get_string(v), "enabled") == 0;
	return -1;
}

static enum preflight_state switch_of(struct preflight_look *l, struct json_object *gpu,
				      const char *name, const char *key,
				      enum preflight_state when_off)
{
	int on = is_enabled(json_member(gpu, key));

	if (on < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, on ? "on" : "off");
	return on ? PREFLIGHT_OK : when_off;
}

static enum preflight_state persistence_of_one(struct preflight_look *l,
					       struct json_object *gpu, const char *name)
{
	return switch_of(l, gpu, name, "persistence", PREFLIGHT_WARN);
}

static enum preflight_state ecc_of_one(struct preflight_look *l, struct json_object *gpu,
				       const char *name)
{
	return switch_of(l, gpu, name, "ecc", PREFLIGHT_WARN);
}

/* A mode that is asked for and not there yet changes under the run's feet. */
static enum preflight_state mig_of_one(struct preflight_look *l, struct json_object *gpu,
				       const char *name)
{
	struct json_object *mig = json_member(gpu, "mig");
	bool now = json_get_bool(mig, "enabled", false);
	bool next = json_get_bool(mig, "pending", now);

	if (!json_member(mig, "enabled"))
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s%s", name, now ? "on" : "off",
		       now == next ? ""
		       : next      ? ", on after a reset"
				   : ", off after a reset");
	return now == next ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

static enum preflight_state power_of_one(struct preflight_look *l,
					 struct json_object *gpu, const char *name)
{
	double limit = json_get_real(gpu, "power_limit_w", 0);
	double standard = json_get_real(gpu, "default_power_limit_w", 0);

	if (limit <= 0 || standard <= 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %g W of %g W", name, limit, standard);
	return limit < standard ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state clock_of_one(struct preflight_look *l,
					 struct json_object *gpu, const char *name)
{
	double most = json_get_real(gpu, "max_sm_clock_hz", 0);

	if (most <= 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: up to %g MHz", name, most / 1e6);
	return PREFLIGHT_OK;
}

static enum preflight_state c2c_of_one(struct preflight_look *l, struct json_object *gpu,
				       const char *name)
{
	struct json_object *links = json_member(gpu, "c2c_links");

	if (!links)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s links", name, json_object_get_string(links));
	return json_object_get_int64(links) > 0 ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

const struct preflight_check preflight_gpu_checks[] = {
	{"gpu.uuid", "GPU visible by UUID",
	 "only the UUID proves that both arms measure the same GPU",
	 "install the NVIDIA driver here; nvidia-smi -L", SIDE_BOTH,
	 .machine = look_uuid},
	{"gpu.persistence", "Persistence mode",
	 "without it the driver starts anew for the first process",
	 "nvidia-smi -pm 1, or the nvidia-persistenced service", SIDE_BOTH,
	 .driver_gpu = persistence_of_one},
	{"gpu.ecc", "ECC", "both arms must agree; data centre GPUs run with it",
	 "nvidia-smi -e 1 and reset the GPU", SIDE_BOTH, .driver_gpu = ecc_of_one},
	{"gpu.mig", "MIG mode and what is pending",
	 "a pending change takes hold at the next reset, between two rounds",
	 "nvidia-smi --gpu-reset -i GPU, or take the request back", SIDE_BOTH,
	 .driver_gpu = mig_of_one},
	{"gpu.power_limit", "Power limit", "a lower one lowers sustained clocks",
	 "nvidia-smi -pl DEFAULT", SIDE_BOTH, .driver_gpu = power_of_one},
	{"gpu.clock", "Maximum clock", "the peak that results are held against",
	 "nvidia-smi -rgc takes locked clocks back", SIDE_BOTH,
	 .driver_gpu = clock_of_one},
	{"gpu.c2c", "C2C links", "on Grace all data between CPU and GPU goes over them",
	 "reset the GPU; nvidia-smi c2c -s", SIDE_BOTH, PLATFORM_GRACE,
	 .driver_gpu = c2c_of_one},
	{0},
};
