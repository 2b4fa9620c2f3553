#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

static int add_fd(struct mock_server *s, int fd, const void *mark, struct err *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = (void *)mark};

	if (fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e))
		return err_errno(err, "mock: cannot watch a descriptor");
	return 0;
}

static int read_faults(struct mock_server *s, const struct mock_config *c,
		       struct err *err)
{
	s->faults_nr = c->faults.nr;
	s->faults = x_calloc(c->faults.nr + 1, sizeof(*s->faults));
	for (size_t i = 0; i < c->faults.nr; i++)
		if (mock_fault_parse(c->faults.items[i], &s->faults[i], err))
			return -1;
	return 0;
}

static void init_batch(struct mock_server *s, const struct mock_config *c)
{
	const struct batch_config b = {
		.step_base_ns = c->step_base_ns,
		.step_per_seq_ns = c->step_per_seq_ns,
		.step_per_prefill_token_ns = c->step_per_prefill_token_ns,
		.max_num_seqs = c->max_num_seqs,
		.max_batched_tokens = c->max_batched_tokens,
		.kv_tokens = c->kv_tokens,
		.queue_max = c->queue_max,
		.tokens_per_chunk = c->tokens_per_chunk,
		.jitter = c->jitter,
		.seed = c->seed,
	};

	batch_init(&s->batch, &b);
}

int mock_loop_init(struct mock_server *s, const struct mock_config *c, int listen_fd,
		   int stop_fd, FILE *truth, struct err *err)
{
	*s = (struct mock_server){
		.config = c,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.listen_fd = listen_fd,
		.stop_fd = stop_fd,
		.truth = truth,
		.is_accepting = true,
	};
	s->accept_again = (struct mock_timer){.kind = TIMER_ACCEPT};
	s->end = (struct mock_timer){.kind = TIMER_END};
	s->read_buffer = x_malloc(MOCK_READ_SIZE);
	segment_init(&s->segment);
	buf_init(&s->body, (size_t)1 << 24);
	buf_puts(&s->body, "");
	prefix_init(&s->prefix, c->kv_tokens);
	init_batch(s, c);
	if (s->epoll_fd < 0)
		return err_errno(err, "mock: epoll_create1");
	if (read_faults(s, c, err) || add_fd(s, listen_fd, &s->listen_fd, err) ||
	    add_fd(s, stop_fd, &s->stop_fd, err))
		return -1;
	return 0;
}

/* Connections end first, so that each stream writes its line of the truth file. */
static void end_all(struct mock_server *s)
{
	while (s->conns) {
		struct mock_conn *c = s->conns;

		if (c->stream)
			mock_stream_end(c->stream, "stopped");
		mock_conn_close(c, false);
	}
}

static void free_dead(struct mock_server *s)
{
	while (s->dead_streams) {
		struct mock_stream *st = s->dead_streams;

		s->dead_streams = st->next_dead;
		mock_stream_free(st);
	}
	while (s->dead_conns) {
		struct mock_conn *c = s->dead_conns;

		s->dead_conns = c->next_dead;
		free(c);
	}
}

void mock_loop_release(struct mock_server *s)
{
	end_all(s);
	free_dead(s);
	if (s->truth)
		fflush(s->truth);
	timers_release(&s->timers);
	batch_release(&s->batch);
	prefix_release(&s->prefix);
	segment_release(&s->segment);
	buf_release(&s->body);
	tokens_release(&s->request.tokens);
	free(s->read_buffer);
	free(s->faults);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
}

static void fire(struct mock_server *s, struct mock_timer *t)
{
	switch (t->kind) {
	case TIMER_PACE:
	case TIMER_DELAY:
		mock_stream_timer(t->owner, t->kind);
		break;
	case TIMER_CONN:
		timers_clear(&s->timers, &t->timer);
		mock_conn_timer(t->owner);
		break;
	case TIMER_ACCEPT:
		timers_clear(&s->timers, &t->timer);
		mock_accept(s);
		break;
	case TIMER_END:
		timers_clear(&s->timers, &t->timer);
		s->is_over = true;
		break;
	}
}

