#include "reports/content/publication.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/content/report_text.h"

static const struct table_column columns[] = {
	{"work", TABLE_LEFT},        {"part of the GPU", TABLE_LEFT},
	{"figure", TABLE_LEFT},      {"arm", TABLE_LEFT},
	{"baseline", TABLE_RIGHT},   {"candidate", TABLE_RIGHT},
	{"difference", TABLE_RIGHT}, {NULL, TABLE_LEFT},
};

/* What of each kind of work is published; the first of a pair that is there. */
static const struct published {
	const char *kind, *label, *metrics[2];
} published[] = {
	{"gemm", "throughput", {"gemm.flops", NULL}},
	{"load",
	 "peak throughput",
	 {"load.peak_output_tokens_per_s", "load.output_tokens_per_s"}},
	{"load",
	 "p95 latency there",
	 {"load.latency_p95_at_peak_s", "load.latency_p95_s"}},
};

/* The part of the GPU that a result ran on. */
struct gpu_part_name {
	char name[64];           /* "full GPU", "1g.18gb", "-": no GPU, or not told */
	int64_t multiprocessors; /* 0: not told */
};

struct row {
	char work[160];
	struct gpu_part_name part, part_of_baseline;
	const char *figure;
	const struct comparison *c;
	size_t work_order, order;
};

struct rows {
	struct row *items;
	size_t nr, alloc;
};

static const char *last_word(const char *s)
{
	const char *space = strrchr(s, ' ');

	return space ? space + 1 : s;
}

static void part_of(const struct result *r, struct json_object *machine,
		    struct gpu_part_name *ret)
{
	struct json_object *mig = json_member(r->details, "mig");
	struct json_object *gpu = json_member(r->details, "gpu");
	struct json_object *first = json_at(machine, "gpus/0");
	const char *profile = json_get_text(mig, "profile", NULL);
	const char *name = json_get_text(gpu, "name", "");

	*ret = (struct gpu_part_name){.name = "-"};
	/* CUDA calls a MIG device "NVIDIA H200 MIG 1g.18gb". */
	if (!profile && strstr(name, " MIG "))
		profile = last_word(name);
	if (profile)
		snprintf(ret->name, sizeof(ret->name), "%.60s", profile);
	else if (mig || gpu || first)
		snprintf(ret->name, sizeof(ret->name), "full GPU");
	ret->multiprocessors = json_get_int(mig, "multiprocessors", 0);
	if (!ret->multiprocessors)
		ret->multiprocessors = json_get_int(gpu, "multiprocessors_used", 0);
	if (!ret->multiprocessors && !profile)
		ret->multiprocessors = json_get_int(first, "multiprocessors", 0);
}

/* "gemm@1g.18gb" is the work of "gemm". */
static bool is_same_work(const char *a, const char *b)
{
	size_t len = strcspn(a, "@");

	return len == strcspn(b, "@") && strncmp(a, b, len) == 0;
}

static void describe(const struct result *r, char *text, size_t size)
{
	const char *model =
		json_get_text(json_member(r->details, "server"), "model", NULL);
	const char *precision = json_get_text(r->params, "precision", NULL);
	int64_t n = json_get_int(r->params, "n", 0);
	int64_t prompt = json_get_int(r->params, "prompt_tokens", 0);
	int64_t output = json_get_int(r->params, "output_tokens", 0);

	if (model && prompt > 0 && output > 0)
		snprintf(text, size, "%.80s, %" PRId64 " to %" PRId64 " tokens", model,
			 prompt, output);
	else if (model)
		snprintf(text, size, "%.80s", model);
	else if (precision && n > 0)
		snprintf(text, size, "matrix product, %.20s, n = %" PRId64, precision, n);
	else
		snprintf(text, size, "%.*s", (int)strcspn(r->name, "@"), r->name);
}

static const struct result *result_of(const struct report *r, const char *label,
				      const char *workload, struct json_object **machine)
{
	const struct result_set *set;
	const char *arm;
	size_t nr;

	set = report_side(r, label, &arm);
	*machine = set ? result_set_facts(set, arm) : NULL;
	return set ? result_set_range(set, arm, workload, &nr) : NULL;
}

