/* A stage as JSON: for 'details' of the result document. */
#ifndef TARE_INFERENCE_LOAD_FIGURES_LOAD_DETAILS_H
#define TARE_INFERENCE_LOAD_FIGURES_LOAD_DETAILS_H

#include "core/document/json.h"
#include "inference/load/figures/load_metrics.h"

struct json_object *stage_to_json(const struct stage_report *s);

#endif
