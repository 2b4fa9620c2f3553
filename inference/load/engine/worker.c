#include "inference/load/engine/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

enum {
	EVENTS_AT_ONCE = 256,
	RECV_BYTES = 64 << 10,
	SWEEP_NS = 10000000,  /* how often time limits are looked at */
	RETRY_NS = 100000000, /* a slot that cannot connect waits so long */
	OPEN_AHEAD = 32,      /* connections opened before an open load begins */
	CONNECT_PATIENCE_S = 30,
};

static bool is_closed_loop(const struct stage_config *c)
{
	return c->stage.kind == STAGE_CONCURRENT || c->stage.kind == STAGE_THROUGHPUT;
}

/* How many of 'total' belong to this lane of 'lanes'. */
static uint32_t share_of(int64_t total, uint64_t lane, uint64_t lanes)
{
	return (uint32_t)((uint64_t)total / lanes + (lane < (uint64_t)total % lanes));
}

int worker_init(struct worker *w, const struct stage_config *config,
		struct stage_gate *gate, struct spool *spool, unsigned number,
		struct err *err)
{
	/* Slot s of the whole run is part s % parts's, and there thread (s / parts)'s. */
	uint64_t lanes = (uint64_t)config->parts * config->threads;
	uint64_t lane = config->part + (uint64_t)number * config->parts;

	*w = (struct worker){.config = config, .gate = gate, .number = number};
	w->hub.config = config;
	w->hub.worker = number;
	w->hub.spool = spool;
	w->hub.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->hub.epoll < 0)
		return err_errno(err, "epoll_create1");
	w->hub.share = link_share_new();
	w->hub.send_space = x_malloc(prompt_size_max(config->prompt));
	w->hub.recv_space = x_malloc(RECV_BYTES);
	w->hub.peek_space = x_malloc(RECV_BYTES);
	w->hub.recv_size = RECV_BYTES;
	w->hub.lag = x_calloc(1, sizeof(*w->hub.lag));
	w->hub.stamp_error = x_calloc(1, sizeof(*w->hub.stamp_error));
	w->hub.turnaround = x_calloc(1, sizeof(*w->hub.turnaround));
	w->first_slot = lane;
	w->slots_step = lanes;
	w->streams_nr =
		is_closed_loop(config)
			? share_of(config->stage.concurrency, lane, lanes)
			: share_of(config->connections_max, number, config->threads);
	w->streams = x_calloc(w->streams_nr + 1, sizeof(*w->streams));
	w->wake_ns = x_calloc(w->streams_nr + 1, sizeof(*w->wake_ns));
	w->spare = x_calloc(w->streams_nr + 1, sizeof(*w->spare));
	for (uint32_t i = 0; i < w->streams_nr; i++) {
		stream_init(&w->streams[i], &w->hub, i);
		w->streams[i].next_index = w->first_slot + i * w->slots_step;
		w->wake_ns[i] = CLOCK_NEVER;
		w->spare[i] = w->streams_nr - 1 - i;
	}
	w->spare_nr = w->streams_nr;
	arrivals_init(&w->schedule, &config->stage, config->trace, config->trace_scale,
		      (struct arrivals_lane){lane, lanes});
	return 0;
}

void worker_release(struct worker *w)
{
	for (uint32_t i = 0; i < w->streams_nr; i++)
		stream_release(&w->streams[i]);
	free(w->streams);
	free(w->wake_ns);
	free(w->spare);
	link_share_free(w->hub.share);
	free(w->hub.send_space);
	free(w->hub.recv_space);
	free(w->hub.peek_space);
	free(w->hub.lag);
	free(w->hub.stamp_error);
	free(w->hub.turnaround);
	if (w->hub.epoll >= 0)
		close(w->hub.epoll);
}

static bool is_stopped(const struct worker *w)
{
	return atomic_load_explicit(&w->gate->is_stopped, memory_order_relaxed);
}

static void take_due(struct worker *w)
{
	int64_t offset;

	w->due_ns = CLOCK_NEVER;
	w->is_exhausted =
		is_closed_loop(w->config) ||
		!arrivals_next(&w->schedule, &w->due_index, &offset) ||
		(w->config->requests_max && w->due_index >= w->config->requests_max);
	if (w->is_exhausted)
		return;
	if (w->gate->start_ns + offset < w->gate->end_ns)
		w->due_ns = w->gate->start_ns + offset;
}

/* The next request of a closed loop's slot, due at 'due_ns'. */
static void issue_next(struct worker *w, uint32_t i, int64_t due_ns)
{
	struct stream *s = &w->streams[i];
	uint64_t index = s->next_index;

	w->wake_ns[i] = CLOCK_NEVER;
	if (clock_passed(w->gate->end_ns) || is_stopped(w))
		return;
	if (w->config->requests_max && index >= w->config->requests_max)
		return;
	s->next_index += (uint64_t)w->config->stage.concurrency;
	stream_issue(s, index, due_ns);
	w->wake_ns[i] =
		stream_is_busy(s) ? stream_wake_ns(s) : clock_deadline_ns(RETRY_NS);
}

