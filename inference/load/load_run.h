/*
 * A whole run of tare-load: everything that is known before, during and after its stages.
 *
 *	load_run_prepare()  options, secrets, the server's facts, prompts
 *	load_run_all()      calibration, then each stage that the profile wants
 *	load_result_make()  the result document (inference/load/load_result.h)
 *	load_run_release()
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_RUN_H
#define TARE_INFERENCE_LOAD_LOAD_RUN_H

#include "core/document/evidence.h"
#include "inference/load/figures/load_metrics.h"
#include "inference/load/load_options.h"
#include "inference/mock/mock.h"
#include "inference/load/server_discovery.h"
#include "inference/load/profile.h"
#include "inference/load/engine/request_text.h"
#include "inference/load/engine/stage.h"

struct load_run {
	const struct load_options *options;
	struct mock *mock; /* --mock */
	struct url_parts url;
	char *origin; /* url.origin + url.base */
	char *bearer; /* secret */
	char *salt;
	struct transport transport;
	struct server_facts facts;
	struct server_counters before, after;
	struct prompt prompt;
	struct trace trace, lengths;
	unsigned part, parts;
	int64_t start_at_wall_ns;
	bool checks_prompt, checks_output;
	int64_t token_ns; /* about the time between tokens, from the first small request */
	struct calibration calibration;
	struct evidence evidence; /* from the first stage to the last */
	struct stage_report *reports;
	struct stage_outcome *outcomes;
	struct stage_result *results;
	size_t stages_nr;
};

int load_run_prepare(struct load_run *r, const struct load_options *o, struct err *err);
int load_run_all(struct load_run *r, struct err *err);
void load_run_release(struct load_run *r);

/* A configuration for stage_run() with everything but the stage filled in. */
struct stage_config load_run_stage(const struct load_run *r);

/* The limits of a good request: from the options, or none. */
struct service_level load_service_level(const struct load_options *o);

#endif
