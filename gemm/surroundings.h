/*
 * What goes on around a measurement on a GPU: its telemetry, and whether somebody else
 * used it. On a processor all of this is empty.
 */
#ifndef TARE_GEMM_SURROUNDINGS_H
#define TARE_GEMM_SURROUNDINGS_H

#include "core/document/result.h"
#include "core/machine/telemetry.h"
#include "cuda/device.h"
#include "gemm/other_processes.h"

struct watch {
	struct telemetry *telemetry; /* NULL: not wanted or not to be had */
	const struct device *device; /* borrowed; NULL: a processor */
	bool wants_exclusive, is_others_known;
	struct isolation seen;      /* the most of each, before and after */
	char why_not[ERR_TEXT_MAX]; /* what could not be watched; "" */
};

void watch_start(struct watch *w, const struct device *d, bool telemetry, bool exclusive);
void watch_mark(struct watch *w, bool begins); /* around the timed span */
void watch_stop(struct watch *w);
void watch_release(struct watch *w);

/* Telemetry and the checks that follow from it and from the other processes. */
void watch_report(const struct watch *w, struct result *r);

#endif
