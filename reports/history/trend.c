#include "reports/history/trend.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/autocorrelation.h"
#include "reports/verdict/verdict_rule.h"

static const double level_90 = 0.90, level_95 = 0.95;
static const double level_chosen = 0.975; /* of what was chosen by what it shows */
static const size_t level_least = 2;      /* values without which there is no spread */

/* Values next to each other. */
struct run {
	size_t at, nr;
};

struct series {
	const double *x;
	double *logs; /* not a number where a value has none */
	size_t nr;
	const struct change_point *changes;
	size_t changes_nr;
	double memory;
	const struct trend_spec *spec;
};

/* A level k ends at change k; the present one is the last. */
static struct run level_of(const struct series *s, size_t k)
{
	size_t at = k ? s->changes[k - 1].at : 0;

	return (struct run){at, (k < s->changes_nr ? s->changes[k].at : s->nr) - at};
}

static void decide(struct trend_claim *c, const struct log_ratio *r,
		   const struct series *s)
{
	const struct trend_spec *spec = s->spec;

	c->ratio = exp(r->mean);
	c->has_interval = r->has_error;
	c->verdict = VERDICT_INCONCLUSIVE;
	if (!r->has_error)
		return;
	c->ci90 = log_ratio_interval(r, level_90);
	c->ci95 = log_ratio_interval(r, level_95);
	c->claim_level = s->changes_nr ? level_chosen : level_95;
	c->claim_interval = log_ratio_interval(r, c->claim_level);
	c->verdict =
		ratio_verdict(&c->ci90, &c->claim_interval, spec->margin, spec->better);
}

