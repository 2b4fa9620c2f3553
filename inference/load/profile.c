#include "inference/load/profile.h"

#include <math.h>
#include <stdio.h>

#include "core/base/rng.h"
#include "inference/load/figures/load_metrics.h"

void stage_result_take(struct stage_result *ret, const struct stage_report *report)
{
	const struct stage_summary *s = &report->summary;

	*ret = (struct stage_result){
		.stage = s->stage,
		.requests_per_s = s->requests_per_s,
		.output_tokens_per_s = s->output_tokens_per_s,
		.good = s->good,
		.judged = s->sent_inside - s->ended[REQUEST_CANCELLED] + s->late,
	};
}

static bool closed(struct load_stage *ret, int64_t concurrency)
{
	ret->kind = STAGE_CONCURRENT;
	ret->concurrency = concurrency;
	snprintf(ret->label, sizeof(ret->label), "c%lld", (long long)concurrency);
	return true;
}

static bool widest(struct load_stage *ret, int64_t concurrency)
{
	ret->kind = STAGE_THROUGHPUT;
	ret->concurrency = concurrency;
	snprintf(ret->label, sizeof(ret->label), "max");
	return true;
}

static bool open_load(struct load_stage *ret, enum stage_kind kind, double rate)
{
	ret->kind = kind;
	ret->rate_per_s = rate;
	snprintf(ret->label, sizeof(ret->label), "r%.6g", rate);
	return true;
}

static bool next_of_list(const struct load_options *o, const struct stage_result *done,
			 size_t nr, struct load_stage *ret)
{
	(void)done;
	return nr < o->concurrency.nr && closed(ret, o->concurrency.items[nr]);
}

static bool next_of_sweep(const struct load_options *o, const struct stage_result *done,
			  size_t nr, struct load_stage *ret)
{
	size_t between = (size_t)o->sweep_size - 1;
	double low, high;

	if (nr == 0)
		return closed(ret, 1);
	if (nr == 1)
		return widest(ret, o->max_concurrency);
	low = done[0].requests_per_s;
	high = done[1].requests_per_s;
	/* Without room between the two there is nothing to sweep. */
	if (nr >= (size_t)o->sweep_size || !(high > low) || !(low > 0))
		return false;
	return open_load(ret, o->sweep_pattern ? STAGE_CONSTANT : STAGE_POISSON,
			 low + (high - low) * (double)(nr - 1) / (double)between);
}

long profile_peak(const struct stage_result *done, size_t nr)
{
	long peak = -1;

	for (size_t i = 0; i < nr; i++)
		if (isfinite(done[i].output_tokens_per_s) &&
		    (peak < 0 ||
		     done[i].output_tokens_per_s > done[peak].output_tokens_per_s))
			peak = (long)i;
	return peak;
}

int64_t profile_saturation(const struct stage_result *done, size_t nr, double gain)
{
	long peak = profile_peak(done, nr);
	int64_t lowest = 0;

	for (size_t i = 0; peak >= 0 && i < nr; i++) {
		int64_t c = done[i].stage.concurrency;

		if (done[i].output_tokens_per_s >=
			    (1 - gain) * done[peak].output_tokens_per_s &&
		    c && (!lowest || c < lowest))
			lowest = c;
	}
	return lowest;
}

bool profile_is_saturated(const struct stage_result *done, size_t nr, double gain)
{
	int64_t saturation = profile_saturation(done, nr, gain);

	for (size_t i = 0; saturation && i < nr; i++)
		if (done[i].stage.concurrency > saturation)
			return true;
	return false;
}

static bool was_done(const struct stage_result *done, size_t nr, int64_t concurrency)
{
	for (size_t i = 0; i < nr; i++)
		if (done[i].stage.concurrency == concurrency)
			return true;
	return false;
}

/* The highest concurrency done that lies below 'c'; 0: none. */
static int64_t done_below(const struct stage_result *done, size_t nr, int64_t c)
{
	int64_t below = 0;

	for (size_t i = 0; i < nr; i++)
		if (done[i].stage.concurrency < c && done[i].stage.concurrency > below)
			below = done[i].stage.concurrency;
	return below;
}

/* The next power of two, or the maximum; 0 when that was done. */
static int64_t doubled(const struct load_options *o, const struct stage_result *done,
		       size_t nr)
{
	int64_t top = done_below(done, nr, INT64_MAX), next = top ? 2 * top : 1;

	if (next > o->max_concurrency)
		next = o->max_concurrency;
	return was_done(done, nr, next) ? 0 : next;
}

