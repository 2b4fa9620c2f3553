#include "reports/import/import_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/document/load_metrics_that_gate.h"
#include "core/base/mem.h"
#include "reports/statistics/stats.h"

/*
 * The peer's name of a distribution, ours, and what turns its values into seconds. What
 * GuideLLM calls inter-token latency has one value a request: it is vLLM's and our TPOT,
 * and its time per output token counts the first token too, so neither is our ITL.
 */
static const struct distribution {
	const char *theirs, *ours;
	double scale;
} guidellm_distributions[] = {
	{"time_to_first_token_ms", "load.ttft", 1e-3},
	{"inter_token_latency_ms", "load.tpot", 1e-3},
	{"time_per_output_token_ms", "guidellm.time_per_output_token", 1e-3},
	{"request_latency", "load.latency", 1},
};

static const struct rate {
	const char *theirs, *ours, *unit;
} guidellm_rates[] = {
	{"output_tokens_per_second", "load.output_tokens_per_s", "token/s"},
	{"requests_per_second", "load.requests_per_s", "1/s"},
	{"tokens_per_second", "load.total_tokens_per_s", "token/s"},
};

static void judge_requests(struct result *r, double ok, double failed)
{
	char *why = NULL;

	if (!(ok >= 0 && failed >= 0 && ok + failed > 0) ||
	    ok >= LOAD_SUCCESS_MIN * (ok + failed))
		return;
	if (ok > 0)
		why = x_asprintf("failures: only %.2f %% of %.0f requests ended well",
				 100 * ok / (ok + failed), ok + failed);
	else
		why = x_asprintf("no-success: of %.0f requests none ended well", failed);
	result_worsen(r, ok > 0 ? RESULT_INVALID : RESULT_FAILED, why);
	free(why);
}

/*
 * As for a load of our own. A peer states every percentile, of however few requests; one
 * far out gates where ours would state it.
 */
static void set_gates(struct result *r, double requests)
{
	for (size_t i = 0; i < r->metrics_nr; i++) {
		struct metric_def *def = &r->metrics[i].def;
		const struct load_gate *gate = load_gate_find(def->name);

		def->gate = gate && (gate->tail == 0 ||
				     requests >= (double)stats_quantile_min(gate->tail));
	}
}

static const char *const percentiles[] = {"p50", "p90", "p95", "p99"};

static void add_distribution(struct result *r, const struct distribution *d,
			     struct json_object *o)
{
	struct json_object *p = json_member(o, "percentiles");
	char *name = x_asprintf("%s_mean_s", d->ours);

	if (json_get_int(o, "count", 0) > 0) {
		import_value(r, name, "s", METRIC_LOWER,
			     d->scale * json_get_real(o, "mean", NAN));
		for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
			free(name);
			name = x_asprintf("%s_%s_s", d->ours, percentiles[i]);
			import_value(r, name, "s", METRIC_LOWER,
				     d->scale * json_get_real(p, percentiles[i], NAN));
		}
	}
	free(name);
}

/* "concurrent-8", "constant-2.5", "throughput": the strategy with what sets its load. */
static char *strategy_name(struct json_object *benchmark)
{
	struct json_object *s = json_at(benchmark, "config/strategy");
	const char *kind;
	double level;

	if (!s)
		s = json_at(benchmark, "args/strategy");
	kind = json_get_text(s, "type_", "benchmark");
	level = json_get_real(s, "streams", json_get_real(s, "rate", NAN));
	return isfinite(level) ? x_asprintf("%s-%g", kind, level) : x_strdup(kind);
}

/* What the load was, as far as the report tells; absent where it does not. */
static void put_text(struct result *r, const char *key, const char *text)
{
	if (text)
		json_put_text(r->params, key, text);
}

static void put_number(struct result *r, const char *key, double value)
{
	if (isfinite(value))
		json_put_real(r->params, key, value);
}

/* The first of these places that says which model was asked. */
static const char *guidellm_model(struct json_object *report,
				  struct json_object *benchmark)
{
	static const char *const places[] = {"config/backend/model", "args/backend/model",
					     "args/model", "config/model"};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		struct json_object *o =
			json_at(i % 2 ? report : benchmark, places[i / 2]);

