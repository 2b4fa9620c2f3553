#include "inference/load/figures/summary.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"
#include "inference/load/figures/effective.h"

static int64_t finished_ns(const struct request_record *r)
{
	return r->done_ns != RECORD_NONE ? r->done_ns : r->end_ns;
}

/* ns; negative when the request has none. */
static int64_t tpot_ns(const struct request_record *r)
{
	int32_t tokens = r->output_tokens >= 0 ? r->output_tokens : r->received_tokens;

	if (tokens < 2 || r->first_token_ns == RECORD_NONE)
		return -1;
	return (r->last_token_ns - r->first_token_ns + (tokens - 1) / 2) / (tokens - 1);
}

static bool is_good(const struct request_record *r, const struct service_level *level)
{
	int64_t tpot = tpot_ns(r);

	return r->first_token_ns - r->sent_ns <= level->ttft_ns &&
	       (tpot < 0 || tpot <= level->tpot_ns) &&
	       finished_ns(r) - r->sent_ns <= level->latency_ns;
}

/* A cancelled request that had broken a limit already counts as not good. */
static bool is_late(const struct request_record *r, const struct service_level *level)
{
	int64_t first = r->chunks_nr ? r->first_token_ns : r->end_ns;

	return r->sent_ns != RECORD_NONE && (first - r->sent_ns > level->ttft_ns ||
					     r->end_ns - r->sent_ns > level->latency_ns);
}

static void count_sent(struct stage_summary *s, const struct request_record *r,
		       const struct service_level *level)
{
	switch (window_side(&s->stage, window_begin_ns(r))) {
	case WINDOW_BEFORE:
		s->sent_before++;
		return;
	case WINDOW_AFTER:
		s->sent_after++;
		return;
	case WINDOW_INSIDE:
		break;
	}
	s->sent_inside++;
	s->ended[r->end]++;
	s->late += r->end == REQUEST_CANCELLED && is_late(r, level);
	if (r->end != REQUEST_OK)
		return;
	s->good += is_good(r, level);
	s->single_token += tpot_ns(r) < 0;
}

static void count(struct stage_summary *s, const struct request_record *r,
		  const struct service_level *level)
{
	count_sent(s, r, level);
	s->ended_all[r->end]++;
	s->chunks += r->chunks_nr;
	if (r->end == REQUEST_OK) {
		s->completed_inside += window_side(&s->stage, r->end_ns) == WINDOW_INSIDE;
		s->cached_tokens += r->cached_tokens > 0 ? (uint64_t)r->cached_tokens : 0;
		s->prompt_tokens += (uint64_t)r->prompt_wanted;
	}
	/* A prompt has been processed when the first token comes: it counts there. */
	if (r->chunks_nr && window_side(&s->stage, r->first_token_ns) == WINDOW_INSIDE)
		s->prompt_tokens_inside += (uint64_t)r->prompt_wanted;
	for (uint32_t i = 0; i < r->chunks_nr; i++) {
		s->coalesced += r->chunks[i].coalesced;
		if (window_side(&s->stage, r->chunks[i].arrival_ns) == WINDOW_INSIDE)
			s->output_tokens_inside += r->chunks[i].tokens;
	}
	window_series_add(&s->series, r);
}

static void add_gaps(struct distribution *d, const struct load_stage *stage,
		     const struct request_record *r)
{
	for (uint32_t i = 1; i < r->chunks_nr; i++) {
		const struct chunk_stamp *c = &r->chunks[i];
		int64_t gap = c->arrival_ns - c[-1].arrival_ns;

		if (window_side(stage, c->arrival_ns) != WINDOW_INSIDE)
			continue;
		distribution_add(&d[SUMMARY_ITL], gap, 1);
		if (c->tokens)
			distribution_add(&d[SUMMARY_ITL_TOKEN], gap / c->tokens,
					 c->tokens);
	}
}

/* The distributions of a stage while its records are gone through. */
struct gathered {
	struct distribution d[SUMMARY_KINDS];
	struct effective effective[SUMMARY_KINDS];
	bool is_first; /* pass */
};

static void add_of_request(struct gathered *g, const struct load_stage *stage,
			   const struct request_record *r, enum summary_kind kind,
			   int64_t ns)
{
	double span = (double)(stage->measure_end_ns - stage->measure_start_ns);

	distribution_add(&g->d[kind], ns, 1);
	if (g->is_first)
		effective_add(&g->effective[kind],
			      (double)(r->sent_ns - stage->measure_start_ns) / span,
			      (double)ns);
}

static void add_latencies(struct gathered *g, const struct load_stage *stage,
			  const struct request_record *r)
{
	int64_t end = finished_ns(r), tpot = tpot_ns(r);

	if (r->end != REQUEST_OK || window_side(stage, r->sent_ns) != WINDOW_INSIDE)
		return;
	add_of_request(g, stage, r, SUMMARY_TTFT, r->first_token_ns - r->sent_ns);
	add_of_request(g, stage, r, SUMMARY_TTFT_FROM_SCHEDULE,
		       r->first_token_ns - r->scheduled_ns);
	add_of_request(g, stage, r, SUMMARY_LATENCY, end - r->sent_ns);
	add_of_request(g, stage, r, SUMMARY_LATENCY_FROM_SCHEDULE, end - r->scheduled_ns);
	add_of_request(g, stage, r, SUMMARY_QUEUE_DELAY, r->sent_ns - r->scheduled_ns);
	if (tpot >= 0)
		add_of_request(g, stage, r, SUMMARY_TPOT, tpot);
}

