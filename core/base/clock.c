#include "core/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int64_t clock_wall_offset_ns(int readings)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < readings; i++) {
		int64_t before = clock_mono_ns(), wall = clock_wall_ns();
		int64_t after = clock_mono_ns();

		if (after - before < best) {
			best = after - before;
			offset = wall - (before + (after - before) / 2);
		}
	}
	return offset;
}

int64_t clock_deadline_ns(int64_t from_now_ns)
{
	int64_t now = clock_mono_ns();

	return from_now_ns >= CLOCK_NEVER - now ? CLOCK_NEVER : now + from_now_ns;
}

int64_t clock_left_ns(int64_t deadline_ns)
{
	int64_t now;

	if (deadline_ns == CLOCK_NEVER)
		return CLOCK_NEVER;
	now = clock_mono_ns();
	return deadline_ns > now ? deadline_ns - now : 0;
}

bool clock_passed(int64_t deadline_ns)
{
	return clock_left_ns(deadline_ns) == 0;
}

int clock_poll_ms(int64_t deadline_ns, int cap_ms)
{
	int64_t left = clock_left_ns(deadline_ns);

	if (left / NS_PER_MS >= cap_ms)
		return cap_ms;
	return (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

bool clock_sleep_until(int64_t mono_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(mono_ns / NS_PER_S),
		.tv_nsec = (long)(mono_ns % NS_PER_S),
	};

	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != EINTR;
}

void clock_label(int64_t wall_ns, char label[CLOCK_LABEL_SIZE])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	int ms = (int)(wall_ns % NS_PER_S / NS_PER_MS);
	struct tm tm;
	char day[32];

	gmtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(label, CLOCK_LABEL_SIZE, "%.19s.%03uZ", day, (unsigned)ms % 1000);
}

/* ".123Z" as milliseconds; what stands behind them is dropped. */
static bool read_fraction(const char *s, int64_t *ret_ms)
{
	int64_t unit = 100;

	*ret_ms = 0;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
			*ret_ms += (*s - '0') * unit;
	return s[0] == 'Z' && !s[1];
}

bool clock_from_label(const char *label, int64_t *ret_wall_ns)
{
	struct tm tm = {0};
	const char *rest = strptime(label, "%Y-%m-%d", &tm);
	int64_t ms = 0;

	if (rest && *rest) {
		tm = (struct tm){0};
		rest = strptime(label, "%Y-%m-%dT%H:%M:%S", &tm);
		if (!rest || !read_fraction(rest, &ms))
			return false;
	}
	if (!rest || tm.tm_year < 70 || tm.tm_year > 290)
		return false;
	*ret_wall_ns = (int64_t)timegm(&tm) * NS_PER_S + ms * NS_PER_MS;
	return true;
}

const char *clock_human(int64_t ns, char *text, size_t size)
{
	double s = (double)ns / (double)NS_PER_S;
	int64_t whole = ns / NS_PER_S;

	if (s < 1e-3)
		snprintf(text, size, "%.1f µs", s * 1e6);
	else if (s < 1)
		snprintf(text, size, "%.0f ms", s * 1e3);
	else if (s < 100)
		snprintf(text, size, "%.1f s", s);
	else if (s < 3600)
		snprintf(text, size, "%d min %d s", (int)(whole / 60), (int)(whole % 60));
	else
		snprintf(text, size, "%d h %d min", (int)(whole / 3600),
			 (int)(whole % 3600 / 60));
	return text;
}