static bool all_equal(const double *x, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/* The mean of a run: its variance is 'spread' times 'share'. */
struct estimate {
	double mean, spread, share, df;
};

/* Memory makes the spread within a run too small, and worth less. */
static struct estimate estimate_of(double mean, double squares, size_t nr, double memory)
{
	double share = autocorrelation_mean_variance(memory, nr),
	       squared = memory * memory;

	return (struct estimate){
		.mean = mean,
		.spread = nr > 1 ? squares / ((double)nr * (1 - share)) : 0,
		.share = share,
		.df = fmax(1, ((double)nr - 1) * (1 - squared) / (1 + squared))};
}

static struct estimate estimate_run(const struct series *s, const struct run *r)
{
	double sd = 0;

	stats_sd(s->logs + r->at, r->nr, &sd);
	return estimate_of(stats_mean(s->logs + r->at, r->nr),
			   sd * sd * ((double)r->nr - 1), r->nr, s->memory);
}

/* 'shared' is the covariance of both means where all have the spread 1. */
static struct log_ratio difference(const struct estimate *a, const struct estimate *b,
				   double shared)
{
	double va = a->spread * a->share, vb = b->spread * b->share;
	struct log_ratio r = {.mean = b->mean - a->mean, .has_error = true};

	r.error = sqrt(va + vb - 2 * shared * sqrt(a->spread * b->spread));
	r.df = va + vb > 0 ? (va + vb) * (va + vb) / (va * va / a->df + vb * vb / b->df)
			   : a->df;
	return r;
}

static double shared_by(const struct series *s, const struct run *a, const struct run *b)
{
	return a->at + a->nr == b->at
		       ? autocorrelation_mean_covariance(s->memory, a->nr, b->nr)
		       : 0;
}

/* So few that their own spread could not be trusted have that of the level. */
static void claim(const struct series *s, const struct run *level, const struct run *end,
		  struct trend_claim *c)
{
	struct estimate a = estimate_run(s, level), b = estimate_run(s, end);
	struct log_ratio r;

	*c = (struct trend_claim){.at = level->at,
				  .nr = level->nr,
				  .newest = end->nr,
				  .verdict = VERDICT_INCONCLUSIVE};
	if (isnan(b.mean - a.mean))
		return;
	if (end->nr < CHANGE_SEGMENT_MIN) {
		b.spread = a.spread;
		r = difference(&a, &b, shared_by(s, level, end));
		r.df = a.df;
	} else {
		r = difference(&a, &b, shared_by(s, level, end));
	}
	decide(c, &r, s);
}

/* Too few values of a level are not yet what stood: those of the level before it are. */
static struct run level_before(const struct series *s, size_t newest)
{
	size_t end = newest < s->nr ? s->nr - newest : 0, k = s->changes_nr;
	struct run r;

	for (;; k--) {
		r = level_of(s, k);
		r.nr = r.at >= end ? 0 : r.at + r.nr > end ? end - r.at : r.nr;
		if (!k || r.nr >= CHANGE_SEGMENT_MIN)
			return r;
	}
}

static void newest_claim(const struct series *s, size_t newest, struct trend *t)
{
	struct run level = level_before(s, newest), end = {s->nr - newest, newest};

	t->newest = (struct trend_claim){
		.at = level.at, .nr = level.nr, .verdict = VERDICT_INCONCLUSIVE};
	if (level.nr < level_least)
		return;
	claim(s, &level, &end, &t->newest);
	if (!t->newest.has_interval && all_equal(s->x + level.at, s->nr - level.at))
		t->newest.verdict = VERDICT_NONE;
}

/* A ratio turned so that what is below 1 is worse. */
static double goodness(double ratio, enum metric_better better)
{
	return better == METRIC_LOWER ? 1 / ratio : ratio;
}

static bool is_loss(double ratio, const struct trend_spec *spec)
{
	return goodness(ratio, spec->better) < margin_band(spec->margin).low;
}

/* The loss side of an interval. */
static double worst_of(const struct interval *i, const struct trend_spec *spec)
{
	return spec->better == METRIC_LOWER ? i->high : i->low;
}

static double median_of(const struct series *s, size_t k)
{
	return k < s->changes_nr ? s->changes[k].before : s->changes[k - 1].after;
}

/* The best level before the present one; false: none was better. */
static bool best_level(const struct series *s, size_t *ret)
{
	bool is_higher = s->spec->better == METRIC_HIGHER;
	size_t best = 0;

	for (size_t k = 1; k <= s->changes_nr; k++)
		if (is_higher ? median_of(s, k) >= median_of(s, best)
			      : median_of(s, k) <= median_of(s, best))
			best = k;
	*ret = best;
	return best < s->changes_nr;
}

/* The present level against the best one before it. */
static void level_claim(const struct series *s, size_t best, struct trend *t)
{
	struct run before = level_of(s, best), present = level_of(s, s->changes_nr);
	double was = median_of(s, best);
	size_t from = s->changes_nr;

	claim(s, &before, &present, &t->level);
	if (t->level.has_interval && t->level.verdict != VERDICT_DEGRADED)
		t->level.verdict = is_loss(worst_of(&t->level.ci90, s->spec), s->spec)
					   ? VERDICT_INCONCLUSIVE
					   : VERDICT_NONE;
	while (from > best && was > 0 && s->changes[from - 1].after > 0 &&
	       is_loss(s->changes[from - 1].after / was, s->spec))
		from--;
	/* What is listed as a loss and not shown to be none is not excluded. */
	if (from < s->changes_nr && t->level.verdict == VERDICT_NONE)
		t->level.verdict = VERDICT_INCONCLUSIVE;
	t->lost_at = s->changes[from < s->changes_nr ? from : s->changes_nr - 1].at;
}

/* Means and sums of squares of the first k values of a run (Welford, Technometrics 4, 1962). */
struct moments {
	double mean, squares;
};

static struct moments *moments_of(const double *x, size_t nr)
{
	struct moments *m = x_calloc(nr + 1, sizeof(*m));

	for (size_t i = 0; i < nr; i++) {
		double off = x[i] - m[i].mean;

		m[i + 1].mean = m[i].mean + off / (double)(i + 1);
		m[i + 1].squares = m[i].squares + off * (x[i] - m[i + 1].mean);
	}
	return m;
}

/*
 * The runs of 'least' to 'most' values at the end against 'level', of which those that they
 * share with it are left out: the one whose loss is bounded the worst, if that is worse than
 * 'worst_bound'.
 */
static void look_into(const struct series *s, const struct run *level, size_t least,
		      size_t most, double *worst_bound, struct trend_claim *worst)
{
	bool is_shared = level->at + level->nr == s->nr;
	struct moments *m = moments_of(s->logs + level->at, level->nr);
	size_t rest_least = is_shared ? level->nr - most : level->nr;
	double df = estimate_of(0, 0, rest_least, s->memory).df;
	double t = dist_t_quantile(0.5 + level_90 / 2, df), sum = 0;
	double side = s->spec->better == METRIC_LOWER ? -1 : 1, bound;

	for (size_t n = 1; n <= most; n++) {
		struct run rest = {level->at, is_shared ? level->nr - n : level->nr};
		struct run end = {s->nr - n, n};
		struct estimate a = estimate_of(m[rest.nr].mean, m[rest.nr].squares,
						rest.nr, s->memory);
		struct estimate b = {.spread = a.spread,
				     .share =
					     autocorrelation_mean_variance(s->memory, n)};
		struct log_ratio r;

		sum += s->logs[s->nr - n];
		b.mean = sum / (double)n;
		r = difference(&a, &b, shared_by(s, &rest, &end));
		r.df = df;
		bound = side * r.mean - t * r.error;
		if (n < least || !(bound < *worst_bound))
			continue;
		*worst_bound = bound;
		*worst = (struct trend_claim){.at = rest.at, .nr = rest.nr, .newest = n};
		decide(worst, &r, s);
	}
	free(m);
}

/* Any run of values at the end may be a state of its own, which nobody announced. */
static void hidden_claim(const struct series *s, size_t newest, bool is_worse,
			 size_t best, struct trend *t)
{
	struct run present = level_of(s, s->changes_nr), before = level_of(s, best);
	size_t least = newest < CHANGE_SEGMENT_MIN ? newest : CHANGE_SEGMENT_MIN;
	size_t most = newest > present.nr / 2 ? newest : present.nr / 2;
	double bound = INFINITY;

	if (is_worse)
		look_into(s, &before, least, present.nr, &bound, &t->hidden);
	if (most + CHANGE_SEGMENT_MIN > present.nr)
		most = present.nr > CHANGE_SEGMENT_MIN ? present.nr - CHANGE_SEGMENT_MIN
						       : 0;
	if (most >= least)
		look_into(s, &present, least, most, &bound, &t->hidden);
	t->hidden.verdict =
		t->hidden.newest && is_loss(worst_of(&t->hidden.ci90, s->spec), s->spec)
			? VERDICT_INCONCLUSIVE
			: VERDICT_NONE;
}

void trend_judge(const double *x, size_t nr, const struct change_point *c, size_t changes,
		 const struct trend_spec *spec, struct trend *ret)
{
	struct series s = {x, x_calloc(nr + 1, sizeof(double)), nr, c, changes, 0, spec};
	size_t newest = spec->newest ? spec->newest : 1, best = 0;
	bool is_worse;

	for (size_t i = 0; i < nr; i++)
		s.logs[i] = x[i] > 0 ? log(x[i]) : NAN;
	s.memory = change_memory(x, nr, c, changes);
	*ret = (struct trend){.level_at = level_of(&s, changes).at, .memory = s.memory};
	newest_claim(&s, newest, ret);
	if (spec->better != METRIC_NONE) {
		is_worse = best_level(&s, &best);
		if (is_worse)
			level_claim(&s, best, ret);
		hidden_claim(&s, newest, is_worse, best, ret);
	}
	ret->verdict = ret->newest.verdict;
	if (ret->level.verdict > ret->verdict)
		ret->verdict = ret->level.verdict;
	if (ret->hidden.verdict > ret->verdict)
		ret->verdict = ret->hidden.verdict;
	free(s.logs);
}
