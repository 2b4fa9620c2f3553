#include "inference/load/formats/format_parts.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"

double record_between_s(int64_t from_ns, int64_t to_ns)
{
	if (from_ns == RECORD_NONE || to_ns == RECORD_NONE)
		return NAN;
	return (double)(to_ns - from_ns) * 1e-9;
}

struct json_object *stage_unix_s(const struct load_stage *s, int64_t at_ns)
{
	if (at_ns == RECORD_NONE)
		return NULL;
	return json_new_real((double)(at_ns + s->wall_offset_ns) * 1e-9);
}

double record_output_tokens(const struct request_record *r)
{
	if (r->output_tokens >= 0)
		return r->output_tokens;
	return r->received_tokens > 0 ? r->received_tokens : NAN;
}

double record_prompt_tokens(const struct request_record *r)
{
	return r->prompt_tokens >= 0 ? r->prompt_tokens : r->prompt_wanted;
}

void put_object(FILE *f, struct json_object *o)
{
	fputs(json_line(o), f);
	json_object_put(o);
}

void weighted_add(struct weighted_samples *s, double value, double weight)
{
	if (isnan(value) || !(weight > 0))
		return;
	GROW(s->items, s->nr, s->alloc);
	s->items[s->nr++] = (struct weighted){value, weight};
}

void weighted_append(struct weighted_samples *to, const struct weighted_samples *from)
{
	for (size_t i = 0; i < from->nr; i++)
		weighted_add(to, from->items[i].value, from->items[i].weight);
}

void weighted_release(struct weighted_samples *s)
{
	free(s->items);
	*s = (struct weighted_samples){0};
}

static int by_value(const void *a, const void *b)
{
	const struct weighted *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

struct moments {
	double weight, sum, mean, variance, mode;
};

static struct moments moments_of(const struct weighted_samples *s)
{
	struct moments m = {0};
	double run = 0, best = -1;

	for (size_t i = 0; i < s->nr; i++) {
		m.weight += s->items[i].weight;
		m.sum += s->items[i].value * s->items[i].weight;
	}
	m.mean = m.weight > 0 ? m.sum / m.weight : 0;
	for (size_t i = 0; i < s->nr; i++) {
		double d = s->items[i].value - m.mean;
		bool is_new = i && s->items[i].value > s->items[i - 1].value;

		m.variance += d * d * s->items[i].weight / m.weight;
		run = (is_new ? 0 : run) + s->items[i].weight;
		if (run > best) {
			best = run;
			m.mode = s->items[i].value;
		}
	}
	return m;
}

/* The smallest value whose share of the weight reaches p; 's' is sorted. */
static double weighted_quantile(const struct weighted_samples *s, double weight, double p)
{
	double below = 0;

	for (size_t i = 0; i < s->nr; i++) {
		below += s->items[i].weight;
		if (below >= p * weight * (1 - 1e-12))
			return s->items[i].value;
	}
	return s->nr ? s->items[s->nr - 1].value : 0;
}

struct json_object *weighted_to_guidellm(struct weighted_samples *s)
{
	static const struct {
		const char *name;
		double p;
	} points[] = {{"p001", 0.001}, {"p01", 0.01}, {"p05", 0.05},  {"p10", 0.1},
		      {"p25", 0.25},   {"p50", 0.5},  {"p75", 0.75},  {"p90", 0.9},
		      {"p95", 0.95},   {"p99", 0.99}, {"p999", 0.999}};
	struct json_object *o = json_object_new_object();
	struct json_object *p = json_object_new_object();
	struct moments m;

	if (s->nr)
		qsort(s->items, s->nr, sizeof(*s->items), by_value);
	m = moments_of(s);
	json_put_real(o, "mean", m.mean);
	json_put_real(o, "median", weighted_quantile(s, m.weight, 0.5));
	json_put_real(o, "mode", m.mode);
	json_put_real(o, "variance", m.variance);
	json_put_real(o, "std_dev", sqrt(m.variance));
	json_put_real(o, "min", s->nr ? s->items[0].value : 0);
	json_put_real(o, "max", s->nr ? s->items[s->nr - 1].value : 0);
	json_put_int(o, "count", (int64_t)s->nr);
	json_put_real(o, "total_sum", m.sum);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		json_put_real(p, points[i].name,
			      weighted_quantile(s, m.weight, points[i].p));
	json_put(o, "percentiles", p);
	json_put(o, "pdf", NULL);
	return o;
}

/* Hyndman and Fan's type 7, numpy's default; 's' is sorted, weights are 1. */
static double linear_quantile(const struct weighted_samples *s, double p)
{
	double at = p * (double)(s->nr - 1);
	size_t low = (size_t)at;
	double part = at - (double)low;

	if (low + 1 >= s->nr)
		return s->items[s->nr - 1].value;
	return s->items[low].value +
	       part * (s->items[low + 1].value - s->items[low].value);
}

void weighted_put_vllm(struct json_object *o, const char *name, double scale,
		       struct weighted_samples *s)
{
	static const struct {
		const char *name;
		double p;
	} points[] = {{"median", 0.5}, {"p50", 0.5},  {"p90", 0.9},
		      {"p95", 0.95},   {"p99", 0.99}, {"p99.9", 0.999}};
	struct moments m;
	char key[64];

	if (s->nr)
		qsort(s->items, s->nr, sizeof(*s->items), by_value);
	m = moments_of(s);
	snprintf(key, sizeof(key), "mean_%s_ms", name);
	json_put_real(o, key, s->nr ? m.mean * scale : NAN);
	snprintf(key, sizeof(key), "std_%s_ms", name);
	json_put_real(o, key, s->nr ? sqrt(m.variance) * scale : NAN);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		snprintf(key, sizeof(key), "%s_%s_ms", points[i].name, name);
		json_put_real(o, key,
			      s->nr ? linear_quantile(s, points[i].p) * scale : NAN);
	}
}
