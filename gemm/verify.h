/*
 * Is C right? Entries at places drawn from the seed (the four corners first) are compared
 * with an FP64 reference: alpha*dot + beta*c, repeated for as many products as C went
 * through since it was filled. What was timed is what is checked.
 *
 * The bound of an entry follows from the types and k. A sum of k products of independent
 * numbers of mean zero has partial sums of about sqrt(k * sum of squared products / k),
 * and independent roundings of unit u add up like a random walk, so with lambda = 8 the
 * error of one dot product stays below
 *	lambda * (u_sum * sqrt(k) + 2 u_input) * sqrt(squares) + 2 u_input * |dot|
 * (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J.
 * Sci. Comput. 41, 2019; their theorem fails with probability 2k exp(-lambda^2/2), under
 * 1e-9 here); scaling, adding and storing C add their units each time. It is tight enough
 * to tell FP32 from TF32: TF32's error is some ten times FP32's bound at k = 16384 and
 * more below. Integers must be exact.
 *
 * A few samples' dots are computed a second time from the seed alone, so that a wrong A
 * or B in the device's memory is found too.
 */
#ifndef TARE_GEMM_VERIFY_H
#define TARE_GEMM_VERIFY_H

#include "gemm/problem.h"

#define VERIFY_SAMPLES 256
#define VERIFY_FROM_SEED 16
#define VERIFY_LAMBDA 8.0

struct sample {
	int64_t row, column;
	/* In FP64, over the products of row and column: sum, sum of squares, of magnitudes. */
	double dot, squares, magnitudes;
	double value; /* what C holds */
};

struct verdict_of_c {
	int64_t samples, wrong;
	double worst; /* the largest error as a share of its bound */
	bool passed;
	char text[256]; /* a sentence with the numbers */
};

void verify_choose(const struct problem *p, struct sample *samples, int64_t nr);

void verify_judge(const struct problem *p, const struct sample *samples, int64_t nr,
		  int64_t products, struct verdict_of_c *ret);

#endif
