/*
 * A fixed-size histogram of durations for what is watched and not judged to the last
 * nanosecond: the client's own lag and its stamps' error. Exact below 64 ns, within 1/64
 * above, to 2^40 ns (18 min); 'max' and 'sum' are exact. Adding takes some nanoseconds
 * and never allocates. Negative durations (a clock that stepped) count as 0 and in
 * 'negative'.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_LAG_H
#define TARE_INFERENCE_LOAD_ENGINE_LAG_H

#include "inference/load/engine/bucket.h"

#include <stdint.h>

enum { LAG_BITS = 6, LAG_TOP_BIT = 40 };
/* The last one holds all from 2^LAG_TOP_BIT on. */
enum { LAG_BUCKETS = BUCKETS_BELOW(LAG_TOP_BIT, LAG_BITS) + 1 };

struct lag {
	uint64_t counts[LAG_BUCKETS];
	uint64_t nr, negative;
	int64_t max;
	double sum;
};

void lag_add(struct lag *l, int64_t ns);
void lag_merge(struct lag *into, const struct lag *from);
/* The upper edge of the bucket that holds the p-quantile (nearest rank); -1 when empty.
 */
int64_t lag_quantile_ns(const struct lag *l, double p);

#endif
