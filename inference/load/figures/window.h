/*
 * Which window an event belongs to, by the event's own time: what a stage's rates and
 * samples are made from.
 *
 *	rates      requests that ended, and tokens that arrived, inside the window
 *	latencies  requests that were sent inside the window and succeeded, however late
 *	           (within the grace) their reply came
 *	gaps       between two chunks, by the arrival of the later one
 *	load       requests in flight, integrated over the window
 *
 * What lies outside is counted, never dropped in silence.
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_WINDOW_H
#define TARE_INFERENCE_LOAD_FIGURES_WINDOW_H

#include "inference/load/engine/request_record.h"

enum window_side { WINDOW_BEFORE, WINDOW_INSIDE, WINDOW_AFTER };

enum window_side window_side(const struct load_stage *s, int64_t at_ns);
double window_seconds(const struct load_stage *s);

/* When a request began: when it was sent or, if it never was, when it was tried. */
int64_t window_begin_ns(const struct request_record *r);

/* Load over time in bins of equal width that cover the window. */
struct window_series {
	int64_t start_ns, end_ns, bin_ns; /* the last bin ends with the window */
	size_t nr;
	double *in_flight_s; /* request-seconds in flight in each bin */
	uint64_t *tokens, *completed, *failed;
};

/* Bins of a second, or more where the window is longer than WINDOW_BINS_MAX seconds. */
enum { WINDOW_BINS_MAX = 600 };

void window_series_init(struct window_series *w, const struct load_stage *s);
void window_series_add(struct window_series *w, const struct request_record *r);
void window_series_release(struct window_series *w);
double window_series_width_s(const struct window_series *w, size_t bin);
/* Mean number of requests in flight over the whole window; NAN: it has no length. */
double window_series_concurrency(const struct window_series *w,
				 const struct load_stage *s);

#endif
