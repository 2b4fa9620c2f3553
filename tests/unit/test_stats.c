/* Expected values: SciPy and NumPy, printed by tests/support/statistics_figures.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/stats.h"

static void assert_near(double got, double want, double relative)
{
	if (fabs(got - want) > relative * fabs(want) + 1e-300)
		fail_msg("got %.17g, want %.17g", got, want);
}

struct figure {
	double a, b, want;
};

static void t_cdf_is_scipys(void **state)
{
	static const struct figure f[] = {
		{0, 1, 0.5},
		{1, 1, 0.75},
		{-1, 1, 0.25},
		{2.5, 3, 0.95614667649596718},
		{-4, 2, 0.028595479208968315},
		{12.7, 1, 0.97498783615532791},
		{0.3, 200, 0.61775563490533603},
		{-6, 11, 4.4630646020345655e-05},
		{30, 5, 0.99999961406756899},
		{0.0001, 7.3, 0.50003855515818185},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(f); i++)
		assert_near(dist_t_cdf(f[i].a, f[i].b), f[i].want, 1e-12);
}

static void t_quantile_is_scipys(void **state)
{
	static const struct figure f[] = {
		{0.95, 1, 6.3137515146750367},   {0.975, 1, 12.706204736174694},
		{0.95, 2, 2.9199855803537242},   {0.975, 2, 4.3026527297494619},
		{0.975, 5, 2.5705818356363146},  {0.95, 6.5, 1.9167358915249262},
		{0.025, 9, -2.2621571627982053}, {0.9995, 3, 12.923978636687961},
		{0.6, 30, 0.25560536495191277},  {0.975, 1000, 1.9623390808264083},
		{1e-06, 4, -41.577854150450975},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(f); i++)
		assert_near(dist_t_quantile(f[i].a, f[i].b), f[i].want, 1e-11);
	assert_true(dist_t_quantile(0.5, 3) == 0);
}

static void normal_and_binomial_are_scipys(void **state)
{
	(void)state;
	assert_near(dist_normal_quantile(0.95), 1.6448536269514722, 1e-13);
	assert_true(dist_normal_quantile(0.5) == 0 && dist_t_quantile(0.5, 3) == 0);
	assert_near(dist_normal_quantile(0.025), -1.9599639845400545, 1e-13);
	assert_near(dist_normal_quantile(0.999), 3.0902323061678132, 1e-13);
	assert_near(dist_normal_quantile(1e-10), -6.3613409024040557, 1e-12);
	assert_near(dist_binomial_cdf(0, 10, 0.5), 0.0009765625, 1e-12);
	assert_near(dist_binomial_cdf(3, 10, 0.5), 0.171875, 1e-12);
	assert_near(dist_binomial_cdf(9, 10, 0.9), 0.65132155989999996, 1e-12);
	assert_near(dist_binomial_cdf(655, 662, 0.99), 0.49276662000115656, 1e-11);
	assert_near(dist_binomial_cdf(40, 100, 0.5), 0.028443966820490444, 1e-11);
	assert_true(dist_binomial_cdf(-1, 5, 0.5) == 0 &&
		    dist_binomial_cdf(5, 5, 0.5) == 1);
}

static const double a[] = {101.2, 99.7, 100.4, 100.9, 99.5, 100.1};
static const double b[] = {100.1, 99.2, 99.8, 99.9, 98.6, 99.7};
static const double c[] = {98.1, 97.4, 98.8, 99.0};

static void describes_samples_as_numpy(void **state)
{
	static const double offset[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
	static const double huge[] = {1.7e308, 1.7e308, 1.7e308, 1.7e308};
	double v, many[1000];

	(void)state;
	assert_near(stats_mean(a, 6), 100.3, 1e-14);
	assert_true(stats_sd(a, 6, &v));
	assert_near(v, 0.666333249958309, 1e-13);
	assert_true(stats_median(a, 6, &v));
	assert_near(v, 100.25, 1e-14);
	assert_true(stats_mad(a, 6, &v));
	assert_near(v, 0.88956, 1e-12);
	assert_true(stats_sd(offset, 4, &v));
	assert_near(v, 5.4772255750516612, 1e-12);
	/* 1 .. 1000: n (n + 1) / 12, and more than one sum takes at a time. */
	for (int i = 0; i < 1000; i++)
		many[i] = i + 1;
	assert_true(stats_sd(many, 1000, &v));
	assert_near(v, sqrt(1000 * 1001 / 12.0), 1e-13);
	assert_near(stats_mean(many, 1000), 500.5, 1e-15);
	/* Finite values have a finite mean. */
	assert_near(stats_mean(huge, 4), 1.7e308, 1e-14);
	assert_false(stats_sd(a, 1, &v));
	assert_false(stats_mad(a, 1, &v));
	assert_false(stats_median(a, 0, &v));
}

