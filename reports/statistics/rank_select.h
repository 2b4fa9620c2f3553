/*
 * The value of a rank among numbers in any order, without sorting or changing them. Many
 * numbers are counted by the upper bits of their representation first, so that only those
 * of one bin, few of all, need be looked at closer: the answer is exact.
 */
#ifndef TARE_REPORTS_STATISTICS_RANK_SELECT_H
#define TARE_REPORTS_STATISTICS_RANK_SELECT_H

#include <stddef.h>

/* The k-th smallest, from 0; nr > k. Finite numbers. */
double select_rank(const double *x, size_t nr, size_t k);

#endif
