/* A stage, and the client in it, as JSON: for 'details' of the result document. */
#ifndef TARE_INFERENCE_LOAD_FIGURES_LOAD_DETAILS_H
#define TARE_INFERENCE_LOAD_FIGURES_LOAD_DETAILS_H

#include "core/document/json.h"
#include "inference/load/figures/load_metrics.h"

struct json_object *stage_to_json(const struct stage_report *s);

struct json_object *client_to_json(const struct client_figures *c);
void client_from_json(struct client_figures *ret, struct json_object *o);
/* The worse of each figure; counts are added up when asked for. */
void client_worsen(struct client_figures *into, const struct client_figures *other,
		   bool adds_counts);

#endif
