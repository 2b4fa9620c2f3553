#include "inference/mock/mock_timers.h"

#include "core/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

void timers_release(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void put(struct timers *t, size_t at, struct timer *timer)
{
	t->heap[at] = timer;
	timer->place = at + 1;
}

static void move_up(struct timers *t, size_t at)
{
	struct timer *timer = t->heap[at];

	while (at && is_before(timer, t->heap[(at - 1) / 2])) {
		put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(t, at, timer);
}

static void move_down(struct timers *t, size_t at)
{
	struct timer *timer = t->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < t->nr) {
		if (child + 1 < t->nr && is_before(t->heap[child + 1], t->heap[child]))
			child++;
		if (!is_before(t->heap[child], timer))
			break;
		put(t, at, t->heap[child]);
		at = child;
	}
	put(t, at, timer);
}

void timers_set(struct timers *t, struct timer *timer, int64_t due_ns)
{
	size_t at = timer->place - 1;

	timer->due_ns = due_ns;
	timer->order = t->sets++;
	if (!timer->place) {
		GROW(t->heap, t->nr, t->alloc);
		at = t->nr++;
		put(t, at, timer);
	}
	move_up(t, at);
	move_down(t, timer->place - 1);
}

void timers_clear(struct timers *t, struct timer *timer)
{
	size_t at = timer->place - 1;
	struct timer *last;

	if (!timer->place)
		return;
	timer->place = 0;
	last = t->heap[--t->nr];
	if (last == timer)
		return;
	put(t, at, last);
	move_up(t, at);
	move_down(t, last->place - 1);
}

struct timer *timers_first(const struct timers *t)
{
	return t->nr ? t->heap[0] : NULL;
}

void timers_fire(struct timers *t, struct timer *timer)
{
	timers_clear(t, timer);
	timer->on_due(timer->owner);
}