		if (json_object_is_type(o, json_type_string))
			return json_object_get_string(o);
	}
	return NULL;
}

static void put_guidellm_load(struct result *r, struct json_object *report,
			      struct json_object *benchmark)
{
	struct json_object *metrics = json_member(benchmark, "metrics");

	put_text(r, "model", guidellm_model(report, benchmark));
	put_number(r, "input_tokens",
		   json_get_real(json_at(metrics, "prompt_token_count/successful"),
				 "mean", NAN));
	put_number(r, "output_tokens",
		   json_get_real(json_at(metrics, "output_token_count/successful"),
				 "mean", NAN));
}

static void read_benchmark(struct result_set *s, struct json_object *report,
			   struct json_object *benchmark, const char *path)
{
	struct json_object *metrics = json_member(benchmark, "metrics"), *totals;
	const char *version =
		json_get_text(json_member(report, "metadata"), "guidellm_version", NULL);
	char *name = strategy_name(benchmark);
	struct result r;

	import_begin(&r, "GuideLLM", version, name);
	put_guidellm_load(&r, report, benchmark);
	for (size_t i = 0; i < ARRAY_SIZE(guidellm_rates); i++) {
		const struct rate *t = &guidellm_rates[i];
		struct json_object *o = json_member(metrics, t->theirs);

		import_value(&r, t->ours, t->unit, METRIC_HIGHER,
			     json_get_real(json_member(o, "successful"), "mean", NAN));
	}
	for (size_t i = 0; i < ARRAY_SIZE(guidellm_distributions); i++) {
		const struct distribution *d = &guidellm_distributions[i];
		struct json_object *o = json_member(metrics, d->theirs);

		add_distribution(&r, d, json_member(o, "successful"));
	}
	totals = json_member(metrics, "request_totals");
	judge_requests(&r, json_get_real(totals, "successful", NAN),
		       json_get_real(totals, "errored", NAN));
	set_gates(&r, json_get_real(totals, "successful", NAN));
	import_end(s, &r, path);
	free(name);
}

static bool is_guidellm(struct json_object *o)
{
	struct json_object *list = json_member(o, "benchmarks");

	return json_object_is_type(list, json_type_array) &&
	       (json_member(o, "metadata") || json_member(o, "args") ||
		json_length(list)) &&
	       (!json_length(list) ||
		json_member(json_object_array_get_idx(list, 0), "metrics"));
}

static int read_guidellm(struct result_set *s, struct json_object *o, const char *path,
			 struct err *err)
{
	struct json_object *list = json_member(o, "benchmarks");
	struct json_object *metadata = json_member(o, "metadata");
	int64_t version = json_get_int(metadata, "version", 1);

	if (version < 1 || version > 2)
		return err_set(err, ERR_USAGE, "report version %lld; 1 and 2 are read",
			       (long long)version);
	for (size_t i = 0; i < json_length(list); i++)
		read_benchmark(s, o, json_object_array_get_idx(list, i), path);
	return 0;
}

const struct import_format import_guidellm = {"GuideLLM", is_guidellm, read_guidellm};

static bool is_vllm(struct json_object *o)
{
	/* Null where nothing succeeded. */
	return json_object_object_get_ex(o, "output_throughput", NULL) &&
	       json_object_object_get_ex(o, "mean_ttft_ms", NULL);
}

/*
 * With --save-detailed every request's own value is there: these are samples. Of one that
 * failed, which its text in 'errors' tells, vLLM writes 0.
 */
static void add_samples(struct result *r, const char *name, struct json_object *list,
			struct json_object *errors)
{
	bool has_errors = json_object_is_type(errors, json_type_array);
	size_t nr = json_length(list);
	double *values = x_calloc(nr + 1, sizeof(*values));

