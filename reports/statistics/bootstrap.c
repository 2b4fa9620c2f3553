#include "reports/statistics/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/rng.h"

struct placed {
	double value;
	size_t round;
};

/*
 * A quantile of any mixture of the rounds lies between the least and the greatest of their
 * own, so only the samples between these are kept in order; those below are counted.
 */
struct pool {
	size_t rounds, nr;
	struct placed *items; /* in order of value */
	size_t *below, *size; /* samples of each round below the first item, and in all */
	size_t *weight;       /* how often each round was drawn */
	size_t blocks;
	size_t *in_block; /* of each block of items, samples of each round */
};

enum { block_items = 256 };

static int by_value(const void *a, const void *b)
{
	double x = ((const struct placed *)a)->value,
	       y = ((const struct placed *)b)->value;

	return (x > y) - (x < y);
}

static size_t samples_of(const struct quantile_side *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		nr += s->rounds[i].nr;
	return nr;
}

/* The least and the greatest of the rounds' own quantiles, however few their samples. */
static void quantile_range(const struct quantile_side *s, double q, double *low,
			   double *high)
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct round_samples *r = &s->rounds[i];
		double v;

		if (!r->nr)
			continue;
		v = stats_rank_of(r->x, r->nr, q);
		*low = fmin(*low, v);
		*high = fmax(*high, v);
	}
}

static size_t samples_within(const struct quantile_side *s, double low, double high)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		for (size_t k = 0; k < s->rounds[i].nr; k++)
			nr += s->rounds[i].x[k] >= low && s->rounds[i].x[k] <= high;
	return nr;
}

static void pool_init(struct pool *p, const struct quantile_side *s, double q)
{
	double low = INFINITY, high = -INFINITY;

	*p = (struct pool){.rounds = s->nr};
	p->below = x_calloc(s->nr + 1, sizeof(*p->below));
	p->size = x_calloc(s->nr + 1, sizeof(*p->size));
	p->weight = x_calloc(s->nr + 1, sizeof(*p->weight));
	quantile_range(s, q, &low, &high);
	p->items = x_calloc(samples_within(s, low, high) + 1, sizeof(*p->items));
	for (size_t i = 0; i < s->nr; i++) {
		const struct round_samples *r = &s->rounds[i];

		p->size[i] = r->nr;
		for (size_t k = 0; k < r->nr; k++) {
			if (r->x[k] < low)
				p->below[i]++;
			else if (r->x[k] <= high)
				p->items[p->nr++] = (struct placed){r->x[k], i};
		}
	}
	qsort(p->items, p->nr, sizeof(*p->items), by_value);
	p->blocks = p->nr / block_items;
	p->in_block = x_calloc(p->blocks * s->nr + 1, sizeof(*p->in_block));
	for (size_t k = 0; k < p->blocks * block_items; k++)
		p->in_block[k / block_items * s->nr + p->items[k].round]++;
}

static void pool_release(struct pool *p)
{
	free(p->items);
	free(p->below);
	free(p->size);
	free(p->weight);
	free(p->in_block);
}

static size_t drawn(const struct pool *p, const size_t *of_round)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->rounds; i++)
		nr += p->weight[i] * of_round[i];
	return nr;
}

/* The quantile of the rounds as they were drawn: nearest rank, as stats_quantile_of(). */
static double pool_quantile(const struct pool *p, double q)
{
	size_t seen = drawn(p, p->below), rank = stats_rank(drawn(p, p->size), q);
	size_t k = 0;

	for (; k < p->blocks; k++) {
		size_t more = drawn(p, p->in_block + k * p->rounds);

		if (seen + more > rank)
			break;
		seen += more;
	}
	for (k *= block_items; k < p->nr; k++) {
		seen += p->weight[p->items[k].round];
		if (seen > rank)
			return p->items[k].value;
	}
	return p->items[p->nr - 1].value;
}

static void draw(struct pool sides[2], bool is_paired, struct rng *rng)
{
	for (int s = 0; s < 2; s++) {
		struct pool *p = &sides[s];

		if (s && is_paired) {
			memcpy(p->weight, sides[0].weight,
			       p->rounds * sizeof(*p->weight));
			return;
		}
		memset(p->weight, 0, p->rounds * sizeof(*p->weight));
		for (size_t i = 0; i < p->rounds; i++)
			p->weight[rng_below(rng, p->rounds)]++;
	}
}

static double log_quantiles(const struct pool sides[2], double q, double ret[2])
{
	for (int s = 0; s < 2; s++)
		ret[s] = pool_quantile(&sides[s], q);
	return log(ret[1] / ret[0]);
}

/* The standard deviation of the resampled log ratios. */
static bool resample(struct pool sides[2], const struct bootstrap_spec *spec, double *ret)
{
	size_t repeats = spec->repeats ? spec->repeats : 500;
	double *logs = x_calloc(repeats, sizeof(*logs)), v[2];
	struct rng rng;
	bool fine;

	rng_init(&rng, spec->seed);
	for (size_t i = 0; i < repeats; i++) {
		draw(sides, spec->is_paired, &rng);
		logs[i] = log_quantiles(sides, spec->q, v);
	}
	fine = stats_sd(logs, repeats, ret) && isfinite(*ret);
	free(logs);
	return fine;
}

static bool is_supported(const struct quantile_side *s, double q)
{
	return s->nr >= BOOTSTRAP_ROUNDS_MIN && samples_of(s) >= stats_quantile_min(q);
}

bool bootstrap_quantile_ratio(const struct quantile_side *baseline,
			      const struct quantile_side *candidate,
			      const struct bootstrap_spec *spec, struct log_ratio *ret,
			      double ret_quantiles[2])
{
	size_t nr = baseline->nr < candidate->nr ? baseline->nr : candidate->nr;
	struct pool sides[2];
	double v[2];
	bool done;

	if (!is_supported(baseline, spec->q) || !is_supported(candidate, spec->q) ||
	    (spec->is_paired && baseline->nr != candidate->nr))
		return false;
	pool_init(&sides[0], baseline, spec->q);
	pool_init(&sides[1], candidate, spec->q);
	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < sides[s].rounds; i++)
			sides[s].weight[i] = 1;
	*ret = (struct log_ratio){.n_baseline = baseline->nr,
				  .n_candidate = candidate->nr,
				  .is_paired = spec->is_paired};
	ret->mean = log_quantiles(sides, spec->q, v);
	done = v[0] > 0 && v[1] > 0 && resample(sides, spec, &ret->error);
	ret->error *= sqrt((double)nr / (double)(nr - 1));
	ret->sd = ret->error * sqrt((double)nr);
	ret->df = (double)nr - 1;
	ret->has_error = done;
	if (ret_quantiles)
		memcpy(ret_quantiles, v, sizeof(v));
	pool_release(&sides[0]);
	pool_release(&sides[1]);
	return done;
}
