#include "inference/mock/mock_stats.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stddef.h>

static const double ttft_bounds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
				     0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10,
				     20,    40,    80,   160,  640,  2560, 0};
static const double gap_bounds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
				    0.3,  0.4,   0.5,  0.75,  1,   2.5,  5,
				    7.5,  10,    20,   40,    80,  0};
static const double request_bounds[] = {0.3, 0.5, 0.8, 1,    1.5,  2,  2.5, 5,
					10,  15,  20,  30,   40,   50, 60,  120,
					240, 480, 960, 1920, 7680, 0};
static const double token_bounds[] = {1,    2,    5,    10,  20,  50,  100, 200, 500,
				      1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 0};
static const double step_bounds[] = {1,   8,    16,   32,   64,   128,   256,
				     512, 1024, 2048, 4096, 8192, 16384, 0};
static const double late_bounds[] = {1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4,
				     5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 0.1,  1,    0};

static const struct {
	const char *name, *help;
	const double *bounds; /* end with 0 */
} families[HIST_NR] = {
	[HIST_TTFT] = {"vllm:time_to_first_token_seconds", "Time to first token",
		       ttft_bounds},
	[HIST_ITL] = {"vllm:inter_token_latency_seconds", "Gap between tokens",
		      gap_bounds},
	[HIST_TPOT] = {"vllm:request_time_per_output_token_seconds",
		       "Mean gap between tokens of a request", gap_bounds},
	[HIST_E2E] = {"vllm:e2e_request_latency_seconds", "End to end", request_bounds},
	[HIST_QUEUE] = {"vllm:request_queue_time_seconds", "Waiting", request_bounds},
	[HIST_INFERENCE] = {"vllm:request_inference_time_seconds", "Running",
			    request_bounds},
	[HIST_PREFILL] = {"vllm:request_prefill_time_seconds", "Running, to first token",
			  request_bounds},
	[HIST_DECODE] = {"vllm:request_decode_time_seconds", "First to last token",
			 request_bounds},
	[HIST_PROMPT_TOKENS] = {"vllm:request_prompt_tokens", "Prompt tokens",
				token_bounds},
	[HIST_GENERATION_TOKENS] = {"vllm:request_generation_tokens", "Output tokens",
				    token_bounds},
	[HIST_ITERATION_TOKENS] = {"vllm:iteration_tokens_total",
				   "Tokens of an engine step", step_bounds},
	[HIST_MAX_TOKENS] = {"vllm:request_params_max_tokens", "max_tokens asked for",
			     token_bounds},
	[HIST_LATE] = {"tare_mock:late_seconds", "A chunk was sent after it was due",
		       late_bounds},
};

void stats_observe(struct mock_stats *s, enum mock_histogram h, double value)
{
	const double *bounds = families[h].bounds;
	size_t i = 0;

	while (bounds[i] > 0 && value > bounds[i])
		i++;
	s->buckets[h][i]++;
	s->sums[h] += value;
	s->counts[h]++;
}

static void print_histogram(const struct mock_stats *s, int h, const char *labels,
			    struct buf *to)
{
	const char *name = families[h].name;
	uint64_t below = 0;

	buf_printf(to, "# HELP %s %s (simulated).\n# TYPE %s histogram\n", name,
		   families[h].help, name);
	for (size_t i = 0; families[h].bounds[i] > 0; i++) {
		below += s->buckets[h][i];
		buf_printf(to, "%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels,
			   families[h].bounds[i], below);
	}
	buf_printf(to, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels,
		   s->counts[h]);
	buf_printf(to, "%s_sum{%s} %.17g\n%s_count{%s} %" PRIu64 "\n", name, labels,
		   s->sums[h], name, labels, s->counts[h]);
}

struct single {
	const char *name, *type, *more; /* further labels, or "" */
	double value;
	bool continues; /* the family of the one before */
};

#define GAUGE(name, value) name, "gauge", "", (double)(value), false
#define COUNTER(name, value) name, "counter", "", (double)(value), false
#define FINISHED(why, value, continues)                                          \
	"vllm:request_success_total", "counter", ",finished_reason=\"" why "\"", \
		(double)(value), continues

static void print_single(const struct single *v, const char *labels, struct buf *to)
{
	if (!v->continues)
		buf_printf(to, "# HELP %s Simulated by tare-mock.\n# TYPE %s %s\n",
			   v->name, v->name, v->type);
	buf_printf(to, "%s{%s%s} %.17g\n", v->name, labels, v->more, v->value);
}

void stats_print(const struct mock_stats *s, const struct mock_gauges *g, struct buf *to)
{
	double kv = g->kv_tokens ? (double)g->kv_used / (double)g->kv_tokens : 0;
	struct buf labels;
	const struct single singles[] = {
		{GAUGE("vllm:num_requests_running", g->running)},
		{GAUGE("vllm:num_requests_waiting", g->waiting)},
		{GAUGE("vllm:kv_cache_usage_perc", kv)},
		{COUNTER("vllm:prompt_tokens_total", s->prompt_tokens)},
		{COUNTER("vllm:generation_tokens_total", s->generation_tokens)},
		{COUNTER("vllm:num_preemptions_total", 0)},
		{COUNTER("vllm:prefix_cache_queries_total", g->prefix_queries)},
		{COUNTER("vllm:prefix_cache_hits_total", g->prefix_hits)},
		{FINISHED("length", s->finished_length, false)},
		{FINISHED("stop", s->finished_stop, true)},
		{FINISHED("abort", s->finished_abort, true)},
		{FINISHED("error", s->finished_error, true)},
		{COUNTER("tare_mock:faults_total", s->faults)},
		{COUNTER("tare_mock:backlogged_chunks_total", s->backlogged)},
		{COUNTER("tare_mock:connections_total", s->connections)},
		{GAUGE("tare_mock:connections_open", g->open_connections)},
		{GAUGE("tare_mock:late_max_seconds", (double)s->late_max_ns * 1e-9)},
	};

	buf_init(&labels, 1024);
	buf_printf(&labels, "model_name=\"%s\",engine=\"0\"", g->model);
	for (size_t i = 0; i < ARRAY_SIZE(singles); i++)
		print_single(&singles[i], labels.data, to);
	for (int h = 0; h < HIST_NR; h++)
		print_histogram(s, h, labels.data, to);
	buf_release(&labels);
}
