#include "reports/verdict/claim_work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/clock.h"
#include "core/document/likeness.h"
#include "core/base/digest.h"

/* ---- the same work, the same software ---- */

/* What must agree of 'details/server' of a load; where a side is silent nothing is said. */
static const struct server_member {
	const char *key, *reason, *words;
	bool is_software;
} server_members[] = {
	{"version", "server-version", "server version", true},
	{"model", "server-model", "model", false},
	{"revision", "model-revision", "model revision", false},
	{"max_model_len", "server-limit", "greatest length of a request in tokens",
	 false},
	{"is_mock", "server-mock", "tare's mock server", false},
};

static const char *shown(struct json_object *o)
{
	if (json_object_is_type(o, json_type_boolean))
		return json_object_get_boolean(o) ? "yes" : "no";
	return json_object_get_string(o);
}

/* By the server itself, else by tare-serve, which started it. */
static struct json_object *told(const struct claim_side *s, const char *key)
{
	struct json_object *server =
		s->result ? json_member(s->result->details, "server") : NULL;
	struct json_object *o = json_member(server, key);

	return o ? o : json_member(json_member(server, "tare_serve"), key);
}

static void weigh_server(struct weighing *w, const struct claim_pair *p, bool is_software)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_members); i++) {
		const struct server_member *m = &server_members[i];
		struct json_object *x = told(&p->sides[0], m->key);
		struct json_object *y = told(&p->sides[1], m->key);

		if (m->is_software != is_software || (!x && !y))
			continue;
		weigh_values(w, m->words, x ? shown(x) : NULL, y ? shown(y) : NULL);
		if (x && y && !json_object_equal(x, y))
			weigh_against(w, "%s: another %s: %.80s on %s, %.80s on %s",
				      m->reason, m->words, shown(x), p->sides[0].label,
				      shown(y), p->sides[1].label);
		else if (!pair_is_of(p, OF_IMPORT) && (!x || !y))
			weigh_one_sided(w, "the %s is not known of %s", m->words,
					p->sides[x ? 1 : 0].label);
	}
}

static bool is_product(const struct claim_side *s)
{
	return s->result && strcmp(s->result->kind, "gemm") == 0;
}

/* The same product has the same bits where the same kernels made it. */
static void weigh_product(struct weighing *w, const struct claim_pair *p)
{
	const char *a = side_text(&p->sides[0], "digest_c");
	const char *b = side_text(&p->sides[1], "digest_c");
	const char *ka = side_text(&p->sides[0], "computed/kernels");
	const char *kb = side_text(&p->sides[1], "computed/kernels");

	if (!a && !b && !is_product(&p->sides[0]) && !is_product(&p->sides[1]))
		return;
	weigh_values(w, "C", a, b);
	if (weigh_known(w, p, "the digest of C", a, b) && ka && kb &&
	    strcmp(ka, kb) == 0 && strcmp(a, b) != 0)
		weigh_against(w,
			      "other-product: the same kernels made another C: %s on %s, "
			      "%s on %s",
			      a, p->sides[0].label, b, p->sides[1].label);
}

/* The digest says nothing of parameters that it is not of. */
static void weigh_own_digest(struct weighing *w, const struct claim_side *s)
{
	const struct result *r = s->result;
	struct result other = {0};

	if (!r || strlen(r->digest) != DIGEST_SIZE - 1 ||
	    !json_object_object_length(r->params))
		return;
	result_set_params(&other, json_object_get(r->params));
	if (strcmp(other.digest, r->digest) != 0)
		weigh_against(w,
			      "other work: the parameters of %s are not those that its "
			      "digest is of (%.12s, %.12s)",
			      s->label, other.digest, r->digest);
	result_release(&other);
}

static bool has_parameters(const struct result *r)
{
	return r && *r->digest && json_object_object_length(r->params);
}

