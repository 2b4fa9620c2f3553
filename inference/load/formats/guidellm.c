/* GuideLLM's report: metrics of a stage, then its requests one by one, then the file. */
#include "inference/load/formats/formats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/version.h"
#include "inference/load/figures/window.h"
#include "inference/load/formats/format_parts.h"

enum request_status { STATUS_SUCCESSFUL, STATUS_ERRORED, STATUS_INCOMPLETE, STATUSES };

struct counts {
	int64_t by_status[STATUSES], all; /* listed ones; all of the stage */
	double first_sent_s, last_end_s;  /* Unix seconds */
	double delay_sum_s, time_sum_s;   /* due to sent, sent to end; listed ones */
	int64_t delay_nr, time_nr;
};

/* By request. */
enum value {
	VALUE_LATENCY,
	VALUE_DISPATCH_DELAY,
	VALUE_SCHEDULED_LATENCY,
	VALUE_ITERATIONS,
	VALUE_PROMPT,
	VALUE_OUTPUT,
	VALUE_TOTAL,
	VALUE_TTFT,
	VALUE_TTFOT,
	VALUE_TPOT,
	VALUE_ITL,
	VALUE_PER_ITERATION,
	VALUES
};

/* By second of the window. */
enum rate {
	RATE_REQUESTS,
	RATE_CONCURRENCY,
	RATE_PROMPT,
	RATE_OUTPUT,
	RATE_TOTAL,
	RATES
};

static const char *const value_keys[VALUES] = {
	[VALUE_LATENCY] = "request_latency",
	[VALUE_DISPATCH_DELAY] = "request_dispatch_delay",
	[VALUE_SCHEDULED_LATENCY] = "request_scheduled_latency",
	[VALUE_ITERATIONS] = "request_streaming_iterations_count",
	[VALUE_PROMPT] = "prompt_token_count",
	[VALUE_OUTPUT] = "output_token_count",
	[VALUE_TOTAL] = "total_token_count",
	[VALUE_TTFT] = "time_to_first_token_ms",
	[VALUE_TTFOT] = "time_to_first_output_token_ms",
	[VALUE_TPOT] = "time_per_output_token_ms",
	[VALUE_ITL] = "inter_token_latency_ms",
	[VALUE_PER_ITERATION] = "output_tokens_per_iteration",
};

static const char *const rate_keys[RATES] = {
	[RATE_REQUESTS] = "requests_per_second",
	[RATE_CONCURRENCY] = "request_concurrency",
	[RATE_PROMPT] = "prompt_tokens_per_second",
	[RATE_OUTPUT] = "output_tokens_per_second",
	[RATE_TOTAL] = "tokens_per_second",
};

struct tally {
	const struct load_stage *stage;
	size_t seconds;
	struct weighted_samples values[VALUES][STATUSES];
	double *rates[RATES][STATUSES]; /* sums by second */
};

static const char *status_key(enum request_status s)
{
	static const char *const keys[] = {"successful", "errored", "incomplete"};

	return keys[s];
}

static enum request_status status_of(const struct request_record *r)
{
	if (r->end == REQUEST_OK)
		return STATUS_SUCCESSFUL;
	return r->end == REQUEST_CANCELLED ? STATUS_INCOMPLETE : STATUS_ERRORED;
}

/* Whether the report lists the request: it was sent inside the window. */
static bool is_listed(const struct load_stage *s, const struct request_record *r)
{
	return window_side(s, window_begin_ns(r)) == WINDOW_INSIDE;
}

