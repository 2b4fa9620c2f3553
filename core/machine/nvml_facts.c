#include "core/machine/nvml.h"

#include "core/base/mem.h"
#include "core/machine/gpu_words.h"
#include "core/machine/mig.h"
#include "core/machine/nvml_impl.h"

#include <stdio.h>
#include <string.h>

typedef int nvml_text_fn(struct nvml_gpu *g, char *text, unsigned size);
typedef int nvml_number_fn(struct nvml_gpu *g, unsigned *ret);
typedef int nvml_signed_fn(struct nvml_gpu *g, int *ret);

bool nvml_field_number(const struct nvml_field *f, double *ret)
{
	if (f->result != NVML_SUCCESS)
		return false;
	switch (f->type) {
	case 0:
		*ret = f->value.real;
		return true;
	case 1:
		*ret = f->value.u;
		return true;
	case 2:
		*ret = (double)f->value.ul;
		return true;
	case 3:
		*ret = (double)f->value.ull;
		return true;
	case 4:
		*ret = (double)f->value.sll;
		return true;
	case 5:
		*ret = f->value.i;
		return true;
	case 6:
		*ret = f->value.us;
		return true;
	default:
		return false;
	}
}

static void put_text(struct json_object *o, const char *key, struct nvml_gpu *g,
		     nvml_text_fn *fn)
{
	char text[NVML_TEXT] = "";
	bool is_told = fn && fn(g, text, sizeof(text)) == NVML_SUCCESS && text[0];

	json_put_text(o, key, is_told ? text : NULL);
}

/* 'scale' turns NVML's unit into the base unit. */
static void put_number(struct json_object *o, const char *key, struct nvml_gpu *g,
		       nvml_number_fn *fn, double scale)
{
	unsigned value = 0;

	if (fn && fn(g, &value) == NVML_SUCCESS)
		json_put_real(o, key, value * scale);
	else
		json_put(o, key, NULL);
}

static void put_count(struct json_object *o, const char *key, struct nvml_gpu *g,
		      nvml_number_fn *fn)
{
	unsigned value = 0;

	if (fn && fn(g, &value) == NVML_SUCCESS)
		json_put_int(o, key, value);
	else
		json_put(o, key, NULL);
}

/* A number that stands for one of a few words. */
static const char *word_at(const char *const words[], int value)
{
	for (int i = 0; words[i]; i++)
		if (i == value)
			return words[i];
	return NULL;
}

static void put_choice(struct json_object *o, const char *key, struct nvml_gpu *g,
		       nvml_signed_fn *fn, const char *const words[])
{
	int value = -1;

	if (!fn || fn(g, &value) != NVML_SUCCESS)
		value = -1;
	json_put_text(o, key, word_at(words, value));
}

static void put_max_clock(struct json_object *o, const char *key, struct nvml *n,
			  struct nvml_gpu *g, int clock)
{
	unsigned mhz = 0;

	if (n->nvmlDeviceGetMaxClockInfo &&
	    n->nvmlDeviceGetMaxClockInfo(g, clock, &mhz) == NVML_SUCCESS)
		json_put_real(o, key, mhz * 1e6);
	else
		json_put(o, key, NULL);
}

unsigned nvml_multiprocessors(struct nvml *n, struct nvml_gpu *g)
{
	static const struct {
		int major, minor;
		unsigned cores;
	} of_one[] = {{7, 0, 64},   {7, 5, 64},   {8, 0, 64},   {8, 6, 128},
		      {8, 7, 128},  {8, 9, 128},  {9, 0, 128},  {10, 0, 128},
		      {10, 3, 128}, {11, 0, 128}, {12, 0, 128}, {12, 1, 128}};
	int major = 0, minor = 0;
	unsigned cores = 0;

	if (!n->nvmlDeviceGetNumGpuCores || !n->nvmlDeviceGetCudaComputeCapability ||
	    n->nvmlDeviceGetNumGpuCores(g, &cores) != NVML_SUCCESS ||
	    n->nvmlDeviceGetCudaComputeCapability(g, &major, &minor) != NVML_SUCCESS)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(of_one); i++)
		if (of_one[i].major == major && of_one[i].minor == minor)
			return cores / of_one[i].cores;
	return 0;
}

