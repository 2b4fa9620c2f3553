#include "inference/load/load_run.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "core/machine/around.h"
#include "inference/load/calibrate.h"
#include "inference/load/figures/client_figures.h"

/* Between the stages of parts that keep step: time to open connections anew. */
#define STEP_MARGIN_NS (5 * NS_PER_S)

struct watcher {
	struct progress progress;
	const char *label;
};

static void on_live(void *ctx, const struct stage_live *live)
{
	struct watcher *w = ctx;
	char text[160];
	double done = live->duration_s > 0 ? live->elapsed_s / live->duration_s : 0;

	snprintf(
		text, sizeof(text),
		"%s: %llu in flight, %.1f req/s, %.0f token/s, TTFT %.1f ms, %llu failed",
		w->label, (unsigned long long)live->in_flight,
		(double)live->ok / live->elapsed_s,
		(double)live->tokens / live->elapsed_s,
		live->ttft_nr ? live->ttft_sum_s / (double)live->ttft_nr * 1e3 : 0.0,
		(unsigned long long)live->failed);
	progress_update(&w->progress, done < 1 ? done : 1, text);
}

/* Takes the outcome over, also where it fails: the run releases it. */
static int keep(struct load_run *r, const struct stage_outcome *o, struct err *err)
{
	struct stage_report *report = &r->reports[r->stages_nr];
	struct service_level level = load_service_level(r->options);
	struct spool_reader *reader;
	struct record_source source;
	int rc;

	r->outcomes[r->stages_nr] = *o;
	reader = spool_read(o->spool);
	source = spool_reader_source(reader);
	rc = summary_make(&report->summary, &o->stage, &source, &level, err);
	spool_reader_free(reader);
	if (rc) {
		stage_outcome_release(&r->outcomes[r->stages_nr]);
		return -1;
	}
	client_judge(&report->client, o, &report->summary, &r->calibration);
	report->is_aborted = o->is_aborted;
	memcpy(report->error_text, o->error_text, sizeof(report->error_text));
	stage_result_take(&r->results[r->stages_nr], report);
	r->stages_nr++;
	return 0;
}

static int run_stage(struct load_run *r, const struct load_stage *stage, struct err *err)
{
	struct stage_config c = load_run_stage(r);
	struct watcher w = {.label = stage->label};
	struct stage_outcome o;
	int rc;

	c.stage = *stage;
	c.watch = on_live;
	c.watch_ctx = &w;
	if (r->start_at_wall_ns)
		c.start_at_wall_ns = r->start_at_wall_ns +
				     (int64_t)r->stages_nr * (c.duration_ns + c.grace_ns +
							      STEP_MARGIN_NS);
	if (c.start_at_wall_ns && c.start_at_wall_ns < clock_wall_ns())
		log_warn("stage %s begins %.1f s after its common time: a merge can only "
			 "use what all parts measured together (--start-at)",
			 stage->label,
			 (double)(clock_wall_ns() - c.start_at_wall_ns) * 1e-9);
	progress_start(&w.progress, "load", c.duration_ns);
	rc = stage_run(&c, &o, err);
	progress_end(&w.progress);
	if (rc || keep(r, &o, err))
		return err_wrap(err, "stage %s", stage->label);
	return 0;
}

int load_run_all(struct load_run *r, struct err *err)
{
	struct load_stage stage;
	struct around around;

	if (r->options->calibrate_ns && !r->options->uses_mock &&
	    calibrate(r, &r->calibration, err))
		return err_wrap(err, "calibration against the built-in mock");
	server_read_counters(&r->transport, &r->before);
	around_begin(&around, "");
	while (profile_next(r->options, r->results, r->stages_nr, &stage)) {
		if (stop_check(err) || run_stage(r, &stage, err))
			return -1;
		if (r->reports[r->stages_nr - 1].is_aborted)
			break;
	}
	around_end(&around, &r->evidence);
	server_read_counters(&r->transport, &r->after);
	return 0;
}
