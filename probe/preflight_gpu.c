/* Checks of what the GPU's own driver says; NVML's facts are in core/machine/nvml.h. */
#include "probe/preflight_check.h"

#include "core/base/mem.h"
#include "core/machine/gpu_words.h"
#include "core/machine/sysfs.h"

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
	if (!json_length(json_member(l->machine, "gpus")) &&
	    (preflight_gpus_expected(l) > 0 ||
	     (l->is_guest && !json_member(l->machine, "gpus")))) {
		preflight_note(l, "there is a GPU and no driver that answers");
		return PREFLIGHT_FAIL;
	}
	return preflight_each_gpu(l, uuid_of_one);
}

/* What NVML could not be asked must not be taken for what is not there. */
static enum preflight_state look_count(struct preflight_look *l)
{
	struct json_object *count = json_member(l->machine, "gpu_count");
	struct json_object *gpus = json_member(l->machine, "gpus");
	const char *why = json_get_text(count, "nvml_error", NULL);
	int64_t expected = preflight_gpus_expected(l);
	int64_t shown = json_get_int(count, "nvml", (int64_t)json_length(gpus));
	enum preflight_state state = PREFLIGHT_OK;

	if (!count)
		return PREFLIGHT_UNKNOWN;
	if (expected <= 0 && shown == 0)
		return PREFLIGHT_NOT_APPLICABLE;
	preflight_note(l, "%lld on the bus for the NVIDIA driver, %lld shown by it%s",
		       (long long)expected, (long long)shown,
		       shown ? "" : " (nvidia-smi: \"No devices were found\")");
	if (shown < expected)
		state = PREFLIGHT_FAIL;
	if (why && !json_member(count, "nvml") && shown < expected)
		preflight_note(l, "%s", why);
	for (size_t i = 0; i < json_length(gpus); i++) {
		why = json_get_text(json_object_array_get_idx(gpus, i), "error", NULL);
		if (!why)
			continue;
		preflight_note(l, "%s", why);
		state = PREFLIGHT_FAIL;
	}
	return state;
}

static enum preflight_state persistence_of_one(struct preflight_look *l,
					       struct json_object *gpu, const char *name)
{
	int on = gpu_word(gpu_switch_words, json_get_text(gpu, "persistence", NULL));

	if (on < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, gpu_switch_words[on]);
	return on == GPU_ON ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

/* A setting and what the next reset makes of it. */
static void note_pair(struct preflight_look *l, const char *name, bool now, bool next)
{
	preflight_note(l, "%s: %s%s", name, now ? "on" : "off",
		       now == next ? ""
		       : next      ? ", on after a reset"
				   : ", off after a reset");
}

/* Our own rebinding resets the GPU: a pending change would come between two rounds. */
static enum preflight_state ecc_of_one(struct preflight_look *l, struct json_object *gpu,
				       const char *name)
{
	struct json_object *ecc = json_member(gpu, "ecc");
	bool now = json_get_bool(ecc, "enabled", false);
	bool next = json_get_bool(ecc, "pending", now);

	if (!json_member(ecc, "enabled"))
		return preflight_not_told(l, name);
	note_pair(l, name, now, next);
	return now != next ? PREFLIGHT_FAIL : now ? PREFLIGHT_OK : PREFLIGHT_WARN;
}

static enum preflight_state memory_of_one(struct preflight_look *l,
					  struct json_object *gpu, const char *name)
{
	struct json_object *remap = json_member(gpu, "remap");
	struct json_object *pages = json_member(gpu, "retired_pages");
	bool pending = json_get_bool(remap, "pending", false) ||
		       json_get_bool(pages, "pending", false);

	if (!remap && !pages)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %lld rows remapped, %lld pages retired%s%s", name,
		       (long long)(json_get_int(remap, "correctable", 0) +
				   json_get_int(remap, "uncorrectable", 0)),
		       (long long)(json_get_int(pages, "single", 0) +
				   json_get_int(pages, "double", 0)),
		       pending ? ", more at the next reset (nvidia-smi: \"Pending: Yes\")"
			       : "",
		       json_get_bool(remap, "failed", false)
			       ? ", and a row could not be remapped (nvidia-smi: "
				 "\"Remapping Failure Occurred: Yes\"): have it replaced"
			       : "");
	return pending || json_get_bool(remap, "failed", false) ? PREFLIGHT_FAIL
								: PREFLIGHT_OK;
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
	note_pair(l, name, now, next);
	if (now != next)
		return PREFLIGHT_FAIL;
	if (!now || !json_member(gpu, "mig_devices"))
		return PREFLIGHT_OK;
	preflight_note(l, "%lld slices to be asked for by their MIG-UUIDs",
		       (long long)json_get_int(gpu, "mig_devices", 0));
	return json_get_int(gpu, "mig_devices", 0) ? PREFLIGHT_OK : PREFLIGHT_FAIL;
}

