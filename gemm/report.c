#include "gemm/report.h"

#include "core/machine/machine.h"
#include "core/base/mem.h"
#include "gemm/environment.h"
#include "gemm/metrics.h"
#include "gemm/peak.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void add_values(struct result *r, enum gemm_metric which, const double *values,
		       int64_t nr, uint64_t warmup)
{
	struct samples s;

	samples_init(&s, &gemm_metrics[which]);
	samples_reserve(&s, (size_t)nr);
	for (int64_t i = 0; i < nr; i++)
		if (isfinite(values[i]))
			samples_add(&s, values[i]);
	s.warmup = warmup;
	if (s.nr > 0)
		result_add_metric(r, &s);
	else
		samples_release(&s);
}

static void add_value(struct result *r, enum gemm_metric which, double value)
{
	add_values(r, which, &value, 1, 0);
}

static double most_of(const double *values, int64_t nr)
{
	double most = values[0];

	for (int64_t i = 1; i < nr; i++)
		most = fmax(most, values[i]);
	return most;
}

static void add_share(struct result *r, enum gemm_metric which, const double *flops,
		      int64_t nr, double peak)
{
	double *share = x_calloc((size_t)nr, sizeof(*share));

	for (int64_t i = 0; i < nr; i++)
		share[i] = flops[i] / peak;
	add_values(r, which, share, nr, 0);
	free(share);
}

/* As shares of the peak of those multiprocessors that were used. */
static void add_peak(const struct report_input *in, struct result *r, const double *flops)
{
	const struct device *d = in->surroundings->device;
	enum rate rate = in->problem->arithmetic->rate;
	struct json_object *o;
	double clock_hz, peak;
	char text[160];

	if (!d)
		return;
	o = json_object_new_object();
	peak = peak_rate(d->major, d->minor, rate, d->sm_used, d->clock_khz * 1e3);
	clock_hz = in->surroundings->telemetry
			   ? telemetry_mean_sm_clock_hz(in->surroundings->telemetry)
			   : 0;
	json_put_real(o, "max_clock_hz", d->clock_khz * 1e3);
	json_put_real(o, "mean_clock_hz", clock_hz > 0 ? clock_hz : NAN);
	json_put_real(o, "flops_at_max_clock", peak > 0 ? peak : NAN);
	json_put(r->details, "peak", o);
	if (peak == 0)
		return;
	add_share(r, GEMM_PEAK_SHARE, flops, in->run->nr, peak);
	if (clock_hz > 0)
		add_share(r, GEMM_PEAK_SHARE_MEASURED, flops, in->run->nr,
			  peak_rate(d->major, d->minor, rate, d->sm_used, clock_hz));
	snprintf(text, sizeof(text), "%.4g FLOP/s at most, and %s has a peak of %.4g",
		 most_of(flops, in->run->nr),
		 precision_names[in->problem->arithmetic->precision], peak);
	result_add_check(r, "below-peak", most_of(flops, in->run->nr) <= peak, text);
}

static void add_autotune(const struct report_input *in, struct result *r)
{
	const struct autotune *a = in->autotune;
	double *flops;

	if (!a)
		return;
	json_put(r->details, "autotune", autotune_json(a));
	if (!a->seconds)
		return;
	flops = x_calloc((size_t)a->nr, sizeof(*flops));
	for (int64_t i = 0; i < a->nr; i++)
		flops[i] = problem_flops(in->problem) / a->seconds[i];
	add_values(r, GEMM_AUTOTUNED_FLOPS, flops, a->nr, 0);
	free(flops);
}

static void add_metrics(const struct report_input *in, struct result *r)
{
	const struct run_outcome *run = in->run;
	double work = problem_flops(in->problem);
	double *flops = x_calloc((size_t)run->nr, sizeof(*flops));
	uint64_t warmup = (uint64_t)run->warmup_products;

	for (int64_t i = 0; i < run->nr; i++)
		flops[i] = run->seconds[i] > 0 ? work / run->seconds[i] : 0;
	add_values(r, GEMM_FLOPS, flops, run->nr, warmup);
	add_values(r, GEMM_TIME, run->seconds, run->nr, warmup);
	add_values(r, GEMM_GAP, run->gaps, run->nr - 1, 0);
	add_value(r, GEMM_WALL_TIME, (double)run->wall_ns / 1e9);
	if (in->program_start_ns)
		add_value(r, GEMM_START_TIME,
			  (double)(run->started_ns - in->program_start_ns -
				   run->warmup_ns) /
				  1e9);
	add_value(r, GEMM_ERROR, run->verdict.worst);
	add_peak(in, r, flops);
	free(flops);
}

