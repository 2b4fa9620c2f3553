#include "reports/statistics/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/rank_select.h"

/* Pairwise: the rounding error grows with log n, not with n. */
static double sum(const double *x, size_t nr)
{
	double s = 0;

	if (nr > 64)
		return sum(x, nr / 2) + sum(x + nr / 2, nr - nr / 2);
	for (size_t i = 0; i < nr; i++)
		s += x[i];
	return s;
}

/* The sum of finite values may not be finite; their mean is. */
double stats_mean(const double *x, size_t nr)
{
	double mean = sum(x, nr) / (double)nr;

	if (isfinite(mean))
		return mean;
	mean = 0;
	for (size_t i = 0; i < nr; i++)
		mean += x[i] / (double)nr;
	return mean;
}

static double square_sum(const double *x, size_t nr, double mean)
{
	double s = 0;

	if (nr > 64)
		return square_sum(x, nr / 2, mean) +
		       square_sum(x + nr / 2, nr - nr / 2, mean);
	for (size_t i = 0; i < nr; i++)
		s += (x[i] - mean) * (x[i] - mean);
	return s;
}

bool stats_sd(const double *x, size_t nr, double *ret)
{
	if (nr < 2)
		return false;
	*ret = sqrt(square_sum(x, nr, stats_mean(x, nr)) / (double)(nr - 1));
	return true;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void stats_sort(double *x, size_t nr)
{
	if (nr)
		qsort(x, nr, sizeof(*x), by_value);
}

static double *sorted_copy(const double *x, size_t nr)
{
	double *copy = x_realloc_array(NULL, nr, sizeof(*copy));

	memcpy(copy, x, nr * sizeof(*copy));
	stats_sort(copy, nr);
	return copy;
}

static double sorted_median(const double *x, size_t nr)
{
	return nr % 2 ? x[nr / 2] : x[nr / 2 - 1] + (x[nr / 2] - x[nr / 2 - 1]) / 2;
}

bool stats_median(const double *x, size_t nr, double *ret)
{
	double *copy;

	if (!nr)
		return false;
	copy = sorted_copy(x, nr);
	*ret = sorted_median(copy, nr);
	free(copy);
	return true;
}

bool stats_mad(const double *x, size_t nr, double *ret)
{
	double *away, middle;

	if (nr < 2 || !stats_median(x, nr, &middle))
		return false;
	away = x_realloc_array(NULL, nr, sizeof(*away));
	for (size_t i = 0; i < nr; i++)
		away[i] = fabs(x[i] - middle);
	stats_sort(away, nr);
	*ret = 1.4826 * sorted_median(away, nr);
	free(away);
	return true;
}

size_t stats_quantile_min(double q)
{
	double tail = q < 0.5 ? q : 1 - q;
	size_t low = 1, high = 2;

	while (dist_binomial_cdf(1, (double)high, tail) > 0.01)
		high *= 2;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (dist_binomial_cdf(1, (double)middle, tail) > 0.01)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* 0.95 * 1000 is 950.0000000000001 in some expressions: rounding must not add a rank. */
size_t stats_rank(size_t nr, double q)
{
	size_t rank = (size_t)ceil(q * (double)nr - 1e-9);

	return rank ? rank - 1 : 0;
}

bool stats_quantile_of(const double *x, size_t nr, double q, double *ret)
{
	if (nr < stats_quantile_min(q))
		return false;
	*ret = select_rank(x, nr, stats_rank(nr, q));
	return true;
}

double stats_rank_of(const double *x, size_t nr, double q)
{
	return select_rank(x, nr, stats_rank(nr, q));
}

static bool logs(const double *x, size_t nr, double **ret)
{
	double *l;

	for (size_t i = 0; i < nr; i++)
		if (!(x[i] > 0) || !isfinite(x[i]))
			return false;
	l = x_realloc_array(NULL, nr ? nr : 1, sizeof(*l));
	for (size_t i = 0; i < nr; i++)
		l[i] = log(x[i]);
	*ret = l;
	return true;
}

bool log_ratio_paired(const double *baseline, const double *candidate, size_t nr,
		      struct log_ratio *ret)
{
	double *b = NULL, *c = NULL;
	bool fine = nr && logs(baseline, nr, &b) && logs(candidate, nr, &c);

	if (fine) {
		for (size_t i = 0; i < nr; i++)
			c[i] -= b[i];
		*ret = (struct log_ratio){
			.n_baseline = nr, .n_candidate = nr, .is_paired = true};
		ret->mean = stats_mean(c, nr);
		ret->has_error = stats_sd(c, nr, &ret->sd);
		ret->error = ret->sd / sqrt((double)nr);
		ret->df = (double)nr - 1;
	}
	free(b);
	free(c);
	return fine;
}

/* Satterthwaite's quotient; without any spread it is 0/0. */
static double satterthwaite(double vb, double df_b, double vc, double df_c)
{
	if (vb + vc <= 0)
		return df_b + df_c;
	return (vb + vc) * (vb + vc) / (vb * vb / df_b + vc * vc / df_c);
}

static double cautious(double vb, double df_b, double vc, double df_c)
{
	double seen = satterthwaite(vb, df_b, vc, df_c);

	if (df_b < 2 || df_c < 2)
		return 1;
	return fmin(seen, fmin(satterthwaite(4 * vb, df_b, vc, df_c),
			       satterthwaite(vb, df_b, 4 * vc, df_c)));
}

bool log_ratio_unpaired(const double *baseline, size_t nr_baseline,
			const double *candidate, size_t nr_candidate,
			struct log_ratio *ret)
{
	double *b = NULL, *c = NULL, sd_b, sd_c;
	bool fine = nr_baseline && nr_candidate && logs(baseline, nr_baseline, &b) &&
		    logs(candidate, nr_candidate, &c);

	if (fine) {
		*ret = (struct log_ratio){.n_baseline = nr_baseline,
					  .n_candidate = nr_candidate};
		ret->mean = stats_mean(c, nr_candidate) - stats_mean(b, nr_baseline);
		ret->has_error = stats_sd(b, nr_baseline, &sd_b) &&
				 stats_sd(c, nr_candidate, &sd_c);
	}
	if (fine && ret->has_error) {
		double vb = sd_b * sd_b / (double)nr_baseline;
		double vc = sd_c * sd_c / (double)nr_candidate;

		ret->sd = sqrt(sd_b * sd_b + sd_c * sd_c);
		ret->df_share = satterthwaite(sd_b * sd_b, 1, sd_c * sd_c, 1);
		ret->error = sqrt(vb + vc);
		ret->df = satterthwaite(vb, (double)nr_baseline - 1, vc,
					(double)nr_candidate - 1);
		ret->cautious_df = cautious(vb, (double)nr_baseline - 1, vc,
					    (double)nr_candidate - 1);
	}
	free(b);
	free(c);
	return fine;
}

struct interval log_ratio_interval(const struct log_ratio *r, double level)
{
	double half = dist_t_quantile(0.5 + level / 2, r->df) * r->error;

	return (struct interval){.low = exp(r->mean - half), .high = exp(r->mean + half)};
}

struct interval margin_band(double margin)
{
	return (struct interval){.low = 1 - margin, .high = 1 / (1 - margin)};
}

/* Power of n rounds with these quantiles of the two tests. */
static double power_with(double n, const struct log_ratio *r, const struct needed_spec *s,
			 double equivalence, double degraded)
{
	double error = r->sd / sqrt(n), d = -log1p(-s->margin), m = fabs(r->mean);

	if (m < d)
		return dist_normal_cdf((d - m) / error - equivalence) +
		       dist_normal_cdf((d + m) / error - equivalence) - 1;
	return dist_normal_cdf((m - d) / error - degraded);
}

static double power_at(double n, const struct log_ratio *r, const struct needed_spec *s)
{
	double share = r->is_paired ? 1 : r->df_share > 0 ? r->df_share : 2;
	double df = share * (n - 1);
	bool is_inside = fabs(r->mean) < -log1p(-s->margin);

	return power_with(n, r, s,
			  is_inside ? dist_t_quantile(1 - s->alpha_equivalence, df) : 0,
			  is_inside ? 0 : dist_t_quantile(1 - s->alpha_degraded, df));
}

enum { needed_max = 1000 };

/* With normal quantiles, which are smaller than Student's: never too many. */
static size_t needed_at_least(const struct log_ratio *r, const struct needed_spec *spec)
{
	double equivalence = dist_normal_quantile(1 - spec->alpha_equivalence);
	double degraded = dist_normal_quantile(1 - spec->alpha_degraded);
	size_t low = 1, high = needed_max;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (power_with((double)middle, r, spec, equivalence, degraded) <
		    spec->power)
			low = middle;
		else
			high = middle;
	}
	return high;
}

size_t stats_needed_n(const struct log_ratio *r, const struct needed_spec *spec)
{
	if (!r->has_error)
		return 0;
	if (r->sd <= 0)
		return 2;
	/* Student's quantiles add a few rounds to that. */
	for (size_t n = needed_at_least(r, spec); n <= needed_max; n++)
		if (power_at((double)n, r, spec) >= spec->power)
			return n;
	return 0;
}

double stats_detectable(const struct log_ratio *r, const struct needed_spec *spec)
{
	double t = dist_t_quantile(1 - spec->alpha_degraded, r->df);

	return -log1p(-spec->margin) + r->error * (t + dist_normal_quantile(spec->power));
}

double stats_smallest_margin(const struct log_ratio *r, const struct needed_spec *spec)
{
	/* No difference: both tests must pass, each with half of what may be missed. */
	double t = dist_t_quantile(1 - spec->alpha_equivalence, r->df);

	return -expm1(-r->error * (t + dist_normal_quantile((1 + spec->power) / 2)));
}
