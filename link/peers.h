/*
 * Every GPU and every other one's memory. First whether access is what it says: some virtual
 * machines grant it, and what a GPU stores reaches a copy that only this GPU sees. So one stores a
 * pattern through the peer pointer, ending with a fence of the whole system, and the owner reads it
 * in its own memory; then the owner stores another one and the first reads it. Only a pair that
 * passes both ways is timed: copies that one writes into, and reads from, the other's memory by its
 * copy engine, both writing at once, and loads that depend on each other. All of it at the largest
 * size, warmed up, and compared by the owner of the target after.
 */
#ifndef TARE_LINK_PEERS_H
#define TARE_LINK_PEERS_H

#include "link/gpu.h"
#include "link/options.h"
#include "link/verify.h"

/*
 * Adds the cells ("link.peer_write.0_1": GPU 0 into GPU 1's memory) to 'r', the check
 * 'peers-are-true', and as details.peers [{gpus, is_granted, is_true, words}] of every pair.
 * ret_hangs: one of the GPUs did not come back from a store, and nothing more can be asked of it.
 */
int peers_measure(struct gpu *gpus, int nr, const struct link_options *o,
		  struct result *r, struct truth *t, bool *ret_hangs, struct err *err);

#endif
