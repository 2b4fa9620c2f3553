#include "reports/results/load_stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

enum { stages_max = 256 };

static const char *const paths[STAGE_FIGURES] = {
	[STAGE_IN_FLIGHT] = "mean_concurrency",
	[STAGE_TOKENS] = "output_tokens_per_s",
	[STAGE_REQUESTS] = "requests_per_s",
	[STAGE_TTFT_P95] = "distributions/ttft/p95_s",
	[STAGE_LATENCY_P50] = "distributions/latency/p50_s",
	[STAGE_LATENCY_P95] = "distributions/latency/p95_s",
};

static struct stage_point *find(const struct stage_curve *c, const char *label)
{
	for (size_t i = 0; i < c->nr; i++)
		if (strcmp(c->items[i].label, label) == 0)
			return &c->items[i];
	return NULL;
}

const struct stage_point *stage_curve_find(const struct stage_curve *c, const char *label)
{
	return find(c, label);
}

static struct stage_point *point_for(struct stage_curve *c, struct json_object *stage,
				     const char *label)
{
	struct stage_point *known = find(c, label);

	if (known)
		return known;
	GROW(c->items, c->nr, c->alloc);
	c->items[c->nr] = (struct stage_point){
		.label = x_strdup(label),
		.concurrency = json_get_real(stage, "concurrency", NAN)};
	return &c->items[c->nr++];
}

static void add_figure(struct stage_point *p, enum stage_figure f, double v)
{
	double n = (double)p->nr[f];

	p->mean[f] = n > 0 ? (p->mean[f] * n + v) / (n + 1) : v;
	p->low[f] = n > 0 ? fmin(p->low[f], v) : v;
	p->high[f] = n > 0 ? fmax(p->high[f], v) : v;
	p->nr[f]++;
}

static void add_stage(struct stage_curve *c, struct json_object *stage)
{
	const char *label = json_get_text(stage, "label", NULL);
	struct stage_point *p;

	if (!label || c->nr >= stages_max)
		return;
	p = point_for(c, stage, label);
	for (int f = 0; f < STAGE_FIGURES; f++) {
		double x = json_real(json_at(stage, paths[f]), NAN);

		if (isfinite(x))
			add_figure(p, (enum stage_figure)f, x);
	}
}

static void add_result(struct stage_curve *c, const struct result *r)
{
	struct json_object *stages = json_member(r->details, "stages");
	double s = json_get_real(r->details, "saturation_concurrency", NAN);
	size_t nr = json_length(stages);

	for (size_t i = 0; i < nr; i++)
		add_stage(c, json_object_array_get_idx(stages, i));
	if (!isfinite(s))
		return;
	c->saturation = c->saturation_nr ? c->saturation : 0;
	c->saturation = (c->saturation * (double)c->saturation_nr + s) /
			(double)(c->saturation_nr + 1);
	c->saturation_nr++;
}

static int by_load(const void *va, const void *vb)
{
	const struct stage_point *a = va, *b = vb;
	double x = a->mean[STAGE_IN_FLIGHT], y = b->mean[STAGE_IN_FLIGHT];

	return x < y ? -1 : x > y ? 1 : strcmp(a->label, b->label);
}

void stage_curve_read(struct stage_curve *ret, const struct result *results, size_t nr)
{
	*ret = (struct stage_curve){.saturation = NAN};
	for (size_t i = 0; i < nr; i++)
		if (results[i].status != RESULT_FAILED)
			add_result(ret, &results[i]);
	for (size_t i = 0; i < ret->nr; i++)
		for (int f = 0; f < STAGE_FIGURES; f++)
			if (!ret->items[i].nr[f])
				ret->items[i].mean[f] = ret->items[i].low[f] =
					ret->items[i].high[f] = NAN;
	if (ret->nr)
		qsort(ret->items, ret->nr, sizeof(*ret->items), by_load);
	for (size_t i = 0; i < ret->nr; i++)
		if (ret->items[i].nr[STAGE_TOKENS] &&
		    (!ret->peak ||
		     ret->items[i].mean[STAGE_TOKENS] > ret->peak->mean[STAGE_TOKENS]))
			ret->peak = &ret->items[i];
}

void stage_curve_release(struct stage_curve *c)
{
	for (size_t i = 0; i < c->nr; i++)
		free(c->items[i].label);
	free(c->items);
	*c = (struct stage_curve){0};
}
