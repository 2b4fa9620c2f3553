#include "reports/verdict/verdict_rule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/robust.h"
#include "reports/statistics/tails.h"
#include "reports/verdict/failures.h"

/* Below this many rounds a side no interval is worth having; said when n is 0 or 1. */
static const size_t rounds_least = 3;

static bool log_ratio_of(const struct comparison *c, struct log_ratio *r)
{
	if (c->is_pooled) {
		*r = c->pooled;
		return c->has_pooled;
	}
	if (c->is_paired) {
		if (!log_ratio_paired(c->baseline_values, c->candidate_values,
				      c->n_baseline, r))
			return false;
		if (c->memory.nr)
			memory_widen(r, c->memory.figure);
		return true;
	}
	if (!log_ratio_unpaired(c->baseline_values, c->n_baseline, c->candidate_values,
				c->n_candidate, r))
		return false;
	r->df = r->cautious_df;
	return true;
}

static bool all_equal(const struct comparison *c)
{
	if (c->is_pooled)
		return false;
	for (size_t i = 0; i < c->n_baseline; i++)
		if (c->baseline_values[i] != c->baseline_values[0])
			return false;
	for (size_t i = 0; i < c->n_candidate; i++)
		if (c->candidate_values[i] != c->baseline_values[0])
			return false;
	return true;
}

/* Zero or negative values have no ratio: nothing is claimed about them. */
static void without_ratio(struct comparison *c)
{
	if (all_equal(c))
		comparison_conclude(c, VERDICT_NONE,
				    "the same value in every round on both sides, "
				    "without a ratio: not judged");
	else if (!c->gate)
		comparison_conclude(c, VERDICT_NONE,
				    "a value of 0 or below has no ratio: not judged");
	else
		comparison_conclude(c, VERDICT_INCONCLUSIVE,
				    "a value of 0 or below has no ratio, so a relative "
				    "margin cannot decide it");
}

static void without_interval(struct comparison *c)
{
	char text[32];

	c->needed_n = rounds_least;
	comparison_conclude(c, VERDICT_INCONCLUSIVE,
			    "ratio %s from %zu and %zu rounds: an interval needs two "
			    "rounds a side, a "
			    "verdict seldom fewer than %zu",
			    ratio_text(c->ratio, text, sizeof(text)), c->n_baseline,
			    c->n_candidate, rounds_least);
}

/* A ratio exactly at the margin, taken through logarithms, may come back beside it. */
static const double rounding = 1e-12;

static enum verdict beyond(const struct interval *ci, const struct interval *band,
			   enum metric_better better)
{
	if (ci->low > band->high * (1 + rounding))
		return better == METRIC_HIGHER ? VERDICT_IMPROVED : VERDICT_DEGRADED;
	if (ci->high < band->low * (1 - rounding))
		return better == METRIC_HIGHER ? VERDICT_DEGRADED : VERDICT_IMPROVED;
	return VERDICT_INCONCLUSIVE;
}

enum verdict ratio_verdict(const struct interval *ci90, const struct interval *ci95,
			   double margin, enum metric_better better)
{
	struct interval band = margin_band(margin);

	if (better == METRIC_NONE)
		return VERDICT_NONE;
	if (ci90->low >= band.low * (1 - rounding) &&
	    ci90->high <= band.high * (1 + rounding))
		return VERDICT_EQUIVALENT;
	return beyond(ci95, &band, better);
}

