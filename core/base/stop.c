#include "core/base/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop_count;
static int stop_event = -1;

static void on_signal(int sig)
{
	int saved = errno;
	uint64_t one = 1;

	(void)sig;
	if (++stop_count > 1)
		_exit(EXIT_INTERRUPTED);
	if (stop_event >= 0)
		(void)!write(stop_event, &one, sizeof(one));
	errno = saved;
}

void stop_install(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};

	if (stop_event < 0)
		stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stop_requested(void)
{
	return stop_count > 0;
}

int stop_fd(void)
{
	return stop_event;
}

int stop_check(struct err *err)
{
	if (!stop_requested())
		return 0;
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

void stop_clear(void)
{
	uint64_t count;

	stop_count = 0;
	if (stop_event >= 0)
		(void)!read(stop_event, &count, sizeof(count));
}
