#include "cuda/whole_device.h"

#include "core/machine/nvml.h"

#include <inttypes.h>
#include <stdio.h>

/* Without MIG mode, or by its only part, or named as a part. */
static int check_mig(struct device *d, struct nvml *n, struct nvml_gpu *gpu,
		     bool is_named, struct err *err)
{
	struct nvml_mig_state mig;

	nvml_mig_state(n, gpu, &mig);
	if (!mig.is_on || device_is_mig(d))
		return 0;
	if (!is_named && mig.devices == 1) {
		snprintf(d->asked, sizeof(d->asked), "%.47s", mig.first);
		return 0;
	}
	return err_set(
		err, ERR_ENVIRONMENT,
		"%s is in MIG mode, where only one of its %u MIG devices can "
		"compute, and %s; name one (nvidia-smi -L) by --device MIG-..., or "
		"turn the mode off: tare mig clear --switch-mode",
		d->uuid, mig.devices,
		is_named ? "--device names the whole" : "none was named");
}

int whole_device_read(struct device *d, bool is_named, struct whole_device *ret,
		      struct err *err)
{
	struct nvml *n = nvml_open(NULL);
	struct nvml_gpu *gpu, *part;
	int rc = 0;

	*ret = (struct whole_device){0};
	if (n && nvml_gpu_find(n, d->pci, &gpu, NULL) == 0) {
		rc = check_mig(d, n, gpu, is_named, err);
		ret->gpu_multiprocessors = nvml_multiprocessors(n, gpu);
		if (!device_is_mig(d)) {
			ret->multiprocessors = ret->gpu_multiprocessors;
			ret->memory_bytes = nvml_memory_bytes(n, gpu);
		} else if (nvml_mig_find(n, d->asked, &gpu, &part, NULL) == 0) {
			ret->multiprocessors = nvml_mig_multiprocessors(n, part);
			ret->memory_bytes = nvml_memory_bytes(n, part);
		}
	}
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