static void say_decided(struct comparison *c, const struct interval *band)
{
	char ratio[32], low[32], high[32], edge[32], margin[32];
	const struct interval *ci = &c->ci95;

	ratio_text(c->ratio, ratio, sizeof(ratio));
	percent_text(c->margin, margin, sizeof(margin));
	if (c->verdict == VERDICT_EQUIVALENT) {
		comparison_conclude(
			c, c->verdict,
			"ratio %s, 90 %% interval [%s, %s] inside the margin of %s",
			ratio, ratio_text(c->ci90.low, low, sizeof(low)),
			ratio_text(c->ci90.high, high, sizeof(high)), margin);
		return;
	}
	ratio_text(ci->low > band->high ? band->high : band->low, edge, sizeof(edge));
	comparison_conclude(
		c, c->verdict,
		"ratio %s, 95 %% interval [%s, %s] wholly %s %s, the margin of %s", ratio,
		ratio_text(ci->low, low, sizeof(low)),
		ratio_text(ci->high, high, sizeof(high)),
		ci->low > band->high ? "above" : "below", edge, margin);
}

/* The less certain of the two estimates: what more rounds have to overcome. */
static const struct log_ratio *less_certain(const struct comparison *c,
					    const struct log_ratio *r)
{
	return c->has_pooled && c->pooled.sd > r->sd ? &c->pooled : r;
}

static size_t rounds_of(const struct comparison *c)
{
	return c->n_baseline < c->n_candidate ? c->n_baseline : c->n_candidate;
}

/* Widened ends are as more noise would make them. */
static double widening(const struct comparison *c, const struct log_ratio *r)
{
	double half = dist_t_quantile(1 - c->alpha_equivalence, r->df) * r->error;
	double far = fmax(log(c->ci90.high) - r->mean, r->mean - log(c->ci90.low));

	return half > 0 ? fmax(1, far / half) : 1;
}

static size_t rounds_needed(const struct comparison *c, const struct log_ratio *of,
			    double alpha_degraded)
{
	struct log_ratio wide = *of, *r = &wide;
	struct needed_spec spec = {.margin = c->margin,
				   .alpha_equivalence = c->alpha_equivalence,
				   .alpha_degraded = alpha_degraded,
				   .power = 0.9};
	size_t n;

	if (r->is_paired && !c->is_pooled)
		r->sd = r->error * sqrt((double)c->n_baseline);
	if (fabs(r->mean) < -log1p(-c->margin))
		r->sd *= widening(c, of);
	n = stats_needed_n(r, &spec);

	return n && n <= rounds_of(c) ? rounds_of(c) + 1 : n;
}

static void say_undecided(struct comparison *c, const struct log_ratio *r)
{
	char ending[64] = "so near its edge that 1000 rounds would not decide";
	char ratio[32], low[32], high[32], margin[32];

	c->needed_n = rounds_needed(c, less_certain(c, r), c->alpha_degraded);
	ratio_text(c->ratio, ratio, sizeof(ratio));
	ratio_text(c->ci90.low, low, sizeof(low));
	ratio_text(c->ci90.high, high, sizeof(high));
	percent_text(c->margin, margin, sizeof(margin));
	if (c->needed_n)
		snprintf(ending, sizeof(ending), "about %zu rounds a side would decide",
			 c->needed_n);
	comparison_conclude(c, VERDICT_INCONCLUSIVE,
			    "ratio %s, 90 %% interval [%s, %s] reaches over the margin "
			    "of %s; %s",
			    ratio, low, high, margin, ending);
}

static double *log_ratios(const struct comparison *c)
{
	double *logs = x_calloc(c->n_baseline + 1, sizeof(*logs));

	for (size_t i = 0; i < c->n_baseline; i++)
		logs[i] = log(c->candidate_values[i] / c->baseline_values[i]);
	return logs;
}

static int64_t round_name(const struct comparison *c, size_t i)
{
	return c->rounds ? c->rounds[i] : (int64_t)i + 1;
}

struct apart {
	const bool *flags; /* these rounds */
	size_t nr;         /* so many */
	double difference; /* of their mean ratio from the median round's, relative */
};

