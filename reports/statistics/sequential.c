#include "reports/statistics/sequential.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"

/* See the header. */
static const double early_share = 0.9, early_power = 5;

/*
 * The process of T = sum / sqrt(sum of squares), whose |T| is at most sqrt(n) and which
 * orders as Student's t does: t = T sqrt((n-1) / (n - T^2)). Without a difference the
 * direction of the rounds' vector is uniform on the sphere and independent of its length,
 * so T is a Markov chain. With T = sqrt(n) cos(angle) its density over the angle is
 * sin^(n-2), and given T after n+1 rounds the last round's share of the length is
 *
 *	w = T/(n+1) + sqrt((1 - T^2/(n+1)) n/(n+1)) sin(turn)
 *
 * with 'turn' of density cos^(n-2), and T after n rounds is (T - w) / sqrt(1 - w^2).
 */
enum { grid_points = 257, turn_points = 65, tail_points = 1025 };
static const double reach = 9; /* deviations of T that matter */

/* Of the paths with this T after n rounds, the part that has crossed at no look before. */
struct paths {
	double n;
	double first, step; /* angles of the grid */
	double part[grid_points];
};

static double simpson(int i, int points, double step)
{
	double w = i == 0 || i == points - 1 ? 1 : i % 2 ? 4 : 2;

	return w * step / 3;
}

static void lay_grid(struct paths *p, double n)
{
	p->n = n;
	p->first = fmax(0, M_PI / 2 - reach / sqrt(n));
	p->step = (M_PI - 2 * p->first) / (grid_points - 1);
}

/* Cubic between the points (Catmull and Rom), linear in the cells at both ends. */
static double part_at(const struct paths *p, double t)
{
	double angle = acos(fmax(-1, fmin(1, t / sqrt(p->n))));
	double at = fmax(0, fmin(grid_points - 1, (angle - p->first) / p->step));
	int i = (int)fmin(at, grid_points - 2);
	const double *v = p->part + i;
	double x = at - i;

	if (i == 0 || i == grid_points - 2)
		return v[0] + x * (v[1] - v[0]);
	return v[0] + x / 2 *
			      (v[1] - v[-1] +
			       x * (2 * v[-1] - 5 * v[0] + 4 * v[1] - v[2] +
				    x * (3 * (v[0] - v[1]) + v[2] - v[-1])));
}

/* The whole of the density cos^k over a half turn. */
static double half_turn(double k)
{
	return sqrt(M_PI) * exp(lgamma((k + 1) / 2) - lgamma(k / 2 + 1));
}

/* Turns between which T after n rounds was below 'boundary'; false: never. */
static bool turns_below(double centre, double radius, double t, double boundary,
			double *low, double *high)
{
	double root = 1 + boundary * boundary - t * t, w_low, w_high;

	if (root <= 0)
		return false;
	w_low = (t - boundary * sqrt(root)) / (1 + boundary * boundary);
	w_high = (t + boundary * sqrt(root)) / (1 + boundary * boundary);
	*low = asin(fmax(-1, fmin(1, (w_low - centre) / radius)));
	*high = w_high >= t ? M_PI / 2
			    : asin(fmax(-1, fmin(1, (w_high - centre) / radius)));
	return true;
}

/* That part for T = t after one round more, if crossing is at or above 'boundary'. */
static double part_after(const struct paths *p, double boundary, double t)
{
	double m = p->n + 1, centre = t / m, sum = 0, low, high, step;
	double radius = sqrt(fmax(0, 1 - t * t / m) * p->n / m);
	double wide = fmin(M_PI / 2, reach / sqrt(p->n));

	if (radius <= 0)
		return boundary < sqrt(p->n) ? 0 : 1;
	if (!turns_below(centre, radius, t, boundary, &low, &high))
		return 0;
	low = fmax(low, -wide);
	high = fmin(high, wide);
	if (high <= low)
		return 0;
	step = (high - low) / (turn_points - 1);
	for (int i = 0; i < turn_points; i++) {
		double turn = low + i * step, w = centre + radius * sin(turn);
		double before = (t - w) / sqrt(fmax(1e-300, 1 - w * w));

		sum += simpson(i, turn_points, step) * part_at(p, before) *
		       pow(fmax(0, cos(turn)), p->n - 2);
	}
	return fmin(1, sum / half_turn(p->n - 2));
}

