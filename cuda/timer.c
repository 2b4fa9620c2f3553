#include "cuda/timer.h"

#include "core/base/mem.h"

#include <stdlib.h>

void timer_release(struct timer *t)
{
	for (int64_t i = 0; i < t->nr; i++) {
		if (t->begins[i])
			t->device->cuda.cuEventDestroy_v2(t->begins[i]);
		if (t->ends[i])
			t->device->cuda.cuEventDestroy_v2(t->ends[i]);
	}
	free(t->begins);
	free(t->ends);
	*t = (struct timer){0};
}

static int make(struct device *d, struct cu_event **ret, struct err *err)
{
	return cuda_ok(&d->cuda, d->cuda.cuEventCreate(ret, CU_EVENT_TIMED), err,
		       "make an event");
}

int timer_reserve(struct timer *t, struct device *d, int64_t nr, struct err *err)
{
	if (t->nr >= nr)
		return 0;
	timer_release(t);
	*t = (struct timer){.device = d,
			    .begins = x_calloc((size_t)nr, sizeof(struct cu_event *)),
			    .ends = x_calloc((size_t)nr, sizeof(struct cu_event *)),
			    .nr = nr};
	for (int64_t i = 0; i < nr; i++)
		if (make(d, &t->begins[i], err) != 0 || make(d, &t->ends[i], err) != 0)
			return -1;
	return 0;
}

static int record(struct timer *t, struct cu_event *e, struct err *err)
{
	struct device *d = t->device;

	return cuda_ok(&d->cuda, d->cuda.cuEventRecord(e, d->stream), err,
		       "record an event");
}

int timer_begin(struct timer *t, int64_t i, struct err *err)
{
	return record(t, t->begins[i], err);
}

int timer_end(struct timer *t, int64_t i, struct err *err)
{
	return record(t, t->ends[i], err);
}

int timer_wait(struct timer *t, int64_t i, int64_t timeout_ns, const char *what,
	       struct err *err)
{
	return device_wait_event(t->device, t->ends[i], timeout_ns, what, err);
}

static int elapsed(struct timer *t, struct cu_event *from, struct cu_event *to,
		   double *ret, struct err *err)
{
	const struct cuda *c = &t->device->cuda;
	float ms = 0;

	if (cuda_ok(c, c->cuEventElapsedTime(&ms, from, to), err,
		    "read the time between two events") != 0)
		return -1;
	*ret = (double)ms / 1e3;
	return 0;
}

int timer_seconds(struct timer *t, int64_t i, double *ret, struct err *err)
{
	return elapsed(t, t->begins[i], t->ends[i], ret, err);
}

int timer_gap_seconds(struct timer *t, int64_t i, double *ret, struct err *err)
{
	return elapsed(t, t->ends[i], t->begins[i + 1], ret, err);
}