/* What another tool's file says of its load (reports/import/import_load.c). */
static const struct import_member {
	const char *key, *words;
	double apart; /* so much may differ: texts end where the model ends them */
} import_members[] = {
	{"model", "model", 0},
	{"backend", "backend", 0},
	{"concurrency", "number of requests at once", 0},
	{"request_rate", "rate of requests", 0},
	{"input_tokens", "length of prompts in tokens", 0.05},
	{"output_tokens", "length of answers in tokens", 0.05},
};

static bool is_other(struct json_object *x, struct json_object *y, double allowed)
{
	if (json_is_number(x) && json_is_number(y))
		return apart(json_object_get_double(x), json_object_get_double(y)) >
		       allowed;
	return !json_object_equal(x, y);
}

static void weigh_import(struct weighing *w, const struct claim_pair *p)
{
	const struct result *a = p->sides[0].result, *b = p->sides[1].result;

	for (size_t i = 0; i < ARRAY_SIZE(import_members) && a && b; i++) {
		const struct import_member *m = &import_members[i];
		struct json_object *x = json_member(a->params, m->key);
		struct json_object *y = json_member(b->params, m->key);

		if (!x && !y)
			continue;
		weigh_values(w, m->words, x ? shown(x) : NULL, y ? shown(y) : NULL);
		if (!x || !y)
			weigh_one_sided(w, "the %s is not known of %s", m->words,
					p->sides[x ? 1 : 0].label);
		else if (is_other(x, y, m->apart))
			weigh_against(w,
				      "other work: another %s: %.80s on %s, %.80s on %s",
				      m->words, shown(x), p->sides[0].label, shown(y),
				      p->sides[1].label);
	}
}

static void weigh_parameters(struct weighing *w, const struct claim_pair *p)
{
	const struct result *a = p->sides[0].result, *b = p->sides[1].result;
	bool is_a = has_parameters(a), is_b = has_parameters(b);

	weigh_values(w, "parameters", is_a ? a->digest : NULL, is_b ? b->digest : NULL);
	if (a && b && *a->digest && *b->digest && strcmp(a->digest, b->digest) != 0)
		weigh_against(w,
			      "other work: %s ran '%s' with other parameters than %s "
			      "(digest %.12s, %.12s)",
			      p->sides[1].label, b->name, p->sides[0].label, b->digest,
			      a->digest);
	else if (is_a && is_b)
		weigh_shown(w, "same parameters");
	else if (!pair_is_of(p, OF_IMPORT))
		(void)weigh_known(w, p, "what the work was", is_a, is_b);
	else if (a && b)
		weigh_shown(w, "the same work as far as the files say");
	if (a && b && strcmp(a->kind, b->kind) != 0 && !pair_is_of(p, OF_IMPORT))
		weigh_against(w, "other work: a workload '%s' on %s and '%s' on %s",
			      a->kind, p->sides[0].label, b->kind, p->sides[1].label);
}

void check_same_work(struct weighing *w, const struct claim_pair *p)
{
	weigh_source(w, pair_is_of(p, OF_IMPORT) ? "the files"
						 : "the result's own parameters");
	weigh_own_digest(w, &p->sides[0]);
	weigh_own_digest(w, &p->sides[1]);
	weigh_parameters(w, p);
	weigh_product(w, p);
	weigh_server(w, p, false);
	if (pair_is_of(p, OF_IMPORT))
		weigh_import(w, p);
}

static void weigh_library(struct weighing *w, const struct claim_pair *p)
{
	const char *a = side_text(&p->sides[0], "computed/library");
	const char *b = side_text(&p->sides[1], "computed/library");
	const char *backend = side_text(&p->sides[0], "computed/backend");

	/* Its own loops over the host's memory need none. */
	if (!a && !b && backend && strcmp(backend, "host") == 0)
		return;
	if (!a && !b && !pair_is_of(p, OF_GPU | OF_CPU))
		return;
	weigh_values(w, "", a, b);
	if (weigh_known(w, p, "the library that computed", a, b) && strcmp(a, b) != 0)
		weigh_against(w, "other-library: %s computed by %s and %s by %s",
			      p->sides[0].label, a, p->sides[1].label, b);
}

