/*
 * How long small things take on one GPU: launches, waits, copies of four bytes, loads that
 * depend on each other, a flag that goes to and fro, memory allocated, mapped and registered.
 * These move under a hypervisor when a matrix product does not.
 *
 * Times are by the host's clock around each single call, but for loads and launches one behind
 * the other, which the GPU's own clock times behind the gate. Of --launches repeats (the slower
 * ones a tenth, a hundredth ... of it) come the median, the 99th and the 99.9th percentile by
 * nearest rank, a value for each tenth of them; a quantile beyond which fewer than 10 repeats lie
 * is of all of them together, and absent where they are too few as well.
 */
#ifndef TARE_LINK_LATENCY_H
#define TARE_LINK_LATENCY_H

#include "link/gpu.h"
#include "link/metrics.h"
#include "link/options.h"

int latency_measure(struct gpu *g, const struct link_options *o, struct result *r,
		    struct err *err);

#endif