static void quantiles_are_absent_below_their_number(void **state)
{
	double x[1000], v;

	(void)state;
	/* MLPerf's table for early stopping has the same: 64, 130 and 662 queries. */
	assert_int_equal(stats_quantile_min(0.90), 64);
	assert_int_equal(stats_quantile_min(0.95), 130);
	assert_int_equal(stats_quantile_min(0.99), 662);
	assert_int_equal(stats_quantile_min(0.01), 662);
	for (int i = 0; i < 1000; i++)
		x[i] = (i + 1) * (i + 1) % 1009;
	assert_true(stats_quantile_of(x, 1000, 0.95, &v) && v == 973);
	assert_true(stats_quantile_of(x, 1000, 0.99, &v) && v == 1003);
	assert_false(stats_quantile_of(x, 1000, 0.999, &v));
	assert_false(stats_quantile_of(x, 661, 0.99, &v));
	assert_false(stats_quantile_of(x, 1, 0.95, &v));
	assert_true(stats_quantile_of(x, 1000, 0.5, &v) && v == 506);
}

/* Against the sorted answer, on samples with ties, in order, in reverse and at random. */
static void selection_agrees_with_sorting(void **state)
{
	double x[700], sorted[700], value;

	(void)state;
	for (unsigned seed = 0; seed < 60; seed++) {
		size_t nr = 662 + seed % 38;

		for (size_t i = 0; i < nr; i++)
			x[i] = seed == 0   ? 1
			       : seed == 1 ? (double)i
			       : seed == 2 ? -(double)i
					   : (double)((i * (2 * seed + 1) + seed) %
						      (7 * seed));
		for (size_t i = 0; i < nr; i++)
			sorted[i] = x[i];
		stats_sort(sorted, nr);
		for (int q = 0; q < 3; q++) {
			const double share[] = {0.5, 0.95, 0.99};

			assert_true(stats_quantile_of(x, nr, share[q], &value));
			assert_true(value == sorted[stats_rank(nr, share[q])]);
		}
	}
}

static void paired_interval_is_scipys(void **state)
{
	struct log_ratio r;
	struct interval i;

	(void)state;
	assert_true(log_ratio_paired(a, b, 6, &r));
	assert_near(r.mean, -0.007500231793960227, 1e-11);
	assert_near(r.error, 0.001168050934766588, 1e-10);
	i = log_ratio_interval(&r, 0.90);
	assert_near(i.low, 0.99019447977394703, 1e-12);
	assert_near(i.high, 0.99486666815398284, 1e-12);
	i = log_ratio_interval(&r, 0.95);
	assert_near(i.low, 0.98955215953213205, 1e-12);
	assert_near(i.high, 0.99551243805373679, 1e-12);
	/* statsmodels 0.15: DescrStatsW(logs).ttost_mean(-m, m), the p at which the interval
	 * of 1 - 2 p touches the margin. */
	i = log_ratio_interval(&r, 1 - 2 * 5.7092506500544538e-05);
	assert_near(i.low, margin_band(0.02).low, 1e-9);
}

static void unpaired_interval_is_scipys(void **state)
{
	struct log_ratio r;
	struct interval i;

	(void)state;
	assert_true(log_ratio_unpaired(a, 6, c, 4, &r));
	assert_near(r.mean, -0.019889558460289614, 1e-11);
	assert_near(r.error, 0.0045899483888180194, 1e-10);
	assert_near(r.df, 6.035919785550786, 1e-9);
	/* By hand from the variances, NumPy. */
	assert_near(r.cautious_df, 3.8163141993741134, 1e-9);
	i = log_ratio_interval(&r, 0.90);
	assert_near(i.low, 0.97161158430546335, 1e-12);
	assert_near(i.high, 0.98908010180748829, 1e-12);
	i = log_ratio_interval(&r, 0.95);
	assert_near(i.low, 0.96937419449480788, 1e-12);
	assert_near(i.high, 0.99136297435998022, 1e-12);
}

