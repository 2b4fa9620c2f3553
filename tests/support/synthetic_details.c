#include "tests/support/synthetic_details.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/distributions.h"

static const double points[] = {0.01, 0.05, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999};

/* Log-normal: median and spread; p99.9 has too few samples, as in a real window. */
static struct json_object *distribution(double median, double spread)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "n", 1200);
	json_put_real(o, "mean_s", median * exp(spread * spread / 2));
	json_put_real(o, "std_s", median * spread);
	json_put_real(o, "min_s", median * exp(-3.2 * spread));
	json_put_real(o, "max_s", median * exp(3.3 * spread));
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		char key[16];

		snprintf(key, sizeof(key), "p%g_s", points[i] * 100);
		json_put_real(
			o, key,
			points[i] > 0.99
				? NAN
				: median * exp(spread * dist_normal_quantile(points[i])));
	}
	return o;
}

static void add_one(struct result *r, const char *name, const char *label,
		    const char *unit, enum metric_better better, double value)
{
	char *full = label ? x_asprintf("%s@%s", name, label) : x_strdup(name);
	struct samples s;

	samples_init(&s, &(struct metric_def){
				 .name = full, .unit = x_strdup(unit), .better = better});
	s.owns_texts = true;
	samples_add(&s, value);
	result_add_metric(r, &s);
}

static struct json_object *stage(struct result *r, int concurrency, double ratio,
				 double noise, double *ret_tokens, double *ret_p95)
{
	static const double tokens_each = 256;
	struct json_object *o = json_object_new_object(), *d = json_object_new_object();
	double tokens = 2600 * ratio * noise * concurrency / (concurrency + 6.0);
	double latency, ttft;
	char label[16];

	if (concurrency > 32)
		tokens *= 0.98;
	latency = concurrency * tokens_each / tokens;
	ttft = 0.03 / ratio + latency * 0.03;
	snprintf(label, sizeof(label), "c%d", concurrency);
	json_put_text(o, "label", label);
	json_put_text(o, "kind", "concurrent");
	json_put_int(o, "concurrency", concurrency);
	json_put_real(o, "requests_per_s", tokens / tokens_each);
	json_put_real(o, "output_tokens_per_s", tokens);
	json_put_real(o, "mean_concurrency", concurrency * 0.998);
	json_put(d, "ttft", distribution(ttft, 0.30));
	json_put(d, "itl", distribution(latency / tokens_each, 0.15));
	json_put(d, "latency", distribution(latency, 0.08));
	json_put(o, "distributions", d);
	*ret_tokens = tokens;
	*ret_p95 = latency * exp(0.08 * dist_normal_quantile(0.95));
	add_one(r, "load.output_tokens_per_s", label, "token/s", METRIC_HIGHER, tokens);
	add_one(r, "load.latency_p95_s", label, "s", METRIC_LOWER, *ret_p95);
	return o;
}

void synthetic_stages(struct result *r, double ratio, struct rng *rng)
{
	static const int concurrency[] = {1, 4, 16, 32, 128};
	struct json_object *list = json_object_new_array();
	struct json_object *server = json_object_new_object();
	struct json_object *started = json_object_new_object();
	double tokens = 0, p95 = 0;

	for (size_t i = 0; i < ARRAY_SIZE(concurrency); i++)
		json_object_array_add(list,
				      stage(r, concurrency[i], ratio,
					    exp(0.006 * rng_normal(rng)), &tokens, &p95));
	add_one(r, "load.peak_output_tokens_per_s", NULL, "token/s", METRIC_HIGHER,
		tokens);
	add_one(r, "load.latency_p95_at_peak_s", NULL, "s", METRIC_LOWER, p95);
	json_put_text(server, "model", "synthetic/model-7b");
	json_put_text(server, "version", "9.8.7");
	json_put_text(started, "kind", "synthetic");
	json_put_text(started, "revision", "main-3");
	json_put(server, "tare_serve", started);
	json_put(r->details, "server", server);
	json_put_text(r->details, "profile", "concurrent");
	json_put_text(r->details, "peak_stage", "c128");
	json_put_int(r->details, "saturation_concurrency", 32);
	json_put(r->details, "stages", list);
}

static void series(struct json_object *o, const char *key, double mean, double step,
		   double dip, int nr, struct rng *rng)
{
	struct json_object *list = json_object_new_array();
	struct json_object *about = json_object_new_object();

	for (int i = 0; i < nr; i++) {
		double x = mean + step * i + 0.002 * mean * rng_normal(rng);

		if (i >= nr / 3 && i < 2 * nr / 3)
			x += dip;
		json_object_array_add(list, json_new_real(x));
	}
	json_put(json_member(o, "series"), key, list);
	json_put_real(about, "mean", mean + step * nr / 2 + dip / 3);
	json_put_real(about, "least", mean + fmin(dip, 0));
	json_put_real(about, "most", mean + step * nr);
	json_put(o, key, about);
}

void synthetic_telemetry(struct result *r, bool is_slowed, struct rng *rng)
{
	enum { nr = 60 };
	struct json_object *o = r->telemetry, *throttle = json_object_new_object();
	struct json_object *times = json_object_new_array(),
			   *reasons = json_object_new_array();

	json_put_text(o, "uuid", "GPU-0001");
	json_put_real(o, "period_s", 0.1);
	json_put_real(o, "span_s", nr * 0.1);
	json_put_int(o, "samples", nr);
	json_put(o, "series", json_object_new_object());
	for (int i = 0; i < nr; i++) {
		bool is_now = is_slowed && i >= nr / 3 && i < 2 * nr / 3;

		json_object_array_add(times, json_new_real(i * 0.1));
		json_object_array_add(reasons, json_object_new_int64(is_now ? 4 : 0));
	}
	json_put(json_member(o, "series"), "t_s", times);
	json_put(json_member(o, "series"), "reasons", reasons);
	series(o, "sm_clock_hz", 1.98e9, 0, is_slowed ? -6e7 : 0, nr, rng);
	series(o, "power_w", 640, 0.4, is_slowed ? 25 : 0, nr, rng);
	series(o, "temperature_c", 48, 0.25, 0, nr, rng);
	json_put_real(throttle, "sw_power_cap", is_slowed ? 2.0 : 0);
	json_put_real(throttle, "sw_thermal", 0);
	json_put_real(throttle, "hw_thermal", 0);
	json_put(o, "throttle_s", throttle);
}

void synthetic_gpu(struct result *r, const char *part)
{
	struct json_object *o = json_object_new_object(), *mig = json_object_new_object();
	int sms = part ? 16 * (part[0] - '0') : 132;
	char *name = part ? x_asprintf("Synthetic GPU MIG %s", part)
			  : x_strdup("Synthetic GPU");

	json_put_text(o, "name", name);
	json_put_text(o, "uuid", part ? "MIG-0001" : "GPU-0001");
	json_put_int(o, "multiprocessors", sms);
	json_put_int(o, "multiprocessors_used", sms);
	json_put(r->details, "gpu", o);
	json_put_text(mig, "route", part ? "host" : NULL);
	json_put_text(mig, "profile", part);
	json_put_int(mig, "multiprocessors", sms);
	json_put_int(mig, "gpu_multiprocessors", 132);
	json_put(r->details, "mig", mig);
	free(name);
}
