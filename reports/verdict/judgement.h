/*
 * What judging comes to: comparisons of one metric each, and the judgement over all of them,
 * as data and as the document tare.verdict/1. The rule is reports/verdict/verdict.h's.
 */
#ifndef TARE_REPORTS_VERDICT_JUDGEMENT_H
#define TARE_REPORTS_VERDICT_JUDGEMENT_H

#include "core/base/err.h"
#include "core/base/strvec.h"
#include "core/document/json.h"
#include "core/document/likeness.h"
#include "core/document/metric.h"
#include "reports/statistics/memory.h"
#include "reports/statistics/stats.h"
#include "reports/verdict/claims.h"

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

/*
 * Rounds in which the candidate stands apart, on its worse side, from the rest: a mixture
 * ("one boot in ten is slow") is a finding, not an outlier to be robust against.
 */
struct slow_rounds {
	size_t nr;
	int64_t *rounds;
	double difference; /* mean of their ratios over the others' mean ratio, less 1 */
	const char *arm;   /* whose own values moved there; borrowed; NULL: not known */
	struct strvec shared; /* what they share and the others do not */
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
	/* The smallest true loss, relative, that so many rounds with this noise would call
	 * 'degraded' with power 0.9; 0: unknown. */
	double detectable_loss;
	/* One-sided p of the difference beyond the margin on its own side; 1: none. */
	double p_beyond;
	double robust_ratio; /* of pairs: Hodges and Lehmann's centre, shown only; 0: none */
	struct slow_rounds slow;
	/*
	 * How alike neighbouring rounds are: as these show it, and what the intervals were
	 * widened by: the noise floor's figure, else these rounds' own where they are many
	 * enough. nr 0: unknown, and rounds are taken as independent.
	 */
	struct memory memory_seen, memory;
	bool is_memory_of_floor;
	/* Failures (reports/verdict/failures.h): values are shares; of so many attempts. */
	bool is_failures;
	size_t tried_baseline, tried_candidate;
	enum verdict verdict;
	size_t needed_n;     /* rounds a side that would decide; 0: unknown */
	char *reason;        /* a sentence with the numbers */
	struct strvec notes; /* outliers by name, drift, adjusted levels ... */
};

/* Two arms (or sources) and how alike their machines are. */
struct judged_pair {
	char *baseline, *candidate;         /* what verdicts and reports call them */
	char *baseline_arm, *candidate_arm; /* of the results */
	struct likeness likeness; /* of the first round that breaks it, else the first */
};

/* One workload of a pair: what a verdict about it rests on. */
struct judged_work {
	char *workload;
	size_t pair; /* index of the pair */
	bool gates;  /* one of its comparisons does */
	struct claims claims;
};

struct judgement {
	struct comparison *items;
	size_t nr, alloc;
	struct judged_pair *pairs;
	size_t pairs_nr, pairs_alloc;
	struct judged_work *works; /* in the order of the pairs */
	size_t works_nr, works_alloc;
	enum verdict overall;
	char *reason;                 /* why the overall verdict is what it is */
	int64_t rounds;               /* complete rounds so far; 0: not a run */
	int64_t looks_min, looks_max; /* 0: fixed number of rounds */
	struct strvec notes;
};

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
/*
 * What was shown of all that gates (of everything, where nothing does), the weakest of each
 * claim; of one pair, or of all with 'pair' SIZE_MAX. To be released.
 */
void judgement_claims(const struct judgement *j, size_t pair, struct claims *ret);
/* "gemm.flops on vm: 0.9931 +- 0.4 %, about 4 more rounds; ...": what a run waits for. */
char *judgement_waits_for(const struct judgement *j);

/* The document tare.verdict/1 (configs/schema/verdict.json); owned by the caller. */
struct json_object *judgement_to_json(const struct judgement *j);

/* Fragments that documents share. Owned by the caller. */
struct json_object *verdict_to_json(enum verdict v); /* its name; null where none */
struct json_object *interval_to_json(const struct interval *i); /* [low, high] */
struct json_object *texts_to_json(const struct strvec *v);

/* "gemm.flops", "gemm.gap p99": the metric with its statistic; free(). */
char *comparison_metric(const struct comparison *c);

/* The verdict with its reason, as printf() has it. What can be shown stays shown. */
void comparison_conclude(struct comparison *c, enum verdict v, const char *fmt, ...)
	ERR_PRINTF(3, 4);

/* "0.9987", "0.0478", "21.3": as many digits as say something; returns 'text'. */
const char *ratio_text(double ratio, char *text, size_t size);
/* "1 %", "0.5 %": returns 'text'. */
const char *percent_text(double fraction, char *text, size_t size);

#endif