static void advance(const struct paths *from, struct paths *to, double boundary)
{
	lay_grid(to, from->n + 1);
	for (int i = 0; i < grid_points; i++)
		to->part[i] = part_after(from, boundary,
					 sqrt(to->n) * cos(to->first + i * to->step));
}

/*
 * The boundary of T whose first crossing at this look has probability 'share': summed from
 * the far end inwards by trapezoids.
 */
static double boundary_for(const struct paths *p, double share)
{
	double step = (M_PI / 2 - p->first) / (tail_points - 1), sum = 0, before = 0;
	double whole = half_turn(p->n - 2);

	for (int i = 0; i < tail_points; i++) {
		double angle = p->first + i * step;
		double density = part_at(p, sqrt(p->n) * cos(angle)) *
				 pow(sin(angle), p->n - 2) / whole;
		double more = i ? (before + density) / 2 * step : 0;

		if (sum + more >= share && more > 0)
			return sqrt(p->n) *
			       cos(angle - step * (1 - (share - sum) / more));
		sum += more;
		before = density;
	}
	return 0;
}

/* The one-sided level of Student's t at this boundary of T. */
static double level_of(double boundary, double n)
{
	double rest = n - boundary * boundary;

	return rest > 0 ? dist_t_cdf(-boundary * sqrt((n - 1) / rest), n - 1) : 0;
}

/* Of 'alpha', what the looks up to n rounds may have spent. */
static double spent(const struct looks *l, double alpha, double n)
{
	double max = (double)l->max, target = fmin(2 * (double)l->min, max);
	double share = target < max ? early_share : 1;

	if (n <= target)
		return ALPHA_USED * alpha * share * pow(n / target, early_power);
	return ALPHA_USED * alpha * (share + (1 - share) * (n - target) / (max - target));
}

/* The levels of the first 'nr' looks; the only look's is all there is to spend. */
static void spend(const struct looks *l, double alpha, double *levels, size_t nr)
{
	struct paths *now = x_malloc(sizeof(*now)), *next = x_malloc(sizeof(*next));
	double before = 0;

	lay_grid(now, (double)l->min);
	for (int i = 0; i < grid_points; i++)
		now->part[i] = 1;
	for (size_t k = 0; k < nr; k++) {
		double total = spent(l, alpha, now->n);
		double b = boundary_for(now, total - before);
		struct paths *swap = now;

		levels[k] = k ? level_of(b, now->n) : total;
		before = total;
		if (k + 1 < nr)
			advance(now, next, b);
		now = next;
		next = swap;
	}
	free(now);
	free(next);
}

void looks_init(struct looks *l, int64_t min, int64_t max)
{
	*l = (struct looks){.min = min, .max = max, .nr = 1};
	if (min < 2 || max <= min) {
		l->equivalence[0] = ALPHA_USED * ALPHA_EQUIVALENCE;
		l->degraded[0] = ALPHA_USED * ALPHA_DEGRADED;
		return;
	}
	l->nr = (size_t)(max - min + 1);
	if (l->nr > LOOKS_MAX)
		l->nr = LOOKS_MAX;
	spend(l, ALPHA_EQUIVALENCE, l->equivalence, l->nr);
	spend(l, ALPHA_DEGRADED, l->degraded, l->nr);
}

/* Which look so many rounds are. */
static size_t look_of(const struct looks *l, int64_t rounds)
{
	size_t k = rounds > l->min ? (size_t)(rounds - l->min) : 0;

	return k < l->nr ? k : l->nr - 1;
}

void looks_levels(const struct looks *l, int64_t rounds, double *equivalence,
		  double *degraded)
{
	size_t k = look_of(l, rounds);

	*equivalence = l->equivalence[k];
	*degraded = l->degraded[k];
}

double looks_level(const struct looks *l, int64_t rounds, double alpha)
{
	size_t k = look_of(l, rounds);
	double *levels, level;

	if (l->nr == 1)
		return ALPHA_USED * alpha;
	levels = x_calloc(k + 1, sizeof(*levels));
	spend(l, alpha, levels, k + 1);
	level = levels[k];
	free(levels);
	return level;
}
