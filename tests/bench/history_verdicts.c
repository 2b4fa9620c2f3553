/*
 * What 'tare history check' says of simulated series whose truth is known, by trend_judge()
 * on the change points that are found. Noise is normal around a level, with a correlation
 * of one value with the next ('memory'); the last values lose so many margins. Higher is
 * better, the margin is 3 %.
 *
 * Usage: history_verdicts [SERIES-A-CASE [SEED [changes|check]]]. Exit status 1
 * when a bound is exceeded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "reports/history/trend.h"

enum { values_most = 200, windows = 4, verdicts = VERDICT_INVALID + 1 };

static const double margin = 0.03;
static const size_t newest[windows] = {1, 3, 6, 12};

/* Sizes are in margins. */
struct world {
	size_t nr, lost; /* values, and how many at the end lose */
	double noise;
};

struct counts {
	double of[windows][verdicts], points, found;
};

static void simulate(double *x, const struct world *w, double memory, double loss,
		     struct rng *rng)
{
	double size = -log1p(-margin), z = rng_normal(rng);

	for (size_t i = 0; i < w->nr; i++) {
		x[i] = 100 *
		       exp(size * (w->noise * z - (i + w->lost >= w->nr ? loss : 0)));
		z = memory * z + sqrt(1 - memory * memory) * rng_normal(rng);
	}
}

static void one_series(const double *x, size_t nr, uint64_t seed, struct counts *ret)
{
	struct change_spec spec = {.seed = seed};
	size_t changes;
	struct change_point *c = change_points(x, nr, &spec, &changes);

	ret->points += (double)changes;
	ret->found += changes > 0;
	for (int k = 0; k < windows; k++) {
		struct trend_spec t = {METRIC_HIGHER, margin, newest[k]};
		struct trend trend;

		trend_judge(x, nr, c, changes, &t, &trend);
		ret->of[k][trend.verdict]++;
	}
	free(c);
}

/* Three standard errors of the share above the bound are chance. */
static bool is_at_most(double count, double series, double bound)
{
	return count / series <= bound + 3 * sqrt(bound * (1 - bound) / series);
}

/* From the margin on, at most 5 % equivalent; up to it, 2.5 % degraded (4 % with memory). */
static bool is_within(const struct counts *c, double memory, double loss, double series)
{
	bool ok = true;

	for (int k = 0; k < windows; k++) {
		if (loss >= 1)
			ok &= is_at_most(c->of[k][VERDICT_EQUIVALENT], series, 0.05);
		if (loss <= 1)
			ok &= is_at_most(c->of[k][VERDICT_DEGRADED], series,
					 memory > 0 ? 0.04 : 0.025);
	}
	return ok;
}

static bool one_case(const struct world *w, double memory, double loss, int series,
		     uint64_t seed)
{
	struct counts c = {0};
	double x[values_most];
	struct rng rng;
	bool ok;

	rng_init(&rng, seed);
	for (int i = 0; i < series; i++) {
		simulate(x, w, memory, loss, &rng);
		one_series(x, w->nr, seed, &c);
	}
	ok = is_within(&c, memory, loss, series);
	printf("%3zu of %3zu %5.2f %6.1f %5.1f %7.3f %6.3f ", w->lost, w->nr, w->noise,
	       memory, loss, c.points / series, c.found / series);
	for (int k = 0; k < windows; k++)
		printf("  %6.2f %6.2f", 100 * c.of[k][VERDICT_EQUIVALENT] / series,
		       100 * c.of[k][VERDICT_DEGRADED] / series);
	printf("   %s\n", ok ? "ok" : "over");
	fflush(stdout);
	return ok;
}

/* A step of 'step' deviations after two thirds, or none. */
static bool change_case(size_t nr, double memory, double step, int series, uint64_t seed)
{
	struct world w = {nr, nr / 3, 1};
	struct change_spec spec = {.seed = seed};
	double x[values_most], points = 0, found = 0;
	struct rng rng;
	bool ok = true;

	rng_init(&rng, seed + 1);
	for (int i = 0; i < series; i++) {
		size_t changes;

		simulate(x, &w, memory, step, &rng);
		free(change_points(x, nr, &spec, &changes));
		points += (double)changes;
		found += changes > 0;
	}
	if (step == 0)
		ok = is_at_most(points, series, memory > 0 ? 0.1 : 0.02);
	else if (memory == 0 && nr >= 40)
		ok = found / series >= 0.94;
	printf("change points in %3zu values, memory %.1f, step %.1f sd: %6.3f a series, "
	       "in %6.2f %%   %s\n",
	       nr, memory, step, points / series, 100 * found / series,
	       ok ? "ok" : "over");
	fflush(stdout);
	return ok;
}

static bool change_cases(int series, uint64_t seed)
{
	static const size_t lengths[] = {30, 40, 60, 100, 200};
	bool ok = true;

	for (size_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++)
		for (int memory = 0; memory < 2; memory++)
			for (int step = 0; step < 2; step++)
				ok &= change_case(lengths[n], 0.5 * memory, 2.0 * step,
						  series, seed);
	return ok;
}

static bool check_cases(int series, uint64_t seed)
{
	static const struct world worlds[] = {
		{40, 6, 1.0 / 3}, {60, 20, 1.0 / 3}, {40, 6, 1}, {60, 20, 1}};
	static const double losses[] = {0, 0.5, 1, 1.3, 2};
	bool ok = true;

	printf("# newest 1, 3, 6, 12: %% equivalent, %% degraded\n"
	       "# lost      noise memory  loss  points  found\n");
	for (size_t w = 0; w < sizeof(worlds) / sizeof(worlds[0]); w++)
		for (int memory = 0; memory < 2; memory++)
			for (int l = 0; l < 5; l++)
				ok &= one_case(&worlds[w], 0.5 * memory, losses[l],
					       series, seed);
	return ok;
}

int main(int argc, char **argv)
{
	int series = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *part = argc > 3 ? argv[3] : "";
	bool ok = true;

	printf("# %d series a case, seed %llu\n", series, (unsigned long long)seed);
	if (strcmp(part, "check") != 0)
		ok &= change_cases(series, seed);
	if (strcmp(part, "changes") != 0)
		ok &= check_cases(series, seed);
	return ok ? 0 : 1;
}
