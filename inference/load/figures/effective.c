#include "inference/load/figures/effective.h"

#include <math.h>

void effective_add(struct effective *e, double place, double value)
{
	int i = (int)(place * EFFECTIVE_BLOCKS);
	double away;

	if (i < 0 || i >= EFFECTIVE_BLOCKS)
		return;
	away = value - e->mean[i];
	e->nr[i]++;
	e->mean[i] += away / (double)e->nr[i];
	e->squares[i] += away * (value - e->mean[i]);
}

double effective_number(const struct effective *e)
{
	double n = 0, sizes = 0, mean = 0, within = 0, between = 0, blocks = 0, size;

	for (int i = 0; i < EFFECTIVE_BLOCKS; i++) {
		double nr = (double)e->nr[i];

		blocks += nr > 0;
		n += nr;
		sizes += nr * nr;
		mean += nr * e->mean[i];
		within += e->squares[i];
	}
	if (n < 2 * EFFECTIVE_BLOCKS || 2 * blocks < EFFECTIVE_BLOCKS)
		return NAN;
	mean /= n;
	for (int i = 0; i < EFFECTIVE_BLOCKS; i++)
		between += (double)e->nr[i] * (e->mean[i] - mean) * (e->mean[i] - mean);
	between /= blocks - 1; /* 'size' times the variance of a block's mean */
	within /= n - blocks;
	size = (n - sizes / n) / (blocks - 1);
	if (between <= within)
		return n;
	/* The variance of one request: within blocks, and what blocks differ by beside. */
	return n * (within + (between - within) / size) / between;
}
