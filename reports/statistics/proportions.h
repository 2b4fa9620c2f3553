/*
 * Two shares of attempts that failed: is the candidate's larger than the baseline's by more
 * than is allowed? Counts are few (rounds) or many (requests).
 */
#ifndef TARE_REPORTS_STATISTICS_PROPORTIONS_H
#define TARE_REPORTS_STATISTICS_PROPORTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct proportion {
	size_t failed, tried;
};

/*
 * One-sided p of 'c' failing more often than 'b' by more than 'margin' (a difference of
 * shares, 0 or more). Both tried at least once.
 *
 * Up to 100 attempts a side: the exact unconditional test (Barnard, Biometrika 34, 1947;
 * with a margin: Chan, Stat. Med. 17, 1998). Tables are ordered by the difference over its
 * error, shares taken with half a failure more; p is the largest over the baseline's share.
 * Above: without a margin the conditional binomial test of two rare counts (Przyborowski
 * and Wilenski, Biometrika 31, 1940), with one the same quotient as a normal one.
 */
double proportions_p(const struct proportion *b, const struct proportion *c,
		     double margin);

/*
 * Attempts a side from which on such shares would be told apart at that level, if they
 * stay; 0: not up to 1000, or c's share is not beyond the margin.
 */
size_t proportions_needed(const struct proportion *b, const struct proportion *c,
			  double margin, double level);

#endif
