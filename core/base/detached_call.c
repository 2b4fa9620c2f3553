#include "core/base/detached_call.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the thread that calls and the one that waits; the last one frees. */
struct detached {
	const struct detached_call *call;
	void *ctx;
	pthread_mutex_t lock;
	bool is_done, is_abandoned;
	int done; /* an eventfd: readable when it is */
};

static void detached_free(struct detached *a, bool releases)
{
	if (releases)
		a->call->release(a->ctx);
	pthread_mutex_destroy(&a->lock);
	if (a->done >= 0)
		close(a->done);
	free(a);
}

static void *work(void *ctx)
{
	struct detached *a = ctx;
	const uint64_t one = 1;
	bool is_abandoned;

	a->call->run(a->ctx);
	pthread_mutex_lock(&a->lock);
	a->is_done = true;
	is_abandoned = a->is_abandoned;
	(void)!write(a->done, &one, sizeof(one)); /* is_done is looked at as well */
	pthread_mutex_unlock(&a->lock);
	if (is_abandoned)
		detached_free(a, true);
	return NULL;
}

int detached_start(pthread_t *ret, void *(*thread)(void *), void *ctx)
{
	sigset_t all, before;
	int why;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	why = pthread_create(ret, NULL, thread, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return why;
}

static bool is_done(struct detached *a)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->is_done;
	pthread_mutex_unlock(&a->lock);
	return is;
}

static enum detached_end await(struct detached *a, int64_t deadline_ns)
{
	while (!is_done(a)) {
		struct pollfd fds[] = {
			{.fd = a->done, .events = POLLIN},
			{.fd = stop_fd(), .events = POLLIN},
		};

		if (stop_requested())
			return DETACHED_STOPPED;
		if (clock_passed(deadline_ns))
			return DETACHED_LATE;
		(void)poll(fds, ARRAY_SIZE(fds), clock_poll_ms(deadline_ns, 1000));
	}
	return DETACHED_DONE;
}

enum detached_end detached_call_run(const struct detached_call *call, void *ctx,
				    int64_t deadline_ns)
{
	struct detached *a = x_calloc(1, sizeof(*a));
	enum detached_end end;
	pthread_t thread;

	*a = (struct detached){.call = call, .ctx = ctx, .done = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&a->lock, NULL);
	if (a->done < 0 || detached_start(&thread, work, a)) {
		detached_free(a, true);
		return DETACHED_NO_THREAD;
	}
	end = await(a, deadline_ns);
	pthread_mutex_lock(&a->lock);
	if (a->is_done)
		end = DETACHED_DONE;
	a->is_abandoned = end != DETACHED_DONE;
	pthread_mutex_unlock(&a->lock);
	if (end == DETACHED_DONE) {
		pthread_join(thread, NULL);
		detached_free(a, false);
	} else {
		pthread_detach(thread);
	}
	return end;
}
