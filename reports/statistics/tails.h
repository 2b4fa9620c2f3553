/*
 * How much farther the end of a mean's interval lies where few values may not have shown
 * their tail. Student's t is right for a symmetric spread; rounds are not always so: noise
 * that only slows, or one round in ten that is slow by far. Such a sample shows too good a
 * mean and too little spread at once, and t then misses losses. Two corrections, of which
 * the wider counts:
 *
 * - Skewness (Johnson, J. Am. Stat. Assoc. 73, 1978): the end on the side of the longer
 *   tail moves outwards by g sd / (6 n) (1 + 2 t^2), g being the sample's skewness. From 8
 *   values on it is taken one and a half times, for g is too small in small samples.
 * - Values apart: k of n stand apart from the rest (find_outliers(), 5 deviations). The
 *   mean is then rest + share * severity, and the share is known as badly as k of n is:
 *   its end is that of Clopper and Pearson (Biometrika 26, 1934), combined with the rest's
 *   t interval by squares (MOVER: Zou and Donner, Stat. Med. 27, 2008). From 20 values on:
 *   with fewer, t is as wide by itself, and the correction would only cost power.
 *   The severity is what users wait: exp(distance) - 1, the extra time of such a round,
 *   not its logarithm, which makes little of a round that takes ten times as long.
 *
 * Nothing can be seen of a tail that never showed: n rounds hold none of the slow ones, a
 * share s of all, in (1 - s)^n of cases. tails_unseen() says which share that leaves open.
 * tests/bench/verdicts shows what the corrections are worth.
 */
#ifndef TARE_REPORTS_STATISTICS_TAILS_H
#define TARE_REPORTS_STATISTICS_TAILS_H

#include <stdbool.h>
#include <stddef.h>

struct tails {
	size_t nr;
	double sd, skewness;
	size_t apart[2];    /* values apart from the rest: below and above */
	double severity[2]; /* of those: mean of exp(distance from the rest's mean) - 1 */
	double mean, rest_mean, rest_error;
};

/* Of the logarithms of 'nr' ratios or values. */
void tails_init(struct tails *t, const double *logs, size_t nr);

/*
 * The distance from the mean to the end of its interval below (or above) it, at a one-sided
 * error of 'level', where the plain one is 'half'; never less.
 */
double tails_half(const struct tails *t, bool is_above, double half, double level);

/* A share of rounds so large would have shown at least once among 'nr' in 95 % of cases. */
double tails_unseen(size_t nr);

#endif