/* One note for all rounds that stand apart on one side. */
static void note_apart(struct comparison *c, const struct apart *a)
{
	struct buf names;

	buf_init(&names, BUF_UNBOUNDED);
	for (size_t i = 0; i < c->n_baseline; i++)
		if (a->flags[i])
			buf_printf(&names, "%s%lld", names.len ? ", " : "",
				   (long long)round_name(c, i));
	if (a->nr == 1)
		strvec_addf(&c->notes,
			    "round %s stands out: its ratio is %+.1f %% from the median "
			    "round's (kept: the mean counts it)",
			    names.data, 100 * a->difference);
	else
		strvec_addf(&c->notes,
			    "%zu of %zu rounds stand out (%s): their ratio is %+.1f %% "
			    "from the median round's (kept: the mean counts them)",
			    a->nr, c->n_baseline, names.data, 100 * a->difference);
	buf_release(&names);
}

static void keep_slow(struct comparison *c, const struct apart *a)
{
	c->slow.rounds = x_calloc(a->nr, sizeof(*c->slow.rounds));
	for (size_t i = 0; i < c->n_baseline; i++)
		if (a->flags[i])
			c->slow.rounds[c->slow.nr++] = round_name(c, i);
	c->slow.difference = a->difference;
}

/* Of the rounds apart those above the middle, or those below. */
static void find_apart_on(struct comparison *c, const double *logs, const bool *apart,
			  double middle, bool is_above)
{
	bool *flags = x_calloc(c->n_baseline + 1, sizeof(*flags));
	struct apart a = {.flags = flags};
	double sum = 0;

	for (size_t i = 0; i < c->n_baseline; i++) {
		flags[i] = apart[i] && (logs[i] > middle) == is_above;
		a.nr += flags[i];
		sum += flags[i] ? exp(logs[i] - middle) : 0;
	}
	if (a.nr) {
		a.difference = sum / (double)a.nr - 1;
		note_apart(c, &a);
		if (is_above == (c->better == METRIC_LOWER))
			keep_slow(c, &a);
	}
	free(flags);
}

/* Rounds that stand apart are named, and on the candidate's worse side kept as a finding. */
static void find_apart(struct comparison *c, const double *logs)
{
	bool *apart = x_calloc(c->n_baseline + 1, sizeof(*apart));
	double middle;

	if (find_outliers(logs, c->n_baseline, OUTLIER_LIMIT, apart) &&
	    stats_median(logs, c->n_baseline, &middle)) {
		find_apart_on(c, logs, apart, middle, false);
		find_apart_on(c, logs, apart, middle, true);
	}
	free(apart);
}

/* Of the end on the candidate's worse side: that of its mean where a tail may be hidden. */
static void hold_tail(const struct comparison *c, double mean, double level,
		      struct interval *i)
{
	bool is_above = c->better == METRIC_LOWER;
	double half = is_above ? log(i->high) - mean : mean - log(i->low);
	double *logs = log_ratios(c);
	struct tails t;

	tails_init(&t, logs, c->n_baseline);
	half = tails_half(&t, is_above, half, level);
	if (is_above)
		i->high = exp(mean + half);
	else
		i->low = exp(mean - half);
	free(logs);
}

/* The interval of the ratio with a one-sided error of 'level', by the comparison's method. */
static struct interval interval_at(const struct comparison *c, const struct log_ratio *r,
				   double level)
{
	struct interval i = log_ratio_interval(r, 1 - 2 * level), other;

	if (c->is_paired && !c->is_pooled && c->better != METRIC_NONE && r->sd > 0)
		hold_tail(c, r->mean, level, &i);
	if (c->has_pooled && !c->is_pooled) {
		other = log_ratio_interval(&c->pooled, 1 - 2 * level);
		i.low = fmin(i.low, other.low);
		i.high = fmax(i.high, other.high);
	}
	return i;
}

