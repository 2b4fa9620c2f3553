#include "link/quantile.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int has_enough(int64_t nr, double q)
{
	return (double)nr * (1 - q) >= QUANTILE_BEYOND - 1e-6;
}

static double nearest_rank(double *values, int64_t nr, double q)
{
	int64_t rank = (int64_t)ceil(q * (double)nr - 1e-9);

	qsort(values, (size_t)nr, sizeof(*values), ascending);
	return values[rank > 0 ? rank - 1 : 0];
}

int quantile_of_parts(double *values, int64_t nr, double q, double *ret)
{
	int64_t part = nr / QUANTILE_PARTS;

	if (has_enough(part, q)) {
		for (int i = 0; i < QUANTILE_PARTS; i++)
			ret[i] = nearest_rank(values + i * part, part, q);
		return QUANTILE_PARTS;
	}
	if (!has_enough(nr, q))
		return 0;
	ret[0] = nearest_rank(values, nr, q);
	return 1;
}