static int64_t next_due_ns(const struct mock_server *s)
{
	const struct timer *first = timers_first(&s->timers);
	int64_t due = first ? first->due_ns : CLOCK_NEVER;

	return s->batch.step_end_ns < due ? s->batch.step_end_ns : due;
}

static void step(struct mock_server *s)
{
	batch_step(&s->batch, mock_stream_batch, s);
	if (s->batch.step_end_ns != CLOCK_NEVER)
		stats_observe(&s->stats, HIST_ITERATION_TOKENS,
			      (double)s->batch.step_tokens);
}

/* What is due by now; at most so many, so that the sockets get their turn too. */
static void run_due(struct mock_server *s)
{
	int64_t now = clock_mono_ns();

	for (int i = 0; i < MOCK_TURN_TIMERS; i++) {
		const struct timer *first = timers_first(&s->timers);

		if (s->batch.step_end_ns <= now &&
		    (!first || s->batch.step_end_ns <= first->due_ns))
			step(s);
		else if (first && first->due_ns <= now)
			fire(s, (struct mock_timer *)(void *)first);
		else
			return;
	}
}

/*
 * Nanoseconds, where epoll_pwait2 is to be had: older kernels have none (ENOSYS), filters of
 * containers refuse it (EPERM). Otherwise whole milliseconds, rounded down: the rest is
 * spent asking without waiting.
 */
static int wait_events(struct mock_server *s, struct epoll_event *events, int64_t ns)
{
	struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
	int nr;

	if (ns <= 0)
		return epoll_wait(s->epoll_fd, events, EVENTS_MAX, 0);
	nr = epoll_pwait2(s->epoll_fd, events, EVENTS_MAX, ns == CLOCK_NEVER ? NULL : &t,
			  NULL);
	if (nr < 0 && (errno == ENOSYS || errno == EPERM))
		nr = epoll_wait(s->epoll_fd, events, EVENTS_MAX,
				ns == CLOCK_NEVER ? -1 : (int)(ns / NS_PER_MS));
	return nr;
}

static void take_events(struct mock_server *s, const struct epoll_event *events, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (events[i].data.ptr == &s->stop_fd)
			s->is_over = true;
		else if (events[i].data.ptr == &s->listen_fd)
			mock_accept(s);
		else
			mock_conn_event(events[i].data.ptr, events[i].events);
	}
}

/* Sleeps until something happens or is due; the last 'spin_ns' before it are awake. */
static int wait_turn(struct mock_server *s, struct epoll_event *events)
{
	int64_t due = next_due_ns(s), left;
	int nr;

	if (due == CLOCK_NEVER)
		return wait_events(s, events, CLOCK_NEVER);
	left = due - clock_mono_ns() - s->config->spin_ns;
	nr = wait_events(s, events, left > 0 ? left : 0);
	if (nr == 0 && s->config->spin_ns && due - clock_mono_ns() <= s->config->spin_ns)
		while (clock_mono_ns() < due)
			;
	return nr;
}

static void prepare_thread(const struct mock_config *c)
{
	struct rlimit files;
	cpu_set_t set;

	/* Refinements, all: a mock without them is less exact or serves fewer. */
	(void)prctl(PR_SET_TIMERSLACK, 1L, 0L, 0L, 0L);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (c->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((size_t)c->cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
}

void mock_loop_run(struct mock_server *s)
{
	struct epoll_event events[EVENTS_MAX];

	prepare_thread(s->config);
	if (s->config->seconds_ns)
		timers_set(&s->timers, &s->end.timer,
			   clock_mono_ns() + s->config->seconds_ns);
	while (!s->is_over) {
		int nr = wait_turn(s, events);

		take_events(s, events, nr);
		run_due(s);
		free_dead(s);
	}
}