static void add_values(struct tally *t, const struct request_record *r)
{
	enum request_status st = status_of(r);
	double prompt = record_prompt_tokens(r), output = record_output_tokens(r);
	double ttft = record_between_s(r->sent_ns, r->first_token_ns) * 1e3;
	double last = record_between_s(r->sent_ns, r->last_token_ns) * 1e3;
	double span = record_between_s(r->first_token_ns, r->last_token_ns) * 1e3;
	bool is_failure = st != STATUS_SUCCESSFUL;
	const double values[VALUES] = {
		[VALUE_LATENCY] = record_between_s(r->sent_ns, r->end_ns),
		[VALUE_DISPATCH_DELAY] = record_between_s(r->scheduled_ns, r->sent_ns),
		[VALUE_SCHEDULED_LATENCY] = record_between_s(r->scheduled_ns, r->end_ns),
		[VALUE_ITERATIONS] = r->events,
		[VALUE_PROMPT] = prompt,
		[VALUE_OUTPUT] = is_failure && isnan(output) ? 0 : output,
		[VALUE_TOTAL] = prompt + (isnan(output) ? 0 : output),
		[VALUE_TTFT] = ttft,
		[VALUE_TTFOT] = ttft,
		[VALUE_TPOT] = last / output,
		[VALUE_ITL] = output > 1 ? span / (output - 1) : NAN,
		[VALUE_PER_ITERATION] = r->chunks_nr ? output / r->chunks_nr : NAN,
	};

	for (int v = 0; v < VALUES; v++)
		weighted_add(&t->values[v][st], values[v],
			     v == VALUE_ITL    ? output - 1
			     : v == VALUE_TPOT ? output
					       : 1);
}

static void add_event(struct tally *t, enum rate rate, enum request_status st, int64_t at,
		      double amount)
{
	if (at == RECORD_NONE || window_side(t->stage, at) != WINDOW_INSIDE)
		return;
	t->rates[rate][st][(at - t->stage->measure_start_ns) / NS_PER_S] += amount;
}

/* The part of [from, to) that lies in each second of the window. */
static void add_presence(struct tally *t, enum request_status st, int64_t from,
			 int64_t to)
{
	int64_t start = t->stage->measure_start_ns, end = t->stage->measure_end_ns;

	if (from == RECORD_NONE || to == RECORD_NONE)
		return;
	from = from < start ? start : from;
	to = to > end ? end : to;
	while (from < to) {
		int64_t second = (from - start) / NS_PER_S;
		int64_t until = start + (second + 1) * NS_PER_S;

		until = until > to ? to : until;
		t->rates[RATE_CONCURRENCY][st][second] += (double)(until - from) * 1e-9;
		from = until;
	}
}

static void add_rates(struct tally *t, const struct request_record *r)
{
	enum request_status st = status_of(r);
	double prompt = record_prompt_tokens(r);

	add_event(t, RATE_REQUESTS, st, r->end_ns, 1);
	add_event(t, RATE_PROMPT, st, r->first_token_ns, prompt);
	add_event(t, RATE_TOTAL, st, r->first_token_ns, prompt);
	for (uint32_t i = 0; i < r->chunks_nr; i++) {
		const struct chunk_stamp *c = &r->chunks[i];

		add_event(t, RATE_OUTPUT, st, c->arrival_ns, c->tokens);
		add_event(t, RATE_TOTAL, st, c->arrival_ns, c->tokens);
	}
	add_presence(t, st, r->sent_ns, r->end_ns);
}

static double wall_s(const struct load_stage *s, int64_t at_ns)
{
	return (double)(at_ns + s->wall_offset_ns) * 1e-9;
}

static void count(struct counts *c, const struct load_stage *s,
		  const struct request_record *r)
{
	double delay = record_between_s(r->scheduled_ns, r->sent_ns);
	double time = record_between_s(r->sent_ns, r->end_ns);

	if (r->sent_ns != RECORD_NONE &&
	    (c->first_sent_s < 0 || wall_s(s, r->sent_ns) < c->first_sent_s))
		c->first_sent_s = wall_s(s, r->sent_ns);
	if (r->end_ns != RECORD_NONE && wall_s(s, r->end_ns) > c->last_end_s)
		c->last_end_s = wall_s(s, r->end_ns);
	c->all++;
	if (!is_listed(s, r))
		return;
	c->by_status[status_of(r)]++;
	if (!isnan(delay)) {
		c->delay_sum_s += delay;
		c->delay_nr++;
	}
	if (!isnan(time)) {
		c->time_sum_s += time;
		c->time_nr++;
	}
}

static struct json_object *by_status(struct weighted_samples parts[STATUSES])
{
	struct json_object *o = json_object_new_object();
	struct weighted_samples total = {0};

