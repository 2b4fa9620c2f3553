/*
 * Verdicts (DESIGN section 7). 'No overhead' is an equivalence claim: the absence of a
 * significant difference proves nothing.
 *
 * The unit of evidence is the round: a round's value is the mean over the iterations of
 * its result, and uncertainty is taken between rounds only. Rounds of one run directory
 * pair by number; results of two runs are compared unpaired (Welch on logs, with fewer
 * degrees of freedom than his where one side has few results: log_ratio_unpaired()).
 *
 * Per metric, on r = candidate / baseline with margin m and band [1-m, 1/(1-m)]:
 *   invalid       a result failed a check, the work or the machines are not like for like
 *   equivalent    the 90 % interval of r lies inside the band
 *   degraded      the 95 % interval lies wholly beyond the band on the bad side
 *   improved      ... on the good side
 *   inconclusive  otherwise, with the rounds that would decide
 * Where a round stands out among the paired ratios (five or more rounds, further than 5
 * scaled median deviations), the centre is Hodges and Lehmann's and the intervals are those
 * of signed ranks, from eight rounds on and where they reach the level; the round is named
 * and never dropped.
 *
 * Of a quantile (p50, p95, p99 of the samples of a round) two intervals are taken: the one
 * above, of the rounds' own quantiles, and a bootstrap over rounds of the pooled samples
 * (reports/statistics/bootstrap.h); the wider end of the two holds on either side. Where
 * a round has too few samples for the quantile (stats_quantile_min()) and all of them
 * together have enough, the bootstrap alone decides.
 *
 * Several gating metrics are held to one error rate: a 'degraded' must also stand when all
 * of them together may err in 2.5 % of cases, and so must an 'improved' (Holm's step-down
 * procedure, each step with the levels of the looks for its part of the error: Maurer and
 * Bretz, Stat. Biopharm. Res. 5, 2013). Equivalence needs no correction, since all must
 * pass (intersection and union: Berger, Technometrics 24, 1982).
 *
 * Where rounds are added until something is decided, both intervals are repeated
 * confidence intervals that keep their level over all looks. With any number of looks they
 * are a little wider than their names say, so that the errors stay below 5 % and 2.5 % also
 * where data are not quite normal (reports/statistics/sequential.h); alpha_equivalence and
 * alpha_degraded are the levels used.
 */
#ifndef TARE_REPORTS_VERDICT_VERDICT_H
#define TARE_REPORTS_VERDICT_VERDICT_H

#include "core/document/likeness.h"
#include "core/document/metric.h"
#include "reports/results/result_set.h"
#include "reports/verdict/margins.h"
#include "reports/statistics/stats.h"

#include <stdbool.h>
#include <stdint.h>

#define VERDICT_SCHEMA "tare.verdict/1"

/* In the order of severity, as the overall verdict takes the worst. */
enum verdict {
	VERDICT_NONE, /* shown, not judged: a metric without a better direction */
	VERDICT_EQUIVALENT,
	VERDICT_IMPROVED,
	VERDICT_INCONCLUSIVE,
	VERDICT_DEGRADED,
	VERDICT_INVALID
};

struct comparison {
	char *metric, *workload, *unit;
	char *statistic;            /* "mean", or "p95" ... of the samples of a round */
	char *baseline, *candidate; /* arms, or sources */
	enum metric_better better;
	bool gate;
	size_t n_baseline, n_candidate;             /* rounds that gave a value */
	uint64_t failed_baseline, failed_candidate; /* samples without a value */
	/* Round values; with is_paired both have n_baseline members and 'rounds' names
	 * them. */
	double *baseline_values, *candidate_values;
	int64_t *rounds;
	/*
	 * Of a quantile, what the pooled samples say (reports/statistics/bootstrap.h), and the
	 * quantile on both sides. With is_pooled no round has enough samples for a value
	 * of its own, the two lists above are NULL and this is all there is.
	 */
	bool has_pooled, is_pooled;
	struct log_ratio pooled;
	double pooled_values[2];
	bool is_paired, has_ratio, has_interval;
	double ratio;
	struct interval ci90, ci95;
	const char *method; /* static: "t interval of the paired log ratios" ... */
	double alpha_equivalence, alpha_degraded; /* one-sided levels of ci90 and ci95 */
	double margin;
	/* The smallest margin that so many rounds with this noise would confirm with power
	 * 0.9 where there is no difference; 0: unknown. Of two runs of the same arm it is
	 * the noise floor: what this set-up can see. */
	double smallest_margin;
	/* The difference that this set-up shows where there is none
	 * (reports/verdict/noise_floor.h); 0: not measured. */
	double floor;
	/* One-sided p of the difference beyond the margin on its own side; 1: none. */
	double p_beyond;
	bool has_ranks; /* the intervals are those of signed ranks */
	enum verdict verdict;
	size_t needed_n;     /* rounds a side that would decide; 0: unknown */
	char *reason;        /* a sentence with the numbers */
	struct strvec notes; /* outliers by name, drift, adjusted levels ... */
};

/* Two arms (or sources) and how alike their machines are. */
struct judged_pair {
	char *baseline, *candidate;         /* what verdicts and reports call them */
	char *baseline_arm, *candidate_arm; /* of the results */
	struct likeness likeness;
	int64_t round; /* whose machines these are: the first that break it, else 1; 0: none */
};

struct judgement {
	struct comparison *items;
	size_t nr, alloc;
	struct judged_pair *pairs;
	size_t pairs_nr, pairs_alloc;
	enum verdict overall;
	char *reason;                 /* why the overall verdict is what it is */
	char *plan_digest;            /* or NULL */
	int64_t rounds;               /* complete rounds so far; 0: not a run */
	int64_t looks_min, looks_max; /* 0: fixed number of rounds */
	struct strvec notes;
};

struct judge_options {
	const struct margins *margins; /* NULL: the built-in table */
	/* Rounds after which verdicts are looked at; both 0: taken from the plan. */
	int64_t looks_min, looks_max;
	uint64_t seed;                   /* of the bootstrap */
	const struct noise_floor *floor; /* NULL: not measured */
};

/* One run: every arm against its baseline arm (NULL: the plan's, else the first). */
int judge_run(struct judgement *ret, const struct result_set *run, const char *baseline,
	      const struct judge_options *o, struct err *err);
/* Two sets: the arms of the same name, or the only arm of each. Unpaired. */
int judge_sets(struct judgement *ret, const struct result_set *baseline,
	       const struct result_set *candidate, const struct judge_options *o,
	       struct err *err);
void judgement_release(struct judgement *j);

/*
 * What one side came to, for a table: the mean of its rounds' values, or the quantile of
 * its pooled samples. False where there is none.
 */
bool comparison_level(const struct comparison *c, bool is_candidate, double *ret);

const char *verdict_name(enum verdict v); /* "equivalent" ...; "not judged" */
/* EXIT_PASS, EXIT_DEGRADED, EXIT_INCONCLUSIVE or EXIT_INVALID. */
int verdict_exit_status(enum verdict v);

/* Every gating comparison is decided, or no more rounds can change that. */
bool judgement_is_decided(const struct judgement *j);
/* "gemm.flops on vm: 0.9931 +- 0.4 %, about 4 more rounds; ...": what a run waits for. */
char *judgement_waits_for(const struct judgement *j);

/* The document tare.verdict/1 (configs/schema/verdict.json); owned by the caller. */
struct json_object *judgement_to_json(const struct judgement *j);

#endif