/* Within a run nothing but the arm may change. */
static void weigh_tool(struct weighing *w, const struct claim_pair *p)
{
	const char *texts[2];

	for (size_t i = 0; i < 2; i++)
		texts[i] = p->sides[i].result ? json_get_text(p->sides[i].result->tool,
							      "commit", NULL)
					      : NULL;
	weigh_values(w, "tare", texts[0], texts[1]);
	if (p->is_run && texts[0] && texts[1] && strcmp(texts[0], texts[1]) != 0)
		weigh_against(
			w,
			"other-program: another build of tare measured %s (%s) than "
			"%s (%s)",
			p->sides[1].label, texts[1], p->sides[0].label, texts[0]);
}

void check_same_software(struct weighing *w, const struct claim_pair *p)
{
	if (pair_is_of(p, OF_IMPORT))
		return;
	weigh_likeness(w, p, CLAIM_SAME_SOFTWARE);
	weigh_library(w, p);
	weigh_tool(w, p);
	weigh_server(w, p, true);
	weigh_shown(w, "same software");
}

/* ---- time ---- */

/* tare did not exist before the first, and is not read after the second. */
static const char sane_from[] = "2025-01-01", sane_to[] = "2100-01-01";

static bool is_sane(int64_t wall_ns)
{
	int64_t from, to;

	return clock_from_label(sane_from, &from) && clock_from_label(sane_to, &to) &&
	       wall_ns >= from && wall_ns < to &&
	       wall_ns < clock_wall_ns() + 25 * 3600 * NS_PER_S;
}

static bool instant(const struct result *r, const char *key, int64_t *ret)
{
	const char *label =
		r ? json_get_text(json_member(r->evidence, "span"), key, NULL) : NULL;

	return label && clock_from_label(label, ret);
}

/* The labels, the length and the step of one span must fit together. */
static void weigh_span(struct weighing *w, const struct claim_side *s, double seconds,
		       double step)
{
	int64_t from, to;
	double allowed = WALL_STEP_S + WALL_STEP_SHARE * seconds;

	if (fabs(step) > allowed)
		weigh_against(w,
			      "time: the clock of %s was moved by %.3g s within %.3g s",
			      s->label, step, seconds);
	if (!instant(s->result, "started", &from) || !instant(s->result, "ended", &to))
		return;
	if (!is_sane(from) || !is_sane(to))
		weigh_against(w, "time: the clock of %s says %s", s->label,
			      side_text(s, "span/started"));
	if (fabs((double)(to - from) / 1e9 - seconds - step) > allowed)
		weigh_against(w, "time: on %s %.3g s passed between %s and %s", s->label,
			      seconds, side_text(s, "span/started"),
			      side_text(s, "span/ended"));
}

static void weigh_order(struct weighing *w, const struct claim_side *s)
{
	int64_t from, before;

	if (!s->before || !instant(s->result, "started", &from) ||
	    !instant(s->before, "ended", &before))
		return;
	if (from < before)
		weigh_against(
			w,
			"time: round %lld on %s began before round %lld ended, by the "
			"clock there",
			(long long)s->result->round, s->label,
			(long long)s->before->round);
}

/* A clock that runs slow makes everything look fast: the harness's own tells. */
static void weigh_journal(struct weighing *w, const struct claim_side *s, double seconds)
{
	int64_t ended, first;
	double here, there;

	if (!s->step)
		return;
	if (s->step->workload_s > 0 && seconds > s->step->workload_s + 2)
		weigh_against(w,
			      "time: %s counted %.4g s in a turn that took %.4g s by the "
			      "harness's clock",
			      s->label, seconds, s->step->workload_s);
	if (s->step == s->first_step || !s->first_step ||
	    !instant(s->result, "ended", &ended) ||
	    !instant(s->first_result, "ended", &first))
		return;
	here = (double)(s->step->end_ns - s->first_step->end_ns) / 1e9;
	there = (double)(ended - first) / 1e9;
	if (fabs(here - there) > CLOCK_APART_S + CLOCK_APART_SHARE * fabs(here))
		weigh_against(
			w,
			"time: since round %lld the clock of %s went on by %.5g s and "
			"the harness's by %.5g s",
			(long long)s->first_step->round, s->label, there, here);
}

