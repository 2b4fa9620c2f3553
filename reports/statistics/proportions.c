#include "reports/statistics/proportions.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"

enum { exact_most = 100, shares = 200, needed_most = 1000 };

static double share(const struct proportion *p)
{
	return (double)p->failed / (double)p->tried;
}

/* With half a failure more, so that none and all have a spread too. */
static double variance(const struct proportion *p)
{
	double s = ((double)p->failed + 0.5) / ((double)p->tried + 1);

	return s * (1 - s) / (double)p->tried;
}

static double quotient(const struct proportion *b, const struct proportion *c,
		       double margin)
{
	return (share(c) - share(b) - margin) / sqrt(variance(b) + variance(c));
}

/* P(X = k) for k = 0 .. n, at 0 <= p <= 1. */
static void binomial_weights(double *ret, size_t n, double p)
{
	double ways = 1;

	for (size_t k = 0; k <= n; k++) {
		ret[k] = ways * pow(p, (double)k) * pow(1 - p, (double)(n - k));
		ways *= (double)(n - k) / (double)(k + 1);
	}
}

/* For each count of the baseline, the least of the candidate that is as extreme. */
static size_t *extremes(const struct proportion *b, const struct proportion *c,
			double margin)
{
	size_t *ret = x_calloc(b->tried + 1, sizeof(*ret));
	double seen = quotient(b, c, margin) - 1e-9;

	for (size_t i = 0; i <= b->tried; i++) {
		struct proportion x = {i, b->tried}, y = {0, c->tried};

		while (y.failed <= c->tried && quotient(&x, &y, margin) < seen)
			y.failed++;
		ret[i] = y.failed;
	}
	return ret;
}

static double exact_p(const struct proportion *b, const struct proportion *c,
		      double margin)
{
	double *x = x_calloc(b->tried + 1, sizeof(*x)), most = 0;
	double *y = x_calloc(c->tried + 1, sizeof(*y));
	size_t *from = extremes(b, c, margin);

	for (int at = 0; at <= shares; at++) {
		double base = (1 - margin) * at / shares, p = 0;

		binomial_weights(x, b->tried, base);
		binomial_weights(y, c->tried, fmin(1, base + margin));
		for (size_t i = 0; i <= b->tried; i++)
			for (size_t k = from[i]; k <= c->tried; k++)
				p += x[i] * y[k];
		most = fmax(most, p);
	}
	free(x);
	free(y);
	free(from);
	return fmin(1, most);
}

double proportions_p(const struct proportion *b, const struct proportion *c,
		     double margin)
{
	double both = (double)(b->failed + c->failed);

	if (b->tried <= exact_most && c->tried <= exact_most)
		return exact_p(b, c, margin);
	if (margin > 0)
		return dist_normal_cdf(-quotient(b, c, margin));
	return 1 - dist_binomial_cdf((double)c->failed - 1, both,
				     (double)c->tried / (double)(b->tried + c->tried));
}

size_t proportions_needed(const struct proportion *b, const struct proportion *c,
			  double margin, double level)
{
	double base = share(b), candidate = share(c);
	size_t n = c->tried > b->tried ? c->tried : b->tried;

	if (candidate - base <= margin)
		return 0;
	for (n++; n <= needed_most; n += 1 + n / 10) {
		struct proportion x = {(size_t)lround(base * (double)n), n};
		struct proportion y = {(size_t)lround(candidate * (double)n), n};

		if (proportions_p(&x, &y, margin) <= level)
			return n;
	}
	return 0;
}