/* The request on stream i is over. */
static void on_over(struct worker *w, uint32_t i)
{
	struct stream *s = &w->streams[i];

	w->wake_ns[i] = CLOCK_NEVER;
	if (!is_closed_loop(w->config)) {
		w->spare[w->spare_nr++] = i;
		return;
	}
	if (s->rec.http_status || s->rec.first_byte_ns != RECORD_NONE)
		issue_next(w, i, s->free_ns);
	else
		w->wake_ns[i] = clock_deadline_ns(RETRY_NS);
}

static void issue_due(struct worker *w, int64_t now)
{
	while (w->due_ns <= now && w->spare_nr && !is_stopped(w)) {
		uint32_t i = w->spare[--w->spare_nr];

		stream_issue(&w->streams[i], w->due_index, w->due_ns);
		if (stream_is_busy(&w->streams[i]))
			w->wake_ns[i] = stream_wake_ns(&w->streams[i]);
		else
			on_over(w, i);
		take_due(w);
	}
}

static int64_t pause_of(const struct worker *w)
{
	return is_closed_loop(w->config) ? WORKER_PAUSE_NS : WORKER_PAUSE_NS / 2;
}

/* Looks at every stream whose time has come. */
static void sweep(struct worker *w, int64_t now)
{
	w->next_sweep_ns = now + SWEEP_NS;
	w->is_busy =
		w->waits > SWEEP_NS / (w->is_busy ? 2 * pause_of(w) : WORKER_BUSY_NS);
	w->waits = 0;
	for (uint32_t i = 0; i < w->streams_nr; i++) {
		struct stream *s = &w->streams[i];

		if (w->wake_ns[i] > now)
			continue;
		if (s->phase == STREAM_CLOSED || s->phase == STREAM_IDLE) {
			if (is_closed_loop(w->config) && w->gate->is_open)
				issue_next(w, i, now);
			else
				w->wake_ns[i] = CLOCK_NEVER;
		} else if (stream_tick(s, now)) {
			on_over(w, i);
		} else {
			w->wake_ns[i] = stream_wake_ns(s);
		}
	}
}

/* WORKER_PAUSE_NS says why. Only where 'until', the next due time, leaves room for it. */
static void pause_if_busy(struct worker *w, int64_t until)
{
	int64_t pause = pause_of(w);
	struct timespec t = {.tv_nsec = pause};

	w->waits++;
	if (w->is_busy && clock_left_ns(until) > 2 * pause)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void wait_events(struct worker *w, int64_t until)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t left = clock_left_ns(until);
	struct timespec t = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
	int n = epoll_pwait2(w->hub.epoll, events, EVENTS_AT_ONCE, &t, NULL);

	if (n < 0 && (errno == ENOSYS || errno == EPERM)) /* old kernel, or seccomp */
		n = epoll_wait(w->hub.epoll, events, EVENTS_AT_ONCE,
			       (int)(left / NS_PER_MS));
	for (int k = 0; k < n; k++) {
		uint32_t i = (uint32_t)(events[k].data.u64 >> 32);
		struct stream *s = &w->streams[i];
		bool was_connecting =
			s->phase == STREAM_CONNECTING || s->phase == STREAM_OPENING;

		if (stream_event(s, (int)(uint32_t)events[k].data.u64, events[k].events))
			on_over(w, i);
		else if (was_connecting)
			w->wake_ns[i] = stream_wake_ns(s);
	}
}

/* Connections are opened at a pace, so that no listen queue overflows. */
static void open_ahead(struct worker *w)
{
	uint32_t nr = w->streams_nr, opened = 0, pending = 0;
	double per_s = w->config->connects_per_s / w->config->threads;
	int64_t begin = clock_mono_ns();
	int64_t patience = clock_deadline_ns(CONNECT_PATIENCE_S * NS_PER_S);

	if (!is_closed_loop(w->config) && nr > OPEN_AHEAD)
		nr = OPEN_AHEAD;
	do {
		int64_t now = clock_mono_ns();
		double allowed = 1 + (double)(now - begin) * 1e-9 * per_s;

		for (; opened < nr && opened < allowed; opened++) {
			/* 'spare' has the first streams on top: an open load uses these. */
			struct stream *s = &w->streams[opened];

			stream_open(s);
			w->wake_ns[opened] = stream_wake_ns(s);
		}
		wait_events(w, now + NS_PER_MS);
		sweep(w, clock_mono_ns());
		pending = 0;
		for (uint32_t i = 0; i < opened; i++)
			pending += w->streams[i].phase == STREAM_OPENING;
	} while ((opened < nr || pending) && !clock_passed(patience) && !is_stopped(w));
}

