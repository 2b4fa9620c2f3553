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

static void detached_free(struct detached *d, bool releases)
{
	if (releases)
		d->call->release(d->ctx);
	pthread_mutex_destroy(&d->lock);
	if (d->done >= 0)
		close(d->done);
	free(d);
}

static void *work(void *ctx)
{
	struct detached *d = ctx;
	const uint64_t one = 1;
	bool is_abandoned;

	d->call->run(d->ctx);
	pthread_mutex_lock(&d->lock);
	d->is_done = true;
	is_abandoned = d->is_abandoned;
	(void)!write(d->done, &one, sizeof(one)); /* is_done is looked at as well */
	pthread_mutex_unlock(&d->lock);
	if (is_abandoned)
		detached_free(d, true);
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

static bool is_done(struct detached *d)
{
	bool is;

	pthread_mutex_lock(&d->lock);
	is = d->is_done;
	pthread_mutex_unlock(&d->lock);
	return is;
}

static enum detached_end await(struct detached *d, int64_t deadline_ns)
{
	while (!is_done(d)) {
		struct pollfd fds[] = {
			{.fd = d->done, .events = POLLIN},
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
	struct detached *d = x_calloc(1, sizeof(*d));
	enum detached_end end;
	pthread_t thread;

	*d = (struct detached){.call = call, .ctx = ctx, .done = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&d->lock, NULL);
	if (d->done < 0 || detached_start(&thread, work, d)) {
		detached_free(d, true);
		return DETACHED_NO_THREAD;
	}
	end = await(d, deadline_ns);
	pthread_mutex_lock(&d->lock);
	if (d->is_done)
		end = DETACHED_DONE;
	d->is_abandoned = end != DETACHED_DONE;
	pthread_mutex_unlock(&d->lock);
	if (end == DETACHED_DONE) {
		pthread_join(thread, NULL);
		detached_free(d, false);
	} else {
		pthread_detach(thread);
	}
	return end;
}
