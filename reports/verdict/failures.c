#include "reports/verdict/failures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/proportions.h"

/* False: this result says nothing of such attempts. */
typedef bool count_attempts(const struct result *r, struct proportion *ret);

static bool count_round(const struct result *r, struct proportion *ret)
{
	*ret = (struct proportion){r->status == RESULT_FAILED, 1};
	return r->status != RESULT_INVALID;
}

static bool count_requests(const struct result *r, struct proportion *ret)
{
	struct json_object *stages = json_member(r->details, "stages");
	size_t nr = json_object_is_type(stages, json_type_array)
			    ? json_object_array_length(stages)
			    : 0;

	*ret = (struct proportion){0};
	for (size_t i = 0; i < nr; i++) {
		struct json_object *o =
			json_member(json_object_array_get_idx(stages, i), "requests");
		int64_t ok = json_get_int(o, "ok", 0);
		int64_t failed = json_get_int(o, "failed", 0);

		if (ok < 0 || failed < 0)
			return false;
		ret->failed += (size_t)failed;
		ret->tried += (size_t)(ok + failed);
	}
	return ret->tried > 0;
}

static const struct kind {
	const char *metric, *attempts;
	count_attempts *count;
} kinds[] = {{"failures.rounds", "rounds", count_round},
	     {"failures.requests", "requests", count_requests}};

static const struct kind *kind_of(const struct comparison *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(c->metric, kinds[i].metric) == 0)
			return &kinds[i];
	return &kinds[0];
}

/* The results' shares, one after the other; how many there are. */
static size_t shares_of(const struct workload_side *s, const struct kind *k,
			double *values, uint64_t *failed, size_t *tried)
{
	struct proportion p;
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++) {
		if (!k->count(&s->results[i], &p))
			continue;
		values[nr++] = (double)p.failed / (double)p.tried;
		*failed += p.failed;
		*tried += p.tried;
	}
	return nr;
}

static bool is_gating(const struct workload_side sides[2])
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sides[i].nr; k++)
			for (size_t m = 0; m < sides[i].results[k].metrics_nr; m++)
				if (sides[i].results[k].metrics[m].def.gate)
					return true;
	return false;
}

static void gather(struct judgement *j, const struct workload_side sides[2],
		   const char *workload, const struct kind *k)
{
	struct comparison c = {.is_failures = true,
			       .better = METRIC_LOWER,
			       .gate = is_gating(sides),
			       .method = "binomial comparison of the shares that failed"};

	c.baseline_values = x_calloc(sides[0].nr + 1, sizeof(double));
	c.candidate_values = x_calloc(sides[1].nr + 1, sizeof(double));
	c.n_baseline = shares_of(&sides[0], k, c.baseline_values, &c.failed_baseline,
				 &c.tried_baseline);
	c.n_candidate = shares_of(&sides[1], k, c.candidate_values, &c.failed_candidate,
				  &c.tried_candidate);
	if (!c.n_baseline || !c.n_candidate ||
	    !(c.failed_baseline + c.failed_candidate)) {
		free(c.baseline_values);
		free(c.candidate_values);
		return;
	}
	c.metric = x_strdup(k->metric);
	c.workload = x_strdup(workload);
	c.unit = x_strdup("1");
	c.statistic = x_strdup("mean");
	c.baseline = x_strdup(sides[0].of->label);
	c.candidate = x_strdup(sides[1].of->label);
	GROW(j->items, j->nr, j->alloc);
	j->items[j->nr++] = c;
}

void failures_gather(struct judgement *j, const struct workload_side sides[2],
		     const char *workload)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		gather(j, sides, workload, &kinds[i]);
}

double failures_margin(const struct margins *m, const struct comparison *c)
{
	const char *name;
	double own = margins_get(m, c->workload, c->metric, "mean", &name);

	return name ? own : margins_get(m, c->workload, "failures", "mean", NULL);
}