/* NVML's own word for who stands between the GPU and this system. */
static enum preflight_state virtual_of_one(struct preflight_look *l,
					   struct json_object *gpu, const char *name)
{
	int mode =
		gpu_word(gpu_virtual_words, json_get_text(gpu, "virtualization", NULL));
	int64_t lent = json_get_int(gpu, "vgpus_active", 0);

	if (mode < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, gpu_virtual_words[mode]);
	if (json_get_text(gpu, "vgpu_type", NULL))
		preflight_note(l, "a part of a GPU: %s",
			       json_get_text(gpu, "vgpu_type", NULL));
	if (lent)
		preflight_note(l, "%lld virtual GPUs share it", (long long)lent);
	return !lent && mode == (l->is_guest ? GPU_VIRTUAL_PASSTHROUGH : GPU_VIRTUAL_NONE)
		       ? PREFLIGHT_OK
		       : PREFLIGHT_WARN;
}

/* An NVSwitch of this machine: then its GPUs wait for the fabric manager. */
static bool has_nvswitch(const char *root)
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
			code >> 8 == 0x0680;
	}
	strvec_release(&names);
	return found;
}

static enum preflight_state fabric_of_one(struct preflight_look *l,
					  struct json_object *gpu, const char *name)
{
	struct json_object *fabric = json_member(gpu, "fabric");
	int state = gpu_word(gpu_fabric_words, json_get_text(fabric, "state", NULL));

	if (state < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s, status %lld", name, gpu_fabric_words[state],
		       (long long)json_get_int(fabric, "status", 0));
	if (state == GPU_FABRIC_NOT_SUPPORTED)
		return PREFLIGHT_OK;
	return state == GPU_FABRIC_COMPLETED && json_get_int(fabric, "status", 0) == 0
		       ? PREFLIGHT_OK
		       : PREFLIGHT_FAIL;
}

static enum preflight_state look_fabric(struct preflight_look *l)
{
	enum preflight_state state = preflight_each_gpu(l, fabric_of_one);

	if (!has_nvswitch(l->root))
		return state;
	if (sysfs_runs(l->root, "nv-fabricmanage"))
		return state;
	preflight_note(l, "NVSwitches here and no nv-fabricmanager");
	return state == PREFLIGHT_OK ? state : PREFLIGHT_FAIL;
}

static enum preflight_state confidential_of_one(struct preflight_look *l,
						struct json_object *gpu, const char *name)
{
	int on = gpu_word(gpu_switch_words, json_get_text(gpu, "cc_mode", NULL));

	if (on < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, gpu_switch_words[on]);
	return on == GPU_ON ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

/* A fact that is to be false. */
static enum preflight_state not_wanted(struct preflight_look *l, struct json_object *gpu,
				       const char *name, const char *key)
{
	struct json_object *v = json_member(gpu, key);

	if (!json_object_is_type(v, json_type_boolean))
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, json_object_get_boolean(v) ? "on" : "off");
	return json_object_get_boolean(v) ? PREFLIGHT_WARN : PREFLIGHT_OK;
}

static enum preflight_state encryption_of_one(struct preflight_look *l,
					      struct json_object *gpu, const char *name)
{
	return not_wanted(l, gpu, name, "nvlink_encryption");
}

static enum preflight_state mps_of_one(struct preflight_look *l, struct json_object *gpu,
				       const char *name)
{
	return not_wanted(l, gpu, name, "mps");
}

static enum preflight_state compute_mode_of_one(struct preflight_look *l,
						struct json_object *gpu, const char *name)
{
	int mode = gpu_word(gpu_compute_words, json_get_text(gpu, "compute_mode", NULL));

	if (mode < 0)
		return preflight_not_told(l, name);
	preflight_note(l, "%s: %s", name, gpu_compute_words[mode]);
	return mode == GPU_COMPUTE_PROHIBITED ? PREFLIGHT_FAIL : PREFLIGHT_OK;
}