/* Two sides' turns this far apart see two states of one GPU, its room and its driver. */
#define TURNS_APART_S (25 * 3600.0)

/*
 * Rounds pair because their turns are neighbours. The journal has one clock for both; clocks
 * of two machines tell no less than a day.
 */
static void weigh_turns(struct weighing *w, const struct claim_pair *p)
{
	int64_t ends[2];
	double s_apart;

	if (!p->is_run)
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct claim_side *s = &p->sides[i], *other = &p->sides[1 - i];

		if (s->step && other->step_before &&
		    s->step->end_ns < other->step_before->end_ns)
			weigh_missing(
				w,
				"that the arms took turns is not so: round %lld of %s "
				"ended before round %lld of %s did",
				(long long)s->step->round, s->label,
				(long long)other->step_before->round, other->label);
		if (!instant(s->result, "ended", &ends[i]))
			return;
	}
	s_apart = fabs((double)(ends[1] - ends[0])) / 1e9;
	if (s_apart > TURNS_APART_S)
		weigh_missing(
			w,
			"that the arms took turns is not so: %s and %s were measured "
			"%.3g days apart",
			p->sides[0].label, p->sides[1].label, s_apart / 86400);
}

/* Do both say that their clock is set by others? */
static bool are_synchronised(const struct claim_pair *p)
{
	for (size_t i = 0; i < 2; i++)
		if (!json_get_bool(json_member(p->sides[i].facts, "time"), "synchronised",
				   false))
			return false;
	return true;
}

/* May the clocks of both be held against each other, and is it one thing that computed? */
static bool is_one_device(const struct claim_pair *p)
{
	const char *a = side_text(&p->sides[0], "computed/uuid");
	const char *b = side_text(&p->sides[1], "computed/uuid");

	if (p->is_run && pair_identity(p, "boot") == 1)
		return true;
	return a && b && likeness_same_text(a, b) && are_synchronised(p) &&
	       strcmp(p->sides[0].result->id, p->sides[1].result->id) != 0;
}

/* One machine, or one GPU, does not do both at once. */
static void weigh_overlap(struct weighing *w, const struct claim_pair *p)
{
	int64_t from[2], to[2];

	for (size_t i = 0; i < 2; i++)
		if (!instant(p->sides[i].result, "started", &from[i]) ||
		    !instant(p->sides[i].result, "ended", &to[i]))
			return;
	if (from[0] < to[1] && from[1] < to[0] && is_one_device(p))
		weigh_against(
			w, "time: %s and %s were measured at once on one machine or GPU",
			p->sides[0].label, p->sides[1].label);
}

void check_time(struct weighing *w, const struct claim_pair *p)
{
	bool is[2];

	for (size_t i = 0; i < 2; i++) {
		const struct claim_side *s = &p->sides[i];
		double seconds = side_number(s, "span/seconds");
		double step = side_number(s, "span/wall_step_s");
		int64_t created, at;

		is[i] = seconds > 0 && isfinite(step) &&
			instant(s->result, "started", &at) &&
			instant(s->result, "ended", &at);
		if (is[i]) {
			weigh_span(w, s, seconds, step);
			weigh_journal(w, s, seconds);
		}
		if (s->result && !pair_is_of(p, OF_IMPORT) &&
		    clock_from_label(s->result->created, &created) && !is_sane(created))
			weigh_against(w, "time: the clock of %s said %s", s->label,
				      s->result->created);
		weigh_order(w, s);
	}
	weigh_values(w, "", side_text(&p->sides[0], "span/started"),
		     side_text(&p->sides[1], "span/started"));
	weigh_source(w, "clocks of both machines");
	weigh_overlap(w, p);
	weigh_turns(w, p);
	if (pair_is_of(p, OF_IMPORT) && !is[0] && !is[1])
		return;
	if (weigh_known(w, p, "when it was measured", is[0], is[1]))
		weigh_shown(w, are_synchronised(p) ? "sane clocks"
						   : "plausible clocks, which are not "
						     "known to be synchronised");
}
