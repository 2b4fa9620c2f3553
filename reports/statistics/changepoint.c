#include "reports/statistics/changepoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "reports/statistics/autocorrelation.h"
#include "reports/statistics/stats.h"

/*
 * Sums over the values seen so far by rank, so that the distances from a new value to all
 * of them come in log n steps (Fenwick, Softw. Pract. Exper. 24, 1994).
 */
struct node {
	double sum, count;
};

static void tree_add(struct node *tree, size_t nr, size_t rank, double x)
{
	for (size_t i = rank + 1; i <= nr; i += i & (~i + 1)) {
		tree[i].sum += x;
		tree[i].count++;
	}
}

static struct node tree_below(const struct node *tree, size_t rank)
{
	struct node below = {0, 0};

	for (size_t i = rank; i; i -= i & (~i + 1)) {
		below.sum += tree[i].sum;
		below.count += tree[i].count;
	}
	return below;
}

/* What the distances across, inside the left and inside the right part weigh. */
struct weights {
	double across, left, right;
};

struct search {
	const double *values;          /* in order of size */
	const double *reach;           /* of each: its distances to all others, summed */
	const struct weights *weights; /* of each split */
	size_t *order;                 /* the series as ranks */
	size_t nr, segment_min;
	double inside_all; /* distances between all pairs */
	struct node *tree;
};

/*
 * The best split and its statistic (Matteson and James, equations 5 and 6, alpha = 1). As
 * the split moves on, one value changes sides: its distances to those already on the left
 * are all that must be found, for those to everything are known.
 */
static double best_split(struct search *s, size_t *ret_at)
{
	double best = -1, left = 0, across = 0, sum = 0, count = 0;

	memset(s->tree, 0, (s->nr + 1) * sizeof(*s->tree));
	for (size_t k = 0; k + s->segment_min < s->nr; k++) {
		size_t rank = s->order[k], at = k + 1;
		double x = s->values[rank], to_left, q;
		struct node low = tree_below(s->tree, rank);

		to_left = x * low.count - low.sum + (sum - low.sum) -
			  x * (count - low.count);
		left += to_left;
		across += s->reach[rank] - 2 * to_left;
		tree_add(s->tree, s->nr, rank, x);
		sum += x;
		count++;
		if (at < s->segment_min)
			continue;
		q = s->weights[at].across * across - s->weights[at].left * left -
		    s->weights[at].right * (s->inside_all - left - across);
		if (q > best) {
			best = q;
			*ret_at = at;
		}
	}
	return best;
}

/* Each value's distances to all others, from running sums over the sorted values. */
static double *reach_of(const double *values, size_t nr, double *ret_all)
{
	double *reach = x_calloc(nr, sizeof(*reach)), below = 0, total = 0;

	for (size_t i = 0; i < nr; i++)
		total += values[i];
	*ret_all = 0;
	for (size_t i = 0; i < nr; i++) {
		double x = values[i], n_below = (double)i;
		double n_above = (double)(nr - 1 - i);

		reach[i] = x * n_below - below + (total - below - x) - x * n_above;
		below += x;
		*ret_all += reach[i] / 2;
	}
	return reach;
}

static struct weights *weights_of(size_t nr)
{
	struct weights *w = x_calloc(nr + 1, sizeof(*w));

	for (size_t at = 2; at + 2 <= nr; at++) {
		double n = (double)at, m = (double)(nr - at), scale = n * m / (n + m);

		w[at] = (struct weights){.across = scale * 2 / (n * m),
					 .left = scale * 2 / (n * (n - 1)),
					 .right = scale * 2 / (m * (m - 1))};
	}
	return w;
}

struct value_at {
	double value;
	size_t at;
};

