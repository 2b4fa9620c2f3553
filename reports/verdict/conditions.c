#include "reports/verdict/conditions.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/document/metric.h"

/* What must agree of 'details/server' of a load; where a side is silent nothing is said. */
static const struct {
	const char *key, *reason, *words;
} members[] = {
	{"version", "server-version", "server version"},
	{"model", "server-model", "model"},
	{"revision", "model-revision", "model revision"},
	{"max_model_len", "server-limit", "greatest length of a request in tokens"},
	{"is_mock", "server-mock", "tare's mock server"},
};

static const char *shown(struct json_object *o)
{
	if (json_object_is_type(o, json_type_boolean))
		return json_object_get_boolean(o) ? "yes" : "no";
	return json_object_get_string(o);
}

/* By the server itself, else by tare-serve, which started it. */
static struct json_object *told(struct json_object *server, const char *key)
{
	struct json_object *o = json_member(server, key);

	return o ? o : json_member(json_member(server, "tare_serve"), key);
}

char *server_mismatch(const struct result *a, const char *label_a, const struct result *b,
		      const char *label_b)
{
	struct json_object *sa = json_member(a->details, "server");
	struct json_object *sb = json_member(b->details, "server");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct json_object *x = told(sa, members[i].key);
		struct json_object *y = told(sb, members[i].key);

		if (x && y && !json_object_equal(x, y))
			return x_asprintf("%s: another %s: %.80s on %s, %.80s on %s",
					  members[i].reason, members[i].words, shown(x),
					  label_a, shown(y), label_b);
	}
	return NULL;
}

static const double share_least = 0.05, share_apart = 4;

static const struct {
	const char *key, *words;
	bool is_cap;
} slowdowns[] = {
	{"hw_thermal", "heat, by the hardware", false},
	{"sw_thermal", "heat, by the driver", false},
	{"hw_power_brake", "the power brake", false},
	{"sync_boost", "another GPU's clock", false},
	{"sw_power_cap", "the power limit", true},
};

/* Of a side's timed spans: their sum, the part slowed down, and the mean clock. */
struct slowed {
	double span_s, slowed_s, clock_hz;
};

static struct slowed slowed_by(const struct conditions_side *side, const char *key)
{
	struct slowed sum = {0};
	double clock_s = 0;

	for (size_t i = 0; i < side->nr; i++) {
		struct json_object *t = side->results[i].telemetry;
		double span = json_get_real(t, "span_s", 0);
		double slow = json_get_real(json_member(t, "throttle_s"), key, NAN);
		double clock = json_get_real(json_member(t, "sm_clock_hz"), "mean", NAN);

		if (!(span > 0) || !isfinite(slow))
			continue;
		sum.span_s += span;
		sum.slowed_s += slow;
		if (isfinite(clock)) {
			sum.clock_hz += clock * span;
			clock_s += span;
		}
	}
	sum.clock_hz = clock_s > 0 ? sum.clock_hz / clock_s : 0;
	return sum;
}

static char *say(const char *words, const struct conditions_side *a,
		 const struct slowed *x, const struct conditions_side *b,
		 const struct slowed *y)
{
	char mine[48], theirs[48];

	return x_asprintf(
		"clocks were held down by %s in %.1f %% of %.4g s on %s and in "
		"%.1f %% of %.4g s on %s (mean SM clock %s, %s)",
		words, 100 * x->slowed_s / x->span_s, x->span_s, a->label,
		100 * y->slowed_s / y->span_s, y->span_s, b->label,
		x->clock_hz > 0 ? unit_human(x->clock_hz, "Hz", mine, sizeof(mine))
				: "not known",
		y->clock_hz > 0 ? unit_human(y->clock_hz, "Hz", theirs, sizeof(theirs))
				: "not known");
}

char *throttle_mismatch(const struct conditions_side *a, const struct conditions_side *b,
			char **ret_note)
{
	*ret_note = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(slowdowns); i++) {
		struct slowed x = slowed_by(a, slowdowns[i].key);
		struct slowed y = slowed_by(b, slowdowns[i].key);
		double share_x, share_y;
		char *text, *why;

		if (!(x.span_s > 0) || !(y.span_s > 0))
			continue;
		share_x = x.slowed_s / x.span_s;
		share_y = y.slowed_s / y.span_s;
		if (fmax(share_x, share_y) < share_least ||
		    fmin(share_x, share_y) * share_apart >= fmax(share_x, share_y))
			continue;
		text = say(slowdowns[i].words, a, &x, b, &y);
		if (slowdowns[i].is_cap) {
			*ret_note = text;
			continue;
		}
		why = x_asprintf("throttled: %s", text);
		free(text);
		return why;
	}
	return NULL;
}