static void pass_gate(struct worker *w)
{
	struct stage_gate *g = w->gate;

	pthread_mutex_lock(&g->mutex);
	g->ready++;
	pthread_cond_broadcast(&g->changed);
	while (!g->is_open)
		pthread_cond_wait(&g->changed, &g->mutex);
	pthread_mutex_unlock(&g->mutex);
}

/* Asleep until just before the start, awake for the rest of it. */
static void wait_for_start(struct worker *w)
{
	struct stage_gate *g = w->gate;
	int64_t at = g->start_ns - NS_PER_MS;
	struct timespec t = {.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};

	pthread_mutex_lock(&g->mutex);
	while (!is_stopped(w) && !clock_passed(at))
		pthread_cond_clockwait(&g->changed, &g->mutex, CLOCK_MONOTONIC, &t);
	pthread_mutex_unlock(&g->mutex);
	while (!clock_passed(g->start_ns) && !is_stopped(w))
		;
}

static void begin_closed_loop(struct worker *w)
{
	int64_t ramp = w->config->ramp_ns;

	for (uint32_t i = 0; i < w->streams_nr; i++) {
		int64_t at = w->gate->start_ns +
			     (w->streams_nr ? ramp / w->streams_nr * i : 0);

		if (ramp)
			w->wake_ns[i] = at;
		else
			issue_next(w, i, at);
	}
}

/* Is there still a reply to wait for? */
static bool is_draining(const struct worker *w, int64_t now)
{
	bool is_busy = false;

	if (is_stopped(w) || now >= w->gate->grace_end_ns)
		return false;
	for (uint32_t i = 0; i < w->streams_nr; i++) {
		const struct stream *s = &w->streams[i];

		is_busy = is_busy || (stream_is_busy(s) &&
				      s->rec.issued_ns < w->gate->measure_end_ns);
	}
	return is_busy;
}

static bool is_anything_left(const struct worker *w)
{
	if (w->due_ns != CLOCK_NEVER)
		return true;
	for (uint32_t i = 0; i < w->streams_nr; i++)
		if (stream_is_busy(&w->streams[i]) || w->wake_ns[i] != CLOCK_NEVER)
			return true;
	return false;
}

static int64_t next_deadline(const struct worker *w, int64_t now, bool is_issuing)
{
	int64_t until = now + SWEEP_NS;

	if (w->next_sweep_ns < until)
		until = w->next_sweep_ns;
	if (!is_issuing || !w->spare_nr || w->due_ns == CLOCK_NEVER)
		return until;
	if (w->due_ns - WORKER_SPIN_NS < until)
		until = w->due_ns - WORKER_SPIN_NS;
	return until;
}

static void run_loop(struct worker *w)
{
	bool ends_early = w->config->requests_max || w->config->stage.kind == STAGE_TRACE;

	for (;;) {
		int64_t now = clock_mono_ns();
		bool is_issuing = now < w->gate->end_ns && !is_stopped(w);

		if (is_issuing)
			issue_due(w, now);
		else if (!is_draining(w, now))
			break;
		pause_if_busy(w, next_deadline(w, now, is_issuing));
		wait_events(w, next_deadline(w, now, is_issuing));
		now = clock_mono_ns();
		if (now >= w->next_sweep_ns) {
			sweep(w, now);
			if (ends_early && w->is_exhausted && !is_anything_left(w))
				break;
		}
	}
}

/* Due before the end and never issued. A stage that was given up ended there. */
static void count_unsent(struct worker *w)
{
	for (; w->due_ns < w->finished_ns; take_due(w))
		w->unsent++;
}

static void pin(const struct worker *w)
{
	const struct int_list *cpus = w->config->cpus;
	cpu_set_t set;

	if (!cpus || !cpus->nr)
		return;
	CPU_ZERO(&set);
	CPU_SET((int)cpus->items[w->number % cpus->nr], &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static int64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void *worker_thread(void *ctx)
{
	struct worker *w = ctx;
	int64_t cpu_before;

	pin(w);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	w->hub.wall_offset_ns = clock_wall_offset_ns(32);
	open_ahead(w);
	pass_gate(w);
	w->hub.wall_offset_ns = w->config->stage.wall_offset_ns;
	w->next_sweep_ns = w->gate->start_ns;
	wait_for_start(w);
	cpu_before = thread_cpu_ns();
	take_due(w);
	if (is_closed_loop(w->config))
		begin_closed_loop(w);
	run_loop(w);
	w->cpu_ns = thread_cpu_ns() - cpu_before;
	w->finished_ns = clock_mono_ns();
	for (uint32_t i = 0; i < w->streams_nr; i++)
		stream_cancel(&w->streams[i], w->finished_ns);
	count_unsent(w);
	return NULL;
}
