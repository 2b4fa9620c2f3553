/*
 * Runs one stage of load (inference/load/engine/request_record.h) over worker threads
 * and gives back the spooled records of every request, with what the client noticed
 * about itself.
 *
 * Connections are opened first, paced; then all workers start at one instant. Requests
 * are issued until 'end'; those begun inside the window are then waited for, up to the
 * grace, and what remains is cancelled. Nothing waits between warm-up and measurement.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_STAGE_H
#define TARE_INFERENCE_LOAD_ENGINE_STAGE_H

#include "core/base/err.h"
#include "core/options/field.h"
#include "inference/load/engine/lag.h"
#include "inference/load/engine/request_text.h"
#include "inference/load/engine/request_record.h"
#include "inference/load/engine/arrivals.h"
#include "inference/load/engine/spool.h"
#include "inference/http/transport.h"

#include <stdbool.h>
#include <stdint.h>

/* Live figures since the stage began, for the progress line. */
struct stage_live {
	double elapsed_s, duration_s;
	uint64_t ok, failed, tokens, in_flight;
	uint64_t ttft_nr;
	double ttft_sum_s;
};

typedef void stage_watch(void *ctx, const struct stage_live *live);

struct stage_config {
	struct load_stage stage; /* label, kind, concurrency or rate, seed */
	const struct transport *transport;
	const struct prompt *prompt;
	const struct trace *trace; /* STAGE_TRACE */
	double trace_scale;
	int64_t duration_ns; /* 0: until 'requests_max', or the trace's end */
	int64_t warmup_ns, cooldown_ns, grace_ns, ramp_ns;
	/* Shares of the duration, which shrink with a stage that ends before its time. */
	bool warmup_is_share, cooldown_is_share;
	uint64_t requests_max; /* 0: no limit */
	unsigned threads;
	unsigned part, parts;        /* this process is number 'part' of 'parts' */
	const struct int_list *cpus; /* pin worker i to CPU i of the list; may be empty */
	int64_t connections_max;     /* open loads */
	double connects_per_s;
	int64_t timeout_ns, stall_ns;
	bool checks_prompt, checks_output; /* usage must say what was asked for */
	int64_t start_at_wall_ns;          /* 0: as soon as everything is ready */
	uint64_t errors_max;               /* 0: no limit */
	double error_rate_max; /* of the last 30 or more requests; 1: no limit */
	stage_watch *watch;
	void *watch_ctx;
};

struct stage_outcome {
	struct load_stage stage;
	struct spool *spool;
	struct lag *lag;           /* arrival stamp to its reading */
	struct lag *stamp_error;   /* mock's send time to arrival stamp; nr 0: no mock */
	struct lag *turnaround;    /* due to sent, what the client alone added */
	uint64_t reads, unstamped; /* without a kernel stamp */
	uint64_t events, chunks, coalesced;
	uint64_t unsent; /* due inside the stage but never issued */
	uint64_t connections;
	int64_t cpu_ns;        /* of the workers, start to end */
	double busiest;        /* share of one CPU that the busiest worker used */
	int64_t clock_step_ns; /* how far wall clock and monotonic clock moved apart */
	bool is_aborted;       /* by errors_max or error_rate_max */
	char error_text[256];  /* what the first failed request was told; "" */
};

/* On failure nothing is left to release. ERR_INTERRUPTED after a stop request. */
int stage_run(const struct stage_config *config, struct stage_outcome *ret,
	      struct err *err);
void stage_outcome_release(struct stage_outcome *o);

#endif
