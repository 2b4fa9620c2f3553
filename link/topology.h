/*
 * How the GPUs hang together, as the driver tells it: evidence beside what was measured. The way
 * of each to its root port and the fabric's state are in the machine's facts (core/machine), and
 * what the links counted meanwhile in the telemetry.
 */
#ifndef TARE_LINK_TOPOLOGY_H
#define TARE_LINK_TOPOLOGY_H

#include "link/gpu.h"

/*
 * Puts 'nvlinks' (a truth a link: it is up) into each GPU's facts, and gives
 * [{gpus, read, write, nvlink, atomics}] of every pair; what is not told is null. NULL without
 * NVML. Owned by the caller.
 */
struct json_object *topology_read(const struct gpu *gpus, int nr,
				  struct json_object *facts);

#endif