	for (int st = 0; st < STATUSES; st++) {
		weighted_append(&total, &parts[st]);
		json_put(o, status_key(st), weighted_to_guidellm(&parts[st]));
		weighted_release(&parts[st]);
	}
	json_put(o, "total", weighted_to_guidellm(&total));
	weighted_release(&total);
	return o;
}

/* The last second may be a part of one: its weight says so, its rate is per second. */
static double width_s(const struct tally *t, size_t second)
{
	double left = window_seconds(t->stage) - (double)second;

	return left < 1 ? left : 1;
}

static struct json_object *rate_object(struct tally *t, enum rate rate)
{
	struct json_object *o = json_object_new_object();
	struct weighted_samples s = {0};

	for (int st = 0; st <= STATUSES; st++) {
		for (size_t i = 0; i < t->seconds; i++) {
			double sum = 0;

			for (int part = 0; part < STATUSES; part++)
				if (st == STATUSES || part == st)
					sum += t->rates[rate][part][i];
			weighted_add(&s, sum / width_s(t, i), width_s(t, i));
		}
		json_put(o, st == STATUSES ? "total" : status_key(st),
			 weighted_to_guidellm(&s));
		weighted_release(&s);
	}
	return o;
}

/* {successful, errored, incomplete, total} of whole numbers. */
static struct json_object *totals_object(const struct counts *c)
{
	struct json_object *o = json_object_new_object();
	int64_t total = 0;

	for (int st = 0; st < STATUSES; st++) {
		json_put_int(o, status_key(st), c->by_status[st]);
		total += c->by_status[st];
	}
	json_put_int(o, "total", total);
	return o;
}

/* GuideLLM's groups of figures that we do not have: every value in them is null. */
static void put_empty_groups(struct json_object *o)
{
	static const char *const groups[][5] = {
		{"text", "tokens", "words", "characters", NULL},
		{"image", "tokens", "images", "pixels", "bytes"},
		{"video", "tokens", "frames", "seconds", "bytes"},
		{"audio", "tokens", "samples", "seconds", "bytes"},
		{"tool_call", "tokens", "mixed_tokens", "count", NULL},
	};

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		struct json_object *leaves = json_object_new_object();

		for (size_t i = 1; i < 5 && groups[g][i]; i++)
			json_put(leaves, groups[g][i], NULL);
		json_put(o, groups[g][0], leaves);
	}
}

static struct json_object *metrics_object(struct tally *t, const struct counts *c)
{
	static const char *const unknown[] = {"time_to_last_round_trip_ms",
					      "avg_round_trip_time_ms"};
	struct json_object *o = json_object_new_object(), *again;

	json_put(o, "request_totals", totals_object(c));
	for (int r = 0; r < RATES; r++)
		json_put(o, rate_keys[r], rate_object(t, (enum rate)r));
	for (int v = 0; v < VALUES; v++)
		json_put(o, value_keys[v], by_status(t->values[v]));
	again = json_member(o, value_keys[VALUE_PER_ITERATION]);
	json_put(o, "iter_tokens_per_iteration", json_object_get(again));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct weighted_samples none[STATUSES] = {{0}};

		json_put(o, unknown[i], by_status(none));
	}
	put_empty_groups(o);
	return o;
}

/* The "metrics" object and the counts that come with it. NULL: unreadable. */
static struct json_object *read_metrics(const struct load_stage *stage,
					const struct record_source *source,
					struct counts *ret_counts, struct err *err)
{
	struct tally *t = x_calloc(1, sizeof(*t));
	struct request_record r;
	struct json_object *o;
	int rc;

	*ret_counts = (struct counts){.first_sent_s = -1, .last_end_s = -1};
	t->stage = stage;
	t->seconds = (size_t)ceil(window_seconds(stage));
	for (int i = 0; i < RATES * STATUSES; i++)
		t->rates[i / STATUSES][i % STATUSES] =
			x_calloc(t->seconds + 1, sizeof(double));
	source->rewind(source->ctx);
	while ((rc = record_source_next(source, &r, err)) > 0) {
		count(ret_counts, stage, &r);
		add_rates(t, &r);
		if (is_listed(stage, &r))
			add_values(t, &r);
	}
	o = metrics_object(t, ret_counts); /* also gives back what 't' holds */
	for (int i = 0; i < RATES * STATUSES; i++)
		free(t->rates[i / STATUSES][i % STATUSES]);
	free(t);
	if (!rc)
		return o;
	json_object_put(o);
	return NULL;
}

