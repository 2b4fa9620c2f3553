#include "reports/statistics/distributions.h"

#include <float.h>
#include <math.h>

/* The continued fraction of I_x(a, b), for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), h;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (int m = 1; m <= 10000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		h *= d * c;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		step = d * c;
		h *= step;
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return h;
}

/* lgamma() keeps its sign in a global; all arguments here are positive. */
static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* I_x(a, b), a and b > 0. */
static double beta_cdf(double x, double a, double b)
{
	double front;

	if (!(x > 0))
		return 0;
	if (x >= 1)
		return 1;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) +
		    b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(1 - x, b, a) / b;
}

/* P(T < -|t|): the tail itself, so that small ones keep their digits. */
static double t_tail(double t, double df)
{
	double t2 = t * t;

	if (isinf(t))
		return 0;
	if (t2 < df) /* x near 1: take the complement, which is small */
		return 0.5 - 0.5 * beta_cdf(t2 / (df + t2), 0.5, df / 2);
	return 0.5 * beta_cdf(df / (df + t2), df / 2, 0.5);
}

double dist_t_cdf(double t, double df)
{
	double tail = t_tail(t, df);

	return t < 0 ? tail : 1 - tail;
}

/* A tail probability that falls with x >= 0, and minus its slope there. */
struct tail {
	double df; /* INFINITY: the normal */
	double log_scale;
};

static double tail_at(const struct tail *t, double x)
{
	return isinf(t->df) ? 0.5 * erfc(x / sqrt(2)) : t_tail(x, t->df);
}

static double density_at(const struct tail *t, double x)
{
	if (isinf(t->df))
		return exp(t->log_scale - x * x / 2);
	return exp(t->log_scale - (t->df + 1) / 2 * log1p(x * x / t->df));
}

/* Newton's steps from 'x' on, and bisection wherever one would leave the bracket. */
static double tail_inverse(const struct tail *t, double p, double x)
{
	double low = 0, high = 2 * x + 1;

	while (tail_at(t, high) > p && high < 1e150) {
		low = high;
		high *= 2;
	}
	for (int i = 0; i < 200; i++) {
		double excess = tail_at(t, x) - p, next;

		if (excess > 0)
			low = x;
		else
			high = x;
		next = x + excess / density_at(t, x);
		if (!(next > low && next < high))
			next = low + (high - low) / 2;
		if (fabs(next - x) <= 4 * DBL_EPSILON * x)
			return next;
		x = next;
	}
	return x;
}

/* To 4.5e-4: Abramowitz and Stegun, 26.2.23; 0 < p < 0.5. */
static double normal_guess(double p)
{
	double t = sqrt(-2 * log(p));

	return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
			   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* Exact for one and two degrees of freedom; else Abramowitz and Stegun, 26.7.5. */
static double t_guess(double p, double df)
{
	double z = normal_guess(p), zz = z * z;

	if (df < 1.5)
		return 1 / tan(M_PI * p);
	if (df < 2.5)
		return (1 - 2 * p) / sqrt(2 * p * (1 - p));
	return z * (1 + (zz + 1) / (4 * df) + ((5 * zz + 16) * zz + 3) / (96 * df * df) +
		    (((3 * zz + 19) * zz + 17) * zz - 15) / (384 * df * df * df));
}

double dist_t_quantile(double p, double df)
{
	struct tail t = {.df = df};
	double x, tail = p < 0.5 ? p : 1 - p;

	if (p == 0.5)
		return 0;
	t.log_scale = log_gamma((df + 1) / 2) - log_gamma(df / 2) - log(df * M_PI) / 2;
	x = tail_inverse(&t, tail, fmax(t_guess(tail, df), 1e-300));
	return p < 0.5 ? -x : x;
}

double dist_normal_cdf(double z)
{
	return 0.5 * erfc(-z / sqrt(2));
}

double dist_normal_quantile(double p)
{
	struct tail t = {.df = INFINITY, .log_scale = -log(2 * M_PI) / 2};
	double x, tail = p < 0.5 ? p : 1 - p;

	if (p == 0.5)
		return 0;
	x = tail_inverse(&t, tail, fmax(normal_guess(tail), 1e-300));
	return p < 0.5 ? -x : x;
}

double dist_binomial_cdf(double k, double n, double p)
{
	if (k < 0)
		return 0;
	if (k >= n)
		return 1;
	return beta_cdf(1 - p, n - floor(k), floor(k) + 1);
}
