#include "reports/statistics/tails.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/robust.h"
#include "reports/statistics/stats.h"

/* See the header. */
static const size_t full_skewness_least = 8, apart_least = 20;

static double skewness(const double *x, size_t nr, double mean, double sd)
{
	double sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += pow((x[i] - mean) / sd, 3);
	return sum / (double)nr;
}

/* What lies apart on either side, and the mean and error of the rest. */
static void split(struct tails *t, const double *x, const bool *is_apart)
{
	double *rest = x_calloc(t->nr, sizeof(*rest)), sd = 0;
	size_t nr = 0;

	for (size_t i = 0; i < t->nr; i++)
		if (!is_apart[i])
			rest[nr++] = x[i];
	t->rest_mean = stats_mean(rest, nr);
	stats_sd(rest, nr, &sd);
	t->rest_error = sd / sqrt((double)nr);
	for (size_t i = 0; i < t->nr; i++) {
		bool is_above = x[i] > t->rest_mean;

		if (!is_apart[i])
			continue;
		t->apart[is_above]++;
		t->severity[is_above] += expm1(fabs(x[i] - t->rest_mean));
	}
	for (int side = 0; side < 2; side++)
		if (t->apart[side])
			t->severity[side] /= (double)t->apart[side];
	free(rest);
}

void tails_init(struct tails *t, const double *logs, size_t nr)
{
	bool *is_apart = x_calloc(nr + 1, sizeof(*is_apart));

	*t = (struct tails){.nr = nr, .mean = stats_mean(logs, nr)};
	if (stats_sd(logs, nr, &t->sd) && t->sd > 0)
		t->skewness = skewness(logs, nr, t->mean, t->sd);
	if (nr >= apart_least && find_outliers(logs, nr, OUTLIER_LIMIT, is_apart))
		split(t, logs, is_apart);
	free(is_apart);
}

/* Clopper and Pearson: the share of which k or fewer of n show in 'level' of cases. */
static double share_at_most(size_t k, size_t n, double level)
{
	double low = (double)k / (double)n, high = 1;

	for (int i = 0; i < 60; i++) {
		double middle = low + (high - low) / 2;

		if (dist_binomial_cdf((double)k, (double)n, middle) > level)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static double skewed_half(const struct tails *t, bool is_above, double half, double level)
{
	double towards = is_above ? t->skewness : -t->skewness, n = (double)t->nr;
	double weight = t->nr >= full_skewness_least ? 1.5 : 1, q;

	if (towards <= 0)
		return half;
	q = dist_t_quantile(1 - level, n - 1);
	return half + weight * towards * t->sd / (6 * n) * (1 + 2 * q * q);
}

static double apart_half(const struct tails *t, bool is_above, double level)
{
	size_t k = t->apart[is_above], rest = t->nr - t->apart[0] - t->apart[1];
	double severity = t->severity[is_above], at, end, q;

	if (!k)
		return 0;
	at = log1p((double)k / (double)t->nr * severity);
	end = log1p(share_at_most(k, t->nr, level) * severity);
	q = dist_t_quantile(1 - level, (double)rest - 1) * t->rest_error;
	return (is_above ? t->rest_mean - t->mean : t->mean - t->rest_mean) + at +
	       hypot(q, end - at);
}

double tails_half(const struct tails *t, bool is_above, double half, double level)
{
	return fmax(skewed_half(t, is_above, half, level),
		    apart_half(t, is_above, level));
}

double tails_unseen(size_t nr)
{
	return 1 - pow(0.05, 1 / (double)nr);
}
