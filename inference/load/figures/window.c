#include "inference/load/figures/window.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

enum window_side window_side(const struct load_stage *s, int64_t at_ns)
{
	if (at_ns < s->measure_start_ns)
		return WINDOW_BEFORE;
	return at_ns < s->measure_end_ns ? WINDOW_INSIDE : WINDOW_AFTER;
}

double window_seconds(const struct load_stage *s)
{
	return (double)(s->measure_end_ns - s->measure_start_ns) * 1e-9;
}

int64_t window_begin_ns(const struct request_record *r)
{
	return r->sent_ns != RECORD_NONE ? r->sent_ns : r->issued_ns;
}

void window_series_init(struct window_series *w, const struct load_stage *s)
{
	int64_t span = s->measure_end_ns - s->measure_start_ns;

	*w = (struct window_series){.start_ns = s->measure_start_ns,
				    .end_ns = s->measure_end_ns,
				    .bin_ns = NS_PER_S};
	if (span > WINDOW_BINS_MAX * NS_PER_S)
		w->bin_ns = (span + WINDOW_BINS_MAX - 1) / WINDOW_BINS_MAX;
	w->nr = span > 0 ? (size_t)((span + w->bin_ns - 1) / w->bin_ns) : 0;
	w->in_flight_s = x_calloc(w->nr + 1, sizeof(*w->in_flight_s));
	w->tokens = x_calloc(w->nr + 1, sizeof(*w->tokens));
	w->completed = x_calloc(w->nr + 1, sizeof(*w->completed));
	w->failed = x_calloc(w->nr + 1, sizeof(*w->failed));
}

void window_series_release(struct window_series *w)
{
	free(w->in_flight_s);
	free(w->tokens);
	free(w->completed);
	free(w->failed);
	*w = (struct window_series){.nr = 0};
}

/* The bin of an instant, or -1 outside. */
static long bin_of(const struct window_series *w, int64_t at_ns)
{
	if (at_ns < w->start_ns || at_ns >= w->end_ns)
		return -1;
	return (long)((at_ns - w->start_ns) / w->bin_ns);
}

static void add_flight(struct window_series *w, int64_t from, int64_t to)
{
	from = from < w->start_ns ? w->start_ns : from;
	to = to > w->end_ns ? w->end_ns : to;
	while (from < to) {
		long bin = bin_of(w, from);
		int64_t edge = w->start_ns + (bin + 1) * w->bin_ns;
		int64_t stop = edge < to ? edge : to;

		w->in_flight_s[bin] += (double)(stop - from) * 1e-9;
		from = stop;
	}
}

void window_series_add(struct window_series *w, const struct request_record *r)
{
	long bin = bin_of(w, r->end_ns);

	if (bin >= 0 && r->end == REQUEST_OK)
		w->completed[bin]++;
	if (bin >= 0 && request_end_is_failure(r->end))
		w->failed[bin]++;
	add_flight(w, window_begin_ns(r), r->end_ns);
	for (uint32_t i = 0; i < r->chunks_nr; i++) {
		bin = bin_of(w, r->chunks[i].arrival_ns);
		if (bin >= 0)
			w->tokens[bin] += r->chunks[i].tokens;
	}
}

double window_series_width_s(const struct window_series *w, size_t bin)
{
	int64_t from = w->start_ns + (int64_t)bin * w->bin_ns, to = from + w->bin_ns;

	return (double)((to < w->end_ns ? to : w->end_ns) - from) * 1e-9;
}

double window_series_concurrency(const struct window_series *w,
				 const struct load_stage *s)
{
	double sum = 0;

	for (size_t i = 0; i < w->nr; i++)
		sum += w->in_flight_s[i];
	return w->nr ? sum / window_seconds(s) : NAN;
}