static void add_details(const struct report_input *in, struct json_object *details)
{
	const struct run_outcome *run = in->run;
	struct json_object *warmup = json_object_new_object();
	struct json_object *c = json_object_new_object();

	json_put_text(details, "backend", in->engine->ops->name);
	in->engine->ops->describe(in->engine, details);
	json_put_text(details, "layout",
		      in->problem->arithmetic->a_is_transposed ? "TN" : "NN");
	json_put_int(details, "matrix_bytes", problem_bytes(in->problem));
	json_put_real(details, "flop_per_product", problem_flops(in->problem));
	json_put_int(warmup, "products", run->warmup_products);
	json_put_real(warmup, "seconds", (double)run->warmup_ns / 1e9);
	json_put_bool(warmup, "was_steady", run->was_steady);
	json_put(details, "warmup", warmup);
	json_put_text(c, "digest", run->digest);
	json_put_int(c, "samples", run->verdict.samples);
	json_put_int(c, "wrong", run->verdict.wrong);
	json_put_real(c, "worst_share_of_bound", run->verdict.worst);
	json_put(details, "c", c);
	json_put(details, "environment", environment_json(getenv));
}

/* A processor is called as the machine's facts call it. */
static void add_evidence(const struct report_input *in, struct result *r)
{
	struct evidence_computed computed;

	in->engine->ops->computed(in->engine, &computed);
	if (!computed.device)
		computed.device =
			json_get_text(json_member(r->machine, "cpu"), "model", NULL);
	surroundings_report(in->surroundings, &computed, in->run->digest, r);
	if (in->engine->ops->report_whole)
		in->engine->ops->report_whole(in->engine, r);
}

void report_make(const struct report_input *in, struct result *ret)
{
	char *name = x_asprintf("gemm-%s-%" PRId64,
				precision_names[in->problem->arithmetic->precision],
				in->problem->n);

	result_init(ret, "tare-gemm", "gemm", name);
	free(name);
	result_set_params(
		ret, options_params(in->options, in->problem, in->engine->ops->name));
	result_set_machine(ret, machine_read(""));
	add_metrics(in, ret);
	add_autotune(in, ret);
	if (in->sweep)
		sweep_report(in->sweep, ret);
	add_evidence(in, ret);
	result_add_check(ret, "c-is-right", in->run->verdict.passed,
			 in->run->verdict.text);
	add_details(in, ret->details);
}

static double mean_of(const struct samples *s)
{
	double total = 0;

	for (size_t i = 0; i < s->nr; i++)
		total += s->values[i];
	return total / (double)s->nr;
}

static void print_metric(const struct result *r, enum gemm_metric which, FILE *to)
{
	const struct samples *s = result_metric(r, gemm_metrics[which].name);
	char mean[64], least[64], most[64];
	double low, high;

	if (!s || s->nr == 0)
		return;
	low = high = s->values[0];
	for (size_t i = 1; i < s->nr; i++) {
		low = fmin(low, s->values[i]);
		high = fmax(high, s->values[i]);
	}
	unit_human(mean_of(s), s->def.unit, mean, sizeof(mean));
	unit_human(low, s->def.unit, least, sizeof(least));
	unit_human(high, s->def.unit, most, sizeof(most));
	if (s->nr == 1)
		fprintf(to, "%-24s %s\n", s->def.name, mean);
	else
		fprintf(to, "%-24s mean %s, least %s, most %s (%zu)\n", s->def.name, mean,
			least, most, s->nr);
}

void report_summary(const struct report_input *in, const struct result *r, FILE *to)
{
	const struct problem *p = in->problem;
	char *computed = evidence_headline(r->evidence);

	fprintf(to,
		"C = %g*A*B + %g*C, %s (compute %s), m %" PRId64 ", n %" PRId64
		", k %" PRId64 "\non %s\n",
		p->alpha, p->beta, precision_names[p->arithmetic->precision],
		compute_names[p->arithmetic->compute], p->m, p->n, p->k,
		computed ? computed : in->engine->ops->name);
	free(computed);
	for (int i = 0; i < GEMM_METRICS; i++)
		print_metric(r, (enum gemm_metric)i, to);
	sweep_summary(r, to);
	fprintf(to, "%-24s %s\n", "digest of C", in->run->digest);
	for (size_t i = 0; i < r->reasons.nr; i++)
		fprintf(to, "%s: %s\n", result_status_name(r->status),
			r->reasons.items[i]);
	fprintf(to, "%-24s %s\n", "status", result_status_name(r->status));
}
