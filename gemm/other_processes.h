/*
 * Does anybody else compute on the GPU? NVML lists the processes that hold a context on
 * it; this process is one of them, whatever number it has there (a container's differ),
 * and the rest are others. Beside a MIG device there are neighbours too: processes on
 * other parts of its GPU, which share its power, its clock and its way to the host.
 */
#ifndef TARE_GEMM_OTHER_PROCESSES_H
#define TARE_GEMM_OTHER_PROCESSES_H

#include "core/base/err.h"

struct isolation {
	unsigned others;     /* on the same device */
	unsigned neighbours; /* on other parts of its GPU */
};

/* Once this process holds a context. 'which' as in core/machine/nvml.h, or a MIG device's UUID. */
int isolation_look(const char *which, struct isolation *ret, struct err *err);

#endif
