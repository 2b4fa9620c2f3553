#include "core/machine/nvml.h"

#include "core/base/library.h"
#include "core/base/mem.h"
#include "core/machine/nvml_impl.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NEEDED(symbol, parameters) {#symbol, offsetof(struct nvml, symbol), false},
#define OPTIONAL(symbol, parameters) {#symbol, offsetof(struct nvml, symbol), true},

static const struct library_symbol symbols[] = {
	NVML_FUNCTIONS(NEEDED) NVML_OPTIONAL_FUNCTIONS(OPTIONAL)
		OPTIONAL(nvmlErrorString, ){0},
};

static const char *const library_names[] = {"libnvidia-ml.so.1", "libnvidia-ml.so", NULL};

static const char *code_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{1, "NVML_ERROR_UNINITIALIZED"},
		{2, "NVML_ERROR_INVALID_ARGUMENT"},
		{3, "NVML_ERROR_NOT_SUPPORTED"},
		{4, "NVML_ERROR_NO_PERMISSION"},
		{6, "NVML_ERROR_NOT_FOUND"},
		{7, "NVML_ERROR_INSUFFICIENT_SIZE"},
		{8, "NVML_ERROR_INSUFFICIENT_POWER"},
		{9, "NVML_ERROR_DRIVER_NOT_LOADED"},
		{10, "NVML_ERROR_TIMEOUT"},
		{15, "NVML_ERROR_GPU_IS_LOST"},
		{16, "NVML_ERROR_RESET_REQUIRED"},
		{17, "NVML_ERROR_OPERATING_SYSTEM"},
		{18, "NVML_ERROR_LIB_RM_VERSION_MISMATCH"},
		{19, "NVML_ERROR_IN_USE"},
		{20, "NVML_ERROR_MEMORY"},
		{23, "NVML_ERROR_INSUFFICIENT_RESOURCES"},
		{25, "NVML_ERROR_ARGUMENT_VERSION_MISMATCH"},
		{27, "NVML_ERROR_NOT_READY"},
		{28, "NVML_ERROR_GPU_NOT_FOUND"},
		{29, "NVML_ERROR_INVALID_STATE"},
		{999, "NVML_ERROR_UNKNOWN"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "NVML error";
}

