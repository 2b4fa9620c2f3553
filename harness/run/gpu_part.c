#include "harness/run/gpu_part.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct metric_def sm_ratio = {
	.name = "mig.sm_ratio",
	.unit = "1",
	.better = METRIC_NONE,
	.gate = false,
	.help = "Multiprocessors of the part over those of the whole GPU.",
};

static const struct metric_def throughput_share = {
	.name = "mig.throughput_share",
	.unit = "1",
	.better = METRIC_HIGHER,
	.gate = false,
	.help = "The workload's first gating rate (gemm.flops, load.output_tokens_per_s) "
		"over that of the whole GPU in the same arm and round.",
};

void gpu_part_release(struct gpu_part *p)
{
	free(p->suffix);
	free(p->device);
	json_object_put(p->facts);
	*p = (struct gpu_part){0};
}

static void add_one(struct result *r, const struct metric_def *def, double value)
{
	struct samples s;

	samples_init(&s, def);
	samples_add(&s, value);
	result_add_metric(r, &s);
}

static double mean_of(const struct samples *s)
{
	double total = 0;

	for (size_t i = 0; i < s->nr; i++)
		total += s->values[i];
	return s->nr ? total / (double)s->nr : 0;
}

static void add_share(struct result *r, const struct result *whole)
{
	for (size_t i = 0; i < r->metrics_nr; i++) {
		const struct samples *s = &r->metrics[i], *w;

		if (!s->def.gate || s->def.better != METRIC_HIGHER)
			continue;
		w = result_metric(whole, s->def.name);
		if (w && s->nr && mean_of(w) > 0)
			add_one(r, &throughput_share, mean_of(s) / mean_of(w));
		return;
	}
}

/* Multiprocessors of a slice that the platform made: the workload saw how many. */
static void complete(struct json_object *mig, const struct result *r)
{
	struct json_object *gpu = json_member(r->details, "gpu");
	int64_t seen = json_get_int(gpu, "multiprocessors", 0);

	if (!json_member(mig, "multiprocessors") && seen)
		json_put_int(mig, "multiprocessors", seen);
}

void gpu_part_describe(const struct gpu_part *p, const char *workload, const char *whole,
		       struct result *r)
{
	struct json_object *mig = NULL;
	struct err ignored = ERR_INIT;
	struct result of_whole;
	int64_t all, here;
	bool is_part = json_member(p->facts, "profile") != NULL;

	json_object_deep_copy(p->facts, &mig, NULL);
	complete(mig, r);
	json_put_text(mig, "whole", is_part && p->has_whole ? workload : NULL);
	json_put(r->details, "mig", mig);
	here = json_get_int(mig, "multiprocessors", 0);
	all = json_get_int(mig, "gpu_multiprocessors", 0);
	if (here > 0 && all > 0)
		add_one(r, &sm_ratio, (double)here / (double)all);
	if (is_part && p->has_whole && file_exists(whole) &&
	    result_read(&of_whole, whole, &ignored) == 0) {
		add_share(r, &of_whole);
		result_release(&of_whole);
	}
}

bool gpu_part_of_lease(struct json_object *lease_facts, struct gpu_part *ret)
{
	struct json_object *list = json_member(lease_facts, "devices");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);
		const char *profile = json_get_text(d, "profile", NULL);

		if (!profile || !*profile)
			continue;
		*ret = (struct gpu_part){.suffix = x_strdup(""),
					 .facts = json_object_new_object()};
		json_put_text(ret->facts, "route",
			      json_get_text(lease_facts, "platform", "platform"));
		json_put_text(ret->facts, "profile", profile);
		json_put(ret->facts, "multiprocessors", NULL);
		json_put(ret->facts, "gpu_multiprocessors", NULL);
		return true;
	}
	return false;
}