	for (size_t i = 0; i < nr; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		struct json_object *e =
			has_errors ? json_object_array_get_idx(errors, i) : NULL;
		bool has_failed = json_object_is_type(e, json_type_string) &&
				  json_object_get_string_len(e) > 0;

		values[i] = has_failed ? NAN : json_real(v, NAN);
	}
	if (nr)
		import_values(r, name, "s", METRIC_LOWER, values, nr);
	free(values);
}

/* "serve-c8", "serve-r2.5": what sets the load. A rate without a limit is written "inf". */
static char *vllm_name(struct json_object *o)
{
	double streams = json_get_real(o, "max_concurrency", NAN);
	double rate = json_get_real(o, "request_rate", NAN);
	struct buf b;

	buf_init(&b, 128);
	buf_puts(&b, "serve");
	if (isfinite(streams))
		buf_printf(&b, "-c%g", streams);
	if (isfinite(rate))
		buf_printf(&b, "-r%g", rate);
	return buf_detach(&b);
}

static const struct rate vllm_rates[] = {
	{"output_throughput", "load.output_tokens_per_s", "token/s"},
	{"request_throughput", "load.requests_per_s", "1/s"},
	{"total_token_throughput", "load.total_tokens_per_s", "token/s"},
};

static const struct {
	const char *theirs, *ours;
} vllm_latencies[] = {{"ttft", "load.ttft"},
		      {"tpot", "load.tpot"},
		      {"itl", "load.itl"},
		      {"e2el", "load.latency"}},
  vllm_statistics[] = {{"mean", "mean"},
		       {"median", "p50"},
		       {"p90", "p90"},
		       {"p95", "p95"},
		       {"p99", "p99"}};

static void add_latencies(struct result *r, struct json_object *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(vllm_latencies); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(vllm_statistics); k++) {
			char *key = x_asprintf("%s_%s_ms", vllm_statistics[k].theirs,
					       vllm_latencies[i].theirs);
			char *name = x_asprintf("%s_%s_s", vllm_latencies[i].ours,
						vllm_statistics[k].ours);

			import_value(r, name, "s", METRIC_LOWER,
				     1e-3 * json_get_real(o, key, NAN));
			free(key);
			free(name);
		}
	}
}

/* Of what was sent by each request that ended well. */
static void put_vllm_load(struct result *r, struct json_object *o, double ok)
{
	put_text(r, "model", json_get_text(o, "model_id", NULL));
	put_text(r, "backend",
		 json_get_text(o, "endpoint_type", json_get_text(o, "backend", NULL)));
	put_number(r, "concurrency", json_get_real(o, "max_concurrency", NAN));
	put_number(r, "request_rate", json_get_real(o, "request_rate", NAN));
	if (!(ok > 0))
		return;
	put_number(r, "input_tokens", json_get_real(o, "total_input_tokens", NAN) / ok);
	put_number(r, "output_tokens", json_get_real(o, "total_output_tokens", NAN) / ok);
}

static int read_vllm(struct result_set *s, struct json_object *o, const char *path,
		     struct err *err)
{
	struct json_object *errors = json_member(o, "errors");
	char *load = vllm_name(o);
	double ok = json_get_real(o, "completed", NAN);
	struct result r;

	(void)err;
	import_begin(&r, "vllm bench", json_get_text(o, "vllm_version", NULL), load);
	free(load);
	put_vllm_load(&r, o, ok);
	for (size_t i = 0; i < ARRAY_SIZE(vllm_rates); i++)
		import_value(&r, vllm_rates[i].ours, vllm_rates[i].unit, METRIC_HIGHER,
			     json_get_real(o, vllm_rates[i].theirs, NAN));
	add_latencies(&r, o);
	add_samples(&r, "load.ttft_s", json_member(o, "ttfts"), errors);
	add_samples(&r, "load.latency_s", json_member(o, "latencies"), errors);
	/* Older ones do not say how many failed. */
	judge_requests(
		&r, ok,
		json_get_real(o, "failed", json_get_real(o, "num_prompts", NAN) - ok));
	set_gates(&r, ok);
	result_set_add(s, &r, path);
	return 0;
}

const struct import_format import_vllm = {"vllm bench serve", is_vllm, read_vllm};
