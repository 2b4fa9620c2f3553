/*
 * The host's memory: a[i] = b[i] + 3 c[i] in double precision by every processor of a NUMA
 * node that this process may use, each on its own stretch, which it touched first, so that the
 * memory is the node's own (McCalpin, STREAM). A machine without NUMA is one node, 'node0'.
 * In badly pinned guests this differs two- to sevenfold where matrix products are equal.
 */
#ifndef TARE_LINK_TRIAD_H
#define TARE_LINK_TRIAD_H

#include "link/options.h"
#include "link/verify.h"

/* Adds a cell for each node to 'r', [{node, processors, memory_node}] as details.memory. */
int triad_measure(const struct link_options *o, struct result *r, struct truth *t,
		  struct err *err);

#endif
