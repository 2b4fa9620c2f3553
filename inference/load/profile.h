/*
 * Which stage comes next, from those that are done: every profile as a function without
 * I/O. profile_next() is asked until it says no.
 *
 *	saturation  doubles the concurrency until output tokens a second rise by less than
 *	            'gain', then halves the step between the last concurrency below the peak
 *	            (by more than gain) and the first within it
 *	slo         doubles until the share of good requests falls below 'share', then
 *	            bisects to a sixteenth
 *	sweep       one at a time, then the maximum, then rates evenly between the two
 */
#ifndef TARE_INFERENCE_LOAD_PROFILE_H
#define TARE_INFERENCE_LOAD_PROFILE_H

#include "inference/load/load_options.h"
#include "inference/load/engine/request_record.h"

#include <stddef.h>

enum { PROFILE_STAGES_MAX = 128 };

/* What a finished stage came to. */
struct stage_result {
	struct load_stage stage;
	double requests_per_s, output_tokens_per_s;
	uint64_t good, judged;
};

struct stage_report;
void stage_result_take(struct stage_result *ret, const struct stage_report *report);

/* False: the profile is over. 'ret' gets label, kind, concurrency or rate, and seed. */
bool profile_next(const struct load_options *o, const struct stage_result *done,
		  size_t nr, struct load_stage *ret);

/* The lowest concurrency within 'gain' of the peak; 0: no closed stage at all. */
int64_t profile_saturation(const struct stage_result *done, size_t nr, double gain);

/*
 * Whether a higher concurrency than that was tried: else throughput may go on rising, and
 * the peak is only where the trying stopped.
 */
bool profile_is_saturated(const struct stage_result *done, size_t nr, double gain);

/* The index of the highest concurrency that keeps the share; -1: none. */
long profile_slo(const struct stage_result *done, size_t nr, double share);

/* The index of the stage with the most output tokens a second; -1: none. */
long profile_peak(const struct stage_result *done, size_t nr);

/* Wilson's score interval at 95 % of 'good' of 'nr' (Wilson, 1927). */
void wilson_interval(uint64_t good, uint64_t nr, double *low, double *high);

/* The largest number of requests in flight that is to be expected; for calibration. */
int64_t profile_widest(const struct load_options *o);

#endif
