#include "gemm/run.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "gemm/warmup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double sum(const double *values, int64_t nr)
{
	double total = 0;

	for (int64_t i = 0; i < nr; i++)
		total += values[i];
	return total;
}

static int warm_up(struct engine *e, const struct run_plan *plan, struct run_outcome *o,
		   struct err *err)
{
	int64_t begin = clock_mono_ns(), batch = 1;
	struct warmup w = {0};
	double seconds[WARMUP_BATCH_MAX];

	while (!warmup_is_over(&w, e->ops->wants_steady, o->warmup_ns, plan->warmup_ns)) {
		double batch_seconds;

		if (stop_check(err) != 0 ||
		    e->ops->multiply(e, batch, seconds, NULL, err) != 0)
			return -1;
		batch_seconds = sum(seconds, batch);
		warmup_add(&w, batch_seconds, batch);
		o->warmup_products += batch;
		batch = warmup_batch(batch_seconds / (double)batch);
		o->warmup_ns = clock_mono_ns() - begin;
		if (plan->on_warmup)
			plan->on_warmup(
				plan->ctx,
				fmin((double)o->warmup_ns / (double)plan->warmup_ns, 1));
	}
	o->was_steady = w.is_steady;
	return 0;
}

static int look_at_c(struct engine *e, const struct problem *p, struct run_outcome *o,
		     struct err *err)
{
	struct sample *samples = x_calloc(VERIFY_SAMPLES, sizeof(*samples));
	uint64_t sums[2] = {0};
	int rc;

	verify_choose(p, samples, VERIFY_SAMPLES);
	rc = e->ops->sample(e, samples, VERIFY_SAMPLES, err);
	if (rc == 0)
		rc = e->ops->digest(e, sums, err);
	if (rc == 0) {
		verify_judge(p, samples, VERIFY_SAMPLES, o->nr, &o->verdict);
		snprintf(o->digest, sizeof(o->digest), "%016" PRIx64 "%016" PRIx64,
			 sums[0], sums[1]);
	}
	free(samples);
	return rc;
}

static int timed(struct engine *e, const struct run_plan *plan, struct run_outcome *o,
		 struct err *err)
{
	int rc;

	o->nr = plan->iterations;
	o->seconds = x_calloc((size_t)o->nr, sizeof(*o->seconds));
	o->gaps = x_calloc((size_t)o->nr, sizeof(*o->gaps));
	if (e->ops->reset(e, err) != 0)
		return -1;
	if (plan->on_timed)
		plan->on_timed(plan->ctx, true);
	o->started_ns = clock_mono_ns();
	rc = e->ops->multiply(e, o->nr, o->seconds, o->gaps, err);
	o->wall_ns = clock_mono_ns() - o->started_ns;
	if (plan->on_timed)
		plan->on_timed(plan->ctx, false);
	return rc;
}

int run_measure(struct engine *e, const struct problem *p, const struct run_plan *plan,
		struct run_outcome *ret, struct err *err)
{
	struct run_outcome o = {0};

	if (warm_up(e, plan, &o, err) != 0 || timed(e, plan, &o, err) != 0 ||
	    look_at_c(e, p, &o, err) != 0) {
		run_outcome_release(&o);
		return -1;
	}
	*ret = o;
	return 0;
}

void run_outcome_release(struct run_outcome *o)
{
	free(o->seconds);
	free(o->gaps);
	*o = (struct run_outcome){0};
}
