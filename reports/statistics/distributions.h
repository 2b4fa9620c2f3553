/*
 * The distributions that the statistics need, as functions of the C library and nothing
 * else. Accurate to about 1e-12 relative in the range that is used; tests hold them to
 * SciPy's figures.
 *
 * Incomplete beta: continued fraction by modified Lentz (Thompson and Barnett, J. Comput.
 * Phys. 64, 1986; DLMF 8.17.22). Quantiles: Newton's steps on the tail inside a bracket.
 */
#ifndef TARE_REPORTS_STATISTICS_DISTRIBUTIONS_H
#define TARE_REPORTS_STATISTICS_DISTRIBUTIONS_H

double dist_t_cdf(double t, double df);      /* Student's t, df > 0 */
double dist_t_quantile(double p, double df); /* 0 < p < 1 */
double dist_normal_cdf(double z);
double dist_normal_quantile(double p);
double dist_binomial_cdf(double k, double n, double p); /* P(X <= k) */

#endif
