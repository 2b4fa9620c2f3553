#include "inference/load/engine/arrivals.h"

#include <math.h>

#include "core/base/clock.h"

#define OFFSET_MAX_S (100.0 * 365 * 86400)

void arrivals_init(struct arrivals *s, const struct load_stage *stage,
		   const struct trace *trace, double scale, struct arrivals_lane lane)
{
	*s = (struct arrivals){
		.kind = stage->kind,
		.rate_per_s = stage->rate_per_s,
		.trace = trace,
		.scale = scale,
		.lane = lane.lane,
		.lanes = lane.lanes,
	};
	rng_init(&s->rng, stage->seed);
}

/* Steps to the next arrival of the whole load, whichever lane is to send it. */
static bool advance(struct arrivals *s)
{
	uint64_t i = s->next++;

	switch (s->kind) {
	case STAGE_CONSTANT:
		s->at_s = (double)i / s->rate_per_s;
		return true;
	case STAGE_POISSON:
		s->at_s += rng_exponential(&s->rng) / s->rate_per_s;
		return true;
	case STAGE_TRACE:
		if (i >= s->trace->nr)
			return false;
		s->at_s = (double)s->trace->entries[i].at_ns * 1e-9 * s->scale;
		return true;
	default:
		return false;
	}
}

bool arrivals_next(struct arrivals *s, uint64_t *ret_index, int64_t *ret_offset_ns)
{
	do {
		if (!advance(s))
			return false;
	} while ((s->next - 1) % s->lanes != s->lane);
	*ret_index = s->next - 1;
	/* A century is never, and fits in whole nanoseconds. */
	*ret_offset_ns = (int64_t)llround(fmin(s->at_s, OFFSET_MAX_S) * 1e9);
	return true;
}

static int32_t clamp(double v, int64_t min, int64_t max)
{
	v = v < (double)min ? (double)min : v;
	v = v > (double)max ? (double)max : v;
	return (int32_t)lround(v);
}

int32_t length_draw(const struct length_rule *rule, struct rng *rng)
{
	switch (rule->kind) {
	case LENGTH_UNIFORM:
		return (int32_t)(rule->min +
				 (int64_t)rng_below(
					 rng, (uint64_t)(rule->max - rule->min + 1)));
	case LENGTH_NORMAL:
		return clamp((double)rule->mean + rule->deviation * rng_normal(rng),
			     rule->min, rule->max);
	default:
		return (int32_t)rule->mean;
	}
}

int32_t length_largest(const struct length_rule *rule)
{
	return (int32_t)(rule->kind == LENGTH_FIXED ? rule->mean : rule->max);
}
