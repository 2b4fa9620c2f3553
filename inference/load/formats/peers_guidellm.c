#include "inference/load/formats/peers.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/version.h"
#include "inference/load/formats/peers_guidellm_metrics.h"
#include "inference/load/formats/peers_guidellm_request.h"
#include "inference/load/formats/peers_impl.h"

#include <stdlib.h>
#include <string.h>

/* The release whose keys these are. */
static const char guidellm_version[] = "0.8.1";

static struct json_object *transient(double seconds)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "percent", NULL);
	json_put(o, "value", seconds > 0 ? json_new_real(seconds) : NULL);
	json_put_text(o, "mode", "duration");
	return o;
}

static struct json_object *metadata(void)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "version", 2);
	json_put_text(o, "guidellm_version", guidellm_version);
	json_put_text(o, "python_version", "none: written by tare-load");
	json_put_text(o, "platform", version_build());
	return o;
}

static struct json_object *labels(void)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "tare", TARE_VERSION);
	json_put_text(o, "tare_commit", version_commit());
	return o;
}

static struct json_object *backend(const struct load_report *r)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "kind", "openai_http");
	json_put_text(o, "target", r->target);
	json_put_text(o, "model", r->model);
	json_put_text(o, "request_format", r->endpoint);
	return o;
}

/* What GuideLLM has no profile for is the one whose stages look the same. */
static struct json_object *profile(const struct load_report *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *levels = json_object_new_array();
	enum stage_kind kind = r->stages_nr ? r->stages[0].kind : STAGE_CONCURRENT;
	bool has_rate = kind == STAGE_CONSTANT || kind == STAGE_POISSON;

	for (size_t i = 0; i < r->stages_nr; i++) {
		const struct load_stage *s = &r->stages[i];

		if (has_rate && s->rate_per_s > 0)
			json_object_array_add(levels, json_new_real(s->rate_per_s));
		else if (!has_rate && s->concurrency > 0)
			json_object_array_add(levels,
					      json_object_new_int64(s->concurrency));
	}
	json_put_text(o, "kind",
		      kind == STAGE_CONSTANT     ? "constant"
		      : kind == STAGE_POISSON    ? "poisson"
		      : kind == STAGE_THROUGHPUT ? "throughput"
						 : "concurrent");
	if (kind != STAGE_THROUGHPUT && json_object_array_length(levels))
		json_put(o, has_rate ? "rate" : "streams", levels);
	else
		json_object_put(levels);
	if (kind == STAGE_THROUGHPUT)
		json_put_int(o, "max_concurrency", r->stages[0].concurrency);
	return o;
}

static struct json_object *config(const struct load_report *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *about = json_object_new_object();
	struct json_object *spec = json_object_new_object();
	struct json_object *data = json_object_new_array();
	struct json_object *text = json_object_new_object();

	json_put(about, "labels", labels());
	json_put(o, "metadata", about);
	json_put(spec, "backend", backend(r));
	json_put(spec, "profile", profile(r));
	json_put_text(text, "kind", "synthetic_text");
	json_put_int(text, "prompt_tokens", r->prompt_tokens);
	json_put_int(text, "output_tokens", r->output_tokens);
	json_object_array_add(data, text);
	json_put(spec, "data", data);
	json_put(o, "spec", spec);
	json_put(o, "benchmarks", NULL);
	return o;
}

static struct json_object *strategy(const struct load_stage *s)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "worker_count", 1);
	json_put(o, "max_concurrency",
		 s->concurrency ? json_object_new_int64(s->concurrency) : NULL);
	switch (s->kind) {
	case STAGE_CONCURRENT:
		json_put_text(o, "type_", "concurrent");
		json_put_int(o, "streams", s->concurrency);
		json_put_real(o, "rampup_duration", 0);
		break;
	case STAGE_THROUGHPUT:
		json_put_text(o, "type_", "throughput");
		break;
	case STAGE_CONSTANT:
	case STAGE_POISSON:
		json_put_text(o, "type_",
			      s->kind == STAGE_CONSTANT ? "constant" : "poisson");
		json_put_real(o, "rate", s->rate_per_s);
		if (s->kind == STAGE_POISSON)
			json_put_int(o, "random_seed", (int64_t)(s->seed & INT64_MAX));
		break;
	case STAGE_TRACE:
		json_put_text(o, "type_", "trace");
		json_put_real(o, "time_scale", 1);
		break;
	}
	return o;
}

static struct json_object *benchmark_config(const struct load_report *r,
					    const struct load_stage *s, size_t index)
{
	static const char *const empty[] = {"constraints", "requests", "environment"};
	struct json_object *o = json_object_new_object();
	struct json_object *of_profile = json_object_new_object();

	json_put_text(o, "id_", s->label);
	json_put_text(o, "run_id", "tare-load");
	json_put_int(o, "run_index", (int64_t)index);
	json_put(o, "strategy", strategy(s));
	json_put(o, "warmup", transient(r->warmup_s));
	json_put(o, "cooldown", transient(r->cooldown_s));
	json_put_bool(o, "prefer_response_metrics", true);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		json_put(o, empty[i], json_object_new_object());
	json_put_text(of_profile, "kind", r->profile);
	json_put(o, "profile", of_profile);
	json_put(o, "backend", backend(r));
	return o;
}

