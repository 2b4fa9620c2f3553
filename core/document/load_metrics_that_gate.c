#include "core/document/load_metrics_that_gate.h"

#include "core/base/mem.h"

#include <stddef.h>
#include <string.h>

/* One figure of each kind: more gates only make a verdict harder to reach. */
static const struct load_gate gates[] = {
	{"load.output_tokens_per_s", 0},
	{"load.ttft_p50_s", 0},
	{"load.itl_p50_s", 0},
	{"load.latency_p95_s", 0.95},
};

const struct load_gate *load_gate_find(const char *metric)
{
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++)
		if (strcmp(gates[i].metric, metric) == 0)
			return &gates[i];
	return NULL;
}
