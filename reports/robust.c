#include "reports/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "reports/dist.h"

/* All pairwise averages, each with itself too, in order; *ret_nr of them. */
static double *walsh_averages(const double *x, size_t nr, size_t *ret_nr)
{
	double *w = x_realloc_array(NULL, nr * (nr + 1) / 2, sizeof(*w));
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		for (size_t k = i; k < nr; k++)
			w[n++] = (x[i] + x[k]) / 2;
	stats_sort(w, n);
	*ret_nr = n;
	return w;
}

double hodges_lehmann(const double *x, size_t nr)
{
	size_t n;
	double *w = walsh_averages(x, nr, &n), centre;

	centre = n % 2 ? w[n / 2] : (w[n / 2 - 1] + w[n / 2]) / 2;
	free(w);
	return centre;
}

/* The largest k with P(signed rank sum < k) <= tail, counting subsets of 1..nr. */
static size_t rank_cut_exact(size_t nr, double tail)
{
	size_t most = nr * (nr + 1) / 2, k = 0;
	double *ways = x_calloc(most + 1, sizeof(*ways)), sum = 0;
	double total = ldexp(1, (int)nr);

	ways[0] = 1;
	for (size_t r = 1; r <= nr; r++)
		for (size_t s = most; s >= r; s--)
			ways[s] += ways[s - r];
	while (k <= most && (sum + ways[k]) / total <= tail)
		sum += ways[k++];
	free(ways);
	return k;
}

static size_t rank_cut(size_t nr, double tail)
{
	double n = (double)nr, mean = n * (n + 1) / 4, cut;
	double sd = sqrt(n * (n + 1) * (2 * n + 1) / 24);

	if (nr <= 50)
		return rank_cut_exact(nr, tail);
	cut = floor(mean + dist_normal_quantile(tail) * sd - 0.5) + 1;
	return cut > 0 ? (size_t)cut : 0;
}

bool signed_rank_interval(const double *x, size_t nr, double tail, struct interval *ret)
{
	size_t k = nr ? rank_cut(nr, tail) : 0, n;
	double *w;

	if (!k)
		return false;
	w = walsh_averages(x, nr, &n);
	ret->low = w[k - 1];
	ret->high = w[n - k];
	free(w);
	return true;
}

size_t find_outliers(const double *x, size_t nr, double limit, bool *flags)
{
	double middle, mad;
	size_t found = 0;

	memset(flags, 0, nr * sizeof(*flags));
	if (nr < 5 || !stats_median(x, nr, &middle) || !stats_mad(x, nr, &mad) ||
	    mad <= 0)
		return 0;
	for (size_t i = 0; i < nr; i++) {
		flags[i] = fabs(x[i] - middle) > limit * mad;
		found += flags[i];
	}
	return found;
}

bool find_drift(const double *x, size_t nr, struct drift *ret)
{
	double centre = ((double)nr - 1) / 2, sxx = 0, sxy = 0, mean = 0, residual = 0, t;

	if (nr < 5)
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (!(x[i] > 0))
			return false;
		mean += log(x[i]) / (double)nr;
	}
	for (size_t i = 0; i < nr; i++) {
		double d = (double)i - centre;

		sxx += d * d;
		sxy += d * (log(x[i]) - mean);
	}
	for (size_t i = 0; i < nr; i++) {
		double e = log(x[i]) - mean - sxy / sxx * ((double)i - centre);

		residual += e * e;
	}
	ret->per_round = expm1(sxy / sxx);
	if (residual <= 0) {
		ret->p = sxy == 0 ? 1 : 0;
		return true;
	}
	t = sxy / sxx / sqrt(residual / (double)(nr - 2) / sxx);
	ret->p = 2 * dist_t_cdf(-fabs(t), (double)(nr - 2));
	return true;
}

/* The q-quantile of some rounds' samples pooled; false where it does not exist. */
static bool pooled_quantile(const struct round_samples *rounds, const size_t *chosen,
			    size_t nr, double q, double *room, double *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct round_samples *r = &rounds[chosen[i]];

		memcpy(room + n, r->x, r->nr * sizeof(*room));
		n += r->nr;
	}
	stats_sort(room, n);
	return stats_quantile(room, n, q, ret);
}

static size_t largest(const struct round_samples *r, size_t nr)
{
	size_t most = 0;

	for (size_t i = 0; i < nr; i++)
		most = r[i].nr > most ? r[i].nr : most;
	return most;
}

struct bootstrap {
	const struct round_samples *sides[2];
	size_t nr[2], *chosen[2];
	double *room;
};

static bool one_ratio(const struct bootstrap *b, double q, double *ret)
{
	double v[2];

	for (int i = 0; i < 2; i++)
		if (!pooled_quantile(b->sides[i], b->chosen[i], b->nr[i], q, b->room,
				     &v[i]))
			return false;
	*ret = v[1] / v[0];
	return v[0] > 0 && v[1] > 0;
}

static void choose(const struct bootstrap *b, bool is_paired, struct rng *rng)
{
	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < b->nr[s]; i++)
			b->chosen[s][i] = s && is_paired ? b->chosen[0][i]
							 : rng_below(rng, b->nr[s]);
}

static bool resample(const struct bootstrap *b, const struct bootstrap_spec *spec,
		     struct interval *ret)
{
	double *ratios = x_calloc(spec->repeats, sizeof(*ratios));
	double tail = (1 - spec->level) / 2 * (double)(spec->repeats + 1);
	size_t n = 0, k = (size_t)tail;
	struct rng rng;

	rng_init(&rng, spec->seed);
	for (size_t i = 0; i < spec->repeats; i++) {
		choose(b, spec->is_paired, &rng);
		n += one_ratio(b, spec->q, &ratios[n]);
	}
	stats_sort(ratios, n);
	if (k && n == spec->repeats) {
		ret->low = ratios[k - 1];
		ret->high = ratios[n - k];
	}
	free(ratios);
	return k && n == spec->repeats;
}

bool bootstrap_quantile_ratio(const struct round_samples *baseline, size_t nr_baseline,
			      const struct round_samples *candidate, size_t nr_candidate,
			      const struct bootstrap_spec *spec, double *ret_ratio,
			      struct interval *ret)
{
	struct bootstrap b = {.sides = {baseline, candidate},
			      .nr = {nr_baseline, nr_candidate}};
	size_t room;
	bool done;

	if (nr_baseline < 3 || nr_candidate < 3 ||
	    (spec->is_paired && nr_baseline != nr_candidate))
		return false;
	room = nr_baseline * largest(baseline, nr_baseline);
	if (nr_candidate * largest(candidate, nr_candidate) > room)
		room = nr_candidate * largest(candidate, nr_candidate);
	b.room = x_calloc(room + 1, sizeof(*b.room));
	for (int s = 0; s < 2; s++) {
		b.chosen[s] = x_calloc(b.nr[s], sizeof(*b.chosen[s]));
		for (size_t i = 0; i < b.nr[s]; i++)
			b.chosen[s][i] = i;
	}
	done = one_ratio(&b, spec->q, ret_ratio) && resample(&b, spec, ret);
	free(b.room);
	free(b.chosen[0]);
	free(b.chosen[1]);
	return done;
}
