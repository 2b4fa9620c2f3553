/*
 * Is an NVIDIA GPU in this machine, whatever state its driver is in? For programs that would
 * otherwise take a GPU that does not work for none: what cannot be asked is no proof of
 * absence. Looked at in this order: PCI devices of NVIDIA's display class (10de, 03xx), the
 * driver's own files (/proc/driver/nvidia/gpus, /dev/nvidia0 ...), and, on the real machine
 * only, NVML, where one that is there and does not start counts too.
 */
#ifndef TARE_CORE_MACHINE_GPU_PRESENCE_H
#define TARE_CORE_MACHINE_GPU_PRESENCE_H

#include <stdbool.h>

struct gpu_presence {
	char shown_by[160]; /* "PCI device 0000:17:00.0 (driver vfio-pci)" */
	char remedy[240];   /* for one that CUDA does not see */
};

/*
 * 'root' as in core/machine/machine.h; 'asked': the UUID that CUDA was to show alone, by
 * CUDA_VISIBLE_DEVICES, or NULL. False: nothing shows a GPU.
 */
bool gpu_presence_read(struct gpu_presence *ret, const char *root, const char *asked);

#endif