static void name_method(struct comparison *c)
{
	static const char *const methods[2][2] = {
		{"Welch t interval of the log values, cautious degrees of freedom",
		 "Welch t interval of the log values, cautious degrees of freedom, "
		 "and bootstrap over rounds of the "
		 "pooled samples: the wider ends"},
		{"t interval of the paired log ratios, its worse end corrected for skewness "
		 "and rare slow rounds",
		 "t interval of the paired log ratios, its worse end corrected for skewness "
		 "and rare slow rounds, and bootstrap over rounds of the pooled samples: "
		 "the wider ends"},
	};

	c->method = methods[c->is_paired][c->has_pooled];
	if (c->is_pooled)
		c->method = "bootstrap over rounds of the pooled samples";
}

static void note_drift(struct comparison *c)
{
	const struct {
		const char *arm;
		const double *values;
		size_t nr;
	} sides[] = {{c->baseline, c->baseline_values, c->n_baseline},
		     {c->candidate, c->candidate_values, c->n_candidate}};
	struct drift d;

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].arm && find_drift(sides[i].values, sides[i].nr, &d) &&
		    d.p < 0.01)
			strvec_addf(&c->notes,
				    "%s drifts by %+.2f %% a round (p = %.2g)%s",
				    sides[i].arm, 100 * d.per_round, d.p,
				    c->is_paired ? "; pairing cancels it"
						 : ", which is part of the difference");
}

/* How alike neighbouring rounds are; many rounds tell it of themselves. */
static void find_memory(struct comparison *c, const double *logs)
{
	if (!memory_seen(logs, c->n_baseline, &c->memory_seen))
		return;
	if (!c->memory.nr && c->memory_seen.nr >= MEMORY_ROUNDS_MIN)
		c->memory = c->memory_seen;
	if (c->memory_seen.p < 0.01)
		strvec_addf(
			&c->notes,
			"neighbouring rounds resemble each other (correlation %.2f, p "
			"= %.2g): so many rounds say less than independent ones%s",
			c->memory_seen.figure, c->memory_seen.p,
			c->memory.nr ? ", and the intervals are widened for it" : "");
}

static void look_at_pairs(struct comparison *c)
{
	double *logs = log_ratios(c);

	c->robust_ratio = exp(hodges_lehmann(logs, c->n_baseline));
	find_apart(c, logs);
	find_memory(c, logs);
	free(logs);
}

/* The smallest loss that would have been seen: from the wider of the better ends. */
static double detectable_loss(const struct comparison *c, const struct log_ratio *wide)
{
	struct needed_spec spec = {
		.margin = c->margin, .alpha_degraded = c->alpha_degraded, .power = 0.9};
	double loss = stats_detectable(wide, &spec);

	return c->better == METRIC_LOWER ? expm1(loss) : -expm1(-loss);
}

static void intervals(struct comparison *c, struct log_ratio *r)
{
	struct needed_spec spec = {.alpha_equivalence = c->alpha_equivalence,
				   .power = 0.9};
	const struct log_ratio *wide;
	double d = -log1p(-c->margin);

	wide = less_certain(c, r);
	c->smallest_margin = stats_smallest_margin(wide, &spec);
	c->detectable_loss = detectable_loss(c, wide);
	if (wide->error > 0)
		c->p_beyond = dist_t_cdf((d - fabs(wide->mean)) / wide->error, wide->df);
	else if (fabs(wide->mean) > d)
		c->p_beyond = 0;
	c->ci90 = interval_at(c, r, c->alpha_equivalence);
	c->ci95 = interval_at(c, r, c->alpha_degraded);
	if (!c->is_pooled)
		note_drift(c);
}

static bool has_pairs(const struct comparison *c)
{
	struct log_ratio r;

	return c->is_paired && !c->is_pooled && log_ratio_of(c, &r) && r.has_error;
}

