/*
 * What goes on around a measurement on a GPU: its telemetry, and whether somebody else
 * computes on it. On a processor all of this is empty.
 *
 * NVML lists the processes that hold a context on a GPU. This process is one of them,
 * whatever number it has there (a container's differ), and the rest are others. Beside a MIG
 * device there are those on other parts of its GPU too, which share its power, its clock and
 * its way to the host.
 */
#ifndef TARE_GEMM_SURROUNDINGS_H
#define TARE_GEMM_SURROUNDINGS_H

#include "core/document/result.h"
#include "core/machine/telemetry.h"
#include "cuda/device.h"

struct other_processes {
	unsigned on_device; /* beside this one */
	unsigned on_gpu;    /* on other parts of a MIG device's GPU */
};

struct surroundings {
	struct telemetry *telemetry; /* NULL: not wanted or not to be had */
	const struct device *device; /* borrowed; NULL: a processor */
	bool wants_exclusive, is_others_known;
	struct other_processes seen; /* the most of each, before and after */
	char why_not[ERR_TEXT_MAX];  /* what could not be watched; "" */
};

void surroundings_start(struct surroundings *s, const struct device *d, bool telemetry,
			bool exclusive);
void surroundings_mark(struct surroundings *s, bool begins); /* around the timed span */
void surroundings_stop(struct surroundings *s);
void surroundings_release(struct surroundings *s);

/* Telemetry and the checks that follow from it and from the other processes. */
void surroundings_report(const struct surroundings *s, struct result *r);

#endif