/* What parts it can be cut into; how many fit just now is no fact of the machine. */
static void put_parts(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	unsigned multiprocessors = nvml_multiprocessors(n, g);
	struct mig_profile profiles[2 * MIG_MAX];
	struct err ignored = ERR_INIT;
	struct json_object *list = NULL;
	size_t nr = 0;

	if (multiprocessors)
		json_put_int(o, "multiprocessors", multiprocessors);
	else
		json_put(o, "multiprocessors", NULL);
	if (mig_profiles(n, g, profiles, &nr, &ignored) == 0)
		list = mig_profiles_json(profiles, nr);
	for (size_t i = 0; list && i < nr; i++)
		json_object_object_del(json_object_array_get_idx(list, i), "remaining");
	json_put(o, "mig_profiles", list);
}

static struct json_object *pci_json(struct nvml *n, struct nvml_gpu *g)
{
	struct json_object *o = json_object_new_object();
	struct nvml_pci pci;
	char text[32];

	if (n->nvmlDeviceGetPciInfo_v3(g, &pci) != NVML_SUCCESS)
		return o;
	snprintf(text, sizeof(text), "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
	json_put_text(o, "address", text);
	snprintf(text, sizeof(text), "%04x:%04x", pci.id & 0xffff, pci.id >> 16);
	json_put_text(o, "id", text);
	snprintf(text, sizeof(text), "%04x:%04x", pci.subsystem & 0xffff,
		 pci.subsystem >> 16);
	json_put_text(o, "subsystem", text);
	put_count(o, "generation", g, n->nvmlDeviceGetCurrPcieLinkGeneration);
	put_count(o, "width", g, n->nvmlDeviceGetCurrPcieLinkWidth);
	put_count(o, "max_generation", g, n->nvmlDeviceGetMaxPcieLinkGeneration);
	put_count(o, "max_width", g, n->nvmlDeviceGetMaxPcieLinkWidth);
	return o;
}

static void put_pair(struct json_object *o, const char *key, bool is_told,
		     unsigned current, unsigned pending)
{
	struct json_object *pair = NULL;

	if (is_told) {
		pair = json_object_new_object();
		json_put_bool(pair, "enabled", current != 0);
		json_put_bool(pair, "pending", pending != 0);
	}
	json_put(o, key, pair);
}

static void put_modes(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	int ecc = 0, ecc_pending = 0;
	unsigned mig = 0, mig_pending = 0;
	bool is_told = n->nvmlDeviceGetEccMode &&
		       n->nvmlDeviceGetEccMode(g, &ecc, &ecc_pending) == NVML_SUCCESS;

	put_pair(o, "ecc", is_told, (unsigned)ecc, (unsigned)ecc_pending);
	json_put(o, "ecc_pending",
		 is_told ? json_object_new_boolean(ecc != ecc_pending) : NULL);
	is_told = n->nvmlDeviceGetMigMode &&
		  n->nvmlDeviceGetMigMode(g, &mig, &mig_pending) == NVML_SUCCESS;
	put_pair(o, "mig", is_told, mig, mig_pending);
	put_choice(o, "persistence", g, n->nvmlDeviceGetPersistenceMode,
		   gpu_switch_words);
	put_choice(o, "compute_mode", g, n->nvmlDeviceGetComputeMode, gpu_compute_words);
	put_choice(o, "virtualization", g, n->nvmlDeviceGetVirtualizationMode,
		   gpu_virtual_words);
}

static void put_links(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	struct nvml_field fields[] = {{.field = NVML_FIELD_NVLINK_COUNT},
				      {.field = NVML_FIELD_C2C_LINKS}};
	const char *const keys[] = {"nvlinks", "c2c_links"};
	bool is_told = n->nvmlDeviceGetFieldValues &&
		       n->nvmlDeviceGetFieldValues(g, 2, fields) == NVML_SUCCESS;

	for (int i = 0; i < 2; i++) {
		double value;

		if (is_told && nvml_field_number(&fields[i], &value))
			json_put_int(o, keys[i], (int64_t)value);
		else
			json_put(o, keys[i], NULL);
	}
}

static void put_remap(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	unsigned correctable = 0, uncorrectable = 0, pending = 0, failed = 0;
	struct json_object *remap = NULL;

	if (n->nvmlDeviceGetRemappedRows &&
	    n->nvmlDeviceGetRemappedRows(g, &correctable, &uncorrectable, &pending,
					 &failed) == NVML_SUCCESS) {
		remap = json_object_new_object();
		json_put_bool(remap, "pending", pending != 0);
		json_put_bool(remap, "failed", failed != 0);
		json_put_int(remap, "correctable", correctable);
		json_put_int(remap, "uncorrectable", uncorrectable);
	}
	json_put(o, "remap", remap);
}

/* Asked with room for none, NVML answers how many there are. */
static void put_retired(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	static const char *const keys[] = {
		[NVML_RETIRED_SINGLE] = "single", [NVML_RETIRED_DOUBLE] = "double"};
	struct json_object *pages = json_object_new_object();
	bool is_told = false;
	int pending = 0;

	for (int cause = 0; cause < 2; cause++) {
		unsigned nr = 0;
		int code = n->nvmlDeviceGetRetiredPages
				   ? n->nvmlDeviceGetRetiredPages(g, cause, &nr, NULL)
				   : NVML_NOT_SUPPORTED;

		is_told |= code == NVML_SUCCESS || code == NVML_INSUFFICIENT_SIZE;
		json_put(pages, keys[cause],
			 code == NVML_SUCCESS || code == NVML_INSUFFICIENT_SIZE
				 ? json_object_new_int64(nr)
				 : NULL);
	}
	if (n->nvmlDeviceGetRetiredPagesPendingStatus &&
	    n->nvmlDeviceGetRetiredPagesPendingStatus(g, &pending) == NVML_SUCCESS)
		json_put_bool(pages, "pending", pending != 0);
	else
		json_put(pages, "pending", NULL);
	json_put(o, "retired_pages", is_told ? json_object_get(pages) : NULL);
	json_object_put(pages);
}

/* 'status' is NVML's for the whole probe of the fabric: 0 once it went well. */
static void put_fabric(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	struct nvml_fabric f = {.version = NVML_FABRIC_VERSION};
	struct json_object *fabric = NULL;

	if (n->nvmlDeviceGetGpuFabricInfoV &&
	    n->nvmlDeviceGetGpuFabricInfoV(g, &f) == NVML_SUCCESS) {
		fabric = json_object_new_object();
		json_put_text(fabric, "state", word_at(gpu_fabric_words, f.state));
		json_put_int(fabric, "status", f.status);
		json_put_int(fabric, "clique", f.clique);
	}
	json_put(o, "fabric", fabric);
}

static void put_bool(struct json_object *o, const char *key, bool is_told, bool value)
{
	json_put(o, key, is_told ? json_object_new_boolean(value) : NULL);
}

/* Whose GPU it is besides: clients of MPS, virtual GPUs; and what is encrypted. */
static void put_sharing(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	struct nvml_confidential cc = {0};
	struct nvml_nvlink_info link = {.version = NVML_NVLINK_INFO_VERSION};
	struct nvml_process clients[64];
	unsigned nr = ARRAY_SIZE(clients), vgpus = 0;
	int mode = -1, code = NVML_NOT_SUPPORTED;
	char name[NVML_TEXT] = "";
	bool is_told;

	if (n->nvmlDeviceGetMPSComputeRunningProcesses_v3)
		code = n->nvmlDeviceGetMPSComputeRunningProcesses_v3(g, &nr, clients);
	put_bool(o, "mps", code == NVML_SUCCESS || code == NVML_INSUFFICIENT_SIZE,
		 nr > 0);
	code = n->nvmlDeviceGetActiveVgpus ? n->nvmlDeviceGetActiveVgpus(g, &vgpus, NULL)
					   : NVML_NOT_SUPPORTED;
	json_put(o, "vgpus_active",
		 code == NVML_SUCCESS || code == NVML_INSUFFICIENT_SIZE
			 ? json_object_new_int64(vgpus)
			 : NULL);
	/* Inside a guest a virtual GPU is called by its type: "GRID A100-10C". */
	if (n->nvmlDeviceGetVirtualizationMode &&
	    n->nvmlDeviceGetVirtualizationMode(g, &mode) == NVML_SUCCESS &&
	    mode == GPU_VIRTUAL_VGPU)
		n->nvmlDeviceGetName(g, name, sizeof(name));
	json_put_text(o, "vgpu_type", *name ? name : NULL);
	json_put_text(o, "cc_mode",
		      n->nvmlSystemGetConfComputeState &&
				      n->nvmlSystemGetConfComputeState(&cc) ==
					      NVML_SUCCESS
			      ? word_at(gpu_switch_words, cc.feature != 0)
			      : NULL);
	is_told = n->nvmlDeviceGetNvLinkInfo &&
		  n->nvmlDeviceGetNvLinkInfo(g, &link) == NVML_SUCCESS;
	put_bool(o, "nvlink_encryption", is_told, link.is_encrypted != 0);
}

/* What a program can be given; a whole GPU in MIG mode computes nothing. */
static void put_mig_devices(struct json_object *o, struct nvml *n, struct nvml_gpu *g)
{
	struct nvml_mig_state mig;

	nvml_mig_state(n, g, &mig);
	json_put(o, "mig_devices",
		 json_member(o, "mig") ? json_object_new_int64(mig.devices) : NULL);
}

struct json_object *nvml_gpu_json(struct nvml *n, struct nvml_gpu *g)
{
	struct json_object *o = json_object_new_object();
	struct nvml_memory memory = {0};
	int major = 0, minor = 0;
	char text[16];

