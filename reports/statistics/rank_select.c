#include "reports/statistics/rank_select.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

enum { bins = 4096, counted_min = 2048 };

static double middle_of_three(double a, double b, double c)
{
	double low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

/* Hoare's selection (Algorithm 65, CACM 4, 1961), the median of three as the pivot. */
static double select_at(double *x, size_t nr, size_t k)
{
	size_t low = 0, high = nr - 1;

	while (low < high) {
		double pivot =
			middle_of_three(x[low], x[low + (high - low) / 2], x[high]);
		size_t i = low, j = high;

		for (;;) {
			double swap;

			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = x[i];
			x[i++] = x[j];
			x[j--] = swap;
		}
		/* Everything up to 'j' is at most the pivot, everything from j + 1 at least. */
		if (j == high)
			j--;
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return x[k];
}

/* A whole number in the order of the doubles, negative ones included. */
static uint64_t key_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* How far keys are shifted so that those from 'least' to 'most' fall into the bins. */
static unsigned shift_for(uint64_t least, uint64_t most)
{
	unsigned shift = 0;

	while ((most - least) >> shift >= bins)
		shift++;
	return shift;
}

static double select_copied(const double *x, size_t nr, size_t k)
{
	double *copy = x_realloc_array(NULL, nr, sizeof(*copy)), value;

	memcpy(copy, x, nr * sizeof(*copy));
	value = select_at(copy, nr, k);
	free(copy);
	return value;
}

double select_rank(const double *x, size_t nr, size_t k)
{
	uint64_t least = UINT64_MAX, most = 0;
	size_t counts[bins] = {0}, before = 0, bin = 0, found = 0;
	double *part, value;
	unsigned shift;

	if (nr < counted_min)
		return select_copied(x, nr, k);
	for (size_t i = 0; i < nr; i++) {
		uint64_t key = key_of(x[i]);

		least = key < least ? key : least;
		most = key > most ? key : most;
	}
	shift = shift_for(least, most);
	for (size_t i = 0; i < nr; i++)
		counts[(key_of(x[i]) - least) >> shift]++;
	while (before + counts[bin] <= k)
		before += counts[bin++];
	part = x_realloc_array(NULL, counts[bin], sizeof(*part));
	for (size_t i = 0; i < nr; i++)
		if ((key_of(x[i]) - least) >> shift == bin)
			part[found++] = x[i];
	value = select_at(part, found, k - before);
	free(part);
	return value;
}