/* One-sided p of the candidate's mean share beyond the baseline's and the margin. */
static double p_between_rounds(const struct comparison *c)
{
	double nb = (double)c->n_baseline, nc = (double)c->n_candidate, sb, sc, error;
	double beyond = stats_mean(c->candidate_values, c->n_candidate) -
			stats_mean(c->baseline_values, c->n_baseline) - c->margin;

	if (!stats_sd(c->baseline_values, c->n_baseline, &sb) ||
	    !stats_sd(c->candidate_values, c->n_candidate, &sc))
		return 1;
	error = sqrt(sb * sb / nb + sc * sc / nc);
	if (!(error > 0))
		return beyond > 0 ? 0 : 1;
	return dist_t_cdf(-beyond / error, fmin(nb, nc) - 1);
}

/* "nothing", "1 %": what may fail beyond the baseline's share. */
static const char *allowance(const struct comparison *c, char *text, size_t size)
{
	return c->margin > 0 ? percent_text(c->margin, text, size) : "nothing";
}

static void say_open(struct comparison *c, const char *counts)
{
	char ending[80] = "1000 rounds a side would not tell", margin[32];

	if (c->needed_n)
		snprintf(ending, sizeof(ending), "about %zu rounds a side would tell",
			 c->needed_n);
	comparison_conclude(
		c, VERDICT_INCONCLUSIVE,
		"%s; beyond the baseline's share %s is allowed, yet so few may be chance: "
		"two sides that are alike differ as much in up to %.2g %% of runs. If it goes on "
		"like this, %s; a margin for \"failures\" allows some",
		counts, allowance(c, margin, sizeof(margin)), 100 * c->p_beyond, ending);
}

/* Of requests: as if the shares of the rounds were those of so many whole rounds. */
static size_t rounds_needed(const struct comparison *c, const struct proportion *b,
			    const struct proportion *x, double level)
{
	size_t n = proportions_needed(b, x, c->margin, level);
	size_t per_round = c->tried_candidate / c->n_candidate;
	size_t rounds = c->n_candidate > c->n_baseline ? c->n_candidate : c->n_baseline;

	if (!n || per_round <= 1)
		return n;
	n = (n + per_round - 1) / per_round;
	return n > rounds ? n : rounds + 1;
}

void failures_decide(struct comparison *c, const struct looks *looks)
{
	const struct proportion b = {c->failed_baseline, c->tried_baseline};
	const struct proportion x = {c->failed_candidate, c->tried_candidate};
	double beyond = (double)x.failed / (double)x.tried -
			(double)b.failed / (double)b.tried - c->margin;
	char counts[240], margin[32];

	looks_levels(looks, (int64_t)c->n_candidate, &c->alpha_equivalence,
		     &c->alpha_degraded);
	c->p_beyond = 1;
	snprintf(counts, sizeof(counts),
		 "%zu of %zu %s failed on %.40s, %zu of %zu on %.40s", x.failed, x.tried,
		 kind_of(c)->attempts, c->candidate ? c->candidate : "the candidate",
		 b.failed, b.tried, c->baseline ? c->baseline : "the baseline");
	if (beyond <= 1e-12) {
		comparison_conclude(
			c, VERDICT_NONE,
			"%s; beyond the baseline's share %s is allowed, and it "
			"is not more",
			counts, allowance(c, margin, sizeof(margin)));
		return;
	}
	c->p_beyond = proportions_p(&b, &x, c->margin);
	if (c->tried_candidate > c->n_candidate)
		c->p_beyond = fmax(c->p_beyond, p_between_rounds(c));
	if (c->p_beyond <= c->alpha_degraded) {
		comparison_conclude(
			c, VERDICT_DEGRADED,
			"%s; beyond the baseline's share %s is allowed, and two "
			"sides that are alike differ as much in up to %.2g %% of runs "
			"only",
			counts, allowance(c, margin, sizeof(margin)), 100 * c->p_beyond);
		return;
	}
	c->needed_n = rounds_needed(c, &b, &x, c->alpha_degraded);
	say_open(c, counts);
}
