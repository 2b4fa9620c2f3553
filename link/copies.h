/*
 * Copies between the host and one GPU, and inside the GPU: every way at every size. A value is
 * the bytes of a run of equal copies over the time from the first one's beginning to the last
 * one's end. Each way is warmed up by a run that does not count, its target is cleared before
 * and compared as a whole after.
 */
#ifndef TARE_LINK_COPIES_H
#define TARE_LINK_COPIES_H

#include "link/gpu.h"
#include "link/options.h"
#include "link/verify.h"

/* Adds the cells to 'r', where the buffers are to 'facts', and what arrived to 't'. */
int copies_measure(struct gpu *g, const struct link_options *o, struct result *r,
		   struct json_object *facts, struct truth *t, struct err *err);

#endif
