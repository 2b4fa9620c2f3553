#include "link/chain.h"

#include "core/base/mem.h"

#include <stdlib.h>

enum { LINE_BYTES = 128, LAST_WORD = 256 };

void chain_write(void *words, cu_pointer at)
{
	uint64_t lines = CHAIN_BYTES / LINE_BYTES, *to = words;

	for (uint64_t i = 0; i < lines; i++)
		to[i * LINE_BYTES / 8] = at + (i + 1) % lines * LINE_BYTES;
}

int chain_store(struct gpu *owner, cu_pointer at, struct err *err)
{
	struct cuda *c = &owner->device.cuda;
	void *words = x_calloc(1, CHAIN_BYTES);
	int rc;

	chain_write(words, at);
	rc = cuda_ok(c, c->cuMemcpyHtoD_v2(at, words, CHAIN_BYTES), err,
		     "copy a chain of addresses to the GPU");
	free(words);
	return rc;
}

/* Where the last address goes, so that the loads are not for nothing: beside the gate's flag. */
int chain_queue(struct gpu *g, cu_pointer at, struct err *err)
{
	uint64_t steps = CHAIN_LOADS;
	cu_pointer last = g->flag_at + 4 * LAST_WORD;
	void *arguments[] = {&at, &steps, &last};

	return link_kernels_launch(&g->kernels, KERNEL_CHASE, 1, 1, arguments, err);
}
