#include "inference/load/figures/client_figures.h"

#include <math.h>
#include <stddef.h>

#include "core/base/mem.h"

static double seconds(const struct lag *l, double p)
{
	return l->nr ? (double)lag_quantile_ns(l, p) * 1e-9 : NAN;
}

static double mean(const struct lag *l)
{
	return l->nr ? l->sum / (double)l->nr * 1e-9 : NAN;
}

static double over(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

static void raise_error(struct client_figures *f, double ratio, const char *from)
{
	if (!isfinite(ratio) || (isfinite(f->error_ratio) && ratio <= f->error_ratio))
		return;
	f->error_ratio = ratio;
	f->error_from = from;
}

void client_judge(struct client_figures *ret, const struct stage_outcome *o,
		  const struct stage_summary *s, const struct calibration *c)
{
	const struct figures *gaps = &s->figures[SUMMARY_ITL];
	double gap, far_gap;
	double latency = figures_quantile_s(&s->figures[SUMMARY_LATENCY], 0.5);

	/* Answers of one token have no gaps. */
	if (!gaps->nr)
		gaps = &s->figures[SUMMARY_TTFT];
	gap = figures_quantile_s(gaps, 0.5);
	far_gap = figures_quantile_s(gaps, 0.99);
	*ret = (struct client_figures){
		.lag_p50_s = seconds(o->lag, 0.5),
		.lag_p99_s = seconds(o->lag, 0.99),
		.delay_mean_s = mean(o->turnaround),
		.delay_p99_s = seconds(o->turnaround, 0.99),
		.stamp_p50_s = seconds(o->stamp_error, 0.5),
		.stamp_p99_s = seconds(o->stamp_error, 0.99),
		.cpu_per_chunk_s = over((double)o->cpu_ns * 1e-9, (double)o->chunks),
		.busy_ratio = o->busiest,
		.coalesced_ratio = over((double)o->coalesced, (double)o->chunks),
		.unstamped_ratio = over((double)o->unstamped, (double)o->reads),
		.clock_step_s = fabs((double)o->clock_step_ns) * 1e-9,
		.unsent = o->unsent,
		.connections = o->connections,
		.error_ratio = NAN,
		.error_from = "nothing",
	};
	raise_error(ret, over(c->is_done ? c->error_p50_s : ret->stamp_p50_s, gap),
		    "arrival stamps (median error over median gap)");
	raise_error(ret, over(c->is_done ? c->error_p99_s : ret->stamp_p99_s, far_gap),
		    "arrival stamps (p99 error over p99 gap)");
	raise_error(ret, over(ret->delay_mean_s, latency),
		    "sending (mean delay over median latency)");
	if (ret->lag_p99_s > gap)
		raise_error(ret, ret->coalesced_ratio,
			    "reading (chunks that waited behind another)");
}

/* Every real number of struct client_figures. */
static const struct {
	const char *key;
	size_t offset;
} client_members[] = {
#define MEMBER(m)                                      \
	{                                              \
#m, offsetof(struct client_figures, m) \
	}
	MEMBER(error_ratio),     MEMBER(lag_p50_s),       MEMBER(lag_p99_s),
	MEMBER(delay_mean_s),    MEMBER(delay_p99_s),     MEMBER(stamp_p50_s),
	MEMBER(stamp_p99_s),     MEMBER(cpu_per_chunk_s), MEMBER(busy_ratio),
	MEMBER(coalesced_ratio), MEMBER(unstamped_ratio), MEMBER(clock_step_s),
#undef MEMBER
};

static double *member_of(struct client_figures *c, size_t i)
{
	return (double *)((char *)c + client_members[i].offset);
}

struct json_object *client_to_json(const struct client_figures *c)
{
	struct json_object *o = json_object_new_object();
	struct client_figures copy = *c;

	for (size_t i = 0; i < ARRAY_SIZE(client_members); i++)
		json_put_real(o, client_members[i].key, *member_of(&copy, i));
	json_put_text(o, "error_from", c->error_from);
	json_put_int(o, "connections", (int64_t)c->connections);
	json_put_int(o, "unsent", (int64_t)c->unsent);
	return o;
}

void client_from_json(struct client_figures *ret, struct json_object *o)
{
	*ret = (struct client_figures){.error_from = "a part"};
	for (size_t i = 0; i < ARRAY_SIZE(client_members); i++)
		*member_of(ret, i) = json_get_real(o, client_members[i].key, NAN);
	ret->connections = (uint64_t)json_get_int(o, "connections", 0);
	ret->unsent = (uint64_t)json_get_int(o, "unsent", 0);
}

void client_worsen(struct client_figures *into, const struct client_figures *other,
		   bool adds_counts)
{
	struct client_figures copy = *other;

	for (size_t i = 0; i < ARRAY_SIZE(client_members); i++)
		*member_of(into, i) = fmax(*member_of(into, i), *member_of(&copy, i));
	if (adds_counts) {
		into->connections += other->connections;
		into->unsent += other->unsent;
	}
}
