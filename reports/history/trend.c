#include "reports/history/trend.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict_rule.h"

static const double level_90 = 0.90, level_95 = 0.95;
static const size_t level_least = 2; /* values without which there is no spread */

static void decide(struct trend_claim *c, const struct log_ratio *r,
		   const struct trend_spec *spec)
{
	c->ratio = exp(r->mean);
	c->has_interval = r->has_error;
	c->verdict = VERDICT_INCONCLUSIVE;
	if (!r->has_error)
		return;
	c->ci90 = log_ratio_interval(r, level_90);
	c->ci95 = log_ratio_interval(r, level_95);
	c->verdict = ratio_verdict(&c->ci90, &c->ci95, spec->margin, spec->better);
}

/* Logs of all of them, or NULL: what is not above zero has no ratio. */
static double *logs_of(const double *x, size_t nr)
{
	double *logs = x_calloc(nr + 1, sizeof(*logs));

	for (size_t i = 0; i < nr; i++) {
		if (!(x[i] > 0)) {
			free(logs);
			return NULL;
		}
		logs[i] = log(x[i]);
	}
	return logs;
}

static bool all_equal(const double *x, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/* The spread is the level's own: few new values have none that could be trusted. */
static void judge_newest(const double *x, const struct trend_spec *spec,
			 struct trend_claim *c)
{
	double *logs = logs_of(x + c->at, c->nr + c->newest);
	struct log_ratio r = {.n_baseline = c->nr, .n_candidate = c->newest};

	c->verdict = VERDICT_INCONCLUSIVE;
	if (!logs) {
		if (all_equal(x + c->at, c->nr + c->newest))
			c->verdict = VERDICT_NONE;
		return;
	}
	r.mean = stats_mean(logs + c->nr, c->newest) - stats_mean(logs, c->nr);
	r.has_error = stats_sd(logs, c->nr, &r.sd);
	r.error = r.sd * sqrt(1 / (double)c->nr + 1 / (double)c->newest);
	r.df = (double)c->nr - 1;
	decide(c, &r, spec);
	free(logs);
}

static void newest_claim(const double *x, size_t nr, const struct trend_spec *spec,
			 struct trend *t)
{
	size_t have = nr - t->level_at, want = spec->newest ? spec->newest : 1;
	struct trend_claim *c = &t->newest;

	c->at = t->level_at;
	if (have <= level_least) {
		c->nr = have;
		c->verdict = VERDICT_INCONCLUSIVE;
		return;
	}
	/* A young level keeps at least half of its values to be the level. */
	c->newest = want > have / 2 && have / 2 ? have / 2 : want;
	c->nr = have - c->newest;
	judge_newest(x, spec, c);
}

static double ratio_to(double level, double best)
{
	return best > 0 && level > 0 ? level / best : 1;
}

static bool is_loss(double ratio, const struct trend_spec *spec)
{
	struct interval band = margin_band(spec->margin);

	if (spec->better == METRIC_HIGHER)
		return ratio < band.low;
	return spec->better == METRIC_LOWER && ratio > band.high;
}

/* The present level against the best one before it; a level k ends at change k. */
static void level_claim(const double *x, size_t nr, const struct change_point *c,
			size_t changes, const struct trend_spec *spec, struct trend *t)
{
	struct trend_claim *claim = &t->level;
	size_t best = 0, from = changes;
	struct log_ratio r;

	if (!changes || spec->better == METRIC_NONE)
		return;
	for (size_t k = 1; k < changes; k++)
		if (spec->better == METRIC_HIGHER ? c[k].before >= c[best].before
						  : c[k].before <= c[best].before)
			best = k;
	while (from > best && is_loss(ratio_to(c[from - 1].after, c[best].before), spec))
		from--;
	if (from == changes)
		return;
	claim->at = best ? c[best - 1].at : 0;
	claim->nr = c[best].at - claim->at;
	claim->newest = nr - t->level_at;
	if (!log_ratio_unpaired(x + claim->at, claim->nr, x + t->level_at, claim->newest,
				&r))
		return;
	decide(claim, &r, spec);
	if (claim->verdict != VERDICT_DEGRADED)
		claim->verdict = VERDICT_NONE;
	t->lost_at = c[from].at;
}

void trend_judge(const double *x, size_t nr, const struct change_point *c, size_t changes,
		 const struct trend_spec *spec, struct trend *ret)
{
	*ret = (struct trend){.level_at = changes ? c[changes - 1].at : 0};
	newest_claim(x, nr, spec, ret);
	level_claim(x, nr, c, changes, spec, ret);
	ret->verdict = ret->level.verdict > ret->newest.verdict ? ret->level.verdict
								: ret->newest.verdict;
}
