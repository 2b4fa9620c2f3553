/* What results carry beside their metrics: stages of load, telemetry, the GPU. Made up. */
#ifndef TARE_TESTS_SUPPORT_SYNTHETIC_DETAILS_H
#define TARE_TESTS_SUPPORT_SYNTHETIC_DETAILS_H

#include "core/document/result.h"
#include "core/base/rng.h"

/*
 * As tare-load writes them (inference/load/load_result.h): five stages of rising
 * concurrency whose throughput saturates at 32, with their distributions and metrics
 * "load.NAME@LABEL". 'ratio' scales the throughput.
 */
void synthetic_stages(struct result *r, double ratio, struct rng *rng);

/* As core/machine/telemetry.h; in the middle third of it the power cap holds if 'is_slowed'. */
void synthetic_telemetry(struct result *r, bool is_slowed, struct rng *rng);

/* As tare-gemm and the harness write it; 'part' is a MIG profile, NULL the whole GPU. */
void synthetic_gpu(struct result *r, const char *part);

#endif