/* Xids that speak of the GPU and not of a program (NVIDIA's "XID Errors", 2025). */
static bool is_hardware_xid(int64_t code)
{
	static const int64_t codes[] = {48,  62,  63,  64,  74,  79,  92,  94, 95,
					110, 119, 120, 136, 140, 143, 149, 154};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static enum preflight_state look_xid(struct preflight_look *l)
{
	struct json_object *xid = json_member(l->machine, "xid");
	struct json_object *codes = json_member(xid, "codes");
	enum preflight_state state = PREFLIGHT_OK;

	if (!json_get_int(json_member(l->machine, "gpu_count"), "pci", 0))
		return PREFLIGHT_NOT_APPLICABLE;
	if (!xid)
		return preflight_not_told(l, "the kernel's log (be root)");
	preflight_note(l, "%lld since boot", (long long)json_get_int(xid, "count", 0));
	for (size_t i = 0; i < json_length(codes); i++) {
		int64_t code = json_object_get_int64(json_object_array_get_idx(codes, i));

		preflight_note(l, "Xid %lld", (long long)code);
		state = preflight_worse(state, is_hardware_xid(code) ? PREFLIGHT_FAIL
								     : PREFLIGHT_WARN);
	}
	if (json_get_bool(xid, "complete", false))
		return state;
	preflight_note(l, "the log no longer reaches back to boot");
	return preflight_worse(state, PREFLIGHT_UNKNOWN);
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
	{"gpu.count", "GPUs on the bus and shown",
	 "a GPU that cannot be asked is not a healthy one, and numbers may shift",
	 "nvidia-smi -L; dmesg | grep -i -e NVRM -e Xid; reload the driver or restart",
	 SIDE_BOTH, .machine = look_count},
	{"gpu.persistence", "Persistence mode",
	 "without it the driver starts anew for the first process",
	 "nvidia-smi -pm 1, or the nvidia-persistenced service", SIDE_BOTH,
	 .driver_gpu = persistence_of_one},
	{"gpu.ecc", "ECC and what is pending",
	 "both arms must agree; a pending change takes hold when binding resets the GPU",
	 "nvidia-smi -e 1, then nvidia-smi --gpu-reset -i GPU", SIDE_BOTH,
	 .driver_gpu = ecc_of_one},
	{"gpu.memory", "Rows remapped, pages retired",
	 "memory that failed is replaced at the next reset, between two rounds",
	 "nvidia-smi --gpu-reset -i GPU; where remapping failed, replace the GPU",
	 SIDE_BOTH, .driver_gpu = memory_of_one},
	{"gpu.xid", "Xids since boot", "the driver saw this GPU or its program go wrong",
	 "dmesg | grep Xid, and look the number up in NVIDIA's list", SIDE_BOTH,
	 .machine = look_xid},
	{"gpu.mig", "MIG mode and what is pending",
	 "a pending change takes hold at the next reset, between two rounds; a GPU in MIG "
	 "mode computes only in its slices",
	 "nvidia-smi --gpu-reset -i GPU, or take the request back; tare mig apply makes "
	 "slices, tare mig clear leaves the mode",
	 SIDE_BOTH, .driver_gpu = mig_of_one},
	{"gpu.virtualization", "Virtualization of the GPU",
	 "a virtual GPU is a part of one by another name, and on a host others share it",
	 "pass the whole GPU through, or compare virtual GPUs of one type with each other",
	 SIDE_BOTH, .driver_gpu = virtual_of_one},
	{"gpu.fabric", "NVLink fabric",
	 "until it is ready CUDA refuses to start (802, system not yet initialized)",
	 "systemctl restart nvidia-fabricmanager, of the driver's version; nvidia-smi -q -d "
	 "FABRIC; dmesg",
	 SIDE_BOTH, .machine = look_fabric},
	{"gpu.confidential", "Confidential computing",
	 "copies are encrypted: both arms must have it or neither",
	 "nvidia-smi conf-compute -q; it is set by the host for the next reset",
	 SIDE_BOTH, .driver_gpu = confidential_of_one},
	{"gpu.nvlink_encryption", "NVLink encryption", "it costs bandwidth between GPUs",
	 "nvidia-smi nvlink -info; both arms must agree", SIDE_BOTH,
	 .driver_gpu = encryption_of_one},
	{"gpu.compute_mode", "Compute mode", "a GPU that prohibits it computes nothing",
	 "nvidia-smi -c 0", SIDE_BOTH, .driver_gpu = compute_mode_of_one},
	{"gpu.mps", "MPS", "its clients share the GPU at the same instant",
	 "echo quit | nvidia-cuda-mps-control", SIDE_BOTH, .driver_gpu = mps_of_one},
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