/* With the words of nvidia-smi, which is what people search for. */
static const char *remedy(int code)
{
	static const struct {
		int code;
		const char *text;
	} remedies[] = {
		{NVML_NO_PERMISSION, "; run as root"},
		{NVML_DRIVER_NOT_LOADED,
		 "; nvidia-smi: \"couldn't communicate with the NVIDIA driver\": modprobe "
		 "nvidia, and see 'dmesg | grep NVRM' for why it does not load"},
		{NVML_GPU_IS_LOST, "; the GPU fell off the bus: look for Xid 79 in the "
				   "kernel's log, then restart the machine"},
		{NVML_RESET_REQUIRED, "; nvidia-smi --gpu-reset -i GPU"},
		{NVML_VERSION_MISMATCH,
		 "; nvidia-smi: \"Driver/library version mismatch\": the loaded kernel "
		 "module is of another version than the library: reload it (modprobe -r "
		 "nvidia_uvm nvidia_drm nvidia_modeset nvidia, then modprobe nvidia) or "
		 "restart the machine"},
		{NVML_IN_USE, "; end what uses the GPU (nvidia-smi lists it), telemetry "
			      "agents too"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
		if (remedies[i].code == code)
			return remedies[i].text;
	return "";
}

int nvml_ok(const struct nvml *n, int code, struct err *err, const char *fmt, ...)
{
	const char *words = n->nvmlErrorString ? n->nvmlErrorString(code) : NULL;
	char what[256];
	va_list args;

	if (code == NVML_SUCCESS)
		return 0;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set_code(err, ERR_ENVIRONMENT, "nvml", code, "%s: %s (%d)%s%s%s", what,
			    code_name(code), code, words ? ": " : "", words ? words : "",
			    remedy(code));
}

int nvml_lacks(struct err *err, const char *function)
{
	return err_set(err, ERR_ENVIRONMENT,
		       "the NVIDIA driver has no %s; install a newer one", function);
}

struct nvml *nvml_open(struct err *err)
{
	struct nvml *n = x_calloc(1, sizeof(*n));
	char why[LIBRARY_WHY_MAX];
	const char *missing;
	int code;

	n->library = library_open(library_names, NULL, why);
	if (!n->library) {
		err_set(err, ERR_ENVIRONMENT, "no NVIDIA driver: %s", why);
		nvml_close(n);
		return NULL;
	}
	missing = library_find(n->library, symbols, n);
	if (missing) {
		nvml_lacks(err, missing);
		nvml_close(n);
		return NULL;
	}
	code = n->nvmlInit_v2();
	if (nvml_ok(n, code, err, "start NVML") != 0) {
		nvml_close(n);
		return NULL;
	}
	n->is_started = true;
	return n;
}

void nvml_close(struct nvml *n)
{
	if (!n)
		return;
	if (n->is_started)
		n->nvmlShutdown();
	if (n->library)
		dlclose(n->library);
	free(n);
}

int nvml_count(struct nvml *n, unsigned *ret, struct err *err)
{
	return nvml_ok(n, n->nvmlDeviceGetCount_v2(ret), err, "count the GPUs");
}

int nvml_gpu_at(struct nvml *n, unsigned index, struct nvml_gpu **ret, struct err *err)
{
	return nvml_ok(n, n->nvmlDeviceGetHandleByIndex_v2(index, ret), err,
		       "reach GPU %u of this machine", index);
}

int nvml_gpu_uuid(struct nvml *n, struct nvml_gpu *g, char uuid[NVML_UUID_SIZE],
		  struct err *err)
{
	return nvml_ok(n, n->nvmlDeviceGetUUID(g, uuid, NVML_UUID_SIZE), err,
		       "ask for a GPU's UUID");
}

static bool is_same_address(const char *which, const struct nvml_pci *pci)
{
	unsigned domain, bus, device, function;
	char rest;

	if (sscanf(which, "%x:%x:%x.%x%c", &domain, &bus, &device, &function, &rest) !=
	    4) {
		domain = 0;
		if (sscanf(which, "%x:%x.%x%c", &bus, &device, &function, &rest) != 3)
			return false;
	}
	return function == 0 && domain == pci->domain && bus == pci->bus &&
	       device == pci->device;
}

/* A GPU whose identity cannot be read is passed over: another may be the one. */
static bool is_called(struct nvml *n, struct nvml_gpu *g, unsigned index,
		      const char *which)
{
	char uuid[NVML_UUID_SIZE], number[16];
	struct nvml_pci pci;

	snprintf(number, sizeof(number), "%u", index);
	if (strcmp(number, which) == 0)
		return true;
	if (n->nvmlDeviceGetUUID(g, uuid, sizeof(uuid)) == NVML_SUCCESS &&
	    strcasecmp(uuid, which) == 0)
		return true;
	return n->nvmlDeviceGetPciInfo_v3(g, &pci) == NVML_SUCCESS &&
	       is_same_address(which, &pci);
}

int nvml_gpu_find(struct nvml *n, const char *which, struct nvml_gpu **ret,
		  struct err *err)
{
	unsigned nr = 0, lost = 0;
	char text[64] = "";

	if (nvml_count(n, &nr, err) != 0)
		return -1;
	for (unsigned i = 0; i < nr; i++) {
		struct nvml_gpu *g;

		if (n->nvmlDeviceGetHandleByIndex_v2(i, &g) != NVML_SUCCESS) {
			lost++;
		} else if (is_called(n, g, i, which)) {
			*ret = g;
			return 0;
		}
	}
	/* It may be the one that was asked for. */
	if (lost)
		snprintf(text, sizeof(text), ", and %u of them cannot be opened", lost);
	return err_set(err, ERR_ENVIRONMENT,
		       "no such GPU '%.64s' among %u%s; nvidia-smi -L lists their UUIDs",
		       which, nr, text);
}

static bool is_mig_called(struct nvml *n, struct nvml_gpu *mig, const char *uuid)
{
	char text[NVML_UUID_SIZE];

	return n->nvmlDeviceGetUUID(mig, text, sizeof(text)) == NVML_SUCCESS &&
	       strcasecmp(text, uuid) == 0;
}

int nvml_mig_find(struct nvml *n, const char *uuid, struct nvml_gpu **ret_gpu,
		  struct nvml_gpu **ret_mig, struct err *err)
{
	unsigned nr = 0;

	if (!n->nvmlDeviceGetMaxMigDeviceCount || !n->nvmlDeviceGetMigDeviceHandleByIndex)
		return nvml_lacks(err, "MIG functions");
	if (nvml_count(n, &nr, err) != 0)
		return -1;
	for (unsigned i = 0; i < nr; i++) {
		unsigned most = 0;

		if (n->nvmlDeviceGetHandleByIndex_v2(i, ret_gpu) != NVML_SUCCESS ||
		    n->nvmlDeviceGetMaxMigDeviceCount(*ret_gpu, &most) != NVML_SUCCESS)
			continue;
		for (unsigned m = 0; m < most; m++)
			if (n->nvmlDeviceGetMigDeviceHandleByIndex(
				    *ret_gpu, m, ret_mig) == NVML_SUCCESS &&
			    is_mig_called(n, *ret_mig, uuid))
				return 0;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "no MIG device '%.64s'; nvidia-smi -L lists them", uuid);
}

unsigned nvml_mig_multiprocessors(struct nvml *n, struct nvml_gpu *mig)
{
	struct nvml_attributes a = {0};

	return n->nvmlDeviceGetAttributes_v2 &&
			       n->nvmlDeviceGetAttributes_v2(mig, &a) == NVML_SUCCESS
		       ? a.multiprocessors
		       : 0;
}

int64_t nvml_memory_bytes(struct nvml *n, struct nvml_gpu *g)
{
	struct nvml_memory m = {0};

	return n->nvmlDeviceGetMemoryInfo &&
			       n->nvmlDeviceGetMemoryInfo(g, &m) == NVML_SUCCESS
		       ? (int64_t)m.total
		       : 0;
}

void nvml_mig_state(struct nvml *n, struct nvml_gpu *g, struct nvml_mig_state *ret)
{
	unsigned now = 0, pending, most = 0;

	*ret = (struct nvml_mig_state){.is_on = false};
	if (!n->nvmlDeviceGetMigMode ||
	    n->nvmlDeviceGetMigMode(g, &now, &pending) != NVML_SUCCESS || !now)
		return;
	ret->is_on = true;
	if (!n->nvmlDeviceGetMaxMigDeviceCount ||
	    !n->nvmlDeviceGetMigDeviceHandleByIndex ||
	    n->nvmlDeviceGetMaxMigDeviceCount(g, &most) != NVML_SUCCESS)
		return;
	for (unsigned i = 0; i < most; i++) {
		struct nvml_gpu *part;

		if (n->nvmlDeviceGetMigDeviceHandleByIndex(g, i, &part) != NVML_SUCCESS)
			continue;
		if (!ret->devices++)
			n->nvmlDeviceGetUUID(part, ret->first, sizeof(ret->first));
	}
}

int nvml_processes(struct nvml *n, struct nvml_gpu *g, unsigned pids[], unsigned most,
		   unsigned *ret_nr, struct err *err)
{
	struct nvml_process found[64];
	unsigned nr = ARRAY_SIZE(found);
	int code;

	if (!n->nvmlDeviceGetComputeRunningProcesses_v3)
		return nvml_lacks(err, "nvmlDeviceGetComputeRunningProcesses_v3");
	code = n->nvmlDeviceGetComputeRunningProcesses_v3(g, &nr, found);
	if (code == NVML_INSUFFICIENT_SIZE) { /* 'nr' is how many there are */
		*ret_nr = nr;
		return 0;
	}
	if (nvml_ok(n, code, err, "ask who uses the GPU") != 0)
		return -1;
	*ret_nr = nr;
	for (unsigned i = 0; i < nr && i < most; i++)
		pids[i] = found[i].pid;
	return 0;
}
