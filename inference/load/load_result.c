#include "inference/load/load_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/document/load_metrics_that_gate.h"
#include "core/machine/around.h"
#include "core/machine/machine.h"
#include "core/base/mem.h"
#include "inference/load/figures/client_figures.h"
#include "inference/load/figures/load_details.h"
#include "inference/serve/serve.h"

#define PREFIX_HITS_MAX 0.01

/* Not part of what the work is: where it goes, what is written, and secrets' places. */
static const char *const not_params[] = {
	"target",    "output",          "json",         "requests_file", "chunks",
	"records",   "guidellm",        "vllm",         "start_at",      "part",
	"cpus",      "api_key_env",     "api_key_file", "ca_file",       "insecure",
	"calibrate", "connect_timeout",
};

static void add_value(struct result *r, const struct metric_def *def, double value)
{
	struct samples s;

	if (!isfinite(value))
		return;
	samples_init(&s, def);
	s.def.gate = load_gate_find(def->name) != NULL;
	samples_add(&s, value);
	result_add_metric(r, &s);
}

/* "load.ttft_p50_s@c32": an owned copy of the definition, and no gate. */
static void add_labelled(struct result *r, const struct metric_def *def,
			 const char *label, double value)
{
	struct samples s;

	if (!isfinite(value))
		return;
	samples_init(&s, def);
	s.owns_texts = true;
	s.def.name = x_asprintf("%s@%s", def->name, label);
	s.def.unit = x_strdup(def->unit);
	samples_add(&s, value);
	result_add_metric(r, &s);
}

static void add_stage_metrics(struct result *r, const struct stage_report *s,
			      const char *label)
{
	for (size_t i = 0; i < load_metrics_nr; i++) {
		const struct load_metric *m = &load_metrics[i];
		double value = m->get(m, s);

		if (label)
			add_labelled(r, &m->def, label, value);
		else
			add_value(r, &m->def, value);
	}
}

static void worsen(struct result *r, enum result_status status, char *reason)
{
	result_worsen(r, status, reason);
	free(reason);
}

static void judge_client(struct result *r, const struct stage_report *s)
{
	const struct client_figures *c = &s->client;
	const char *label = s->summary.stage.label;

	if (c->error_ratio > CLIENT_ERROR_MAX)
		worsen(r, RESULT_INVALID,
		       x_asprintf("client-limited: %s: this client's error is %.2f %% "
				  "of what it measured, from %s; 1 %% is allowed",
				  label, c->error_ratio * 100, c->error_from));
	if (c->unsent && !s->is_aborted)
		worsen(r, RESULT_INVALID,
		       x_asprintf("client-limited: %s: %llu requests were due but no "
				  "connection was free (--connections)",
				  label, (unsigned long long)c->unsent));
	if (c->clock_step_s > CLIENT_CLOCK_STEP_MAX_S)
		worsen(r, RESULT_INVALID,
		       x_asprintf("clock-step: %s: the wall clock moved by %.0f us "
				  "against the monotonic clock",
				  label, c->clock_step_s * 1e6));
}

/* Nothing ended well: because nothing was sent, nothing was waited for, or all failed? */
static char *why_no_success(const struct stage_report *s, const char *classes)
{
	const struct stage_summary *m = &s->summary;
	const char *label = m->stage.label;
	unsigned long long sent = m->sent_inside, cut = m->ended[REQUEST_CANCELLED];

	if (!sent)
		return x_asprintf(
			"no-success: %s: no request was sent in the window of "
			"%.3g s: is it shorter than a request, or all of it "
			"warm-up? (--seconds, --warmup, --cooldown, --requests)",
			label, m->window_s);
	if (cut == sent)
		return x_asprintf("no-success: %s: none of %llu requests sent in the "
				  "window was over when the grace was (--grace)",
				  label, sent);
	return x_asprintf(
		"no-success: %s: of %llu requests sent in the window none ended "
		"well:%s: %s",
		label, sent, classes, s->error_text);
}

/* Of the stage that gives the plain names: those gate. */
static void judge_unfinished(struct result *r, const struct stage_summary *m)
{
	if (m->is_censored && m->ended[REQUEST_OK])
		worsen(r, RESULT_INVALID,
		       x_asprintf("unfinished: %s: %llu of %llu requests sent in the "
				  "window were not over when the grace was, and what "
				  "the quicker ones took is not stated (--grace)",
				  m->stage.label,
				  (unsigned long long)m->ended[REQUEST_CANCELLED],
				  (unsigned long long)m->sent_inside));
}