static size_t work_order(const struct rows *rows, const struct comparison *c)
{
	for (size_t i = 0; i < rows->nr; i++)
		if (is_same_work(rows->items[i].c->workload, c->workload))
			return rows->items[i].work_order;
	return rows->nr;
}

static void add(struct rows *rows, const struct report *r, const struct published *p,
		const struct comparison *c)
{
	struct json_object *machine_b, *machine_c;
	const struct result *b = result_of(r, c->baseline, c->workload, &machine_b);
	const struct result *x = result_of(r, c->candidate, c->workload, &machine_c);
	struct row row = {.figure = p->label, .c = c};

	if (!b || !x || strcmp(x->kind, p->kind) != 0)
		return;
	row.work_order = work_order(rows, c);
	row.order = rows->nr;
	describe(x, row.work, sizeof(row.work));
	part_of(x, machine_c, &row.part);
	part_of(b, machine_b, &row.part_of_baseline);
	GROW(rows->items, rows->nr, rows->alloc);
	rows->items[rows->nr++] = row;
}

static const struct comparison *find(const struct judgement *j,
				     const struct comparison *like, const char *metric)
{
	for (size_t i = 0; metric && i < j->nr; i++) {
		const struct comparison *c = &j->items[i];

		if (strcmp(c->metric, metric) == 0 && strcmp(c->statistic, "mean") == 0 &&
		    strcmp(c->workload, like->workload) == 0 &&
		    strcmp(c->candidate, like->candidate) == 0)
			return c;
	}
	return NULL;
}

/* Work as it came, the whole GPU before its parts and larger parts before smaller. */
static int by_work_and_part(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;
	bool whole_a = strcmp(a->part.name, "full GPU") == 0;
	bool whole_b = strcmp(b->part.name, "full GPU") == 0;

	if (a->work_order != b->work_order)
		return a->work_order < b->work_order ? -1 : 1;
	if (whole_a != whole_b)
		return whole_a ? -1 : 1;
	if (a->part.multiprocessors != b->part.multiprocessors)
		return a->part.multiprocessors > b->part.multiprocessors ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static void gather(struct rows *rows, const struct report *r)
{
	const struct judgement *j = &r->judgement;

	for (size_t i = 0; i < j->nr; i++) {
		for (size_t p = 0; p < ARRAY_SIZE(published); p++) {
			const struct comparison *c = &j->items[i];
			const char *const *metrics = published[p].metrics;

			/* Once for each pair and workload: where the first is, or else
			 * where the second is. */
			if (strcmp(c->statistic, "mean") != 0)
				continue;
			if (strcmp(c->metric, metrics[0]) == 0 ||
			    (metrics[1] && strcmp(c->metric, metrics[1]) == 0 &&
			     !find(j, c, metrics[0])))
				add(rows, r, &published[p], c);
		}
	}
	if (rows->nr)
		qsort(rows->items, rows->nr, sizeof(*rows->items), by_work_and_part);
}

static void part_text(const struct gpu_part_name *p, char *text, size_t size)
{
	if (p->multiprocessors)
		snprintf(text, size, "%s (%" PRId64 " SMs)", p->name, p->multiprocessors);
	else
		snprintf(text, size, "%s", p->name);
}

static void add_parts(struct table *t, const struct row *row)
{
	char baseline[96], candidate[96];

	part_text(&row->part_of_baseline, baseline, sizeof(baseline));
	part_text(&row->part, candidate, sizeof(candidate));
	if (strcmp(baseline, candidate) == 0)
		table_add(t, candidate);
	else
		table_addf(t, "%s against %s", candidate, baseline);
}

void publication_table(const struct report *r, struct table *ret)
{
	struct rows rows = {0};

	gather(&rows, r);
	table_init(ret, columns);
	for (size_t i = 0; i < rows.nr; i++) {
		const struct row *row = &rows.items[i];
		struct row_texts x;

		row_texts(row->c, &x);
		table_add(ret, row->work);
		add_parts(ret, row);
		table_add(ret, row->figure);
		table_add(ret, row->c->candidate);
		table_add(ret, x.baseline);
		table_add(ret, x.candidate);
		table_add(ret, x.difference);
	}
	free(rows.items);
}
