#include "inference/load/engine/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "inference/load/engine/worker.h"

enum {
	WATCH_NS = 200000000,
	LEAD_NS = 20000000,
	RATE_REQUESTS_MIN = 30,
	OFFSET_READINGS = 32
};

struct running {
	const struct stage_config *config;
	struct stage_config own; /* with the stage's instants filled in */
	struct stage_gate gate;
	struct worker *workers;
	unsigned workers_nr, threads_nr;
	struct spool *spool;
	bool is_aborted;
	int64_t offset_before;
};

/* Each connection takes a descriptor: as many as the system lets us have. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int begin(struct running *r, struct err *err)
{
	unsigned nr = r->config->threads;

	pthread_mutex_init(&r->gate.mutex, NULL);
	pthread_cond_init(&r->gate.changed, NULL);
	r->own = *r->config;
	r->spool = spool_new(nr, err);
	if (!r->spool)
		return -1;
	r->workers = x_calloc(nr, sizeof(*r->workers));
	for (; r->workers_nr < nr; r->workers_nr++)
		if (worker_init(&r->workers[r->workers_nr], &r->own, &r->gate, r->spool,
				r->workers_nr, err))
			return -1;
	for (; r->threads_nr < nr; r->threads_nr++) {
		struct worker *w = &r->workers[r->threads_nr];

		errno = pthread_create(&w->thread, NULL, worker_thread, w);
		if (errno)
			return err_errno(err, "thread of load");
	}
	return 0;
}

/* Of CLOCK_MONOTONIC: a step of the wall clock must not lengthen a wait. */
static struct timespec moment(int64_t from_now_ns)
{
	int64_t at = clock_deadline_ns(from_now_ns);

	return (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
}

/* Wakes those, too, that still wait for the start. */
static void stop_workers(struct running *r)
{
	atomic_store(&r->gate.is_stopped, true);
	pthread_mutex_lock(&r->gate.mutex);
	pthread_cond_broadcast(&r->gate.changed);
	pthread_mutex_unlock(&r->gate.mutex);
}

/* Sets every instant and lets the workers go. */
static void open_gate(struct running *r)
{
	struct stage_gate *g = &r->gate;
	struct load_stage *s = &r->own.stage;
	const struct stage_config *c = r->config;
	int64_t wanted;

	s->wall_offset_ns = r->offset_before = clock_wall_offset_ns(OFFSET_READINGS);
	s->start_ns = clock_deadline_ns(LEAD_NS);
	wanted = c->start_at_wall_ns - s->wall_offset_ns;
	if (c->start_at_wall_ns && wanted > s->start_ns)
		s->start_ns = wanted;
	s->end_ns = c->duration_ns ? s->start_ns + c->duration_ns : CLOCK_NEVER / 2;
	s->measure_start_ns = s->start_ns + c->warmup_ns;
	s->measure_end_ns = s->end_ns - c->cooldown_ns;
	g->start_ns = s->start_ns;
	g->end_ns = s->end_ns;
	g->measure_start_ns = s->measure_start_ns;
	g->measure_end_ns = s->measure_end_ns;
	g->grace_end_ns = s->end_ns + c->grace_ns;
	g->is_open = true;
	pthread_cond_broadcast(&g->changed);
}

static void wait_until_ready(struct running *r)
{
	struct stage_gate *g = &r->gate;

	pthread_mutex_lock(&g->mutex);
	while (g->ready < r->threads_nr) {
		struct timespec t = moment(WATCH_NS);

		pthread_cond_clockwait(&g->changed, &g->mutex, CLOCK_MONOTONIC, &t);
		if (stop_requested())
			atomic_store(&g->is_stopped, true);
	}
	open_gate(r);
	pthread_mutex_unlock(&g->mutex);
}

static uint64_t get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void look(const struct running *r, struct stage_live *live)
{
	uint64_t ttft_ns = 0;

	*live = (struct stage_live){
		.elapsed_s = (double)(clock_mono_ns() - r->gate.start_ns) * 1e-9,
		.duration_s = (double)r->config->duration_ns * 1e-9,
	};
	for (unsigned i = 0; i < r->workers_nr; i++) {
		const struct stream_hub *h = &r->workers[i].hub;

		live->ok += get(&h->ok);
		live->failed += get(&h->failed);
		live->tokens += get(&h->tokens);
		live->in_flight += get(&h->in_flight);
		live->ttft_nr += get(&h->ttft_nr);
		ttft_ns += get(&h->ttft_sum_ns);
	}
	live->ttft_sum_s = (double)ttft_ns * 1e-9;
}

/* Too many failures since the start, or among the last RATE_REQUESTS_MIN and more? */
static bool is_too_bad(const struct stage_config *c, const struct stage_live *live,
		       struct stage_live *mark)
{
	uint64_t failed = live->failed - mark->failed, ok = live->ok - mark->ok;

