#include "inference/load/engine/lag.h"

#include <math.h>

static unsigned bucket_of(uint64_t v)
{
	unsigned top, shift;

	if (v < (1u << LAG_SUB_BITS))
		return (unsigned)v;
	top = 63u - (unsigned)__builtin_clzll(v);
	if (top >= LAG_TOP_BIT)
		return LAG_BUCKETS - 1;
	shift = top - LAG_SUB_BITS;
	return ((shift + 1) << LAG_SUB_BITS) +
	       (unsigned)((v >> shift) - (1u << LAG_SUB_BITS));
}

static int64_t upper_edge(unsigned bucket)
{
	unsigned shift = bucket >> LAG_SUB_BITS;
	uint64_t sub = bucket & ((1u << LAG_SUB_BITS) - 1);

	if (!shift)
		return (int64_t)sub;
	shift--;
	return (int64_t)(((sub + (1u << LAG_SUB_BITS) + 1) << shift) - 1);
}

void lag_add(struct lag *l, int64_t ns)
{
	if (ns < 0) {
		l->negative++;
		ns = 0;
	}
	l->counts[bucket_of((uint64_t)ns)]++;
	l->nr++;
	l->sum += (double)ns;
	if (ns > l->max)
		l->max = ns;
}

void lag_merge(struct lag *into, const struct lag *from)
{
	for (unsigned i = 0; i < LAG_BUCKETS; i++)
		into->counts[i] += from->counts[i];
	into->nr += from->nr;
	into->negative += from->negative;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
}

int64_t lag_quantile_ns(const struct lag *l, double p)
{
	uint64_t rank = (uint64_t)ceil(p * (double)l->nr), seen = 0;

	if (!l->nr)
		return -1;
	if (!rank)
		rank = 1;
	for (unsigned i = 0; i < LAG_BUCKETS; i++) {
		seen += l->counts[i];
		if (seen >= rank) {
			int64_t edge = upper_edge(i);

			return edge < l->max ? edge : l->max;
		}
	}
	return l->max;
}
