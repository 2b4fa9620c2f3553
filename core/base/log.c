#include "core/base/log.h"

#include "core/base/clock.h"
#include "core/base/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum log_level level = LOG_NORMAL;

void log_set_level(enum log_level new_level)
{
	level = new_level;
}

/* A terminal that obeys control sequences; one of which nothing is known need not. */
static bool is_smart_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

/* Unless NO_COLOR says otherwise (no-color.org). */
static bool wants_colour(int fd)
{
	const char *no = getenv("NO_COLOR");

	return is_smart_terminal(fd) && !(no && *no);
}

static void ERR_PRINTF(3, 0)
	say(const char *tag, const char *colour, const char *fmt, va_list ap)
{
	bool coloured = *tag && wants_colour(STDERR_FILENO);
	char line[4096];

	vsnprintf(line, sizeof(line), fmt, ap);
	printable_make(line, strlen(line)); /* words of other machines are in many */
	if (coloured)
		fprintf(stderr, "\r\033[Ktare: %s%s\033[0m%s\n", colour, tag, line);
	else
		fprintf(stderr, "%stare: %s%s\n",
			is_smart_terminal(STDERR_FILENO) ? "\r\033[K" : "", tag, line);
}

#define SAY(tag, colour)                   \
	do {                               \
		va_list ap;                \
		va_start(ap, fmt);         \
		say(tag, colour, fmt, ap); \
		va_end(ap);                \
	} while (0)

void log_error(const char *fmt, ...)
{
	SAY("error: ", "\033[1;31m");
}

void log_warn(const char *fmt, ...)
{
	SAY("warning: ", "\033[1;33m");
}

void log_info(const char *fmt, ...)
{
	if (level >= LOG_NORMAL)
		SAY("", "");
}

void log_debug(const char *fmt, ...)
{
	if (level >= LOG_VERBOSE)
		SAY("", "");
}

int log_failure(const struct err *err)
{
	log_error("%s", err->text);
	return err_exit_status(err);
}

/* A plain log is read later: a line each half minute is enough. */
static const long long plain_interval_ns = 30 * NS_PER_S;
static const long long terminal_interval_ns = NS_PER_S / 10;

void progress_start(struct progress *p, const char *what, long long expected_ns)
{
	*p = (struct progress){
		.what = what,
		.started_ns = clock_mono_ns(),
		.expected_ns = expected_ns,
		.on_terminal = is_smart_terminal(STDERR_FILENO),
	};
	p->last_ns = p->started_ns - terminal_interval_ns;
	if (!p->on_terminal)
		p->last_ns = p->started_ns;
}

static long long left_ns(const struct progress *p, double done, long long elapsed)
{
	if (p->expected_ns > elapsed)
		return p->expected_ns - elapsed;
	if (done > 0 && done < 1)
		return (long long)((double)elapsed / done * (1 - done));
	return 0;
}

void progress_update(struct progress *p, double done, const char *detail)
{
	long long now = clock_mono_ns(), elapsed = now - p->started_ns;
	long long left = left_ns(p, done, elapsed);
	char took[32], rest[32], estimate[64] = "", words[512];

	if (level == LOG_QUIET)
		return;
	if (now - p->last_ns <
	    (p->on_terminal ? terminal_interval_ns : plain_interval_ns))
		return;
	p->last_ns = now;
	if (left > 0)
		snprintf(estimate, sizeof(estimate), ", about %s left",
			 clock_human(left, rest, sizeof(rest)));
	snprintf(words, sizeof(words), "%s", detail ? detail : "");
	printable_make(words, strlen(words));
	fprintf(stderr, "%s%s: %s%s%s%s%s",
		p->on_terminal ? "\r\033[K" : "tare: ", p->what, words,
		*words ? ", " : "", clock_human(elapsed, took, sizeof(took)), estimate,
		p->on_terminal ? "" : "\n");
	fflush(stderr);
	p->is_drawn = true;
}

void progress_step(struct progress *p, const char *detail)
{
	p->last_ns = clock_mono_ns() - plain_interval_ns;
	progress_update(p, 0, detail);
}

void progress_end(struct progress *p)
{
	if (p->on_terminal && p->is_drawn)
		fprintf(stderr, "\r\033[K");
	p->is_drawn = false;
}
