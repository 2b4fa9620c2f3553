#include "reports/verdict/result_flaw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

/* FLOP/s times seconds is the work of a product, but for the rounding of either. */
static const double work_apart = 0.01;

/* docs/metrics.md, as far as a verdict rests on it; of a cell ("link.h2d.gpu0") its metric. */
static const struct known_metric {
	const char *name, *unit;
	enum metric_better better;
	bool gates;
} known_metrics[] = {
	{"gemm.flops", "FLOP/s", METRIC_HIGHER, true},
	{"gemm.time", "s", METRIC_LOWER, false},
	{"gemm.gap", "s", METRIC_LOWER, false},
	{"gemm.wall_time", "s", METRIC_LOWER, false},
	{"gemm.start_time", "s", METRIC_LOWER, false},
	{"load.output_tokens_per_s", "token/s", METRIC_HIGHER, true},
	{"load.requests_per_s", "1/s", METRIC_HIGHER, false},
	{"load.ttft_p50_s", "s", METRIC_LOWER, true},
	{"load.itl_p50_s", "s", METRIC_LOWER, true},
	{"load.latency_p95_s", "s", METRIC_LOWER, true},
	{"link.h2d", "byte/s", METRIC_HIGHER, true},
	{"link.d2h", "byte/s", METRIC_HIGHER, true},
	{"link.both", "byte/s", METRIC_HIGHER, true},
};

static bool is_of(const char *name, const char *metric)
{
	size_t len = strlen(metric);

	return strncmp(name, metric, len) == 0 && (!name[len] || strchr(".@", name[len]));
}

static char *flaw_of_status(const struct result *r)
{
	const char *reason = r->reasons.nr ? r->reasons.items[0] : NULL;

	if (r->status == RESULT_INVALID)
		return x_strdup(reason ? reason : "marked invalid");
	return reason ? x_asprintf(
				"status: it calls itself sound beside a reason why it is "
				"not: %s",
				reason)
		      : NULL;
}

static char *flaw_of_checks(const struct result *r)
{
	double wrong = json_get_real(json_member(r->details, "c"), "wrong", 0);

	for (size_t i = 0; i < json_length(r->checks); i++) {
		struct json_object *c = json_object_array_get_idx(r->checks, i);

		if (!json_get_bool(c, "passed", true))
			return x_asprintf(
				"status: it calls itself sound beside a check that "
				"failed: %.80s (%.160s)",
				json_get_text(c, "name", "a check"),
				json_get_text(c, "detail", "no detail"));
	}
	return wrong > 0 ? x_asprintf("status: it calls itself sound with %.0f wrong "
				      "entries of C",
				      wrong)
			 : NULL;
}

/* A rate and its time are of the same products: each says the other. */
static char *flaw_of_work(const struct result *r)
{
	const struct samples *rate = result_metric(r, "gemm.flops");
	const struct samples *time = result_metric(r, "gemm.time");
	double work = 2 * json_get_real(r->params, "m", NAN) *
		      json_get_real(r->params, "n", NAN) *
		      json_get_real(r->params, "k", NAN);

	if (!rate || !time || !(work > 0) || strcmp(r->kind, "gemm") != 0)
		return NULL;
	if (rate->nr != time->nr)
		return x_asprintf("work: %zu values of gemm.flops and %zu of gemm.time",
				  rate->nr, time->nr);
	for (size_t i = 0; i < rate->nr; i++) {
		double done = rate->values[i] * time->values[i];

		if (!(fabs(done - work) <= work_apart * work))
			return x_asprintf(
				"work: gemm.flops and gemm.time say that product "
				"%zu had %.6g FLOP, and its n, m and k say %.6g",
				i + 1, done, work);
	}
	return NULL;
}

static char *flaw_of_values(const struct result *r)
{
	for (size_t i = 0; i < r->metrics_nr; i++) {
		const struct samples *s = &r->metrics[i];

		if (s->def.gate && !s->nr && !s->failed && strcmp(r->kind, "gemm") == 0)
			return x_asprintf(
				"no-values: it calls itself sound and has no value "
				"of %s",
				s->def.name);
	}
	return NULL;
}

static char *flaw_of_machine(const struct result *r)
{
	const char *schema = json_get_text(r->machine, "schema", NULL);

	return schema && strcmp(schema, "tare.machine/1") != 0
		       ? x_asprintf(
				 "machine: facts of the schema '%.60s', which this tare "
				 "does not read",
				 schema)
		       : NULL;
}

char *result_flaw(const struct result *r)
{
	static char *(*const checks[])(const struct result *r) = {
		flaw_of_status, flaw_of_checks, flaw_of_values, flaw_of_work,
		flaw_of_machine};
	char *flaw = NULL;

	if (r->status == RESULT_FAILED)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(checks) && !flaw; i++)
		flaw = checks[i](r);
	return flaw;
}

char *metric_flaw(const struct result *r, const struct samples *s)
{
	/* Another tool's metrics are its own. */
	if (strcmp(r->kind, "import") == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known_metrics); i++) {
		const struct known_metric *k = &known_metrics[i];

		if (!is_of(s->def.name, k->name))
			continue;
		if (strcmp(s->def.unit, k->unit) != 0)
			return x_asprintf(
				"other-metric: %s is in %s, and here in '%.20s'",
				s->def.name, k->unit, s->def.unit);
		if (s->def.better != k->better)
			return x_asprintf("other-metric: of %s %s is better, and here %s",
					  s->def.name, metric_better_name(k->better),
					  metric_better_name(s->def.better));
		if (s->def.gate && !k->gates)
			return x_asprintf(
				"other-metric: %s takes no part in a verdict, and "
				"here it does",
				s->def.name);
		return NULL;
	}
	return NULL;
}