static void judge_requests(struct result *r, const struct stage_report *s)
{
	const struct stage_summary *m = &s->summary;
	/* Of the requests sent in the window. Of all where the stage was given up: the
	 * failures that made it may lie before the window. */
	const uint64_t *ended = s->is_aborted ? m->ended_all : m->ended;
	const char *label = m->stage.label;
	struct buf classes;

	buf_init(&classes, 512);
	for (int e = 0; e < REQUEST_ENDS; e++)
		if (request_end_is_failure(e) && ended[e])
			buf_printf(&classes, " %s %llu", request_end_name(e),
				   (unsigned long long)ended[e]);
	if (s->is_aborted)
		worsen(r, RESULT_FAILED,
		       x_asprintf("too-many-errors: %s: given up:%s: %s", label,
				  classes.data, s->error_text));
	else if (!m->ended[REQUEST_OK])
		worsen(r, RESULT_FAILED, why_no_success(s, classes.data));
	else if (m->success_ratio < LOAD_SUCCESS_MIN)
		worsen(r, RESULT_INVALID,
		       x_asprintf("failures: %s: only %.2f %% of the requests ended "
				  "well:%s: %s",
				  label, m->success_ratio * 100, classes.data,
				  s->error_text));
	buf_release(&classes);
}

void load_result_add_stages(struct result *ret, const struct stage_report *stages,
			    const struct stage_result *results, size_t nr,
			    double saturation_gain)
{
	struct json_object *list = json_object_new_array();
	long peak = profile_peak(results, nr);
	int64_t saturation = profile_is_saturated(results, nr, saturation_gain)
				     ? profile_saturation(results, nr, saturation_gain)
				     : 0;

	if (peak >= 0) {
		add_stage_metrics(ret, &stages[peak], NULL);
		add_value(ret, &load_run_metrics[LOAD_PEAK_TOKENS],
			  results[peak].output_tokens_per_s);
		add_value(ret, &load_run_metrics[LOAD_PEAK_LATENCY_P95],
			  figures_quantile_s(
				  &stages[peak].summary.figures[SUMMARY_LATENCY], 0.95));
		json_put_text(ret->details, "peak_stage", results[peak].stage.label);
	}
	if (saturation) {
		add_value(ret, &load_run_metrics[LOAD_SATURATION], (double)saturation);
		json_put_int(ret->details, "saturation_concurrency", saturation);
	}
	for (size_t i = 0; i < nr; i++) {
		if (nr > 1) /* of a single stage the plain names say it all */
			add_stage_metrics(ret, &stages[i], results[i].stage.label);
		json_object_array_add(list, stage_to_json(&stages[i]));
		judge_client(ret, &stages[i]);
		judge_requests(ret, &stages[i]);
		if ((long)i == peak && !stages[i].is_aborted)
			judge_unfinished(ret, &stages[i].summary);
	}
	json_put(ret->details, "stages", list);
}

static struct json_object *params(const struct load_run *run)
{
	struct json_object *o = fields_to_json(load_command.fields, run->options);

	for (size_t i = 0; i < ARRAY_SIZE(not_params); i++)
		json_object_object_del(o, not_params[i]);
	json_put_text(o, "model", run->facts.model);
	return o;
}

static struct json_object *server(const struct load_run *run)
{
	const struct server_facts *f = &run->facts;
	struct json_object *o = json_object_new_object(), *d = json_object_new_object();

	json_put_text(o, "model", f->model);
	json_put_text(o, "version", f->version);
	json_put_bool(o, "is_mock", f->is_mock);
	json_put(o, "max_model_len",
		 f->max_model_len ? json_object_new_int64(f->max_model_len) : NULL);
	json_put_bool(d, "stream_usage", f->dialect.has_stream_usage);
	json_put_bool(d, "continuous_usage", f->dialect.has_continuous_usage);
	json_put_bool(d, "fixed_length", f->dialect.has_fixed_length);
	json_put_bool(d, "cache_salt", f->dialect.has_cache_salt);
	json_put(o, "understands", d);
	json_put_bool(o, "prompt_length_checked", run->checks_prompt);
	json_put_bool(o, "output_length_checked", run->checks_output);
	return o;
}

static struct json_object *calibration(const struct calibration *c)
{
	struct json_object *o = json_object_new_object();

	if (!c->is_done) {
		json_object_put(o);
		return NULL;
	}
	json_put_int(o, "streams", c->streams);
	json_put_real(o, "chunks_per_s", c->chunks_per_s);
	json_put_real(o, "stamp_error_p50_s", c->error_p50_s);
	json_put_real(o, "stamp_error_p99_s", c->error_p99_s);
	json_put_real(o, "lag_p99_s", c->lag_p99_s);
	json_put_real(o, "cpu_per_chunk_s", c->cpu_per_chunk_s);
	return o;
}

double load_result_counted_hits(const struct load_run *run)
{
	double queries = run->after.prefix_queries - run->before.prefix_queries;
	double hits = run->after.prefix_hits - run->before.prefix_hits;

	return run->before.prefix_queries >= 0 && queries > 0 ? hits / queries : NAN;
}