static bool still_rises(const struct load_options *o, const struct stage_result *done,
			size_t nr)
{
	double best = 0;

	/* Only doublings come in rising order; the first refinement ends that. */
	for (size_t i = 1; i < nr; i++)
		if (done[i].stage.concurrency < done[i - 1].stage.concurrency)
			return false;
	for (size_t i = 0; i + 1 < nr; i++)
		best = fmax(best, done[i].output_tokens_per_s);
	return nr < 2 ||
	       done[nr - 1].output_tokens_per_s >= (1 + o->saturation_gain) * best;
}

static bool next_of_saturation(const struct load_options *o,
			       const struct stage_result *done, size_t nr,
			       struct load_stage *ret)
{
	int64_t next = still_rises(o, done, nr) ? doubled(o, done, nr) : 0, high, low;

	if (next)
		return closed(ret, next);
	high = profile_saturation(done, nr, o->saturation_gain);
	low = done_below(done, nr, high);
	if (!high || high - low <= 1 || high - low <= high / 8)
		return false;
	return closed(ret, (low + high) / 2);
}

static bool keeps_share(const struct stage_result *s, double share)
{
	return s->judged && (double)s->good >= share * (double)s->judged;
}

long profile_slo(const struct stage_result *done, size_t nr, double share)
{
	int64_t lowest_bad = INT64_MAX;
	long best = -1;

	/* A level that holds by luck above one that does not is not believed. */
	for (size_t i = 0; i < nr; i++)
		if (!keeps_share(&done[i], share) &&
		    done[i].stage.concurrency < lowest_bad)
			lowest_bad = done[i].stage.concurrency;
	for (size_t i = 0; i < nr; i++)
		if (done[i].stage.concurrency < lowest_bad &&
		    (best < 0 ||
		     done[i].stage.concurrency > done[best].stage.concurrency))
			best = (long)i;
	return best;
}

static bool next_of_slo(const struct load_options *o, const struct stage_result *done,
			size_t nr, struct load_stage *ret)
{
	long best = profile_slo(done, nr, o->slo_share);
	int64_t good = best < 0 ? 0 : done[best].stage.concurrency, bad = INT64_MAX, next;

	for (size_t i = 0; i < nr; i++)
		if (done[i].stage.concurrency > good && done[i].stage.concurrency < bad)
			bad = done[i].stage.concurrency;
	if (bad == INT64_MAX) {
		next = doubled(o, done, nr);
		return next && closed(ret, next);
	}
	if (bad - good <= 1 || bad - good <= good / 16)
		return false;
	return closed(ret, (good + bad) / 2);
}

static bool next_single(const struct load_options *o, size_t nr, struct load_stage *ret)
{
	if (nr)
		return false;
	switch (o->profile) {
	case PROFILE_SYNCHRONOUS:
		return closed(ret, 1);
	case PROFILE_THROUGHPUT:
		return widest(ret, o->max_concurrency);
	case PROFILE_CONSTANT:
		return open_load(ret, STAGE_CONSTANT, o->rate);
	case PROFILE_POISSON:
		return open_load(ret, STAGE_POISSON, o->rate);
	default:
		ret->kind = STAGE_TRACE;
		snprintf(ret->label, sizeof(ret->label), "trace");
		return true;
	}
}

bool profile_next(const struct load_options *o, const struct stage_result *done,
		  size_t nr, struct load_stage *ret)
{
	*ret = (struct load_stage){.seed = rng_at((uint64_t)o->seed, nr)};
	if (nr >= PROFILE_STAGES_MAX)
		return false;
	switch (o->profile) {
	case PROFILE_CONCURRENT:
		return next_of_list(o, done, nr, ret);
	case PROFILE_SWEEP:
		return next_of_sweep(o, done, nr, ret);
	case PROFILE_SATURATION:
		return next_of_saturation(o, done, nr, ret);
	case PROFILE_SLO:
		return next_of_slo(o, done, nr, ret);
	default:
		return next_single(o, nr, ret);
	}
}

void wilson_interval(uint64_t good, uint64_t nr, double *low, double *high)
{
	const double z = 1.959963984540054;
	double n = (double)nr, p, centre, half;

	*low = 0;
	*high = 1;
	if (!nr)
		return;
	p = (double)good / n;
	centre = (p + z * z / (2 * n)) / (1 + z * z / n);
	half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
	*low = fmax(0, centre - half);
	*high = fmin(1, centre + half);
}

int64_t profile_widest(const struct load_options *o)
{
	int64_t most = 1;

	switch (o->profile) {
	case PROFILE_SYNCHRONOUS:
		return 1;
	case PROFILE_CONCURRENT:
		for (size_t i = 0; i < o->concurrency.nr; i++)
			if (o->concurrency.items[i] > most)
				most = o->concurrency.items[i];
		return most;
	case PROFILE_CONSTANT:
	case PROFILE_POISSON:
	case PROFILE_TRACE:
		return o->connections < 64 ? o->connections : 64;
	default:
		return o->max_concurrency;
	}
}
