/*
 * Loads that depend on each other: memory in which each line of 128 bytes holds the address of
 * the next, the last one's the first's, and a kernel of one thread that follows them.
 */
#ifndef TARE_LINK_CHAIN_H
#define TARE_LINK_CHAIN_H

#include "link/gpu.h"

enum { CHAIN_BYTES = 2 << 20, CHAIN_LOADS = 100000 };

/* Into the CHAIN_BYTES of device memory of 'owner' at 'at'; its context is current. */
int chain_store(struct gpu *owner, cu_pointer at, struct err *err);
/* Into host memory that GPUs reach at 'at'. */
void chain_write(void *words, cu_pointer at);

/* CHAIN_LOADS loads through the chain at 'at', in the GPU's stream, behind its gate or not. */
int chain_queue(struct gpu *g, cu_pointer at, struct err *err);

#endif
