#include "reports/verdict/validity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/document/metric.h"

/* Replaces *best where the other one breaks likeness and it does not. */
static bool take_worse(struct likeness *best, struct json_object *a,
		       struct json_object *b)
{
	struct likeness other;

	if (!a || !b || !likeness_holds(best))
		return false;
	likeness_compare(&other, a, b);
	if (likeness_holds(&other)) {
		likeness_release(&other);
		return false;
	}
	likeness_release(best);
	*best = other;
	return true;
}

static void by_rounds(struct likeness *ret, const struct compared_side *b,
		      const struct compared_side *c, int64_t *ret_round)
{
	const struct result_set *set = b->set;

	for (size_t i = 0; i < set->nr; i++) {
		int64_t round = set->results[i].round;

		if (strcmp(set->results[i].arm, b->arm) == 0 &&
		    take_worse(ret, result_set_facts_of_round(set, b->arm, round),
			       result_set_facts_of_round(set, c->arm, round))) {
			*ret_round = round;
			return;
		}
	}
}

static void with_first(struct likeness *ret, struct json_object *first,
		       const struct compared_side *s)
{
	const struct result_set *set = s->set;

	for (size_t i = 0; i < set->machines_nr; i++)
		if (strcmp(set->machines[i].arm, s->arm) == 0 &&
		    take_worse(ret, first, set->machines[i].facts))
			return;
	for (size_t i = 0; i < set->nr && !set->machines_nr; i++)
		if (strcmp(set->results[i].arm, s->arm) == 0 &&
		    take_worse(ret, first, result_facts(&set->results[i])))
			return;
}

void validity_machines(struct likeness *ret, const struct compared_side *b,
		       const struct compared_side *c, int64_t *ret_round)
{
	bool is_run = b->set == c->set && b->set->is_run;
	struct json_object *first = result_set_facts(b->set, b->arm);

	likeness_compare(ret, first, result_set_facts(c->set, c->arm));
	*ret_round = is_run ? 1 : 0;
	if (is_run) {
		by_rounds(ret, b, c, ret_round);
	} else {
		with_first(ret, first, b);
		with_first(ret, first, c);
	}
}

char *validity_of_machines(const struct likeness *l, int64_t round)
{
	struct buf b;

	if (likeness_holds(l))
		return NULL;
	buf_init(&b, 420);
	for (size_t i = 0; i < l->nr; i++)
		if (l->rows[i].state == LIKENESS_BREAKS)
			buf_printf(&b, "%s%s (%s, %s)",
				   b.len ? "; " : "not like for like: ",
				   l->rows[i].field->label, l->rows[i].baseline,
				   l->rows[i].candidate);
	if (round > 1)
		buf_printf(&b, " in round %lld", (long long)round);
	return buf_detach(&b);
}

static const struct {
	const char *route, *words;
} routes[] = {
	{"host", "cut by its host"},
	{"guest", "cut inside the guest that has the whole GPU"},
	{"opennebula", "a MIG-backed vGPU that OpenNebula gave"},
};

static const char *part_text(const struct result *r, const char *key)
{
	return json_get_text(json_member(r->details, "mig"), key, NULL);
}

static const char *route_words(const char *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].route, route) == 0)
			return routes[i].words;
	return route;
}

static char *part_mismatch(const struct result *a, const char *label_a,
			   const struct result *b, const char *label_b)
{
	const char *part_a = part_text(a, "profile"), *part_b = part_text(b, "profile");
	const char *route_a = part_text(a, "route"), *route_b = part_text(b, "route");

	if (!part_a && !part_b)
		return NULL;
	if (part_a && part_b && route_a && route_b && strcmp(route_a, route_b) != 0)
		return x_asprintf("mig-route: never alike: %s ran on %s, %s; %s on %s, "
				  "%s",
				  label_a, part_a, route_words(route_a), label_b, part_b,
				  route_words(route_b));
	if (!part_a || !part_b || strcmp(part_a, part_b) != 0)
		return x_asprintf("mig-part: %s ran on %s and %s on %s", label_a,
				  part_a ? part_a : "a whole GPU", label_b,
				  part_b ? part_b : "a whole GPU");
	return NULL;
}

/* What must agree of 'details/server' of a load; where a side is silent nothing is said. */
static const struct {
	const char *key, *reason, *words;
} server_members[] = {
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

static char *server_mismatch(const struct result *a, const char *label_a,
			     const struct result *b, const char *label_b)
{
	struct json_object *sa = json_member(a->details, "server");
	struct json_object *sb = json_member(b->details, "server");

	for (size_t i = 0; i < ARRAY_SIZE(server_members); i++) {
		struct json_object *x = told(sa, server_members[i].key);
		struct json_object *y = told(sb, server_members[i].key);

		if (x && y && !json_object_equal(x, y))
			return x_asprintf("%s: another %s: %.80s on %s, %.80s on %s",
					  server_members[i].reason,
					  server_members[i].words, shown(x), label_a,
					  shown(y), label_b);
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

static struct slowed slowed_by(const struct workload_side *side, const char *key)
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

static char *say(const char *words, const struct workload_side *a, const struct slowed *x,
		 const struct workload_side *b, const struct slowed *y)
{
	char mine[48], theirs[48];

	return x_asprintf(
		"clocks were held down by %s in %.1f %% of %.4g s on %s and in "
		"%.1f %% of %.4g s on %s (mean SM clock %s, %s)",
		words, 100 * x->slowed_s / x->span_s, x->span_s, a->of->label,
		100 * y->slowed_s / y->span_s, y->span_s, b->of->label,
		x->clock_hz > 0 ? unit_human(x->clock_hz, "Hz", mine, sizeof(mine))
				: "not known",
		y->clock_hz > 0 ? unit_human(y->clock_hz, "Hz", theirs, sizeof(theirs))
				: "not known");
}

/*
 * A power cap is no reason (the limit is a fact that must agree, and whoever does more meets
 * it sooner): it is a note.
 */
static char *throttle_mismatch(const struct workload_side *a,
			       const struct workload_side *b, char **ret_note)
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

/* What makes this result unusable beside 'first', as a reason; or NULL. */
static char *flaw_of(const struct result *r, const char *label, const char *workload,
		     const struct result *first, const char *first_label)
{
	char *why;

	if (r->status == RESULT_INVALID)
		return x_asprintf("round %lld on %s: %s", (long long)r->round, label,
				  r->reasons.nr ? r->reasons.items[0] : "marked invalid");
	if (r->status == RESULT_FAILED || !first)
		return NULL;
	why = part_mismatch(first, first_label, r, label);
	if (!why)
		why = server_mismatch(first, first_label, r, label);
	if (why || !*r->digest || !*first->digest ||
	    strcmp(r->digest, first->digest) == 0)
		return why;
	return x_asprintf(
		"other work: %s in round %lld ran '%s' with other parameters than "
		"%s (digest %.12s, %.12s)",
		label, (long long)r->round, workload, first_label, r->digest,
		first->digest);
}

char *validity_of_work(const struct workload_side sides[2], const char *workload,
		       char **ret_note)
{
	const struct result *first = sides[0].nr ? sides[0].results : NULL;

	*ret_note = NULL;
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < sides[i].nr; k++) {
			char *why = flaw_of(&sides[i].results[k], sides[i].of->label,
					    workload, first, sides[0].of->label);

			if (why)
				return why;
		}
	}
	return throttle_mismatch(&sides[0], &sides[1], ret_note);
}
