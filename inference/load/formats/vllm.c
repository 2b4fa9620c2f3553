#include "inference/load/formats/formats.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "inference/load/formats/format_parts.h"
#include "inference/load/figures/window.h"

#include <math.h>
#include <stdlib.h>

struct bench {
	const struct load_stage *stage;
	double window_s;
	struct weighted_samples ttft, tpot, itl, e2el;
	struct json_object *input_lens, *output_lens, *ttfts, *latencies, *start_times,
		*queue_times, *errors;
	int64_t completed, failed, completed_inside;
	double input_inside, output_inside, input_all, output_all;
};

/* vLLM's latency ends with the last chunk that had a choice, not with [DONE]. */
static void add_latencies(struct bench *b, const struct request_record *r)
{
	double ttft = record_between_s(r->sent_ns, r->first_token_ns);
	double latency = record_between_s(r->sent_ns, r->last_token_ns);
	double output = record_output_tokens(r);

	weighted_add(&b->ttft, ttft, 1);
	weighted_add(&b->e2el, latency, 1);
	if (output > 1)
		weighted_add(&b->tpot, (latency - ttft) / (output - 1), 1);
	for (uint32_t i = 1; i < r->chunks_nr; i++)
		weighted_add(&b->itl,
			     record_between_s(r->chunks[i - 1].arrival_ns,
					      r->chunks[i].arrival_ns),
			     1);
}

static void add_detail(struct bench *b, const struct request_record *r)
{
	bool is_ok = r->end == REQUEST_OK;
	double output = record_output_tokens(r);

	json_object_array_add(b->input_lens,
			      json_object_new_int64((int64_t)record_prompt_tokens(r)));
	json_object_array_add(b->output_lens,
			      json_object_new_int64(isnan(output) ? 0 : (int64_t)output));
	json_object_array_add(
		b->ttfts, json_new_real(record_between_s(r->sent_ns, r->first_token_ns)));
	json_object_array_add(b->latencies, json_new_real(record_between_s(
						    r->sent_ns, r->last_token_ns)));
	json_object_array_add(b->start_times,
			      json_new_real(record_between_s(0, r->sent_ns)));
	json_object_array_add(b->queue_times, json_new_real(record_between_s(
						      r->scheduled_ns, r->sent_ns)));
	json_object_array_add(b->errors,
			      json_new_text(is_ok ? "" : request_end_name(r->end)));
}

static void add_record(struct bench *b, const struct request_record *r)
{
	bool is_ok = r->end == REQUEST_OK;

	for (uint32_t i = 0; i < r->chunks_nr; i++)
		if (window_side(b->stage, r->chunks[i].arrival_ns) == WINDOW_INSIDE)
			b->output_inside += r->chunks[i].tokens;
	if (is_ok && window_side(b->stage, r->end_ns) == WINDOW_INSIDE) {
		b->completed_inside++;
		b->input_inside += record_prompt_tokens(r);
	}
	if (window_side(b->stage, window_begin_ns(r)) != WINDOW_INSIDE)
		return;
	b->completed += is_ok;
	b->failed += request_end_is_failure(r->end);
	if (r->end == REQUEST_CANCELLED)
		return;
	add_detail(b, r);
	if (is_ok) {
		b->input_all += record_prompt_tokens(r);
		b->output_all += record_output_tokens(r);
		add_latencies(b, r);
	}
}

static void bench_init(struct bench *b, const struct load_stage *stage)
{
	struct json_object **lists[] = {&b->input_lens, &b->output_lens, &b->ttfts,
					&b->latencies,  &b->start_times, &b->queue_times,
					&b->errors};

	*b = (struct bench){.stage = stage, .window_s = window_seconds(stage)};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		*lists[i] = json_object_new_array();
}

static void put_run(struct json_object *o, const struct load_report *r,
		    const struct load_stage *s)
{
	char date[CLOCK_LABEL_SIZE];
	bool has_rate = s->kind == STAGE_CONSTANT || s->kind == STAGE_POISSON;

	clock_label(s->start_ns + s->wall_offset_ns, date);
	json_put_text(o, "date", date);
	json_put_text(o, "endpoint_type", "tare-load");
	json_put_text(o, "backend", "tare-load");
	json_put_text(o, "label", s->label);
	json_put_text(o, "model_id", r->model);
	json_put(o, "tokenizer_id", NULL);
	if (has_rate)
		json_put_real(o, "request_rate", s->rate_per_s);
	else
		json_put_text(o, "request_rate", "inf");
	/* vLLM's word for even gaps is an infinite burstiness; for Poisson's it is 1. */
	if (s->kind == STAGE_CONSTANT)
		json_put_text(o, "burstiness", "inf");
	else
		json_put_real(o, "burstiness", 1);
	json_put(o, "max_concurrency",
		 s->concurrency ? json_object_new_int64(s->concurrency) : NULL);
}

static struct json_object *bench_object(struct bench *b, const struct load_report *r)
{
	struct json_object *o = json_object_new_object();

	put_run(o, r, b->stage);
	json_put_int(o, "num_prompts", b->completed + b->failed);
	json_put_real(o, "duration", b->window_s);
	json_put_int(o, "completed", b->completed);
	json_put_int(o, "failed", b->failed);
	json_put_int(o, "total_input_tokens", (int64_t)b->input_all);
	json_put_int(o, "total_output_tokens", (int64_t)b->output_all);
	json_put_real(o, "request_throughput", (double)b->completed_inside / b->window_s);
	json_put(o, "request_goodput", NULL);
	json_put_real(o, "output_throughput", b->output_inside / b->window_s);
	json_put_real(o, "total_token_throughput",
		      (b->output_inside + b->input_inside) / b->window_s);
	weighted_put_vllm(o, "ttft", 1e3, &b->ttft);
	weighted_put_vllm(o, "tpot", 1e3, &b->tpot);
	weighted_put_vllm(o, "itl", 1e3, &b->itl);
	weighted_put_vllm(o, "e2el", 1e3, &b->e2el);
	json_put(o, "input_lens", b->input_lens);
	json_put(o, "output_lens", b->output_lens);
	json_put(o, "ttfts", b->ttfts);
	json_put(o, "latencies", b->latencies);
	json_put(o, "start_times", b->start_times);
	json_put(o, "queue_times", b->queue_times);
	json_put(o, "errors", b->errors);
	weighted_release(&b->ttft);
	weighted_release(&b->tpot);
	weighted_release(&b->itl);
	weighted_release(&b->e2el);
	return o;
}

static int put_stage(FILE *f, const struct load_report *r, size_t index, struct err *err)
{
	const struct record_source *source = &r->sources[index];
	struct request_record record;
	struct bench b;
	int rc;

	bench_init(&b, &r->stages[index]);
	source->rewind(source->ctx);
	while ((rc = record_source_next(source, &record, err)) > 0)
		add_record(&b, &record);
	put_object(f, bench_object(&b, r));
	fputs("\n", f);
	return rc;
}

int format_write_vllm(const struct load_report *r, const char *path, struct err *err)
{
	struct file_out p;
	int rc = 0;

	if (file_out_open(&p, path, 0644, err))
		return -1;
	for (size_t i = 0; !rc && i < r->stages_nr; i++)
		rc = put_stage(p.stream, r, i, err);
	return file_out_close(&p, rc == 0, err);
}
