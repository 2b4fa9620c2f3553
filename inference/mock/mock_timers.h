/*
 * Who is due next: a binary heap of instants whose members know their place, so that any
 * of them can be moved or taken out.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_TIMERS_H
#define TARE_INFERENCE_MOCK_MOCK_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* Lies inside its owner; fill in the first two, zero the rest. */
struct timer {
	void (*on_due)(void *owner); /* the timer is no longer set then */
	void *owner;
	int64_t due_ns;
	uint64_t order; /* of equal instants the one set first is first */
	size_t place;   /* 0: not set, else its index + 1 */
};

struct timers {
	struct timer **heap;
	size_t nr, alloc;
	uint64_t sets;
};

void timers_release(struct timers *t);
void timers_set(struct timers *t, struct timer *timer, int64_t due_ns); /* or moves it */
void timers_clear(struct timers *t, struct timer *timer); /* fine when it is not set */
struct timer *timers_first(const struct timers *t);       /* or NULL */
void timers_fire(struct timers *t, struct timer *timer);  /* clears it, calls on_due */

#endif
