/*
 * One GPU as this workload holds it: a device, our kernels, a second stream for the other way,
 * and a gate: a kernel in the stream that waits for the host, so that what is put behind it is
 * queued before the first of it begins, and no queueing is inside a timed span.
 */
#ifndef TARE_LINK_GPU_H
#define TARE_LINK_GPU_H

#include "cuda/timer.h"
#include "cuda/whole_device.h"
#include "link/kernels.h"

enum { GATE_WORK_MAX = 256 };

struct gpu {
	int index; /* "gpu0" in the names of cells */
	int node;  /* the NUMA node that it hangs on; -1: the machine does not tell */
	struct device device;
	struct whole_device whole;
	struct kernels kernels;
	struct timer timer;
	struct cu_stream *other;
	struct cu_event *joined; /* the end of what is in 'other' */
	unsigned *flag; /* pinned: what the gate waits for, and whether it gave up */
	cu_pointer flag_at;
	unsigned turn;
};

/*
 * 'which' and ret_none as device_open(), by 'is_named' the user's own word. On failure nothing
 * is left to close. The GPU's context is current afterwards.
 */
int gpu_open(struct gpu *g, int index, const char *which, bool is_named, bool *ret_none,
	     struct err *err);
void gpu_close(struct gpu *g);

/* Before work on another GPU than the last one. */
int gpu_use(struct gpu *g, struct err *err);

/*
 * Queues the work behind the gate, lets it go and waits: *ret_seconds is from its beginning to
 * its end by the GPU's own clock. 'queue' puts at most GATE_WORK_MAX pieces into the device's
 * stream (a full queue would block the host, and nobody opened the gate), and nothing that
 * waits for the GPU. What goes into 'other' begins with gpu_fork() and ends with gpu_join().
 * ERR_INVALID when queueing took longer than the gate's 20 s, or no time passed.
 */
typedef int gate_queue(void *ctx, struct err *err);
int gate_run(struct gpu *g, gate_queue *queue, void *ctx, int64_t timeout_ns,
	     double *ret_seconds, struct err *err);
int gpu_fork(struct gpu *g, struct err *err); /* 'other' begins with the timed span */
int gpu_join(struct gpu *g, struct err *err); /* the timed span ends after 'other' */

/* How many copies move about 'run_bytes': at least 'least', at most what the gate takes. */
int64_t link_loops(int64_t run_bytes, int64_t bytes, int64_t least);

/* Pinned host memory that every GPU reaches at '*ret_at'. */
int pinned_alloc(struct gpu *g, void **ret, cu_pointer *ret_at, int64_t bytes,
		 const char *what, struct err *err);
void pinned_free(struct gpu *g, void *p); /* NULL is fine */

#endif
