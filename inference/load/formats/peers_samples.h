/* Numbers with weights, and the two ways in which the peers summarise them. */
#ifndef TARE_INFERENCE_LOAD_FORMATS_PEERS_SAMPLES_H
#define TARE_INFERENCE_LOAD_FORMATS_PEERS_SAMPLES_H

#include "core/document/json.h"

#include <stddef.h>
#include <stdint.h>

struct weighted {
	double value, weight;
};

struct peers_samples {
	struct weighted *items;
	size_t nr, alloc;
};

void peers_add(struct peers_samples *s, double value,
	       double weight); /* NAN is left out */
void peers_append(struct peers_samples *to, const struct peers_samples *from);
void peers_samples_release(struct peers_samples *s);

/* GuideLLM's DistributionSummary; sorts 's'. All zero when there is nothing. */
struct json_object *peers_guidellm_summary(struct peers_samples *s);

/* mean, median, std (population) and percentiles of vLLM's names, times 'scale'. */
void peers_put_vllm(struct json_object *o, const char *name, double scale,
		    struct peers_samples *s);

#endif