void load_result_judge_cache(struct result *r, double counted,
			     const struct stage_report *stages, size_t nr)
{
	uint64_t cached = 0, prompts = 0;
	double ratio = counted;

	for (size_t i = 0; i < nr; i++) {
		cached += stages[i].summary.cached_tokens;
		prompts += stages[i].summary.prompt_tokens;
	}
	if (!isfinite(ratio) && cached && prompts)
		ratio = (double)cached / (double)prompts;
	add_value(r, &load_run_metrics[LOAD_PREFIX_HITS], ratio);
	if (ratio > PREFIX_HITS_MAX)
		worsen(r, RESULT_INVALID,
		       x_asprintf(
			       "prefix-cache: %.1f %% of the prompt tokens were found in "
			       "the server's prefix cache, though no two prompts begin "
			       "alike: was it warmed with the same --seed?",
			       ratio * 100));
}

void load_result_add_calibration(struct result *r, struct json_object *calibration)
{
	add_value(r, &load_run_metrics[LOAD_CALIBRATION_P99],
		  json_get_real(calibration, "stamp_error_p99_s", NAN));
}

/* "vllm 0.6.3": the kind where tare-serve started it, the version where the server says. */
static char *server_library(struct json_object *server)
{
	const char *kind = json_get_text(json_member(server, "tare_serve"), "kind", NULL);
	const char *version = json_get_text(server, "version", NULL);

	if (kind && version)
		return x_asprintf("%s %s", kind, version);
	return kind || version ? x_strdup(kind ? kind : version) : NULL;
}

void load_result_add_evidence(struct result *r, const struct evidence *around)
{
	struct json_object *server = json_member(r->details, "server");
	char *library = server_library(server);
	struct evidence e = *around; /* borrows: 'around' keeps what it owns */

	e.computed = (struct evidence_computed){
		.kind = EVIDENCE_SERVER,
		.device = json_get_text(r->details, "target", NULL),
		.backend = json_get_text(json_member(server, "tare_serve"), "kind",
					 json_get_bool(server, "is_mock", false) ? "mock"
										 : NULL),
		.library = library,
	};
	around_report(&e, r);
	free(library);
}

static void add_slo(struct result *r, const struct load_run *run)
{
	struct json_object *o = json_object_new_object(),
			   *points = json_object_new_array();
	long best = profile_slo(run->results, run->stages_nr, run->options->slo_share);

	for (size_t i = 0; i < run->stages_nr; i++) {
		const struct stage_result *s = &run->results[i];
		struct json_object *p = json_object_new_object();
		double low, high;

		wilson_interval(s->good, s->judged, &low, &high);
		json_put_text(p, "label", s->stage.label);
		json_put_int(p, "concurrency", s->stage.concurrency);
		json_put_int(p, "good", (int64_t)s->good);
		json_put_int(p, "judged", (int64_t)s->judged);
		json_put_real(p, "wilson95_low", low);
		json_put_real(p, "wilson95_high", high);
		json_put_bool(p, "resolved",
			      low >= run->options->slo_share ||
				      high < run->options->slo_share);
		json_object_array_add(points, p);
	}
	json_put(o, "points", points);
	json_put_text(o, "stage", best < 0 ? NULL : run->results[best].stage.label);
	json_put(r->details, "slo", o);
	if (best < 0)
		return;
	add_value(r, &load_run_metrics[LOAD_SLO_CONCURRENCY],
		  (double)run->results[best].stage.concurrency);
	add_value(r, &load_run_metrics[LOAD_SLO_REQUESTS],
		  run->results[best].requests_per_s);
}

struct json_object *load_result_facts(const struct load_run *run)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "params", params(run));
	json_put_text(o, "target", run->origin);
	json_put_text(o, "endpoint",
		      run->prompt.is_chat ? "/v1/chat/completions" : "/v1/completions");
	json_put_text(o, "profile", load_profile_names[run->options->profile]);
	json_put_bool(o, "is_mock", run->facts.is_mock);
	json_put_bool(o, "tls_verified", run->url.is_tls && !run->options->is_insecure);
	json_put(o, "server", server(run));
	if (getenv(SERVE_FACTS_ENV)) /* we run under tare-serve */
		json_put(json_member(o, "server"), "tare_serve",
			 json_read_file(getenv(SERVE_FACTS_ENV), SERVE_FACTS_MAX, NULL));
	json_put(o, "calibration", calibration(&run->calibration));
	return o;
}

void load_result_start(struct result *r, struct json_object *facts)
{
	result_init(r, "tare-load", "load", "load");
	json_object_object_foreach(facts, key, value)
	{
		if (!strcmp(key, "params"))
			result_set_params(r, json_object_get(value));
		else
			json_put(r->details, key, json_object_get(value));
	}
}

void load_result_make(struct result *ret, const struct load_run *run)
{
	struct json_object *facts = load_result_facts(run);

	load_result_start(ret, facts);
	result_set_machine(ret, machine_read(""));
	load_result_add_calibration(ret, json_member(facts, "calibration"));
	load_result_add_evidence(ret, &run->evidence);
	json_object_put(facts);
	load_result_add_stages(ret, run->reports, run->results, run->stages_nr,
			       run->options->saturation_gain);
	if (run->options->profile == PROFILE_SLO)
		add_slo(ret, run);
	load_result_judge_cache(ret, load_result_counted_hits(run), run->reports,
				run->stages_nr);
}
