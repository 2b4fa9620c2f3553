#include "inference/load/figures/load_metrics.h"

#include <math.h>

static double get_figure(const struct load_metric *m, const struct stage_report *s)
{
	const struct figures *f = &s->summary.figures[m->kind];

	return m->p < 0 ? f->mean_s : figures_quantile_s(f, m->p);
}

static double get_ended(const struct load_metric *m, const struct stage_report *s)
{
	return (double)s->summary.ended[m->end];
}

static double get_failures(const struct load_metric *m, const struct stage_report *s)
{
	uint64_t n = 0;

	(void)m;
	for (int e = 0; e < REQUEST_ENDS; e++)
		n += request_end_is_failure(e) ? s->summary.ended[e] : 0;
	return (double)n;
}

#define GETTER(name, value)                                                           \
	static double name(const struct load_metric *m, const struct stage_report *s) \
	{                                                                             \
		(void)m;                                                              \
		return (double)(s->value);                                            \
	}
GETTER(get_requests_per_s, summary.requests_per_s)
GETTER(get_output_per_s, summary.output_tokens_per_s)
GETTER(get_total_per_s, summary.total_tokens_per_s)
GETTER(get_concurrency, summary.concurrency)
GETTER(get_success, summary.success_ratio)
GETTER(get_good, summary.good_per_s)
GETTER(get_sent_before, summary.sent_before)
GETTER(get_sent_after, summary.sent_after)
GETTER(get_unsent, client.unsent)
GETTER(get_lag_p50, client.lag_p50_s)
GETTER(get_lag_p99, client.lag_p99_s)
GETTER(get_delay_mean, client.delay_mean_s)
GETTER(get_delay_p99, client.delay_p99_s)
GETTER(get_stamp_p50, client.stamp_p50_s)
GETTER(get_stamp_p99, client.stamp_p99_s)
GETTER(get_error, client.error_ratio)
GETTER(get_cpu, client.cpu_per_chunk_s)
GETTER(get_busy, client.busy_ratio)
GETTER(get_coalesced, client.coalesced_ratio)
GETTER(get_unstamped, client.unstamped_ratio)
GETTER(get_step, client.clock_step_s)

/* Mean and quantiles of one distribution. */
#define ROW(name_, suffix, kind_, p_, text)               \
	{                                                 \
		.def = {.name = "load." name_ suffix,     \
			.unit = "s",                      \
			.better = METRIC_LOWER,           \
			.help = text},                    \
		.get = get_figure, .kind = kind_, .p = p_ \
	}
#define ROWS(name, kind, text)                                              \
	ROW(name, "_mean_s", kind, -1, text ", mean."),                     \
		ROW(name, "_p50_s", kind, 0.5, text ", median."),           \
		ROW(name, "_p90_s", kind, 0.9, text ", 90th percentile."),  \
		ROW(name, "_p95_s", kind, 0.95, text ", 95th percentile."), \
		ROW(name, "_p99_s", kind, 0.99, text ", 99th percentile.")
#define ONE(name_, unit_, better_, get_, text) \
	{                                      \
		.def = {.name = "load." name_, \
			.unit = unit_,         \
			.better = better_,     \
			.help = text},         \
		.get = get_                    \
	}
#define FAILED(name_, end_, text)                     \
	{                                             \
		.def = {.name = "load.failed_" name_, \
			.unit = "1",                  \
			.better = METRIC_LOWER,       \
			.help = text},                \
		.get = get_ended, .end = end_         \
	}

