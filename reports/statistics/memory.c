#include "reports/statistics/memory.h"

#include <math.h>

#include "reports/statistics/distributions.h"

static const double figure_most = 0.9;

bool memory_seen(const double *x, size_t nr, struct memory *ret)
{
	double n = (double)nr, mean, lagged = 0, squares = 0, r, figure;

	if (nr < 6)
		return false;
	mean = stats_mean(x, nr);
	for (size_t i = 0; i < nr; i++) {
		squares += (x[i] - mean) * (x[i] - mean);
		if (i)
			lagged += (x[i] - mean) * (x[i - 1] - mean);
	}
	if (!(squares > 0))
		return false;
	r = lagged / squares;
	figure = (n * r + 1) / (n - 4);
	*ret = (struct memory){.nr = nr, .figure = fmax(0, fmin(figure_most, figure))};
	ret->p = dist_normal_cdf(-(r + 1 / n) * n * sqrt(n - 1) / (n - 2));
	return true;
}

/* The mean over row 'i' of the correlations between n rounds. */
static double row_mean(size_t i, size_t nr, double correlation)
{
	double sum = 0;

	for (size_t k = 0; k < nr; k++)
		sum += pow(correlation, fabs((double)i - (double)k));
	return sum / (double)nr;
}

/*
 * With R the correlations, Q the projection that takes the mean away and A = Q R Q: the
 * sum of squares has the expectation tr A and the variance 2 tr A^2, times the noise's.
 */
static void traces(size_t nr, double correlation, double *of_mean, double *trace,
		   double *square)
{
	double all = 0, rows = 0, entries = 0, n = (double)nr;

	for (size_t i = 0; i < nr; i++) {
		double row = row_mean(i, nr, correlation);

		all += row / n;
		rows += row * row;
		for (size_t k = 0; k < nr; k++)
			entries += pow(correlation, 2 * fabs((double)i - (double)k));
	}
	*of_mean = all;
	*trace = n - n * all;
	*square = entries - 2 * n * rows + n * n * all * all;
}

void memory_widen(struct log_ratio *r, double correlation)
{
	double of_mean, trace, square;

	if (!r->has_error)
		return;
	traces(r->n_baseline, correlation, &of_mean, &trace, &square);
	r->error = r->sd * sqrt(((double)r->n_baseline - 1) * of_mean / trace);
	r->df = trace * trace / square;
}
