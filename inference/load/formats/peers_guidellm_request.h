/* One request in GuideLLM's report ("generative_request_stats"). */
#ifndef TARE_INFERENCE_LOAD_FORMATS_PEERS_GUIDELLM_REQUEST_H
#define TARE_INFERENCE_LOAD_FORMATS_PEERS_GUIDELLM_REQUEST_H

#include "core/document/json.h"
#include "inference/load/engine/request_record.h"

struct json_object *peers_guidellm_request(const struct load_report *report,
					   const struct load_stage *stage,
					   const struct request_record *r);

#endif