const struct load_metric load_metrics[] = {
	ONE("output_tokens_per_s", "token/s", METRIC_HIGHER, get_output_per_s,
	    "Output tokens that arrived in the window over its length."),
	ONE("requests_per_s", "1/s", METRIC_HIGHER, get_requests_per_s,
	    "Requests that ended well in the window over its length."),
	ONE("total_tokens_per_s", "token/s", METRIC_HIGHER, get_total_per_s,
	    "Output tokens as above, and the prompt tokens of each request whose "
	    "first token arrived in the window, over its length."),
	ONE("goodput_requests_per_s", "1/s", METRIC_HIGHER, get_good,
	    "Requests sent in the window that ended well and within all --slo limits, "
	    "over its length."),
	ONE("concurrency", "1", METRIC_NONE, get_concurrency,
	    "Requests in flight, mean over the window."),
	ONE("success_ratio", "1", METRIC_HIGHER, get_success,
	    "Of the requests sent in the window and not cancelled, the share that ended "
	    "well."),
	ROWS("ttft", SUMMARY_TTFT, "Request sent to first token's arrival"),
	ROWS("ttft_from_schedule", SUMMARY_TTFT_FROM_SCHEDULE,
	     "Request due to first token's arrival"),
	ROWS("itl", SUMMARY_ITL, "Between two chunks that carry tokens"),
	ROWS("itl_token", SUMMARY_ITL_TOKEN,
	     "The same, a chunk's gap shared equally by its tokens"),
	ROWS("tpot", SUMMARY_TPOT,
	     "First to last token over the number of tokens less one, of each request"),
	ROWS("latency", SUMMARY_LATENCY, "Request sent to the stream's end"),
	ROWS("latency_from_schedule", SUMMARY_LATENCY_FROM_SCHEDULE,
	     "Request due to the stream's end"),
	ROWS("queue_delay", SUMMARY_QUEUE_DELAY, "Request due to request sent"),
	ONE("failures", "1", METRIC_LOWER, get_failures,
	    "Requests sent in the window that failed, of every class."),
	FAILED("refused", REQUEST_REFUSED, "Nobody listened."),
	FAILED("connect", REQUEST_CONNECT, "No connection for another reason."),
	FAILED("timeout", REQUEST_TIMEOUT, "Not finished within --timeout."),
	FAILED("stall", REQUEST_STALL, "The reply paused for longer than --stall."),
	FAILED("reset", REQUEST_RESET,
	       "The connection was reset, or closed before any reply."),
	FAILED("http_status", REQUEST_HTTP_STATUS, "A status other than 200."),
	FAILED("stream_error", REQUEST_STREAM_ERROR, "An error inside a stream."),
	FAILED("truncated", REQUEST_TRUNCATED, "The stream ended before its end mark."),
	FAILED("empty", REQUEST_EMPTY, "A whole stream without a token."),
	FAILED("wrong_length", REQUEST_WRONG_LENGTH, "Not the lengths asked for."),
	FAILED("protocol", REQUEST_PROTOCOL,
	       "Not HTTP, not an event stream or not JSON."),
	{.def = {.name = "load.cancelled",
		 .unit = "1",
		 .better = METRIC_NONE,
		 .help = "Requests sent in the window, unfinished when the grace was "
			 "over."},
	 .get = get_ended,
	 .end = REQUEST_CANCELLED},
	ONE("excluded_warmup", "1", METRIC_NONE, get_sent_before,
	    "Requests sent before the window: no latency samples."),
	ONE("excluded_cooldown", "1", METRIC_NONE, get_sent_after,
	    "Requests sent after the window: no latency samples."),
	ONE("unsent", "1", METRIC_LOWER, get_unsent,
	    "Requests of an open load that were due but never sent."),
	ONE("client_lag_p50_s", "s", METRIC_NONE, get_lag_p50,
	    "Arrival in the kernel to its reading by this client, median."),
	ONE("client_lag_p99_s", "s", METRIC_NONE, get_lag_p99,
	    "The same, 99th percentile."),
	ONE("client_delay_mean_s", "s", METRIC_NONE, get_delay_mean,
	    "What this client added between a request's due time and its sending, mean."),
	ONE("client_delay_p99_s", "s", METRIC_NONE, get_delay_p99,
	    "The same, 99th percentile."),
	ONE("client_stamp_error_p50_s", "s", METRIC_NONE, get_stamp_p50,
	    "Arrival stamp less the mock's own send time, median."),
	ONE("client_stamp_error_p99_s", "s", METRIC_NONE, get_stamp_p99,
	    "The same, 99th percentile."),
	ONE("client_error_ratio", "1", METRIC_NONE, get_error,
	    "This client's error over what it measured; above 0.01 the result is "
	    "invalid."),
	ONE("client_cpu_per_chunk_s", "s", METRIC_NONE, get_cpu,
	    "CPU time of the worker threads over chunks received."),
	ONE("client_busy_ratio", "1", METRIC_NONE, get_busy,
	    "Share of one CPU that the busiest worker thread used."),
	ONE("client_coalesced_ratio", "1", METRIC_NONE, get_coalesced,
	    "Chunks that were read together with another and share its stamp."),
	ONE("client_unstamped_ratio", "1", METRIC_NONE, get_unstamped,
	    "Reads without a kernel stamp, timed by this client instead."),
	ONE("client_clock_step_s", "s", METRIC_NONE, get_step,
	    "How far wall clock and monotonic clock moved apart during the stage."),
};

const size_t load_metrics_nr = sizeof(load_metrics) / sizeof(load_metrics[0]);

const struct metric_def load_run_metrics[LOAD_RUN_METRICS] = {
	[LOAD_PEAK_TOKENS] = {.name = "load.peak_output_tokens_per_s",
			      .unit = "token/s",
			      .better = METRIC_HIGHER,
			      .help = "The highest output_tokens_per_s of any stage."},
	[LOAD_PEAK_LATENCY_P95] = {.name = "load.latency_p95_at_peak_s",
				   .unit = "s",
				   .better = METRIC_LOWER,
				   .help = "latency_p95_s of that stage."},
	[LOAD_SATURATION] =
		{.name = "load.saturation_concurrency",
		 .unit = "1",
		 .better = METRIC_NONE,
		 .help = "The lowest concurrency whose output_tokens_per_s is "
			 "within --saturation-gain of the peak; absent where none "
			 "higher was tried."},
	[LOAD_SLO_CONCURRENCY] = {.name = "load.slo_concurrency",
				  .unit = "1",
				  .better = METRIC_HIGHER,
				  .help = "The highest concurrency found that keeps the "
					  "--slo limits."},
	[LOAD_SLO_REQUESTS] = {.name = "load.slo_requests_per_s",
			       .unit = "1/s",
			       .better = METRIC_HIGHER,
			       .help = "requests_per_s of that stage."},
	[LOAD_PREFIX_HITS] = {.name = "load.prefix_cache_hit_ratio",
			      .unit = "1",
			      .better = METRIC_NONE,
			      .help = "Prompt tokens that the server found in its prefix "
				      "cache; above 0.01 is a fault."},
	[LOAD_CALIBRATION_P99] = {.name = "load.calibration_error_p99_s",
				  .unit = "s",
				  .better = METRIC_NONE,
				  .help = "client_stamp_error_p99_s against the built-in "
					  "mock before the run."},
};
