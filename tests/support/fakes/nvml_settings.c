/*
 * What is set on a GPU of the fake NVML, and what its health is. TARE_FAKE_NVML_SET changes
 * it, "NAME=NUMBER" with blanks between, by the names below; without it a GPU is as a good
 * bare-metal one is.
 */
#include "tests/support/fakes/nvml_state.h"

#include <string.h>

static unsigned set_to(const char *name, unsigned otherwise)
{
	const char *all = getenv("TARE_FAKE_NVML_SET");
	size_t len = strlen(name);

	for (const char *p = all; p && *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return (unsigned)strtoul(p + len + 1, NULL, 10);
	return otherwise;
}

int nvmlDeviceGetEccMode(struct nvml_gpu *g, int *current, int *pending);
int nvmlDeviceGetEccMode(struct nvml_gpu *g, int *current, int *pending)
{
	(void)g;
	FACT();
	*current = (int)set_to("ecc", 1);
	*pending = (int)set_to("ecc_next", (unsigned)*current);
	return 0;
}

int nvmlDeviceGetPersistenceMode(struct nvml_gpu *g, int *ret);
int nvmlDeviceGetPersistenceMode(struct nvml_gpu *g, int *ret)
{
	(void)g;
	FACT();
	*ret = (int)set_to("persistence", 1);
	return 0;
}

int nvmlDeviceGetComputeMode(struct nvml_gpu *g, int *ret);
int nvmlDeviceGetComputeMode(struct nvml_gpu *g, int *ret)
{
	(void)g;
	FACT();
	*ret = (int)set_to("compute", 0);
	return 0;
}

int nvmlDeviceGetVirtualizationMode(struct nvml_gpu *g, int *ret);
int nvmlDeviceGetVirtualizationMode(struct nvml_gpu *g, int *ret)
{
	(void)g;
	FACT();
	*ret = (int)set_to("virtual", 0);
	return 0;
}

int nvmlDeviceGetSerial(struct nvml_gpu *g, char *text, unsigned size);
int nvmlDeviceGetSerial(struct nvml_gpu *g, char *text, unsigned size)
{
	FACT();
	return fake_nvml_put(text, size, g->index ? "1650000000001" : "1650000000000");
}

int nvmlDeviceGetRemappedRows(struct nvml_gpu *g, unsigned *correctable,
			      unsigned *uncorrectable, unsigned *pending,
			      unsigned *failed);
int nvmlDeviceGetRemappedRows(struct nvml_gpu *g, unsigned *correctable,
			      unsigned *uncorrectable, unsigned *pending,
			      unsigned *failed)
{
	(void)g;
	FACT();
	*correctable = set_to("remap_correctable", 0);
	*uncorrectable = set_to("remap_uncorrectable", 0);
	*pending = set_to("remap_pending", 0);
	*failed = set_to("remap_failed", 0);
	return 0;
}

int nvmlDeviceGetRetiredPages(struct nvml_gpu *g, int cause, unsigned *nr,
			      unsigned long long *addresses);
int nvmlDeviceGetRetiredPages(struct nvml_gpu *g, int cause, unsigned *nr,
			      unsigned long long *addresses)
{
	unsigned there = set_to(cause ? "retired_double" : "retired_single", 0);

	(void)g;
	FACT();
	if (there > *nr || (there && !addresses)) {
		*nr = there;
		return NVML_INSUFFICIENT_SIZE;
	}
	*nr = there;
	return 0;
}

int nvmlDeviceGetRetiredPagesPendingStatus(struct nvml_gpu *g, int *ret);
int nvmlDeviceGetRetiredPagesPendingStatus(struct nvml_gpu *g, int *ret)
{
	(void)g;
	FACT();
	*ret = (int)set_to("retired_pending", 0);
	return 0;
}

int nvmlDeviceGetGpuFabricInfoV(struct nvml_gpu *g, struct nvml_fabric *ret);
int nvmlDeviceGetGpuFabricInfoV(struct nvml_gpu *g, struct nvml_fabric *ret)
{
	(void)g;
	FACT();
	if (ret->version != 0x02000024)
		return 25;
	ret->state = (unsigned char)set_to("fabric", 0);
	ret->status = (int)set_to("fabric_status", 0);
	return 0;
}

int nvmlDeviceGetNvLinkInfo(struct nvml_gpu *g, struct nvml_nvlink_info *ret);
int nvmlDeviceGetNvLinkInfo(struct nvml_gpu *g, struct nvml_nvlink_info *ret)
{
	(void)g;
	FACT();
	if (ret->version != 0x01000008)
		return 25;
	ret->is_encrypted = set_to("nvle", 0);
	return 0;
}

int nvmlSystemGetConfComputeState(struct nvml_confidential *ret);
int nvmlSystemGetConfComputeState(struct nvml_confidential *ret)
{
	FACT();
	*ret = (struct nvml_confidential){.feature = set_to("cc", 0)};
	return 0;
}

int nvmlDeviceGetActiveVgpus(struct nvml_gpu *g, unsigned *nr, unsigned *ids);
int nvmlDeviceGetActiveVgpus(struct nvml_gpu *g, unsigned *nr, unsigned *ids)
{
	(void)g;
	(void)ids;
	FACT();
	*nr = set_to("vgpus", 0);
	return *nr ? NVML_INSUFFICIENT_SIZE : 0;
}

int nvmlDeviceGetMPSComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					       struct nvml_process *ret);
int nvmlDeviceGetMPSComputeRunningProcesses_v3(struct nvml_gpu *g, unsigned *nr,
					       struct nvml_process *ret)
{
	(void)g;
	(void)ret;
	FACT();
	*nr = set_to("mps", 0);
	return 0;
}
