#include "inference/load/figures/load_details.h"

#include <stdio.h>

#include "inference/load/figures/client_figures.h"

static const char *const distributions[SUMMARY_KINDS] = {
	[SUMMARY_TTFT] = "ttft",
	[SUMMARY_TTFT_FROM_SCHEDULE] = "ttft_from_schedule",
	[SUMMARY_ITL] = "itl",
	[SUMMARY_ITL_TOKEN] = "itl_token",
	[SUMMARY_TPOT] = "tpot",
	[SUMMARY_LATENCY] = "latency",
	[SUMMARY_LATENCY_FROM_SCHEDULE] = "latency_from_schedule",
	[SUMMARY_QUEUE_DELAY] = "queue_delay",
};

static struct json_object *figures_to_json(const struct figures *f)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "n", (int64_t)f->nr);
	json_put_real(o, "effective_n", f->effective_nr);
	json_put_real(o, "mean_s", f->mean_s);
	json_put_real(o, "std_s", f->deviation_s);
	json_put_real(o, "min_s", f->min_s);
	json_put_real(o, "max_s", f->max_s);
	for (int i = 0; i < DISTRIBUTION_POINTS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p%g_s", distribution_points[i] * 100);
		json_put_real(o, key, f->quantiles_s[i]);
	}
	return o;
}

static struct json_object *window_to_json(const struct stage_summary *s)
{
	struct json_object *o = json_object_new_object();
	const struct load_stage *t = &s->stage;

	json_put_int(o, "start_unix_ns", t->start_ns + t->wall_offset_ns);
	json_put_int(o, "measure_start_unix_ns", t->measure_start_ns + t->wall_offset_ns);
	json_put_int(o, "measure_end_unix_ns", t->measure_end_ns + t->wall_offset_ns);
	json_put_int(o, "end_unix_ns", t->end_ns + t->wall_offset_ns);
	json_put_real(o, "seconds", s->window_s);
	return o;
}

static struct json_object *requests_to_json(const struct stage_summary *s)
{
	struct json_object *o = json_object_new_object();
	uint64_t failed = 0;

	for (int e = 0; e < REQUEST_ENDS; e++)
		failed += request_end_is_failure(e) ? s->ended[e] : 0;
	json_put_int(o, "sent", (int64_t)s->sent_inside);
	json_put_int(o, "ok", (int64_t)s->ended[REQUEST_OK]);
	json_put_int(o, "failed", (int64_t)failed);
	json_put_int(o, "cancelled", (int64_t)s->ended[REQUEST_CANCELLED]);
	json_put_int(o, "good", (int64_t)s->good);
	json_put_int(o, "completed_in_window", (int64_t)s->completed_inside);
	json_put_int(o, "output_tokens_in_window", (int64_t)s->output_tokens_inside);
	json_put_int(o, "prompt_tokens_in_window", (int64_t)s->prompt_tokens_inside);
	json_put_int(o, "excluded_warmup", (int64_t)s->sent_before);
	json_put_int(o, "excluded_cooldown", (int64_t)s->sent_after);
	json_put_int(o, "without_tpot", (int64_t)s->single_token);
	return o;
}

static struct json_object *ends_to_json(const uint64_t *ended)
{
	struct json_object *o = json_object_new_object();

	for (int e = 0; e < REQUEST_ENDS; e++)
		if (request_end_is_failure(e))
			json_put_int(o, request_end_name(e), (int64_t)ended[e]);
	return o;
}

static struct json_object *series_to_json(const struct window_series *w)
{
	struct json_object *o = json_object_new_object();
	struct json_object *flight = json_object_new_array(),
			   *tokens = json_object_new_array();
	struct json_object *done = json_object_new_array(),
			   *failed = json_object_new_array();

	for (size_t i = 0; i < w->nr; i++) {
		double bin_s = window_series_width_s(w, i);

		json_object_array_add(flight, json_new_real(w->in_flight_s[i] / bin_s));
		json_object_array_add(tokens,
				      json_new_real((double)w->tokens[i] / bin_s));
		json_object_array_add(done,
				      json_object_new_int64((int64_t)w->completed[i]));
		json_object_array_add(failed,
				      json_object_new_int64((int64_t)w->failed[i]));
	}
	json_put_real(o, "bin_s", (double)w->bin_ns * 1e-9);
	json_put(o, "concurrency", flight);
	json_put(o, "output_tokens_per_s", tokens);
	json_put(o, "completed", done);
	json_put(o, "failed", failed);
	return o;
}

struct json_object *stage_to_json(const struct stage_report *s)
{
	const struct stage_summary *m = &s->summary;
	struct json_object *o = json_object_new_object(), *d = json_object_new_object();
	bool is_closed =
		m->stage.kind == STAGE_CONCURRENT || m->stage.kind == STAGE_THROUGHPUT;

	json_put_text(o, "label", m->stage.label);
	json_put_text(o, "kind", stage_kind_name(m->stage.kind));
	json_put(o, "concurrency",
		 is_closed ? json_object_new_int64(m->stage.concurrency) : NULL);
	json_put(o, "rate_per_s",
		 m->stage.rate_per_s > 0 ? json_new_real(m->stage.rate_per_s) : NULL);
	json_put(o, "window", window_to_json(m));
	json_put(o, "requests", requests_to_json(m));
	json_put(o, "failures", ends_to_json(m->ended));
	json_put(o, "failures_whole_stage", ends_to_json(m->ended_all));
	json_put_text(o, "first_error", s->error_text[0] ? s->error_text : NULL);
	json_put_real(o, "requests_per_s", m->requests_per_s);
	json_put_real(o, "output_tokens_per_s", m->output_tokens_per_s);
	json_put_real(o, "total_tokens_per_s", m->total_tokens_per_s);
	json_put_real(o, "goodput_requests_per_s", m->good_per_s);
	json_put_real(o, "success_ratio", m->success_ratio);
	json_put_real(o, "mean_concurrency", m->concurrency);
	json_put_bool(o, "is_censored", m->is_censored);
	for (int k = 0; k < SUMMARY_KINDS; k++)
		json_put(d, distributions[k], figures_to_json(&m->figures[k]));
	json_put(o, "distributions", d);
	json_put(o, "series", series_to_json(&m->series));
	json_put(o, "client", client_to_json(&s->client));
	return o;
}