void comparison_decide(struct comparison *c, const struct looks *looks)
{
	struct interval band = margin_band(c->margin);
	struct log_ratio r;

	if (c->is_failures) {
		failures_decide(c, looks);
		return;
	}
	looks_levels(looks, (int64_t)rounds_of(c), &c->alpha_equivalence,
		     &c->alpha_degraded);
	if (has_pairs(c))
		look_at_pairs(c);
	if (!log_ratio_of(c, &r)) {
		name_method(c);
		without_ratio(c);
		return;
	}
	c->has_ratio = true;
	c->has_interval = r.has_error;
	c->p_beyond = 1;
	if (r.has_error)
		intervals(c, &r);
	name_method(c);
	c->ratio = exp(r.mean);
	c->verdict = ratio_verdict(&c->ci90, &c->ci95, c->margin, c->better);
	if (c->verdict == VERDICT_NONE)
		comparison_conclude(c, VERDICT_NONE,
				    "neither direction is better: shown, not judged");
	else if (!r.has_error)
		without_interval(c);
	else if (c->verdict == VERDICT_INCONCLUSIVE)
		say_undecided(c, &r);
	else
		say_decided(c, &band);
}

/*
 * Of 'claim' (VERDICT_DEGRADED or VERDICT_IMPROVED), whether it stands when it may err in
 * 'alpha' of cases only. Where not, *needed_n is the rounds that would decide at that error
 * (0: unknown).
 */
static bool claim_stands(const struct comparison *c, const struct looks *looks,
			 enum verdict claim, double alpha, size_t *needed_n)
{
	double level = looks_level(looks, (int64_t)rounds_of(c), alpha);
	struct interval band = margin_band(c->margin), ci;
	struct log_ratio r;

	*needed_n = c->is_failures ? c->needed_n : 0;
	if (c->is_failures)
		return c->verdict == claim && c->p_beyond <= level;
	if (c->verdict != claim || !log_ratio_of(c, &r) || !r.has_error)
		return false;
	ci = interval_at(c, &r, level);
	if (beyond(&ci, &band, c->better) == claim)
		return true;
	*needed_n = rounds_needed(c, less_certain(c, &r), level);
	return false;
}

static int by_p_beyond(const void *a, const void *b)
{
	const struct comparison *x = *(struct comparison *const *)a;
	const struct comparison *y = *(struct comparison *const *)b;

	return (x->p_beyond > y->p_beyond) - (x->p_beyond < y->p_beyond);
}

static void withhold(struct comparison *c, size_t needed_n, size_t family)
{
	char *alone = c->reason;

	c->reason = x_asprintf("%s; alone that is %s, among %zu gating metrics it is not "
			       "beyond chance (Holm)",
			       alone, verdict_name(c->verdict), family);
	free(alone);
	c->verdict = VERDICT_INCONCLUSIVE;
	c->needed_n = needed_n;
	if (!needed_n)
		return;
	alone = c->reason;
	c->reason =
		x_asprintf("%s; about %zu rounds a side would decide", alone, needed_n);
	free(alone);
}

/* Holm's procedure over the claims of one kind, the strongest first. */
static void hold_claims(struct comparison **family, size_t nr, const struct looks *looks,
			enum verdict claim)
{
	bool stands = true;
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		struct comparison *c = family[i];
		double alpha = ALPHA_DEGRADED / (double)(nr - kept);
		size_t needed_n;

		if (c->verdict != claim)
			continue;
		stands = claim_stands(c, looks, claim, alpha, &needed_n) && stands;
		if (stands)
			kept++;
		else
			withhold(c, needed_n, nr);
	}
}

void family_hold(struct comparison *items, size_t items_nr, const struct looks *looks)
{
	struct comparison **family = x_calloc(items_nr + 1, sizeof(*family));
	size_t nr = 0;

	for (size_t i = 0; i < items_nr; i++) {
		struct comparison *c = &items[i];

		if (c->gate && (c->has_interval || c->is_failures) &&
		    c->verdict != VERDICT_NONE && c->verdict != VERDICT_INVALID)
			family[nr++] = c;
	}
	qsort(family, nr, sizeof(*family), by_p_beyond);
	for (size_t i = 0; i < 2 && nr > 1; i++)
		hold_claims(family, nr, looks, i ? VERDICT_IMPROVED : VERDICT_DEGRADED);
	free(family);
}
