#include "gemm/verify.h"

#include "core/base/rng.h"
#include "gemm/fill.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void verify_choose(const struct problem *p, struct sample *samples, int64_t nr)
{
	struct rng r;

	rng_init(&r, rng_at(p->seed, 3));
	for (int64_t i = 0; i < nr; i++) {
		if (i < 4) {
			samples[i].row = i & 1 ? p->m - 1 : 0;
			samples[i].column = i & 2 ? p->n - 1 : 0;
			continue;
		}
		samples[i].row = (int64_t)rng_below(&r, (uint64_t)p->m);
		samples[i].column = (int64_t)rng_below(&r, (uint64_t)p->n);
	}
}

/* The entry after so many products and how far from it is still right. */
static double expected_entry(const struct problem *p, const struct sample *s,
			     int64_t products, double *ret_bound)
{
	const struct arithmetic *a = p->arithmetic;
	uint64_t at = (uint64_t)problem_at_c(p, s->row, s->column);
	double c = fill_stored(a->type_c, p->fill, problem_seed(p, MATRIX_C), at);
	double bound = 0;
	double of_dot = VERIFY_LAMBDA *
				(a->unit_sum * sqrt((double)p->k) + 2 * a->unit_input) *
				sqrt(s->squares) +
			2 * a->unit_input * fabs(s->dot);

	for (int64_t i = 0; i < products; i++) {
		double added = p->alpha * s->dot, kept = p->beta * c;

		c = added + kept;
		bound = fabs(p->beta) * bound + fabs(p->alpha) * of_dot +
			2 * a->unit_sum * (fabs(added) + fabs(kept)) +
			a->unit_store * fabs(c);
		bound += a->unit_store * bound;
	}
	*ret_bound = bound;
	return c;
}

static double dot_from_seed(const struct problem *p, const struct sample *s)
{
	enum element_type type = p->arithmetic->type_ab;
	uint64_t seed_a = problem_seed(p, MATRIX_A), seed_b = problem_seed(p, MATRIX_B);
	double dot = 0;

	for (int64_t l = 0; l < p->k; l++)
		dot += fill_stored(type, p->fill, seed_a,
				   (uint64_t)problem_at_a(p, s->row, l)) *
		       fill_stored(type, p->fill, seed_b,
				   (uint64_t)problem_at_b(p, l, s->column));
	return dot;
}

/* Both are sums in FP64, in different orders: they part by less than k roundings. */
static bool inputs_are_right(const struct problem *p, const struct sample *samples,
			     int64_t nr, int64_t *ret_bad)
{
	for (int64_t i = 0; i < nr && i < VERIFY_FROM_SEED; i++) {
		double bound = (double)p->k * 0x1p-52 * samples[i].magnitudes;

		if (!(fabs(dot_from_seed(p, &samples[i]) - samples[i].dot) <= bound)) {
			*ret_bad = i;
			return false;
		}
	}
	return true;
}

void verify_judge(const struct problem *p, const struct sample *samples, int64_t nr,
		  int64_t products, struct verdict_of_c *ret)
{
	const struct sample *worst = samples;
	int64_t bad;

	*ret = (struct verdict_of_c){.samples = nr};
	for (int64_t i = 0; i < nr; i++) {
		double bound, expected = expected_entry(p, &samples[i], products, &bound);
		double error = fabs(samples[i].value - expected);
		double share = error == 0 ? 0 : error / bound;

		if (!(error <= bound)) /* so is NaN */
			ret->wrong++;
		if (!(share <= ret->worst)) {
			ret->worst = isfinite(share) ? share : 1e300;
			worst = &samples[i];
		}
	}
	ret->passed = ret->wrong == 0;
	if (ret->passed && !inputs_are_right(p, samples, nr, &bad)) {
		ret->passed = false;
		snprintf(ret->text, sizeof(ret->text),
			 "A or B is not what the seed gives: row %" PRId64
			 ", column %" PRId64,
			 samples[bad].row, samples[bad].column);
		return;
	}
	snprintf(ret->text, sizeof(ret->text),
		 "%" PRId64 " of %" PRId64
		 " sampled entries of C are off; the worst is at row "
		 "%" PRId64 ", column %" PRId64 ", %.3g of its bound",
		 ret->wrong, nr, worst->row, worst->column, ret->worst);
}
