/*
 * Time. Durations and instants are int64_t nanoseconds of CLOCK_MONOTONIC; wall time is a
 * label only, in UTC. A deadline is an instant; INT64_MAX means never.
 */
#ifndef TARE_CORE_BASE_CLOCK_H
#define TARE_CORE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX

int64_t clock_mono_ns(void);
int64_t clock_wall_ns(void); /* CLOCK_REALTIME since 1970 */
/*
 * Wall minus monotonic, now: of so many readings the one that was disturbed least, so that
 * a process put aside between its two clocks does not shift them against each other.
 */
int64_t clock_wall_offset_ns(int readings);

/* Saturating: a deadline can be CLOCK_NEVER. Left is 0 once it has passed. */
int64_t clock_deadline_ns(int64_t from_now_ns);
int64_t clock_left_ns(int64_t deadline_ns);
bool clock_passed(int64_t deadline_ns);
/* For poll(): milliseconds left, rounded up, at most 'cap_ms'. */
int clock_poll_ms(int64_t deadline_ns, int cap_ms);

/* Sleeps to that instant; returns early (false) on a signal. */
bool clock_sleep_until(int64_t mono_ns);

#define CLOCK_LABEL_SIZE sizeof("2026-11-22T19:17:25.123Z")
/* "2026-11-22T19:17:25.123Z" */
void clock_label(int64_t wall_ns, char label[CLOCK_LABEL_SIZE]);
/* The inverse, to the millisecond; a day alone ("2026-11-22") is its midnight. UTC. */
bool clock_from_label(const char *label, int64_t *ret_wall_ns);

/* "850 ms", "12.3 s", "4 min 10 s", "2 h 5 min": for people, never for files. */
const char *clock_human(int64_t ns, char *text, size_t size);

#endif