	put_text(o, "name", g, n->nvmlDeviceGetName);
	put_text(o, "uuid", g, n->nvmlDeviceGetUUID);
	json_put(o, "pci", pci_json(n, g));
	put_text(o, "vbios", g, n->nvmlDeviceGetVbiosVersion);
	put_text(o, "board", g, n->nvmlDeviceGetBoardPartNumber);
	put_text(o, "serial", g, n->nvmlDeviceGetSerial);
	snprintf(text, sizeof(text), "unknown");
	if (n->nvmlDeviceGetCudaComputeCapability &&
	    n->nvmlDeviceGetCudaComputeCapability(g, &major, &minor) == NVML_SUCCESS)
		snprintf(text, sizeof(text), "%d.%d", major, minor);
	json_put_text(o, "compute_capability", major ? text : NULL);
	if (n->nvmlDeviceGetMemoryInfo &&
	    n->nvmlDeviceGetMemoryInfo(g, &memory) == NVML_SUCCESS)
		json_put_int(o, "memory_bytes", (int64_t)memory.total);
	else
		json_put(o, "memory_bytes", NULL);
	put_modes(o, n, g);
	put_number(o, "power_limit_w", g, n->nvmlDeviceGetEnforcedPowerLimit, 1e-3);
	put_number(o, "default_power_limit_w", g,
		   n->nvmlDeviceGetPowerManagementDefaultLimit, 1e-3);
	put_max_clock(o, "max_sm_clock_hz", n, g, NVML_CLOCK_SM);
	put_max_clock(o, "max_memory_clock_hz", n, g, NVML_CLOCK_MEMORY);
	put_links(o, n, g);
	put_parts(o, n, g);
	put_mig_devices(o, n, g);
	put_remap(o, n, g);
	put_retired(o, n, g);
	put_fabric(o, n, g);
	put_sharing(o, n, g);
	return o;
}

static void put_system(struct json_object *o, struct nvml *n)
{
	char text[NVML_TEXT] = "";
	int version = 0;
	bool is_told = n->nvmlSystemGetDriverVersion &&
		       n->nvmlSystemGetDriverVersion(text, sizeof(text)) == NVML_SUCCESS;

	json_put_text(o, "driver", is_told ? text : NULL);
	is_told = n->nvmlSystemGetNVMLVersion &&
		  n->nvmlSystemGetNVMLVersion(text, sizeof(text)) == NVML_SUCCESS;
	json_put_text(o, "nvml", is_told ? text : NULL);
	is_told = n->nvmlSystemGetCudaDriverVersion_v2 &&
		  n->nvmlSystemGetCudaDriverVersion_v2(&version) == NVML_SUCCESS;
	snprintf(text, sizeof(text), "%d.%d", version / 1000, version % 1000 / 10);
	json_put_text(o, "cuda", is_told ? text : NULL);
}

/* GPU 'index', or in its place what keeps it from being asked. */
static struct json_object *gpu_at(struct nvml *n, unsigned index,
				  struct json_object *unreadable)
{
	struct err err = ERR_INIT;
	struct nvml_gpu *g;
	struct json_object *o;

