#include "inference/load/formats/peers_guidellm_metrics.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "inference/load/formats/peers_impl.h"
#include "inference/load/formats/peers_samples.h"
#include "inference/load/figures/window.h"

#include <math.h>
#include <stdlib.h>

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
	struct peers_samples values[VALUES][PEERS_STATUSES];
	double *rates[RATES][PEERS_STATUSES]; /* sums by second */
};

const char *peers_status_key(enum peers_status s)
{
	static const char *const keys[] = {"successful", "errored", "incomplete"};

	return keys[s];
}

enum peers_status peers_status_of(const struct request_record *r)
{
	if (r->end == REQUEST_OK)
		return PEERS_SUCCESSFUL;
	return r->end == REQUEST_CANCELLED ? PEERS_INCOMPLETE : PEERS_ERRORED;
}

bool peers_is_listed(const struct load_stage *s, const struct request_record *r)
{
	return window_side(s, window_begin_ns(r)) == WINDOW_INSIDE;
}

static void add_values(struct tally *t, const struct request_record *r)
{
	enum peers_status st = peers_status_of(r);
	double prompt = peers_prompt_tokens(r), output = peers_output_tokens(r);
	double ttft = peers_between_s(r->sent_ns, r->first_token_ns) * 1e3;
	double last = peers_between_s(r->sent_ns, r->last_token_ns) * 1e3;
	double span = peers_between_s(r->first_token_ns, r->last_token_ns) * 1e3;
	bool is_failure = st != PEERS_SUCCESSFUL;
	const double values[VALUES] = {
		[VALUE_LATENCY] = peers_between_s(r->sent_ns, r->end_ns),
		[VALUE_DISPATCH_DELAY] = peers_between_s(r->scheduled_ns, r->sent_ns),
		[VALUE_SCHEDULED_LATENCY] = peers_between_s(r->scheduled_ns, r->end_ns),
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
		peers_add(&t->values[v][st], values[v],
			  v == VALUE_ITL    ? output - 1
			  : v == VALUE_TPOT ? output
					    : 1);
}

static void add_event(struct tally *t, enum rate rate, enum peers_status st, int64_t at,
		      double amount)
{
	if (at == RECORD_NONE || window_side(t->stage, at) != WINDOW_INSIDE)
		return;
	t->rates[rate][st][(at - t->stage->measure_start_ns) / NS_PER_S] += amount;
}

/* The part of [from, to) that lies in each second of the window. */
static void add_presence(struct tally *t, enum peers_status st, int64_t from, int64_t to)
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
	enum peers_status st = peers_status_of(r);
	double prompt = peers_prompt_tokens(r);

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

static void count(struct peers_counts *c, const struct load_stage *s,
		  const struct request_record *r)
{
	double delay = peers_between_s(r->scheduled_ns, r->sent_ns);
	double time = peers_between_s(r->sent_ns, r->end_ns);

	if (r->sent_ns != RECORD_NONE &&
	    (c->first_sent_s < 0 || wall_s(s, r->sent_ns) < c->first_sent_s))
		c->first_sent_s = wall_s(s, r->sent_ns);
	if (r->end_ns != RECORD_NONE && wall_s(s, r->end_ns) > c->last_end_s)
		c->last_end_s = wall_s(s, r->end_ns);
	c->all++;
	if (!peers_is_listed(s, r))
		return;
	c->by_status[peers_status_of(r)]++;
	if (!isnan(delay)) {
		c->delay_sum_s += delay;
		c->delay_nr++;
	}
	if (!isnan(time)) {
		c->time_sum_s += time;
		c->time_nr++;
	}
}

static struct json_object *by_status(struct peers_samples parts[PEERS_STATUSES])
{
	struct json_object *o = json_object_new_object();
	struct peers_samples total = {0};

	for (int st = 0; st < PEERS_STATUSES; st++) {
		peers_append(&total, &parts[st]);
		json_put(o, peers_status_key(st), peers_guidellm_summary(&parts[st]));
		peers_samples_release(&parts[st]);
	}
	json_put(o, "total", peers_guidellm_summary(&total));
	peers_samples_release(&total);
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
	struct peers_samples s = {0};

	for (int st = 0; st <= PEERS_STATUSES; st++) {
		for (size_t i = 0; i < t->seconds; i++) {
			double sum = 0;

			for (int part = 0; part < PEERS_STATUSES; part++)
				if (st == PEERS_STATUSES || part == st)
					sum += t->rates[rate][part][i];
			peers_add(&s, sum / width_s(t, i), width_s(t, i));
		}
		json_put(o, st == PEERS_STATUSES ? "total" : peers_status_key(st),
			 peers_guidellm_summary(&s));
		peers_samples_release(&s);
	}
	return o;
}

struct json_object *peers_totals(const struct peers_counts *c)
{
	struct json_object *o = json_object_new_object();
	int64_t total = 0;

	for (int st = 0; st < PEERS_STATUSES; st++) {
		json_put_int(o, peers_status_key(st), c->by_status[st]);
		total += c->by_status[st];
	}
	json_put_int(o, "total", total);
	return o;
}

/* Groups of which we have nothing to say: every leaf is null. */
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

static struct json_object *metrics_object(struct tally *t, const struct peers_counts *c)
{
	static const char *const unknown[] = {"time_to_last_round_trip_ms",
					      "avg_round_trip_time_ms"};
	struct json_object *o = json_object_new_object(), *again;

	json_put(o, "request_totals", peers_totals(c));
	for (int r = 0; r < RATES; r++)
		json_put(o, rate_keys[r], rate_object(t, (enum rate)r));
	for (int v = 0; v < VALUES; v++)
		json_put(o, value_keys[v], by_status(t->values[v]));
	again = json_member(o, value_keys[VALUE_PER_ITERATION]);
	json_put(o, "iter_tokens_per_iteration", json_object_get(again));
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct peers_samples none[PEERS_STATUSES] = {{0}};

		json_put(o, unknown[i], by_status(none));
	}
	put_empty_groups(o);
	return o;
}

struct json_object *peers_guidellm_metrics(const struct load_stage *stage,
					   struct record_source *source,
					   struct peers_counts *ret_counts)
{
	struct tally *t = x_calloc(1, sizeof(*t));
	struct request_record r;
	struct json_object *o;

	*ret_counts = (struct peers_counts){.first_sent_s = -1, .last_end_s = -1};
	t->stage = stage;
	t->seconds = (size_t)ceil(window_seconds(stage));
	for (int i = 0; i < RATES * PEERS_STATUSES; i++)
		t->rates[i / PEERS_STATUSES][i % PEERS_STATUSES] =
			x_calloc(t->seconds + 1, sizeof(double));
	source->rewind(source->ctx);
	while (source->next(source->ctx, &r)) {
		count(ret_counts, stage, &r);
		add_rates(t, &r);
		if (peers_is_listed(stage, &r))
			add_values(t, &r);
	}
	o = metrics_object(t, ret_counts);
	for (int i = 0; i < RATES * PEERS_STATUSES; i++)
		free(t->rates[i / PEERS_STATUSES][i % PEERS_STATUSES]);
	free(t);
	return o;
}
