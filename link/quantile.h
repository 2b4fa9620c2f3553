/* Quantiles of a list of times, by nearest rank, where there are enough of them. */
#ifndef TARE_LINK_QUANTILE_H
#define TARE_LINK_QUANTILE_H

#include <stdint.h>

enum { QUANTILE_PARTS = 10, QUANTILE_BEYOND = 10 };

/*
 * The quantile (0 < q < 1) of each tenth of the 'nr' values, in order, into 'ret'
 * (QUANTILE_PARTS of them); of all together where a tenth has fewer than QUANTILE_BEYOND
 * values beyond it. How many were written: 10, 1 or 0. 'values' may be put in another order:
 * every tenth is sorted, and all of them where that is needed, so ask for the least quantile
 * first.
 */
int quantile_of_parts(double *values, int64_t nr, double q, double *ret);

#endif
