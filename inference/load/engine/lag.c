#include "inference/load/engine/lag.h"

#include <math.h>

void lag_add(struct lag *l, int64_t ns)
{
	if (ns < 0) {
		l->negative++;
		ns = 0;
	}
	l->counts[ns >> LAG_TOP_BIT ? LAG_BUCKETS - 1
				    : bucket_of((uint64_t)ns, LAG_BITS)]++;
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
	for (unsigned i = 0; i < LAG_BUCKETS - 1; i++) {
		seen += l->counts[i];
		if (seen >= rank) {
			int64_t edge = (int64_t)(bucket_low(i, LAG_BITS) +
						 bucket_width(i, LAG_BITS) - 1);

			return edge < l->max ? edge : l->max;
		}
	}
	return l->max;
}