static void take_figures(struct figures *f, const struct distribution *d,
			 const struct effective *e)
{
	f->nr = d->nr;
	f->effective_nr = effective_number(e);
	f->mean_s = d->nr ? d->mean * 1e-9 : NAN;
	f->deviation_s = d->nr ? d->deviation * 1e-9 : NAN;
	f->min_s = d->nr ? (double)d->min * 1e-9 : NAN;
	f->max_s = d->nr ? (double)d->max * 1e-9 : NAN;
	for (int i = 0; i < DISTRIBUTION_POINTS; i++) {
		double p = distribution_points[i], q;

		f->quantiles_s[i] = NAN;
		/* A low quantile needs as many samples below it as its mirror above. */
		if (d->nr >= distribution_floor(p < 0.5 ? 1 - p : p) &&
		    distribution_quantile_ns(d, p, &q))
			f->quantiles_s[i] = q * 1e-9;
	}
}

/*
 * The slowest requests are those that were still running when they were cancelled: where
 * they are too many, figures of the others would look better than all were.
 */
static void withhold(struct stage_summary *s)
{
	s->is_censored = (double)s->ended[REQUEST_CANCELLED] >
			 SUMMARY_CENSORED_MAX * (double)s->sent_inside;
	for (int k = 0; s->is_censored && k < SUMMARY_KINDS; k++) {
		struct figures *f = &s->figures[k];

		if (k == SUMMARY_ITL || k == SUMMARY_ITL_TOKEN)
			continue; /* gaps between chunks of cancelled ones count too */
		f->mean_s = f->deviation_s = f->max_s = NAN;
		for (int i = 0; i < DISTRIBUTION_POINTS; i++)
			f->quantiles_s[i] = NAN;
	}
}

double figures_quantile_s(const struct figures *f, double p)
{
	for (int i = 0; i < DISTRIBUTION_POINTS; i++)
		if (distribution_points[i] == p)
			return f->quantiles_s[i];
	return NAN;
}

static void derive(struct stage_summary *s)
{
	uint64_t judged = s->sent_inside - s->ended[REQUEST_CANCELLED];

	s->window_s = window_seconds(&s->stage);
	s->success_ratio = judged ? (double)s->ended[REQUEST_OK] / (double)judged : NAN;
	s->concurrency = window_series_concurrency(&s->series, &s->stage);
	if (!(s->window_s > 0)) {
		s->requests_per_s = s->output_tokens_per_s = s->total_tokens_per_s = NAN;
		s->good_per_s = NAN;
		return;
	}
	s->requests_per_s = (double)s->completed_inside / s->window_s;
	s->output_tokens_per_s = (double)s->output_tokens_inside / s->window_s;
	s->total_tokens_per_s =
		(double)(s->output_tokens_inside + s->prompt_tokens_inside) / s->window_s;
	s->good_per_s = (double)s->good / s->window_s;
}

/* All records once; what is counted is counted in the first pass alone. */
static int pass(struct stage_summary *s, struct gathered *g,
		const struct record_source *source, const struct service_level *level,
		struct err *err)
{
	struct request_record r;
	int rc;

	source->rewind(source->ctx);
	for (int k = 0; k < SUMMARY_KINDS; k++)
		distribution_pass(&g->d[k]);
	while ((rc = record_source_next(source, &r, err)) > 0) {
		if (g->is_first)
			count(s, &r, level);
		add_latencies(g, &s->stage, &r);
		if (!request_end_is_failure(r.end))
			add_gaps(g->d, &s->stage, &r);
	}
	return rc;
}

int summary_make(struct stage_summary *ret, const struct load_stage *stage,
		 const struct record_source *source, const struct service_level *level,
		 struct err *err)
{
	struct gathered g = {.is_first = true};
	bool needs_more = true;
	int rc = 0;

	*ret = (struct stage_summary){.stage = *stage};
	window_series_init(&ret->series, stage);
	for (int k = 0; k < SUMMARY_KINDS; k++)
		distribution_init(&g.d[k]);
	for (; needs_more && !rc; g.is_first = false) {
		rc = pass(ret, &g, source, level, err);
		needs_more = false;
		for (int k = 0; !rc && k < SUMMARY_KINDS; k++)
			needs_more = distribution_more(&g.d[k]) || needs_more;
	}
	for (int k = 0; k < SUMMARY_KINDS; k++) {
		if (!rc)
			take_figures(&ret->figures[k], &g.d[k], &g.effective[k]);
		distribution_release(&g.d[k]);
	}
	if (rc) {
		summary_release(ret);
		return -1;
	}
	withhold(ret);
	derive(ret);
	return 0;
}

void summary_release(struct stage_summary *s)
{
	window_series_release(&s->series);
}
