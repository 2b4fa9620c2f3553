/*
 * What the parts of the fake CUDA driver share: the call that is to fail, and the GPU that
 * it shows, which is as the fake NVML has cut it.
 */
#ifndef TARE_TESTS_FAKE_CUDA_STATE_H
#define TARE_TESTS_FAKE_CUDA_STATE_H

#include "cuda/cuda.h"
#include "tests/support/fakes/fake.h"

enum { UNKNOWN = 999, INVALID_VALUE = 1, H200_SM_COUNT = 132 };

/* True when this is the call that TARE_FAKE_CUDA_FAIL_AT names. */
bool fake_cuda_fails(void);

int fake_cuda_devices(void);
/* The MIG device that CUDA_VISIBLE_DEVICES names, or the first; NULL: a GPU as a whole. */
const char *fake_cuda_visible(void);
int fake_cuda_multiprocessors(void);
size_t fake_cuda_memory(void); /* bytes to be had */
size_t fake_cuda_total(void);  /* bytes that it has */

/* The GPU whose context is current, and the number of a context's GPU. */
extern int fake_cuda_current;
int fake_cuda_device_of(const struct cu_context *c);

/* A block of a GPU's memory that 'p' lies in; NULL: the host's. */
struct fake_block {
	uintptr_t at;
	size_t bytes;
	int owner;
	char *mirror; /* what another GPU's stores reach where peer access is false */
};
struct fake_block *fake_cuda_block(cu_pointer p);

/* "0-1" in a variable: is it this pair, in whatever order? */
bool fake_cuda_is_pair(const char *variable, int a, int b);

/*
 * With TARE_FAKE_CUDA_COPY_MB_S time in streams is a matter of what was put into them: 'ms' is
 * when a stream is done, 0 at first.
 */
struct cu_stream {
	double ms;
	bool hangs; /* TARE_FAKE_CUDA_HANG_PAIR: what comes behind is never over */
};
void fake_cuda_pass(struct cu_stream *s, double seconds);

/*
 * Blocks of memory, streams, events, modules and contexts that were made and not given back.
 * A test in the same process finds it by dlsym().
 */
extern long fake_cuda_live;

/* At the top of a call. */
#define CALL()                          \
	do {                            \
		if (fake_cuda_fails())  \
			return UNKNOWN; \
	} while (0)

/* Parameters that a fake has no use for. */
#define UNUSED(x) ((void)(x))

#endif
