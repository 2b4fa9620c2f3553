/*
 * What the records of one stage come to. Every figure is defined in docs/metrics.md;
 * quantiles are exact (inference/load/figures/distribution.h) and NAN where there are
 * too few samples for them to be stated.
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_SUMMARY_H
#define TARE_INFERENCE_LOAD_FIGURES_SUMMARY_H

#include "inference/load/figures/distribution.h"
#include "inference/load/engine/request_record.h"
#include "inference/load/figures/window.h"

/* Distributions, in seconds. */
enum summary_kind {
	SUMMARY_TTFT,               /* sent to first token */
	SUMMARY_TTFT_FROM_SCHEDULE, /* due to first token */
	SUMMARY_ITL,                /* between chunks with tokens */
	SUMMARY_ITL_TOKEN, /* the same, each token of a chunk a share of the gap */
	SUMMARY_TPOT,      /* (last token - first token) / (tokens - 1) */
	SUMMARY_LATENCY,   /* sent to the end of the stream */
	SUMMARY_LATENCY_FROM_SCHEDULE, /* due to the end of the stream */
	SUMMARY_QUEUE_DELAY,           /* due to sent */
	SUMMARY_KINDS
};

struct figures {
	uint64_t nr;
	double effective_nr; /* independent requests that they are worth (effective.h);
			      * NAN: not of whole requests, or too few to tell */
	double mean_s, deviation_s, min_s, max_s; /* NAN when nr is 0 */
	double quantiles_s
		[DISTRIBUTION_POINTS]; /* by distribution_points; NAN: too few */
};

/* Limits for 'good' requests; CLOCK_NEVER: none. */
struct service_level {
	int64_t ttft_ns, tpot_ns, latency_ns;
};

#define SUMMARY_CENSORED_MAX 0.01

struct stage_summary {
	struct load_stage stage;
	double window_s;
	uint64_t sent_inside, sent_before, sent_after; /* all requests, by their begin */
	uint64_t ended[REQUEST_ENDS];                  /* of those sent inside */
	uint64_t ended_all[REQUEST_ENDS];              /* of the whole stage */
	uint64_t completed_inside;                     /* OK and ended in the window */
	uint64_t output_tokens_inside, prompt_tokens_inside;
	uint64_t good;         /* of those sent inside: OK and within the service level */
	uint64_t late;         /* cancelled, and beyond the service level by then */
	uint64_t single_token; /* OK with one token: no TPOT */
	uint64_t cached_tokens, prompt_tokens; /* of all OK requests */
	uint64_t coalesced, chunks;
	double requests_per_s, output_tokens_per_s, total_tokens_per_s, concurrency;
	double good_per_s, success_ratio; /* NAN when nothing was sent inside */
	bool is_censored; /* more of those sent inside than SUMMARY_CENSORED_MAX were
			   * cancelled: figures of the others would be too good, and
			   * those of whole requests are NAN, whatever their 'nr' */
	struct figures figures[SUMMARY_KINDS];
	struct window_series series;
};

/* Reads the source several times over. On failure nothing is left to release. */
int summary_make(struct stage_summary *ret, const struct load_stage *stage,
		 const struct record_source *source, const struct service_level *level,
		 struct err *err) __attribute__((warn_unused_result));
void summary_release(struct stage_summary *s);

/* figures->quantiles_s of p (one of distribution_points). */
double figures_quantile_s(const struct figures *f, double p);

#endif
