#include "reports/plot/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/stats.h"

const double curve_points[CURVE_POINTS] = {0.01, 0.02, 0.05, 0.1,  0.15, 0.2,   0.25,
					   0.3,  0.4,  0.5,  0.6,  0.7,  0.75,  0.8,
					   0.85, 0.9,  0.95, 0.98, 0.99, 0.999, 0.9999};

/* 2^10 bins a doubling; up to 2^12 doublings, which times do not reach. */
enum { bin_bits = 42, bins_max = 1 << 22, sorted_max = 20000 };

static bool is_supported(double p, size_t nr)
{
	return nr >= stats_quantile_min(p < 0.5 ? 1 - p : p);
}

static uint64_t bin_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits >> bin_bits;
}

static double lower_edge(uint64_t bin)
{
	uint64_t bits = bin << bin_bits;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Positive doubles are in the order of their bits. False where there are others. */
static bool by_histogram(struct curve *c, const double *x, size_t nr)
{
	uint64_t first = UINT64_MAX, last = 0, before = 0;
	uint64_t *counts, bin;

	for (size_t i = 0; i < nr; i++) {
		if (!(x[i] > 0))
			return false;
		bin = bin_of(x[i]);
		first = bin < first ? bin : first;
		last = bin > last ? bin : last;
	}
	if (last - first >= bins_max)
		return false;
	counts = x_calloc(last - first + 1, sizeof(*counts));
	for (size_t i = 0; i < nr; i++)
		counts[bin_of(x[i]) - first]++;
	bin = 0;
	for (size_t k = 0; k < CURVE_POINTS; k++) {
		double rank = curve_points[k] * (double)nr, within;

		while ((double)(before + counts[bin]) < rank && first + bin < last)
			before += counts[bin++];
		within = counts[bin] ? (rank - (double)before) / (double)counts[bin] : 0;
		c->at[k] =
			lower_edge(first + bin) +
			within * (lower_edge(first + bin + 1) - lower_edge(first + bin));
	}
	free(counts);
	return true;
}

static void by_sorting(struct curve *c, const double *x, size_t nr)
{
	double *copy = x_realloc_array(NULL, nr, sizeof(*copy));

	memcpy(copy, x, nr * sizeof(*copy));
	stats_sort(copy, nr);
	for (size_t k = 0; k < CURVE_POINTS; k++) {
		size_t rank = (size_t)ceil(curve_points[k] * (double)nr);

		c->at[k] = copy[rank ? rank - 1 : 0];
	}
	free(copy);
}

void curve_of_samples(struct curve *c, const double *x, size_t nr)
{
	*c = (struct curve){.nr = nr, .mean = nr ? stats_mean(x, nr) : NAN};
	if (nr && (nr <= sorted_max || !by_histogram(c, x, nr)))
		by_sorting(c, x, nr);
	for (size_t k = 0; k < CURVE_POINTS; k++)
		if (!is_supported(curve_points[k], nr))
			c->at[k] = NAN;
}

bool curve_of_json(struct curve *c, struct json_object *d)
{
	int64_t nr = json_get_int(d, "n", 0);

	*c = (struct curve){.nr = nr > 0 ? (uint64_t)nr : 0,
			    .mean = json_get_real(d, "mean_s", NAN)};
	for (size_t k = 0; k < CURVE_POINTS; k++) {
		char key[16];

		snprintf(key, sizeof(key), "p%g_s", curve_points[k] * 100);
		c->at[k] = is_supported(curve_points[k], c->nr)
				   ? json_get_real(d, key, NAN)
				   : NAN;
	}
	return c->nr > 0;
}

void curves_add(struct curves *c, const struct curve *round)
{
	double n = (double)c->rounds;

	for (size_t k = 0; k < CURVE_POINTS; k++) {
		double v = round->at[k];

		c->mean[k] = c->rounds ? (c->mean[k] * n + v) / (n + 1) : v;
		c->low[k] = c->rounds ? fmin(c->low[k], v) : v;
		c->high[k] = c->rounds ? fmax(c->high[k], v) : v;
		/* One round without it: none, for a mean of the others is another thing. */
		if (isnan(c->mean[k]))
			c->low[k] = c->high[k] = NAN;
	}
	c->average = c->rounds ? (c->average * n + round->mean) / (n + 1) : round->mean;
	c->rounds++;
	c->nr += round->nr;
}

double curves_at(const struct curves *c, double p)
{
	for (size_t k = 0; k < CURVE_POINTS; k++)
		if (fabs(curve_points[k] - p) < 1e-9)
			return c->rounds ? c->mean[k] : NAN;
	return NAN;
}