	if (nvml_gpu_at(n, index, &g, &err) == 0)
		return nvml_gpu_json(n, g);
	o = json_object_new_object();
	json_put_text(o, "error", err.text);
	json_object_array_add(unreadable, json_object_new_int64(index));
	return o;
}

struct json_object *nvml_machine_json(struct err *err)
{
	struct nvml *n = nvml_open(err);
	struct json_object *o, *gpus, *unreadable;
	unsigned nr = 0;

	if (!n || nvml_count(n, &nr, err) != 0) {
		nvml_close(n);
		return NULL;
	}
	o = json_object_new_object();
	gpus = json_object_new_array();
	unreadable = json_object_new_array();
	put_system(o, n);
	for (unsigned i = 0; i < nr; i++)
		json_object_array_add(gpus, gpu_at(n, i, unreadable));
	json_put(o, "gpus", gpus);
	json_put(o, "unreadable", unreadable);
	nvml_close(n);
	return o;
}

struct json_object *nvml_links_json(struct nvml *n, struct nvml_gpu *g)
{
	struct json_object *list = json_object_new_array();
	int is_up = 0;

	for (unsigned i = 0; n->nvmlDeviceGetNvLinkState && i < NVML_LINKS_MAX; i++)
		if (n->nvmlDeviceGetNvLinkState(g, i, &is_up) == NVML_SUCCESS)
			json_object_array_add(list, json_object_new_boolean(is_up != 0));
	if (json_length(list))
		return list;
	json_object_put(list);
	return NULL;
}

struct json_object *nvml_pair_json(struct nvml *n, struct nvml_gpu *a, struct nvml_gpu *b)
{
	/* nvmlGpuP2PStatus_t */
	static const char *const words[] = {
		"ok",           "chipset-not-supported", "gpu-not-supported",
		"ioh-topology", "disabled-by-registry",  "not-supported",
		"unknown"};
	static const struct {
		const char *key;
		int what;
	} asked[] = {{"read", NVML_P2P_READ},
		     {"write", NVML_P2P_WRITE},
		     {"nvlink", NVML_P2P_NVLINK},
		     {"atomics", NVML_P2P_ATOMICS}};
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		int status = -1;
		bool is_told = n->nvmlDeviceGetP2PStatus &&
			       n->nvmlDeviceGetP2PStatus(a, b, asked[i].what, &status) ==
				       NVML_SUCCESS &&
			       status >= 0 && status < (int)ARRAY_SIZE(words);

		json_put_text(o, asked[i].key, is_told ? words[status] : NULL);
	}
	return o;
}