/* Degrees of freedom without any spread, and of n rounds where one side has all of it. */
static void unpaired_degrees_of_freedom_at_their_ends(void **state)
{
	const double equal[] = {3, 3, 3, 3, 3, 3}, wild[] = {1, 9, 2, 8, 3, 7};
	struct log_ratio r;

	(void)state;
	assert_true(log_ratio_unpaired(equal, 6, equal, 4, &r));
	assert_near(r.df, 8, 1e-15);
	assert_near(r.cautious_df, 8, 1e-15);
	assert_near(r.error + 1, 1, 1e-15);
	assert_true(log_ratio_unpaired(equal, 6, wild, 6, &r));
	assert_near(r.df_share, 1, 1e-12);
	assert_near(r.df, 5, 1e-12);
	assert_true(log_ratio_unpaired(wild, 6, wild, 6, &r));
	assert_near(r.df_share, 2, 1e-12);
}

/* Planned by the noisier side: with its degrees of freedom alone more rounds are needed. */
static void needed_rounds_are_those_of_the_noisier_side(void **state)
{
	struct needed_spec spec = {.margin = 0.02,
				   .alpha_equivalence = 0.05,
				   .alpha_degraded = 0.025,
				   .power = 0.9};
	struct log_ratio r = {.has_error = true, .sd = 0.008};
	size_t alike, unknown;

	(void)state;
	unknown = stats_needed_n(&r, &spec);
	r.df_share = 2;
	alike = stats_needed_n(&r, &spec);
	assert_int_equal(alike, unknown);
	r.df_share = 1;
	assert_true(stats_needed_n(&r, &spec) > alike);
}

static void one_round_has_a_ratio_and_no_interval(void **state)
{
	struct log_ratio r;
	const double zero = 0;

	(void)state;
	assert_true(log_ratio_paired(a, b, 1, &r));
	assert_false(r.has_error);
	assert_true(log_ratio_unpaired(a, 1, b, 6, &r));
	assert_false(r.has_error);
	assert_true(log_ratio_unpaired(a, 2, b, 6, &r) && r.cautious_df == 1);
	assert_false(log_ratio_paired(a, b, 0, &r));
	assert_false(log_ratio_paired(a, &zero, 1, &r));
}

static void needed_rounds_follow_the_published_table(void **state)
{
	/* Two one-sided tests, 5 %, power 0.9: see the note behind each. */
	struct needed_spec spec = {.margin = 0.02,
				   .alpha_equivalence = 0.05,
				   .alpha_degraded = 0.025,
				   .power = 0.9};
	double m = -log1p(-0.02);
	struct log_ratio r = {.has_error = true};

	(void)state;
	/* simulated, sigma/margin 0.5 a side: 7 at no difference, 21 at half the margin
	 */
	r.sd = 0.5 * m * sqrt(2);
	assert_in_range(stats_needed_n(&r, &spec), 6, 8);
	r.mean = m / 2;
	assert_in_range(stats_needed_n(&r, &spec), 18, 23);
	/* sigma/margin 1.0: 24 and 75 */
	r.sd = m * sqrt(2);
	assert_in_range(stats_needed_n(&r, &spec), 68, 76);
	r.mean = 0;
	assert_in_range(stats_needed_n(&r, &spec), 21, 25);
	r.mean = m; /* exactly at the margin nothing decides */
	assert_int_equal(stats_needed_n(&r, &spec), 0);
	r.sd = 0;
	assert_int_equal(stats_needed_n(&r, &spec), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_cdf_is_scipys),
		cmocka_unit_test(t_quantile_is_scipys),
		cmocka_unit_test(normal_and_binomial_are_scipys),
		cmocka_unit_test(describes_samples_as_numpy),
		cmocka_unit_test(quantiles_are_absent_below_their_number),
		cmocka_unit_test(selection_agrees_with_sorting),
		cmocka_unit_test(paired_interval_is_scipys),
		cmocka_unit_test(unpaired_interval_is_scipys),
		cmocka_unit_test(unpaired_degrees_of_freedom_at_their_ends),
		cmocka_unit_test(needed_rounds_are_those_of_the_noisier_side),
		cmocka_unit_test(one_round_has_a_ratio_and_no_interval),
		cmocka_unit_test(needed_rounds_follow_the_published_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
