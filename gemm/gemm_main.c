#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "gemm/autotune.h"
#include "gemm/environment.h"
#include "gemm/options.h"
#include "gemm/report.h"
#include "gemm/run.h"
#include "cuda/surroundings.h"

#include <stdio.h>
#include <stdlib.h>

/* What is told and noted while it runs. */
struct watch {
	struct progress progress;
	struct surroundings surroundings;
};

static void on_warmup(void *ctx, double done_fraction)
{
	struct watch *w = ctx;

	progress_update(&w->progress, done_fraction, "");
}

static void on_timed(void *ctx, bool begins)
{
	struct watch *w = ctx;

	if (begins)
		progress_end(&w->progress);
	surroundings_mark(&w->surroundings, begins);
}

static int deliver(const struct gemm_options *o, const struct report_input *in,
		   const struct result *r, struct err *err)
{
	struct json_object *document;

	if (o->output && result_write(r, o->output, err) != 0)
		return -1;
	if (o->json) {
		document = result_to_json(r);
		fputs(json_text(document), stdout);
		json_object_put(document);
	} else {
		report_summary(in, r, stdout);
	}
	fflush(stdout); /* before the reasons; program_run() looks whether it could be */
	return result_exit_status(r);
}

/* The timed run, then what was asked for besides; then the document: the exit status. */
static int run_and_report(const struct gemm_options *o, struct report_input *in,
			  struct watch *watch, struct err *err)
{
	struct run_plan plan = {.iterations = o->iterations,
				.warmup_ns = o->warmup_ns,
				.on_warmup = on_warmup,
				.on_timed = on_timed,
				.ctx = watch};
	struct run_outcome run = {0};
	struct autotune tuned = {.winner = -1};
	struct result result;
	int rc;

	progress_start(&watch->progress, "warm-up", o->warmup_ns);
	rc = run_measure(in->engine, in->problem, &plan, &run, err);
	progress_end(&watch->progress);
	surroundings_stop(&watch->surroundings);
	if (rc == 0 && o->autotune)
		rc = autotune_measure(in->engine, in->problem, o->iterations, &tuned,
				      err);
	if (rc == 0) {
		in->run = &run;
		in->autotune = o->autotune ? &tuned : NULL;
		report_make(in, &result);
		rc = deliver(o, in, &result, err);
		for (size_t i = 0; i < result.reasons.nr; i++)
			log_error("%s", result.reasons.items[i]);
		result_release(&result);
	}
	autotune_release(&tuned);
	run_outcome_release(&run);
	return rc;
}

/* With the engine open: sizes and memory, then the measurement under watch. */
static int measure(const struct gemm_options *o, struct problem *p, struct engine *e,
		   const struct sweep *sweep, struct err *err)
{
	struct watch watch;
	struct report_input in = {.options = o,
				  .problem = p,
				  .engine = e,
				  .surroundings = &watch.surroundings,
				  .sweep = sweep->nr ? sweep : NULL,
				  .program_start_ns =
					  sweep->nr ? 0 : o->program_start_ns};
	int rc;

	if (engine_prepare(e, p, o->iterations, err) != 0)
		return -1;
	surroundings_start(&watch.surroundings, e->ops->device(e), o->telemetry,
			   o->exclusive);
	for (size_t i = 0; i < watch.surroundings.why_not.nr; i++)
		log_warn("not watched: %s", watch.surroundings.why_not.items[i]);
	rc = run_and_report(o, &in, &watch, err);
	surroundings_release(&watch.surroundings);
	return rc;
}

static int execute(void *options, const struct strvec *rest, struct err *err)
{
	const struct gemm_options *o = options;
	struct engine_request request = {.device = o->device,
					 .threads = o->threads,
					 .sms = o->sms,
					 .algo = o->algo,
					 .wants_autotune = o->autotune};
	struct sweep sweep = {0};
	struct problem p;
	struct engine *e;
	int rc = -1;

	(void)rest;
	stop_install();
	if ((o->output && file_can_write(o->output, "--output", err) != 0) ||
	    options_problem(o, &p, err) != 0 ||
	    environment_check(p.arithmetic, getenv, err) != 0 ||
	    (o->sweep_profiles && sweep_measure(o, &p, &sweep, err) != 0))
		return -1;
	if (engine_open(engine_names[o->backend], &request, &e, err) == 0) {
		rc = measure(o, &p, e, &sweep, err);
		e->ops->close(e);
	}
	sweep_release(&sweep);
	return rc;
}

int main(int argc, char **argv)
{
	struct gemm_options o = {.program_start_ns = clock_mono_ns()};

	return program_run(&gemm_command, &o, execute, argc, argv);
}
