#include "tests/support/staged.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

static const struct metric_def flops = {"gemm.flops", "FLOP/s", METRIC_HIGHER, true, ""};
static const char *const workloads[] = {
	[HONEST_GPU] = "gemm", [HONEST_CPU] = "gemm", [HONEST_SERVER] = "load"};
enum { rounds = 4 };

static void add(struct result_set *s, int side, int round, enum honest_kind kind)
{
	static const double error[rounds] = {0.001, -0.001, 0.0005, 0};
	struct samples m;
	struct result r;
	int64_t end_ns;

	result_init(&r, "tare", workloads[kind], workloads[kind]);
	free(r.arm);
	r.arm = x_strdup(side ? "vm" : "metal");
	r.round = round;
	samples_init(&m, &flops);
	samples_add(&m, 100 * (1 + (side ? error[round - 1] : 0)));
	result_add_metric(&r, &m);
	honest_result(&r, side, round, kind);
	if (kind != HONEST_SERVER)
		result_set_params(&r,
				  honest_json(kind == HONEST_GPU
						      ? "{\"backend\": \"cublas\"}"
						      : "{\"backend\": \"openblas\"}"));
	else
		json_put(r.details, "server",
			 honest_json("{\"version\": \"0.11\", \"model\": \"opt\", "
				     "\"revision\": \"a\", \"max_model_len\": 2048}"));
	clock_from_label("2026-11-01T00:10:05.000Z", &end_ns);
	result_set_add_step(s, r.arm, r.name, round,
			    end_ns + (round * 3600 + side * 900) * NS_PER_S, 610);
	s->steps[s->steps_nr - 1].has_result = true;
	result_set_add(s, &r, "by hand");
}

/* As the journal's head has it. */
static void tell_plan(struct result_set *s)
{
	free(s->digest_at_run);
	s->digest_at_run = result_set_plan_digest(s);
}

void staged_make(struct result_set *s, enum honest_kind kind)
{
	result_set_init(s, "run");
	s->is_run = true;
	s->baseline = x_strdup("metal");
	s->plan = honest_json("{\"arms\": {\"metal\": {\"target\": \"ssh\"}, \"vm\": "
			      "{\"target\": \"vm\"}}}");
	tell_plan(s);
	for (int round = 1; round <= rounds; round++) {
		add(s, 0, round, kind);
		add(s, 1, round, kind);
	}
	result_set_sort(s);
}

static struct json_object *part_of(struct result *r, enum part part)
{
	struct json_object *const parts[] = {
		[FACTS] = r->machine,       [EVIDENCE] = r->evidence,
		[TELEMETRY] = r->telemetry, [DETAILS] = r->details,
		[PARAMS] = r->params,       [PARAMS_ONLY] = r->params,
		[CHECKS] = r->checks,       [TOOL] = r->tool};

	return parts[part];
}

static void apply_word(struct result *r, const struct edit *e)
{
	if (e->part == REASON) {
		strvec_add(&r->reasons, e->value);
	} else if (e->part == ROUND) {
		r->round = strtol(e->value, NULL, 10);
	} else if (e->part == UNGATED) {
		r->metrics[0].def.gate = false;
	} else {
		free(r->id);
		r->id = x_strdup(e->value);
	}
}

/* As if its file were deleted: what is sorted stays sorted. */
static void lose(struct result_set *s, size_t at)
{
	result_release(&s->results[at]);
	free(s->paths[at]);
	s->nr--;
	memmove(&s->results[at], &s->results[at + 1], (s->nr - at) * sizeof(*s->results));
	memmove(&s->paths[at], &s->paths[at + 1], (s->nr - at) * sizeof(*s->paths));
}

void staged_apply(struct result_set *s, const struct edit *e)
{
	if (e->part == PLAN || e->part == PLAN_ONLY) {
		honest_edit(s->plan, e->path, e->value);
		if (e->part == PLAN)
			tell_plan(s);
		return;
	}
	for (size_t i = 0; i < s->nr; i++) {
		struct result *r = &s->results[i];
		int side = strcmp(r->arm, "vm") == 0;

		if ((e->side != 2 && side != e->side) ||
		    (e->round && r->round != e->round))
			continue;
		if (e->part == LOST) {
			lose(s, i--);
			continue;
		}
		if (e->part >= ID) {
			apply_word(r, e);
			continue;
		}
		honest_edit(part_of(r, e->part), e->path, e->value);
		if (e->part == PARAMS) /* with the digest that goes with them */
			result_set_params(r, json_object_get(r->params));
	}
}

enum verdict staged_judge(const struct staged *t, char **reason)
{
	struct result_set s;
	struct judgement j;
	enum verdict v;

	staged_make(&s, t->kind);
	for (const struct edit *e = t->edits; e->path; e++)
		staged_apply(&s, e);
	known_run_judge(&s, &j);
	v = j.overall;
	*reason = x_strdup(j.items[0].reason ? j.items[0].reason : "");
	judgement_release(&j);
	result_set_release(&s);
	return v;
}
