#include "reports/statistics/autocorrelation.h"

#include <math.h>

#include "reports/statistics/stats.h"

static const double lag1_max = 0.95;

double autocorrelation_around(const double *x, const size_t *ends, size_t levels)
{
	double beside = 0, squares = 0, nr, correction, lag1;

	for (size_t k = 0, i = 0; k < levels; k++) {
		double mean = stats_mean(x + i, ends[k] - i), before = 0;

		for (; i < ends[k]; i++) {
			double deviation = x[i] - mean;

			beside += before * deviation;
			squares += deviation * deviation;
			before = deviation;
		}
	}
	nr = levels ? (double)ends[levels - 1] : 0;
	if (nr < AUTOCORRELATION_VALUES_MIN || !(squares > 0))
		return 0;
	correction = (double)levels / nr;
	lag1 = (beside / squares + correction) / fmax(1 - 4 * correction, 0.5);
	return lag1 > 1 / sqrt(nr) ? fmin(lag1, lag1_max) : 0;
}

double autocorrelation_mean_variance(double lag1, size_t nr)
{
	double n = (double)nr, left = 1 - lag1;

	/* The sum in closed form. */
	return ((1 + lag1) / left - 2 * lag1 * (1 - pow(lag1, n)) / (n * left * left)) /
	       n;
}

double autocorrelation_mean_covariance(double lag1, size_t n, size_t m)
{
	double left = 1 - lag1;

	return lag1 * (1 - pow(lag1, (double)n)) * (1 - pow(lag1, (double)m)) /
	       (left * left * (double)n * (double)m);
}