static struct json_object *scheduler_state(const struct load_stage *s,
					   const struct peers_counts *c)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "node_id", 0);
	json_put_int(o, "num_processes", 1);
	json_put(o, "start_time", peers_unix(s, s->start_ns));
	json_put(o, "end_time", peers_unix(s, s->end_ns));
	json_put(o, "start_requests_time", json_new_real(c->first_sent_s));
	json_put(o, "end_requests_time", json_new_real(c->last_end_s));
	json_put_int(o, "created_requests", c->all);
	json_put_int(o, "processed_requests", c->all);
	json_put_int(o, "successful_requests", c->by_status[PEERS_SUCCESSFUL]);
	json_put_int(o, "errored_requests", c->by_status[PEERS_ERRORED]);
	json_put_int(o, "cancelled_requests", c->by_status[PEERS_INCOMPLETE]);
	return o;
}

static struct json_object *scheduler_metrics(const struct load_stage *s,
					     const struct peers_counts *c)
{
	/* GuideLLM's own word for what nobody measured. */
	static const char *const unknown[] = {"queued_time_avg",
					      "resolve_start_delay_avg",
					      "resolve_targeted_start_delay_avg",
					      "request_start_delay_avg",
					      "resolve_end_delay_avg",
					      "resolve_time_avg",
					      "finalized_delay_avg",
					      "processed_delay_avg"};
	struct json_object *o = json_object_new_object();

	json_put(o, "start_time", peers_unix(s, s->start_ns));
	json_put(o, "request_start_time", json_new_real(c->first_sent_s));
	json_put(o, "measure_start_time", peers_unix(s, s->measure_start_ns));
	json_put(o, "measure_end_time", peers_unix(s, s->measure_end_ns));
	json_put(o, "request_end_time", json_new_real(c->last_end_s));
	json_put(o, "end_time", peers_unix(s, s->end_ns));
	json_put(o, "requests_made", peers_totals(c));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		json_put_real(o, unknown[i], -1);
	json_put_real(o, "request_targeted_start_delay_avg",
		      c->delay_nr ? c->delay_sum_s / (double)c->delay_nr : -1);
	json_put_real(o, "request_time_avg",
		      c->time_nr ? c->time_sum_s / (double)c->time_nr : -1);
	return o;
}

/* Requests one by one: there may be more than fit into memory as objects. */
static void put_requests(FILE *f, const struct load_report *r, size_t stage)
{
	struct record_source *source = &r->sources[stage];
	const struct load_stage *s = &r->stages[stage];

	fputs("\"requests\":{", f);
	for (int st = 0; st < PEERS_STATUSES; st++) {
		struct request_record record;
		bool is_first = true;

		fprintf(f, "\"%s\":[", peers_status_key(st));
		source->rewind(source->ctx);
		while (source->next(source->ctx, &record)) {
			if (peers_status_of(&record) != (enum peers_status)st ||
			    !peers_is_listed(s, &record))
				continue;
			fputs(is_first ? "\n" : ",\n", f);
			is_first = false;
			peers_put_line(f, peers_guidellm_request(r, s, &record));
		}
		fputs("],", f);
	}
	fputs("\"total\":null}", f);
}

static void put_benchmark(FILE *f, const struct load_report *r, size_t index)
{
	const struct load_stage *s = &r->stages[index];
	struct peers_counts counts;
	struct json_object *metrics =
		peers_guidellm_metrics(s, &r->sources[index], &counts);

	fputs("{\"type_\":\"generative_benchmark\",\"config\":", f);
	peers_put_line(f, benchmark_config(r, s, index));
	fputs(",\"scheduler_state\":", f);
	peers_put_line(f, scheduler_state(s, &counts));
	fputs(",\"scheduler_metrics\":", f);
	peers_put_line(f, scheduler_metrics(s, &counts));
	fputs(",\"metrics\":", f);
	peers_put_line(f, metrics);
	fputs(",", f);
	put_requests(f, r, index);
	fputs("}", f);
}

int peers_write_guidellm(const struct load_report *r, const char *path, struct err *err)
{
	struct file_out p;

	if (file_out_open(&p, path, 0644, err))
		return -1;
	fputs("{\"metadata\":", p.stream);
	peers_put_line(p.stream, metadata());
	fputs(",\"config\":", p.stream);
	peers_put_line(p.stream, config(r));
	fputs(",\"benchmarks\":[", p.stream);
	for (size_t i = 0; i < r->stages_nr; i++) {
		fputs(i ? ",\n" : "\n", p.stream);
		put_benchmark(p.stream, r, i);
	}
	fputs("],\"conclusions\":[]}\n", p.stream);
	return file_out_close(&p, true, err);
}
