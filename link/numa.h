/*
 * Which NUMA node memory comes from: the kernel is asked to take it from one node while a
 * buffer is made, and afterwards where its pages are. A guest without NUMA says node 0 or
 * nothing; what is not told is -1.
 */
#ifndef TARE_LINK_NUMA_H
#define TARE_LINK_NUMA_H

#include "core/document/json.h"

#include <sched.h>

enum { NUMA_NODES_MAX = 256 };

/* New memory of this thread from 'node', as long as it has any; -1: as the kernel likes. */
void numa_prefer(int node);
/* Ordinary memory by whole pages; it comes from where it is touched first; free(). */
int host_alloc(void **ret, int64_t bytes, const char *what, struct err *err);
int numa_node_of(const void *p); /* of the page there */

/* The nodes that have memory and processors that this process may use; at most 'most'. */
int numa_nodes(int nodes[], int most);
/* The processors of a node that this process may use; of all nodes where 'node' is -1. */
void numa_processors(int node, cpu_set_t *ret);

#endif
