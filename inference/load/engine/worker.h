/*
 * One thread of load: its own epoll, connections, streams, schedule and counters. Nothing
 * is shared with other workers while load runs.
 *
 * The loop waits with a deadline kept in a variable and handed to epoll_pwait2(): no
 * timer is armed for a request, which in a guest would be a VM exit. Due times closer
 * than WORKER_SPIN_NS are waited for actively, since waking up takes that long.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_WORKER_H
#define TARE_INFERENCE_LOAD_ENGINE_WORKER_H

#include "inference/load/engine/arrivals.h"
#include "inference/load/engine/stage.h"
#include "inference/load/engine/stream.h"

#include <pthread.h>

/*
 * A busy worker sleeps for WORKER_PAUSE_NS before it looks for events again, so that it
 * takes several at a time: arrival stamps are the kernel's. With a schedule to keep it
 * sleeps half as long, and not before a due time: waking up from a longer sleep can take
 * a guest longer than WORKER_SPIN_NS.
 */
enum { WORKER_SPIN_NS = 150000, WORKER_BUSY_NS = 60000, WORKER_PAUSE_NS = 300000 };

/* What main and workers tell each other. */
struct stage_gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned ready; /* workers whose connections are open */
	bool is_open;   /* start_ns and the like are set: go */
	int64_t start_ns, end_ns, measure_start_ns, measure_end_ns, grace_end_ns;
	atomic_bool is_stopped; /* issue no more, wait for nothing */
};

struct worker {
	const struct stage_config *config;
	struct stage_gate *gate;
	unsigned number;
	pthread_t thread;
	struct stream_hub hub;
	struct stream *streams;
	int64_t *wake_ns; /* when to look at each stream */
	uint32_t *spare;  /* open load: free streams, the last used on top */
	uint32_t streams_nr, spare_nr;
	struct arrivals schedule;
	uint64_t due_index;
	int64_t due_ns;    /* CLOCK_NEVER: no more */
	bool is_exhausted; /* ... for there are none, not for lack of time */
	uint64_t first_slot, slots_step; /* closed load: our streams among all */
	int64_t next_sweep_ns;
	uint32_t waits; /* since the last sweep */
	bool is_busy;   /* they came often enough to pause */
	uint64_t unsent;
	int64_t cpu_ns, finished_ns;
};

/* Everything a worker needs; 'spool' has a lane for each. */
int worker_init(struct worker *w, const struct stage_config *config,
		struct stage_gate *gate, struct spool *spool, unsigned number,
		struct err *err);
void *worker_thread(void *worker);
void worker_release(struct worker *w);

#endif