	if (c->errors_max && live->failed > c->errors_max)
		return true;
	if (failed + ok < RATE_REQUESTS_MIN)
		return false;
	*mark = *live;
	return (double)failed > c->error_rate_max * (double)(failed + ok);
}

static bool all_done(struct running *r)
{
	for (; r->threads_nr; r->threads_nr--) {
		struct timespec t = moment(WATCH_NS);

		if (pthread_clockjoin_np(r->workers[r->threads_nr - 1].thread, NULL,
					 CLOCK_MONOTONIC, &t))
			return false;
	}
	return true;
}

static void watch(struct running *r)
{
	struct stage_live live, mark = {.ok = 0};

	while (!all_done(r)) {
		look(r, &live);
		if (r->config->watch && live.elapsed_s > 0)
			r->config->watch(r->config->watch_ctx, &live);
		if (is_too_bad(r->config, &live, &mark)) {
			r->is_aborted = true;
			stop_workers(r);
		}
		if (stop_requested())
			stop_workers(r);
	}
}

static void add_up(struct stage_outcome *o, const struct worker *w, int64_t start_ns)
{
	double share = (double)w->cpu_ns / (double)(w->finished_ns - start_ns + 1);

	lag_merge(o->lag, w->hub.lag);
	lag_merge(o->stamp_error, w->hub.stamp_error);
	lag_merge(o->turnaround, w->hub.turnaround);
	o->reads += w->hub.reads;
	o->unstamped += w->hub.unstamped;
	o->events += w->hub.events;
	o->chunks += w->hub.chunks;
	o->coalesced += w->hub.coalesced;
	o->connections += w->hub.connections;
	o->unsent += w->unsent;
	o->cpu_ns += w->cpu_ns;
	if (share > o->busiest)
		o->busiest = share;
	if (!o->error_text[0])
		memcpy(o->error_text, w->hub.error_text, sizeof(o->error_text));
}

static int64_t shrunk(int64_t aside_ns, bool is_share, int64_t span_ns,
		      int64_t duration_ns)
{
	if (!is_share || !duration_ns)
		return aside_ns;
	return (int64_t)((double)aside_ns * (double)span_ns / (double)duration_ns);
}

/*
 * A stage that ended before its time was measured to the end of its last request, that
 * instant included, or to when it was given up.
 */
static void close_window(struct load_stage *s, const struct running *r)
{
	const struct stage_config *c = r->config;
	int64_t last = s->start_ns, finished = s->start_ns, span;

	for (unsigned i = 0; i < r->workers_nr; i++) {
		const struct worker *w = &r->workers[i];

		if (w->finished_ns > finished)
			finished = w->finished_ns;
		if (w->hub.last_end_ns >= last)
			last = w->hub.last_end_ns + 1;
	}
	if (c->duration_ns && !r->is_aborted && finished >= s->end_ns)
		return;
	s->end_ns = r->is_aborted ? finished : last;
	span = s->end_ns - s->start_ns;
	s->measure_start_ns = s->start_ns + shrunk(c->warmup_ns, c->warmup_is_share, span,
						   c->duration_ns);
	s->measure_end_ns = s->end_ns - shrunk(c->cooldown_ns, c->cooldown_is_share, span,
					       c->duration_ns);
	if (s->measure_end_ns < s->measure_start_ns)
		s->measure_end_ns = s->measure_start_ns;
}

static void gather(struct running *r, struct stage_outcome *o)
{
	*o = (struct stage_outcome){.stage = r->own.stage, .is_aborted = r->is_aborted};
	o->spool = r->spool;
	r->spool = NULL;
	o->lag = x_calloc(1, sizeof(*o->lag));
	o->stamp_error = x_calloc(1, sizeof(*o->stamp_error));
	o->turnaround = x_calloc(1, sizeof(*o->turnaround));
	for (unsigned i = 0; i < r->workers_nr; i++)
		add_up(o, &r->workers[i], o->stage.start_ns);
	o->clock_step_ns = clock_wall_offset_ns(OFFSET_READINGS) - r->offset_before;
	close_window(&o->stage, r);
}

/* After a failed begin(): the threads that exist must not wait for ever. */
static void let_go(struct running *r)
{
	atomic_store(&r->gate.is_stopped, true);
	pthread_mutex_lock(&r->gate.mutex);
	r->gate.is_open = true;
	pthread_cond_broadcast(&r->gate.changed);
	pthread_mutex_unlock(&r->gate.mutex);
	while (r->threads_nr)
		pthread_join(r->workers[--r->threads_nr].thread, NULL);
}

int stage_run(const struct stage_config *config, struct stage_outcome *ret,
	      struct err *err)
{
	struct running r = {.config = config};
	int rc = -1;

	raise_limits();
	if (begin(&r, err)) {
		let_go(&r);
	} else {
		wait_until_ready(&r);
		watch(&r);
		/* A stop may have come before the watch, while connections were opened. */
		rc = stop_check(err) || spool_finish(r.spool, err) ? -1 : 0;
		if (!rc)
			gather(&r, ret);
	}
	for (unsigned i = 0; i < r.workers_nr; i++)
		worker_release(&r.workers[i]);
	free(r.workers);
	spool_free(r.spool);
	pthread_cond_destroy(&r.gate.changed);
	pthread_mutex_destroy(&r.gate.mutex);
	return rc;
}

void stage_outcome_release(struct stage_outcome *o)
{
	spool_free(o->spool);
	free(o->lag);
	free(o->stamp_error);
	free(o->turnaround);
	*o = (struct stage_outcome){.reads = 0};
}
