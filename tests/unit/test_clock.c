#include "core/base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

static void deadlines_saturate(void **state)
{
	(void)state;
	assert_true(clock_deadline_ns(CLOCK_NEVER) == CLOCK_NEVER);
	assert_true(clock_deadline_ns(CLOCK_NEVER - 1) == CLOCK_NEVER);
	assert_true(clock_left_ns(CLOCK_NEVER) == CLOCK_NEVER);
	assert_false(clock_passed(CLOCK_NEVER));
	assert_true(clock_left_ns(0) == 0);
	assert_true(clock_passed(0));
	assert_true(clock_passed(clock_mono_ns()));
}

static void time_goes_forward(void **state)
{
	int64_t a = clock_mono_ns(), b = clock_mono_ns();
	int64_t day = 86400 * NS_PER_S;
	int64_t left = clock_left_ns(clock_deadline_ns(day));

	(void)state;
	assert_true(b >= a);
	assert_true(left > 0 && left <= day);
}

/* The wall clock, told by the monotonic one, lies between two of its own readings. */
static void the_clocks_are_brought_together(void **state)
{
	int64_t offset = clock_wall_offset_ns(32), before, told, after;

	(void)state;
	before = clock_wall_ns();
	told = clock_mono_ns() + offset;
	after = clock_wall_ns();
	assert_true(told >= before - NS_PER_MS && told <= after + NS_PER_MS);
}

static void poll_waits_round_up_and_are_capped(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_ms(CLOCK_NEVER, 1000), 1000);
	assert_int_equal(clock_poll_ms(0, 1000), 0);
	assert_int_equal(clock_poll_ms(clock_deadline_ns(3600 * NS_PER_S), 250), 250);
	/* Whatever passes between the two reads, less than a millisecond left is never 0. */
	for (int i = 0; i < 1000; i++) {
		int64_t deadline = clock_deadline_ns(NS_PER_MS / 2);
		int ms = clock_poll_ms(deadline, 1000);

		assert_true(ms == 1 || (ms == 0 && clock_passed(deadline)));
	}
}

static void sleeping_ends_at_the_instant(void **state)
{
	int64_t until = clock_deadline_ns(5 * NS_PER_MS);

	(void)state;
	assert_true(clock_sleep_until(until));
	assert_true(clock_mono_ns() >= until);
	assert_true(clock_sleep_until(until)); /* an instant that has passed: at once */
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void a_signal_ends_a_sleep(void **state)
{
	struct sigaction sa = {.sa_handler = on_alarm}, old;
	/* Repeating, so that one that comes before the sleep does not hang the test. */
	struct itimerval timer = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}};

	(void)state;
	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &timer, NULL);
	assert_false(clock_sleep_until(clock_deadline_ns(3600 * NS_PER_S)));
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
}

/* Expected texts: date -u -d @SECONDS +%FT%T */
static void labels_are_utc(void **state)
{
	char label[CLOCK_LABEL_SIZE];

	(void)state;
	clock_label(0, label);
	assert_string_equal(label, "1970-01-01T00:00:00.000Z");
	clock_label(INT64_C(1795375045123999999), label);
	assert_string_equal(label, "2026-11-22T19:17:25.123Z");
	clock_label(INT64_C(1709210096) * NS_PER_S + 7 * NS_PER_MS, label);
	assert_string_equal(label, "2024-02-29T12:34:56.007Z");
}

static void people_read_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{0, "0.0 µs"},
		{1500, "1.5 µs"},
		{850 * NS_PER_MS, "850 ms"},
		{12300 * NS_PER_MS, "12.3 s"},
		{99 * NS_PER_S, "99.0 s"},
		{100 * NS_PER_S, "1 min 40 s"},
		{250 * NS_PER_S, "4 min 10 s"},
		{3599 * NS_PER_S, "59 min 59 s"},
		{7500 * NS_PER_S, "2 h 5 min"},
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(clock_human(cases[i].ns, text, sizeof(text)),
				    cases[i].want);
}

/* Seconds since 1970 by date(1): date -u -d 2026-11-22T19:17:25Z +%s */
static void labels_are_read_back(void **state)
{
	char label[CLOCK_LABEL_SIZE];
	int64_t ns = 0;

	(void)state;
	assert_true(clock_from_label("2026-11-22T19:17:25.123Z", &ns));
	assert_int_equal(ns, INT64_C(1795375045123) * NS_PER_MS);
	clock_label(ns, label);
	assert_string_equal(label, "2026-11-22T19:17:25.123Z");
	assert_true(clock_from_label("2026-11-22", &ns));
	assert_int_equal(ns, INT64_C(1795305600) * NS_PER_S);
	assert_true(clock_from_label("2024-02-29T00:00:00Z", &ns));
	assert_false(clock_from_label("", &ns));
	assert_false(clock_from_label("yesterday", &ns));
	assert_false(clock_from_label("2026-11-22T19:17", &ns));
	assert_false(clock_from_label("2026-11-22T19:17:25", &ns));
	assert_false(clock_from_label("2026-13-22", &ns));
	assert_false(clock_from_label("9999-01-01", &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_saturate),
		cmocka_unit_test(time_goes_forward),
		cmocka_unit_test(the_clocks_are_brought_together),
		cmocka_unit_test(poll_waits_round_up_and_are_capped),
		cmocka_unit_test(sleeping_ends_at_the_instant),
		cmocka_unit_test(a_signal_ends_a_sleep),
		cmocka_unit_test(labels_are_utc),
		cmocka_unit_test(people_read_durations),
		cmocka_unit_test(labels_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
