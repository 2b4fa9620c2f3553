/*
 * The levels at which intervals are taken, and how rounds can be looked at one after the
 * other without raising the error rate: group-sequential levels by alpha spending.
 *
 * An eighth of each error rate is kept back, with one look as with many: a test that
 * spends 5 % errs in 5 % of cases only while its assumption (normal logs of rounds) holds
 * to the letter, and nothing is left for data that keep to it less well. So the two
 * one-sided tests are made at 4.375 %, the claim of a difference at 2.1875 % a side, and
 * the intervals hold at 90 % and 95 % at least.
 *
 * The rest the looks at n = min .. max rounds may spend as
 *
 *	n <= target:  0.9 * (n / target)^5             target = 2 * min, at most max
 *	n >  target:  0.9 + 0.1 * (n - target) / (max - target)
 *
 * that is, little while there are few rounds, most of it where a run with a usual noise is
 * decided, and a rest for the long ones (spending by power family: Lan and DeMets,
 * Biometrika 70, 1983; Kim and DeMets, Biometrika 74, 1987). Levels come from recursive
 * integration (Armitage, McPherson and Rowe, J. R. Stat. Soc. A 132, 1969) of the process
 * of Student's t itself, not of its normal limit, which few rounds are far from: exact for
 * normal logs (Jennison and Turnbull, Biometrika 78, 1991). tests/bench/verdicts shows
 * what the verdicts make of it.
 *
 * The intervals at these levels are repeated confidence intervals (Jennison and Turnbull,
 * J. R. Stat. Soc. B 51, 1989): they hold at all looks together, so stopping for any
 * reason leaves them true.
 */
#ifndef TARE_REPORTS_STATISTICS_SEQUENTIAL_H
#define TARE_REPORTS_STATISTICS_SEQUENTIAL_H

#include <stddef.h>
#include <stdint.h>

#define LOOKS_MAX 999
#define ALPHA_EQUIVALENCE 0.05 /* each of the two one-sided tests may err so often */
#define ALPHA_DEGRADED 0.025
#define ALPHA_USED 0.875 /* of each, what is spent */

struct looks {
	int64_t min, max; /* rounds at the first and the last look */
	size_t nr;
	double equivalence[LOOKS_MAX], degraded[LOOKS_MAX]; /* one-sided levels */
};

/*
 * min == max, or min 0: one look. 'min' is at least 2 otherwise. After LOOKS_MAX looks,
 * and above 'max' rounds, the last level holds.
 */
void looks_init(struct looks *l, int64_t min, int64_t max);

/* The levels at 'rounds' complete rounds; below 'min' those of the first look. */
void looks_levels(const struct looks *l, int64_t rounds, double *equivalence,
		  double *degraded);

/* The same for any error rate: of a claim that may take a part of ALPHA_DEGRADED only. */
double looks_level(const struct looks *l, int64_t rounds, double alpha);

#endif
