/*
 * What goes on around a measurement: whether the processor was held back, and of a GPU its
 * telemetry and whether somebody else computes on it.
 *
 * NVML lists the processes that hold a context on a GPU. This process is one of them,
 * whatever number it has there (a container's differ), and the rest are others; a list
 * without any is of a place that does not show them, and says nothing. Beside a MIG
 * device there are those on other parts of its GPU too, which share its power, its clock and
 * its way to the host.
 */
#ifndef TARE_CUDA_SURROUNDINGS_H
#define TARE_CUDA_SURROUNDINGS_H

#include "core/document/result.h"
#include "core/machine/around.h"
#include "core/machine/telemetry.h"
#include "cuda/device.h"

struct other_processes {
	unsigned on_device; /* beside this one */
	unsigned on_gpu;    /* on other parts of a MIG device's GPU */
};

struct surroundings {
	struct telemetry *telemetry; /* NULL: not wanted or not to be had */
	const struct device *device; /* borrowed; NULL: a processor */
	const char *called;          /* "the GPU", in the words of checks; borrowed */
	bool wants_exclusive, is_others_known;
	struct other_processes seen; /* the most of each, before and after */
	struct around around;
	struct evidence evidence;
	struct strvec why_not; /* what could not be watched, and why */
};

void surroundings_start(struct surroundings *s, const struct device *d, bool telemetry,
			bool exclusive);
void surroundings_mark(struct surroundings *s, bool begins); /* around the timed span */
void surroundings_stop(struct surroundings *s);
void surroundings_release(struct surroundings *s);

/*
 * Telemetry, the evidence of what was around, 'computed' and the digest of C with it, and
 * the checks that follow. Texts of 'computed' are borrowed.
 */
void surroundings_report(const struct surroundings *s,
			 const struct evidence_computed *computed, const char *digest_c,
			 struct result *r);

/* The same of a GPU beside the first: its checks, and its telemetry into 'facts'. */
void surroundings_report_other(const struct surroundings *s, struct json_object *facts,
			       struct result *r);

#endif
