#include "inference/load/figures/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "inference/load/engine/bucket.h"

/* Buckets of the first pass: exact below 2^12, 2^12 to an octave above, to 2^48. */
enum { BITS = 12, TOP_BIT = 48, BUCKETS = BUCKETS_BELOW(TOP_BIT, BITS) };
enum { SUBS = 1 << BITS };

const double distribution_points[DISTRIBUTION_POINTS] = {0.01, 0.05, 0.1,  0.25, 0.5,
							 0.9,  0.95, 0.99, 0.999};

void distribution_init(struct distribution *d)
{
	*d = (struct distribution){.min = INT64_MAX, .max = -1};
	d->buckets = x_calloc(BUCKETS, sizeof(*d->buckets));
	d->span_of = x_calloc(BUCKETS, sizeof(*d->span_of));
}

void distribution_release(struct distribution *d)
{
	free(d->buckets);
	free(d->span_of);
	for (unsigned i = 0; i < d->spans_nr; i++)
		free(d->spans[i].counts);
	*d = (struct distribution){.nr = 0};
}

void distribution_pass(struct distribution *d)
{
	d->pass++;
}

static void add_first(struct distribution *d, uint64_t v, uint32_t weight)
{
	double delta = (double)v - d->mean;

	d->nr += weight;
	d->mean += delta * weight / (double)d->nr;
	d->m2 += weight * delta * ((double)v - d->mean);
	d->buckets[bucket_of(v, BITS)] += weight;
	if ((int64_t)v < d->min)
		d->min = (int64_t)v;
	if ((int64_t)v > d->max)
		d->max = (int64_t)v;
}

void distribution_add(struct distribution *d, int64_t ns, uint32_t weight)
{
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
	unsigned b, i;

	if (!weight)
		return;
	if (v >= UINT64_C(1) << TOP_BIT)
		v = (UINT64_C(1) << TOP_BIT) - 1;
	if (d->pass == 1) {
		add_first(d, v, weight);
		return;
	}
	b = bucket_of(v, BITS);
	i = d->span_of[b];
	for (; i && i <= d->spans_nr; i++) {
		struct distribution_span *s = &d->spans[i - 1];

		if (v < s->low)
			return;
		if (v - s->low < s->width) {
			s->counts[(v - s->low) >> s->shift] += weight;
			return;
		}
	}
}

/* A span for the values low .. low + width - 1, unless the last one is it. */
static void want(struct distribution *d, struct distribution_span *spans, unsigned *nr,
		 uint64_t low, uint64_t width, uint64_t before)
{
	struct distribution_span *s = &spans[*nr];

	if (*nr && s[-1].low == low)
		return;
	*s = (struct distribution_span){.low = low, .width = width, .before = before};
	while (width >> s->shift > SUBS)
		s->shift++;
	s->counts = x_calloc(SUBS, sizeof(*s->counts));
	if (!d->span_of[bucket_of(low, BITS)])
		d->span_of[bucket_of(low, BITS)] = (uint8_t)(*nr + 1);
	++*nr;
}

static int order_ranks(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void find_ranks(struct distribution *d)
{
	unsigned n = 0;

	for (int i = 0; i < DISTRIBUTION_POINTS; i++) {
		double h = distribution_points[i] * (double)(d->nr - 1);
		uint64_t low = (uint64_t)floor(h);

		d->ranks[n++] = low;
		d->ranks[n++] = low + 1 < d->nr ? low + 1 : low;
	}
	qsort(d->ranks, DISTRIBUTION_RANKS, sizeof(d->ranks[0]), order_ranks);
	memset(d->values, 0xff, sizeof(d->values));
}

/* After the first pass: the buckets that hold the ranks. */
static unsigned divide_buckets(struct distribution *d, struct distribution_span *next)
{
	uint64_t before = 0;
	unsigned r = 0, nr = 0;

	for (unsigned b = 0; b < BUCKETS && r < DISTRIBUTION_RANKS; b++) {
		uint64_t count = d->buckets[b];

		for (; r < DISTRIBUTION_RANKS && d->ranks[r] < before + count; r++) {
			if (bucket_width(b, BITS) == 1)
				d->values[r] = (int64_t)bucket_low(b, BITS);
			else
				want(d, next, &nr, bucket_low(b, BITS),
				     bucket_width(b, BITS), before);
		}
		before += count;
	}
	return nr;
}

/* After a later one: the parts of each span that hold its ranks. */
static void divide_span(struct distribution *d, const struct distribution_span *s,
			struct distribution_span *next, unsigned *nr)
{
	uint64_t before = s->before;

	for (unsigned i = 0; i < SUBS; i++) {
		uint64_t low = s->low + ((uint64_t)i << s->shift);

		for (unsigned r = 0; s->counts[i] && r < DISTRIBUTION_RANKS; r++) {
			if (d->values[r] >= 0 || d->ranks[r] < before ||
			    d->ranks[r] >= before + s->counts[i])
				continue;
			if (!s->shift)
				d->values[r] = (int64_t)low;
			else
				want(d, next, nr, low, UINT64_C(1) << s->shift, before);
		}
		before += s->counts[i];
	}
}

bool distribution_more(struct distribution *d)
{
	struct distribution_span next[DISTRIBUTION_RANKS] = {{0}};
	unsigned nr = 0;

	if (!d->nr || (d->pass > 1 && !d->spans_nr))
		return false;
	memset(d->span_of, 0, BUCKETS);
	if (d->pass == 1) {
		d->deviation = sqrt(d->m2 / (double)d->nr);
		find_ranks(d);
		nr = divide_buckets(d, next);
	}
	for (unsigned i = 0; i < d->spans_nr; i++) {
		divide_span(d, &d->spans[i], next, &nr);
		free(d->spans[i].counts);
	}
	memcpy(d->spans, next, sizeof(next));
	d->spans_nr = nr;
	return nr > 0;
}

static int64_t value_at(const struct distribution *d, uint64_t rank)
{
	for (unsigned r = 0; r < DISTRIBUTION_RANKS; r++)
		if (d->ranks[r] == rank)
			return d->values[r];
	return -1;
}

bool distribution_quantile_ns(const struct distribution *d, double p, double *ret)
{
	double h, low, high;

	if (!d->nr)
		return false;
	h = p * (double)(d->nr - 1);
	low = (double)value_at(d, (uint64_t)floor(h));
	high = (double)value_at(d, (uint64_t)floor(h) + 1 < d->nr ? (uint64_t)floor(h) + 1
								  : (uint64_t)floor(h));
	*ret = low + (h - floor(h)) * (high - low);
	return true;
}

uint64_t distribution_floor(double p)
{
	double n = 2;

	if (p <= 0.5)
		return 1;
	while (pow(p, n) + n * (1 - p) * pow(p, n - 1) > 0.01)
		n++;
	return (uint64_t)n;
}
