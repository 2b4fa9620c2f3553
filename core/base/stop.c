#include "core/base/stop.h"

#include "core/base/mem.h"
#include "core/base/printable.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A handler on the thread that changes the list finds it whole: links are single stores. */
struct stop_leaves {
	struct stop_leaves *_Atomic next;
	char *line;
};

static struct {
	atomic_int signals_nr, shields_nr;
	struct stop_leaves *_Atomic leaves; /* newest first */
	int event;                          /* an eventfd; -1 before stop_install() */
	bool on_terminal;                   /* stderr: "^C" stands on the line already */
} stop = {.event = -1};

/* From a handler: nothing but write(2). */
static void say(const char *line)
{
	if (stop.on_terminal)
		(void)!write(STDERR_FILENO, "\n", 1);
	(void)!write(STDERR_FILENO, line, strlen(line));
}

static void end_now(void)
{
	say("tare: ended at once by a third signal\n");
	for (struct stop_leaves *l = stop.leaves; l; l = l->next)
		(void)!write(STDERR_FILENO, l->line, strlen(l->line));
	_exit(EXIT_INTERRUPTED);
}

static void on_signal(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)sig;
	switch (atomic_fetch_add(&stop.signals_nr, 1) + 1) {
	case 1:
		(void)!write(stop.event, &one, sizeof(one));
		break;
	case 2:
		say("tare: stopping; what was begun is cleaned up first (one more "
		    "signal ends this at once and leaves it behind)\n");
		break;
	default:
		end_now();
	}
	errno = saved;
}

void stop_install(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};

	if (stop.event < 0)
		stop.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stop.on_terminal = isatty(STDERR_FILENO);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&sa.sa_mask, signals[i]);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stop_requested(void)
{
	return stop.signals_nr > 0 && !stop.shields_nr;
}

int stop_fd(void)
{
	return stop.shields_nr ? -1 : stop.event;
}

int stop_check(struct err *err)
{
	if (!stop_requested())
		return 0;
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

void stop_shield_begin(void)
{
	stop.shields_nr++;
}

void stop_shield_end(void)
{
	stop.shields_nr--;
}

struct stop_leaves *stop_leaves_begin(const char *fmt, ...)
{
	struct stop_leaves *l = x_calloc(1, sizeof(*l));
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = x_vasprintf(fmt, ap);
	va_end(ap);
	printable_make(text, strlen(text));
	l->line = x_asprintf("tare: left behind: %s\n", text);
	free(text);
	l->next = stop.leaves;
	stop.leaves = l;
	return l;
}

void stop_leaves_end(struct stop_leaves *l)
{
	struct stop_leaves *_Atomic *at = &stop.leaves;

	if (!l)
		return;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l->line);
	free(l);
}
