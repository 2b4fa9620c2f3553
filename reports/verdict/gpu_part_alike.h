/*
 * Did two results run on alike parts of a GPU? A result of a MIG slice says which profile
 * it was and by which route it came to be: cut by the host, inside the guest that has the
 * whole GPU, or by the platform as a MIG-backed vGPU (harness/run/gpu_part.h). A slice is
 * not a whole GPU, a profile is not another, and the routes are three products with one
 * name: none of them is ever compared as like for like.
 */
#ifndef TARE_REPORTS_VERDICT_GPU_PART_ALIKE_H
#define TARE_REPORTS_VERDICT_GPU_PART_ALIKE_H

#include "core/document/result.h"

#include <stdbool.h>

/* One part of several that an arm measured, beside the whole GPU. */
bool part_is_of_sweep(const struct result *r);

/*
 * Why they are not alike, as a reason that begins with "mig-part: " or "mig-route: ";
 * NULL: they are. free().
 */
char *part_mismatch(const struct result *a, const char *label_a, const struct result *b,
		    const char *label_b);

#endif