static struct json_object *timings(const struct load_stage *s,
				   const struct request_record *r)
{
	const struct {
		const char *key;
		int64_t at_ns;
	} instants[] = {
		{"targeted_start", r->scheduled_ns},
		{"queued", r->scheduled_ns},
		{"dequeued", r->issued_ns},
		{"scheduled_at", r->issued_ns},
		{"resolve_start", r->issued_ns},
		{"request_start", r->sent_ns},
		{"first_request_iteration", r->first_byte_ns},
		{"first_token_iteration", r->first_token_ns},
		{"first_output_token_iteration", r->first_token_ns},
		{"last_token_iteration", r->last_token_ns},
		{"last_request_iteration", r->done_ns},
		{"request_end", r->end_ns},
		{"resolve_end", r->end_ns},
		{"finalized", r->end_ns},
	};
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(instants); i++)
		json_put(o, instants[i].key, stage_unix_s(s, instants[i].at_ns));
	json_put_int(o, "request_iterations", r->events);
	json_put_int(o, "token_iterations", r->chunks_nr);
	return o;
}

static const char *status_word(const struct request_record *r)
{
	if (r->end == REQUEST_OK)
		return "completed";
	return r->end == REQUEST_CANCELLED ? "cancelled" : "errored";
}

static struct json_object *info(const struct load_stage *s,
				const struct request_record *r, const char *id)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "request_id", id);
	json_put_text(o, "status", status_word(r));
	json_put_int(o, "scheduler_node_id", 0);
	json_put_int(o, "scheduler_process_id", r->worker);
	json_put(o, "scheduler_start_time", stage_unix_s(s, s->start_ns));
	json_put(o, "timings", timings(s, r));
	json_put_text(o, "error", r->end == REQUEST_OK ? NULL : request_end_name(r->end));
	return o;
}

static struct json_object *tokens(double text, int32_t cached)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "text_tokens",
		 isnan(text) ? NULL : json_object_new_int64((int64_t)text));
	json_put(o, "cached_tokens", cached < 0 ? NULL : json_object_new_int(cached));
	return o;
}

static struct json_object *request_object(const struct load_report *report,
					  const struct load_stage *stage,
					  const struct request_record *r)
{
	struct json_object *o = json_object_new_object();
	char *id = x_asprintf("tare-%" PRIu64 "-%" PRIu64, stage->seed, r->index);
	char *args =
		x_asprintf("{\"endpoint\":\"%s\",\"prompt_tokens\":%d,\"max_tokens\":%d}",
			   report->endpoint, r->prompt_wanted, r->output_wanted);

	json_put_text(o, "type_", "generative_request_stats");
	json_put_text(o, "request_id", id);
	json_put_text(o, "response_id", r->response_id[0] ? r->response_id : NULL);
	json_put_text(o, "request_args", args);
	json_put(o, "output", NULL);
	json_put(o, "info", info(stage, r, id));
	json_put(o, "input_metrics", tokens(record_prompt_tokens(r), r->cached_tokens));
	json_put(o, "output_metrics", tokens(record_output_tokens(r), -1));
	free(id);
	free(args);
	return o;
}

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

/* A profile that GuideLLM does not know is called by one whose stages look the same. */
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
	if (kind != STAGE_THROUGHPUT && json_length(levels))
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
					   const struct counts *c)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "node_id", 0);
	json_put_int(o, "num_processes", 1);
	json_put(o, "start_time", stage_unix_s(s, s->start_ns));
	json_put(o, "end_time", stage_unix_s(s, s->end_ns));
	json_put(o, "start_requests_time", json_new_real(c->first_sent_s));
	json_put(o, "end_requests_time", json_new_real(c->last_end_s));
	json_put_int(o, "created_requests", c->all);
	json_put_int(o, "processed_requests", c->all);
	json_put_int(o, "successful_requests", c->by_status[STATUS_SUCCESSFUL]);
	json_put_int(o, "errored_requests", c->by_status[STATUS_ERRORED]);
	json_put_int(o, "cancelled_requests", c->by_status[STATUS_INCOMPLETE]);
	return o;
}

