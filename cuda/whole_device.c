#include "cuda/whole_device.h"

#include "core/machine/nvml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Without MIG mode, or by its only part, or named as a part. */
static int check_mig(struct device *d, const struct nvml_mig_state *mig, bool is_named,
		     struct err *err)
{
	/* CUDA calls one "NVIDIA H200 MIG 1g.18gb", NVML or no. */
	if (device_is_mig(d) || (!mig->is_on && !strstr(d->name, " MIG")))
		return 0;
	if (!is_named && mig->devices == 1) {
		snprintf(d->asked, sizeof(d->asked), "%.47s", mig->first);
		return 0;
	}
	return err_set(
		err, ERR_ENVIRONMENT,
		"%s is in MIG mode, where CUDA has one of its MIG devices, and %s; "
		"name one (nvidia-smi -L) by --device MIG-..., or turn the mode "
		"off: tare mig clear --switch-mode",
		d->uuid, is_named ? "--device names the whole" : "none was named");
}

static void read_whole(struct nvml *n, struct nvml_gpu *gpu, const struct device *d,
		       struct whole_device *ret)
{
	struct nvml_gpu *of, *part = gpu;

	ret->gpu_multiprocessors = nvml_multiprocessors(n, gpu);
	if (!device_is_mig(d))
		ret->multiprocessors = ret->gpu_multiprocessors;
	else if (nvml_mig_find(n, d->asked, &of, &part, NULL) == 0)
		ret->multiprocessors = nvml_mig_multiprocessors(n, part);
	ret->memory_bytes = nvml_memory_bytes(n, part);
}

int whole_device_read(struct device *d, bool is_named, struct whole_device *ret,
		      struct err *err)
{
	struct nvml *n = nvml_open(NULL);
	struct nvml_mig_state mig = {.is_on = false};
	struct nvml_gpu *gpu;
	bool is_found = n && nvml_gpu_find(n, d->pci, &gpu, NULL) == 0;
	int rc;

	*ret = (struct whole_device){0};
	if (is_found)
		nvml_mig_state(n, gpu, &mig);
	rc = check_mig(d, &mig, is_named, err);
	if (is_found && rc == 0)
		read_whole(n, gpu, d, ret);
	nvml_close(n);
	return rc;
}

void whole_device_report(const struct whole_device *w, const struct device *d,
			 struct result *r)
{
	bool passed =
		d->sm_count == w->multiprocessors &&
		(double)d->memory_bytes >= WHOLE_MEMORY_MIN * (double)w->memory_bytes;
	char text[240];

	if (!w->multiprocessors || !w->memory_bytes)
		return;
	snprintf(text, sizeof(text),
		 "CUDA has %d multiprocessors and %.2f GiB, and the driver says %" PRId64
		 " and %.2f GiB%s",
		 d->sm_count, (double)d->memory_bytes / 0x1p30, w->multiprocessors,
		 (double)w->memory_bytes / 0x1p30,
		 passed ? ""
			: ": look for an MPS limit (CUDA_MPS_...), or a part of a GPU");
	result_add_check(r, "device-is-whole", passed, text);
}
