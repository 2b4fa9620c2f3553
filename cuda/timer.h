/*
 * How long pieces of work in a device's stream took, by the GPU's own clock: a pair of events
 * around each piece. Make the pairs before the timed span, mark while work is put into the
 * stream, wait for the last piece, then read.
 */
#ifndef TARE_CUDA_TIMER_H
#define TARE_CUDA_TIMER_H

#include "cuda/device.h"

struct timer {
	struct device *device; /* borrowed */
	struct cu_event **begins, **ends;
	int64_t nr;
};

/* At least 'nr' pairs. 't' is zeroed at first; timer_release() also after a failure. */
int timer_reserve(struct timer *t, struct device *d, int64_t nr, struct err *err);
void timer_release(struct timer *t); /* zeroed is fine; before device_close() */

/* Around piece i; ordered in the stream, no waiting. */
int timer_begin(struct timer *t, int64_t i, struct err *err);
int timer_end(struct timer *t, int64_t i, struct err *err);
/* Piece i is over, within 'timeout_ns'. */
int timer_wait(struct timer *t, int64_t i, int64_t timeout_ns, const char *what,
	       struct err *err);

int timer_seconds(struct timer *t, int64_t i, double *ret, struct err *err);
/* From the end of piece i to the beginning of the next. */
int timer_gap_seconds(struct timer *t, int64_t i, double *ret, struct err *err);

#endif