static struct json_object *scheduler_metrics(const struct load_stage *s,
					     const struct counts *c)
{
	/* GuideLLM writes -1 for what was not measured: so do we. */
	static const char *const unknown[] = {"queued_time_avg",
					      "resolve_start_delay_avg",
					      "resolve_targeted_start_delay_avg",
					      "request_start_delay_avg",
					      "resolve_end_delay_avg",
					      "resolve_time_avg",
					      "finalized_delay_avg",
					      "processed_delay_avg"};
	struct json_object *o = json_object_new_object();

	json_put(o, "start_time", stage_unix_s(s, s->start_ns));
	json_put(o, "request_start_time", json_new_real(c->first_sent_s));
	json_put(o, "measure_start_time", stage_unix_s(s, s->measure_start_ns));
	json_put(o, "measure_end_time", stage_unix_s(s, s->measure_end_ns));
	json_put(o, "request_end_time", json_new_real(c->last_end_s));
	json_put(o, "end_time", stage_unix_s(s, s->end_ns));
	json_put(o, "requests_made", totals_object(c));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		json_put_real(o, unknown[i], -1);
	json_put_real(o, "request_targeted_start_delay_avg",
		      c->delay_nr ? c->delay_sum_s / (double)c->delay_nr : -1);
	json_put_real(o, "request_time_avg",
		      c->time_nr ? c->time_sum_s / (double)c->time_nr : -1);
	return o;
}

/* Requests one by one: there may be more than fit into memory as objects. */
static int put_requests(FILE *f, const struct load_report *r, size_t stage,
			struct err *err)
{
	const struct record_source *source = &r->sources[stage];
	const struct load_stage *s = &r->stages[stage];
	int rc = 0;

	fputs("\"requests\":{", f);
	for (int st = 0; !rc && st < STATUSES; st++) {
		struct request_record record;
		bool is_first = true;

		fprintf(f, "\"%s\":[", status_key(st));
		source->rewind(source->ctx);
		while ((rc = record_source_next(source, &record, err)) > 0) {
			if (status_of(&record) != (enum request_status)st ||
			    !is_listed(s, &record))
				continue;
			fputs(is_first ? "\n" : ",\n", f);
			is_first = false;
			put_object(f, request_object(r, s, &record));
		}
		fputs("],", f);
	}
	fputs("\"total\":null}", f);
	return rc;
}

static int put_benchmark(FILE *f, const struct load_report *r, size_t index,
			 struct err *err)
{
	const struct load_stage *s = &r->stages[index];
	struct counts counts;
	struct json_object *metrics = read_metrics(s, &r->sources[index], &counts, err);
	int rc;

	if (!metrics)
		return -1;
	fputs("{\"type_\":\"generative_benchmark\",\"config\":", f);
	put_object(f, benchmark_config(r, s, index));
	fputs(",\"scheduler_state\":", f);
	put_object(f, scheduler_state(s, &counts));
	fputs(",\"scheduler_metrics\":", f);
	put_object(f, scheduler_metrics(s, &counts));
	fputs(",\"metrics\":", f);
	put_object(f, metrics);
	fputs(",", f);
	rc = put_requests(f, r, index, err);
	fputs("}", f);
	return rc;
}

int format_write_guidellm(const struct load_report *r, const char *path, struct err *err)
{
	struct file_out p;
	int rc = 0;

	if (file_out_open(&p, path, 0644, err))
		return -1;
	fputs("{\"metadata\":", p.stream);
	put_object(p.stream, metadata());
	fputs(",\"config\":", p.stream);
	put_object(p.stream, config(r));
	fputs(",\"benchmarks\":[", p.stream);
	for (size_t i = 0; !rc && i < r->stages_nr; i++) {
		fputs(i ? ",\n" : "\n", p.stream);
		rc = put_benchmark(p.stream, r, i, err);
	}
	fputs("],\"conclusions\":[]}\n", p.stream);
	return file_out_close(&p, rc == 0, err);
}
