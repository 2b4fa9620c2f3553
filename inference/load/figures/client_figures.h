/*
 * What the client's own behaviour in a stage means for the figures: the measurement of the
 * measurer.
 *
 * error_ratio is the largest of
 *	stamps     error of the arrival stamps, from the mock, over the gaps between chunks
 *	           (over the times to first token where there are no gaps): median over
 *	           median, p99 over p99
 *	reading    p99 of the lag when it is longer than that gap, since chunks then wait
 *	           behind each other and share stamps: the coalesced share
 *	sending    mean delay this client added before sending, over the median latency
 * and above CLIENT_ERROR_MAX the result is invalid, reason client-limited.
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_CLIENT_FIGURES_H
#define TARE_INFERENCE_LOAD_FIGURES_CLIENT_FIGURES_H

#include "core/document/json.h"
#include "inference/load/figures/load_metrics.h"

#define CLIENT_ERROR_MAX 0.01
#define CLIENT_CLOCK_STEP_MAX_S 50e-6

/* Without a calibration the stage's own stamp errors count, when its server was the mock. */
void client_judge(struct client_figures *ret, const struct stage_outcome *o,
		  const struct stage_summary *s, const struct calibration *c);

struct json_object *client_to_json(const struct client_figures *c);
void client_from_json(struct client_figures *ret, struct json_object *o);
/* The worse of each figure; counts are added up when asked for. */
void client_worsen(struct client_figures *into, const struct client_figures *other,
		   bool adds_counts);

#endif
