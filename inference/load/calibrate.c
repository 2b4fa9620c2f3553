#include "inference/load/calibrate.h"

#include <math.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"

static struct mock *start(int64_t streams, int64_t token_ns, struct err *err)
{
	struct mock_config c = {.port = 0};
	int64_t slowest = streams * NS_PER_S / CALIBRATE_CHUNKS_PER_S;
	struct mock *m;

	fields_init(mock_fields, &c);
	token_ns = token_ns > slowest ? token_ns : slowest;
	token_ns = token_ns > NS_PER_MS ? token_ns : NS_PER_MS;
	c.itl_ns = token_ns < 100 * NS_PER_MS ? token_ns : 100 * NS_PER_MS;
	c.ttft_ns = 2 * c.itl_ns;
	m = mock_start(&c, MOCK_PROCESS, err);
	fields_release(mock_fields, &c);
	return m;
}

static int run(const struct load_run *r, const char *url, int64_t streams,
	       struct stage_outcome *ret, struct err *err)
{
	struct transport t = {
		.url = url,
		.connect_timeout_ns = 10 * NS_PER_S,
	};
	struct stage_config c = load_run_stage(r);
	struct prompt prompt = {.prompt_rule = r->prompt.prompt_rule,
				.output_rule = r->prompt.output_rule,
				.seed = r->prompt.seed};
	struct url_parts parts;
	int rc;

	if (url_split(url, &parts, err))
		return -1;
	prompt_use_ids(&prompt, r->options->token_low, r->options->token_high);
	prompt.dialect = (struct dialect){true, true, true, true};
	prompt_finish(&prompt, &parts, NULL, "mock", r->salt);
	c.transport = &t;
	c.prompt = &prompt;
	c.stage = (struct load_stage){
		.label = "calibration", .kind = STAGE_CONCURRENT, .concurrency = streams};
	c.duration_ns = r->options->calibrate_ns;
	c.warmup_ns = c.cooldown_ns = c.grace_ns = c.ramp_ns = 0;
	c.requests_max = c.errors_max = 0;
	c.error_rate_max = 1;
	c.part = 0;
	c.parts = 1;
	c.checks_prompt = c.checks_output = false;
	rc = stage_run(&c, ret, err);
	prompt_release(&prompt);
	url_parts_release(&parts);
	return rc;
}

int calibrate(const struct load_run *r, struct calibration *ret, struct err *err)
{
	int64_t streams = profile_widest(r->options);
	struct stage_outcome o;
	struct mock *m;
	double seconds;

	*ret = (struct calibration){.is_done = false};
	streams = (streams + r->parts - 1) / r->parts;
	log_info("calibration: %lld streams against the built-in mock (no model)",
		 (long long)streams);
	m = start(streams, r->token_ns, err);
	if (!m)
		return -1;
	if (run(r, mock_url(m), streams, &o, err)) {
		mock_stop(m);
		return -1;
	}
	mock_stop(m);
	if (!o.stamp_error->nr) {
		stage_outcome_release(&o);
		return err_set(
			err, ERR_ENVIRONMENT,
			"no chunk arrived whose instant could be compared, so that "
			"this client's error is not known; give it more time "
			"(--calibrate) or go without it (--calibrate 0)");
	}
	seconds = (double)(o.stage.end_ns - o.stage.start_ns) * 1e-9;
	*ret = (struct calibration){
		.is_done = true,
		.streams = streams,
		.chunks_per_s = (double)o.chunks / seconds,
		.error_p50_s = (double)lag_quantile_ns(o.stamp_error, 0.5) * 1e-9,
		.error_p99_s = (double)lag_quantile_ns(o.stamp_error, 0.99) * 1e-9,
		.lag_p99_s = (double)lag_quantile_ns(o.lag, 0.99) * 1e-9,
		.cpu_per_chunk_s =
			o.chunks ? (double)o.cpu_ns / (double)o.chunks * 1e-9 : NAN,
	};
	stage_outcome_release(&o);
	return 0;
}
