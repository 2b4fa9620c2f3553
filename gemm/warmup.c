#include "gemm/warmup.h"

#include <math.h>

enum { LIMIT = 3 };
static const double stretch_seconds = 0.5, steady_within = 0.002, batch_seconds = 0.1;

void warmup_add(struct warmup *w, double seconds, int64_t products)
{
	double mean;

	w->seconds += seconds;
	w->products += products;
	if (w->seconds < stretch_seconds)
		return;
	mean = w->seconds / (double)w->products;
	w->is_steady = w->last_mean > 0 && fabs(mean / w->last_mean - 1) < steady_within;
	*w = (struct warmup){.last_mean = mean, .is_steady = w->is_steady};
}

bool warmup_is_over(const struct warmup *w, bool wants_steady, int64_t passed_ns,
		    int64_t asked_ns)
{
	if (passed_ns < asked_ns)
		return false;
	return !wants_steady || w->is_steady || passed_ns >= LIMIT * asked_ns;
}

int64_t warmup_batch(double seconds_per_product)
{
	return (int64_t)fmin(fmax(batch_seconds / fmax(seconds_per_product, 1e-9), 1),
			     WARMUP_BATCH_MAX);
}
