#include "reports/statistics/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"

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
