#include "inference/mock/mock_stats.h"

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

static void print_single(const struct single *v, const char *labels, struct buf *to)
{
	if (!v->continues)
		buf_printf(to, "# HELP %s Simulated by tare-mock.\n# TYPE %s %s\n",
			   v->name, v->name, v->type);
	buf_printf(to, "%s{%s%s} %.17g\n", v->name, labels, v->more, v->value);
}

void stats_print(const struct mock_stats *s, const struct mock_gauges *g, struct buf *to)
{
	const char *counter = "counter", *gauge = "gauge";
	const char *success = "vllm:request_success_total";
	double kv = g->kv_tokens ? (double)g->kv_used / (double)g->kv_tokens : 0;
	struct buf labels;
	const struct single singles[] = {
		{"vllm:num_requests_running", gauge, "", (double)g->running, false},
		{"vllm:num_requests_waiting", gauge, "", (double)g->waiting, false},
		{"vllm:kv_cache_usage_perc", gauge, "", kv, false},
		{"vllm:prompt_tokens_total", counter, "", (double)s->prompt_tokens,
		 false},
		{"vllm:generation_tokens_total", counter, "",
		 (double)s->generation_tokens, false},
		{"vllm:num_preemptions_total", counter, "", 0, false},
		{"vllm:prefix_cache_queries_total", counter, "",
		 (double)g->prefix_queries, false},
		{"vllm:prefix_cache_hits_total", counter, "", (double)g->prefix_hits,
		 false},
		{success, counter, ",finished_reason=\"length\"",
		 (double)s->finished_length, false},
		{success, counter, ",finished_reason=\"stop\"", (double)s->finished_stop,
		 true},
		{success, counter, ",finished_reason=\"abort\"",
		 (double)s->finished_abort, true},
		{success, counter, ",finished_reason=\"error\"",
		 (double)s->finished_error, true},
		{"tare_mock:faults_total", counter, "", (double)s->faults, false},
		{"tare_mock:backlogged_chunks_total", counter, "", (double)s->backlogged,
		 false},
		{"tare_mock:connections_total", counter, "", (double)s->connections,
		 false},
		{"tare_mock:connections_open", gauge, "", (double)g->open_connections,
		 false},
		{"tare_mock:late_max_seconds", gauge, "", (double)s->late_max_ns * 1e-9,
		 false},
	};

	buf_init(&labels, 1024);
	buf_printf(&labels, "model_name=\"%s\",engine=\"0\"", g->model);
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		print_single(&singles[i], labels.data, to);
	for (int h = 0; h < HIST_NR; h++)
		print_histogram(s, h, labels.data, to);
	buf_release(&labels);
}