static int by_value(const void *a, const void *b)
{
	const struct value_at *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* An order of the ranks without a change. */
struct shuffler {
	struct rng *rng;
	double lag1;
	struct value_at *path; /* scratch */
};

static void shuffle(size_t *order, size_t nr, struct rng *rng)
{
	for (size_t i = nr; i > 1; i--) {
		size_t k = rng_below(rng, i), swap = order[k];

		order[k] = order[i - 1];
		order[i - 1] = swap;
	}
}

/* The values come in the order of a path that remembers, and stay the same values. */
static void shuffle_remembering(size_t *order, size_t nr, const struct shuffler *s)
{
	double z = rng_normal(s->rng), rest = sqrt(1 - s->lag1 * s->lag1);

	for (size_t i = 0; i < nr; i++) {
		s->path[i] = (struct value_at){z, i};
		z = s->lag1 * z + rest * rng_normal(s->rng);
	}
	qsort(s->path, nr, sizeof(*s->path), by_value);
	for (size_t i = 0; i < nr; i++)
		order[s->path[i].at] = i;
}

static double *rank_series(const double *x, size_t nr, size_t *order)
{
	struct value_at *sorted = x_calloc(nr, sizeof(*sorted));
	double *values = x_calloc(nr, sizeof(*values));

	for (size_t i = 0; i < nr; i++)
		sorted[i] = (struct value_at){x[i], i};
	qsort(sorted, nr, sizeof(*sorted), by_value);
	for (size_t i = 0; i < nr; i++) {
		/* Near zero, so that sums keep their digits. */
		values[i] = sorted[i].value - sorted[nr / 2].value;
		order[sorted[i].at] = i;
	}
	free(sorted);
	return values;
}

/* The split of one segment and the share of permutations that do as well. */
static double split_p(const double *x, size_t nr, const struct change_spec *spec,
		      const struct shuffler *shuffler, size_t *ret_at)
{
	size_t *order = x_calloc(nr, sizeof(*order)), as_good = 0, ignored;
	struct search s = {.nr = nr, .segment_min = spec->segment_min, .order = order};
	double *values = rank_series(x, nr, order), found;
	double *reach = reach_of(values, nr, &s.inside_all);
	struct weights *weights = weights_of(nr);

	s.values = values;
	s.reach = reach;
	s.weights = weights;
	s.tree = x_calloc(nr + 1, sizeof(*s.tree));
	found = best_split(&s, ret_at);
	/* Without any spread the statistic is rounding and nothing else. */
	if (values[0] == values[nr - 1])
		as_good = spec->permutations;
	for (size_t i = 0; i < spec->permutations && as_good < spec->permutations; i++) {
		if (shuffler->lag1 > 0)
			shuffle_remembering(order, nr, shuffler);
		else
			shuffle(order, nr, shuffler->rng);
		/* The same split in another order differs by rounding. */
		as_good += best_split(&s, &ignored) >= found - 1e-12 * fabs(found);
		/* Already too many: the rest cannot make it significant. */
		if ((double)(as_good + 1) >
		    spec->alpha * (double)(spec->permutations + 1))
			break;
	}
	free(values);
	free(reach);
	free(weights);
	free(order);
	free(s.tree);
	return (double)(as_good + 1) / (double)(spec->permutations + 1);
}

struct found {
	struct change_point *items;
	size_t nr, alloc;
};

static void divide(const double *x, size_t from, size_t to,
		   const struct change_spec *spec, const struct shuffler *shuffler,
		   struct found *f)
{
	size_t at = 0;
	double p;

	if (to - from < 2 * spec->segment_min)
		return;
	p = split_p(x + from, to - from, spec, shuffler, &at);
	if (p > spec->alpha)
		return;
	divide(x, from, from + at, spec, shuffler, f);
	GROW(f->items, f->nr, f->alloc);
	f->items[f->nr++] = (struct change_point){.at = from + at, .p = p};
	divide(x, from + at, to, spec, shuffler, f);
}

void change_levels(const double *x, size_t nr, struct change_point *c, size_t changes)
{
	for (size_t i = 0; i < changes; i++) {
		size_t from = i ? c[i - 1].at : 0;
		size_t to = i + 1 < changes ? c[i + 1].at : nr;

		stats_median(x + from, c[i].at - from, &c[i].before);
		stats_median(x + c[i].at, to - c[i].at, &c[i].after);
	}
}

double change_memory(const double *x, size_t nr, const struct change_point *c,
		     size_t changes)
{
	size_t *ends = x_calloc(changes + 1, sizeof(*ends));
	double lag1;

	for (size_t i = 0; i < changes; i++)
		ends[i] = c[i].at;
	ends[changes] = nr;
	lag1 = autocorrelation_around(x, ends, changes + 1);
	free(ends);
	return lag1;
}

struct change_point *change_points(const double *x, size_t nr,
				   const struct change_spec *spec, size_t *ret_nr)
{
	struct change_spec s = *spec;
	struct found f = {0};
	struct rng rng;
	struct shuffler shuffler = {.rng = &rng};

	s.segment_min = s.segment_min > 1 ? s.segment_min : CHANGE_SEGMENT_MIN;
	s.alpha = s.alpha > 0 ? s.alpha : 0.01;
	s.permutations = s.permutations ? s.permutations : 499;
	rng_init(&rng, s.seed);
	if (nr <= CHANGE_SERIES_MAX)
		divide(x, 0, nr, &s, &shuffler, &f);
	if (f.nr)
		shuffler.lag1 = change_memory(x, nr, f.items, f.nr);
	/* What only memory made must go: once more, against orders that remember. */
	if (shuffler.lag1 > 0) {
		f.nr = 0;
		shuffler.path = x_calloc(nr, sizeof(*shuffler.path));
		divide(x, 0, nr, &s, &shuffler, &f);
		free(shuffler.path);
	}
	change_levels(x, nr, f.items, f.nr);
	*ret_nr = f.nr;
	return f.items;
}
