#include "inference/mock/mock_server.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "inference/mock/mock_routes.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { EVENTS_MAX = 256, TURN_TIMERS_MAX = 256 };

static void on_end(void *server)
{
	((struct mock_server *)server)->is_over = true;
}

int mock_server_init(struct mock_server *s, const struct mock_config *c, int listen_fd,
		     int stop_fd, FILE *truth, struct err *err)
{
	*s = (struct mock_server){
		.net = {.config = c,
			.ops = &mock_routes,
			.owner = &s->engine,
			.faults = &s->faults,
			.stats = &s->stats},
		.engine = {.config = c,
			   .faults = &s->faults,
			   .net = &s->net,
			   .stats = &s->stats,
			   .truth = truth},
		.end = {.on_due = on_end, .owner = s},
		.stop_fd = stop_fd,
	};
	mock_engine_init(&s->engine);
	if (mock_net_init(&s->net, listen_fd, err) ||
	    mock_faults_read(&c->faults, c->seed, &s->faults, err) ||
	    (stop_fd >= 0 && mock_net_watch(&s->net, stop_fd, &s->stop_fd, err)))
		return -1;
	return 0;
}

/* Connections end first, so that each stream writes its line of the truth file. */
void mock_server_release(struct mock_server *s)
{
	s->engine.is_ending = true;
	mock_net_release(&s->net);
	mock_engine_release(&s->engine);
	mock_faults_release(&s->faults);
}

static int64_t next_due_ns(const struct mock_server *s)
{
	const struct timer *first = timers_first(&s->net.timers);
	int64_t due = first ? first->due_ns : CLOCK_NEVER;

	return s->engine.batch.step_end_ns < due ? s->engine.batch.step_end_ns : due;
}

/* What is due by now; at most so many, so that the sockets get their turn too. */
static void run_due(struct mock_server *s)
{
	const struct batch *batch = &s->engine.batch;
	int64_t now = clock_mono_ns();

	for (int i = 0; i < TURN_TIMERS_MAX; i++) {
		struct timer *first = timers_first(&s->net.timers);

		if (batch->step_end_ns <= now &&
		    (!first || batch->step_end_ns <= first->due_ns))
			mock_engine_step(&s->engine);
		else if (first && first->due_ns <= now)
			timers_fire(&s->net.timers, first);
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
		return epoll_wait(s->net.epoll_fd, events, EVENTS_MAX, 0);
	nr = epoll_pwait2(s->net.epoll_fd, events, EVENTS_MAX,
			  ns == CLOCK_NEVER ? NULL : &t, NULL);
	if (nr < 0 && (errno == ENOSYS || errno == EPERM))
		nr = epoll_wait(s->net.epoll_fd, events, EVENTS_MAX,
				ns == CLOCK_NEVER ? -1 : (int)(ns / NS_PER_MS));
	return nr;
}

static void take_events(struct mock_server *s, const struct epoll_event *events, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (events[i].data.ptr == &s->stop_fd)
			s->is_over = true;
		else
			mock_net_event(&s->net, events[i].data.ptr, events[i].events);
	}
}

/* Sleeps until something happens or is due; the last 'spin_ns' before it are awake. */
static int wait_turn(struct mock_server *s, struct epoll_event *events)
{
	int64_t due = next_due_ns(s), left;
	int nr;

	if (due == CLOCK_NEVER)
		return wait_events(s, events, CLOCK_NEVER);
	left = due - clock_mono_ns() - s->net.config->spin_ns;
	nr = wait_events(s, events, left > 0 ? left : 0);
	if (nr == 0 && s->net.config->spin_ns &&
	    due - clock_mono_ns() <= s->net.config->spin_ns)
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

void mock_server_run(struct mock_server *s)
{
	struct epoll_event events[EVENTS_MAX];

	prepare_thread(s->net.config);
	if (s->net.config->seconds_ns)
		timers_set(&s->net.timers, &s->end,
			   clock_mono_ns() + s->net.config->seconds_ns);
	/* Where no descriptor tells of Ctrl-C (eventfd is refused), the signal ends the wait. */
	while (!s->is_over && !(s->stop_fd < 0 && stop_requested())) {
		int nr = wait_turn(s, events);

		take_events(s, events, nr);
		run_due(s);
		mock_engine_sweep(&s->engine);
		mock_net_sweep(&s->net);
	}
}
