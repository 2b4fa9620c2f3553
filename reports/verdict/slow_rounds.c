#include "reports/verdict/slow_rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "reports/statistics/proportions.h"

/* What is shared by chance so often is not worth a word. */
static const double chance = 0.05;
static const double just_booted_s = 600;

/* A round's results of the arm that is slow there and of the other. */
struct pair_of_results {
	const struct result *slow, *other;
	struct json_object *facts; /* of the machine of the slow one */
};

/* What a round is, as a phrase; NULL: not known, or not so. free() */
typedef char *trait(const struct pair_of_results *p);

static char *its_gpu(const struct pair_of_results *p)
{
	const char *uuid = json_get_text(json_at(p->facts, "gpus/gpus/0"), "uuid", NULL);

	return uuid ? x_asprintf("the GPU %s", uuid) : NULL;
}

static char *its_machine(const struct pair_of_results *p)
{
	const char *name = json_get_text(json_at(p->facts, "kernel"), "hostname", NULL);

	return name ? x_asprintf("the machine named %s", name) : NULL;
}

static char *its_turn(const struct pair_of_results *p)
{
	const char *own = p->slow->created, *others = p->other->created;

	if (!own || !others || strcmp(own, others) == 0)
		return NULL;
	return x_asprintf("measured %s in the round", strcmp(own, others) < 0
							      ? "before the other arm"
							      : "after the other arm");
}

static char *its_boot(const struct pair_of_results *p)
{
	double up_s = json_get_real(json_at(p->facts, "clock"), "uptime_s", INFINITY);

	return up_s < just_booted_s ? x_strdup("a machine that booted less than 10 "
					       "minutes before")
				    : NULL;
}

static trait *const traits[] = {its_gpu, its_machine, its_turn, its_boot};

static const struct result *of_round(const struct compared_side *s, const char *workload,
				     int64_t round)
{
	size_t nr;
	const struct result *r = result_set_range(s->set, s->arm, workload, &nr);

	for (size_t i = 0; i < nr; i++)
		if (r[i].round == round)
			return &r[i];
	return NULL;
}

static struct pair_of_results pair_of(const struct comparison *c, int64_t round,
				      const struct compared_side *slow,
				      const struct compared_side *other)
{
	return (struct pair_of_results){
		.slow = of_round(slow, c->workload, round),
		.other = of_round(other, c->workload, round),
		.facts = result_set_facts_of_round(slow->set, slow->arm, round)};
}

static bool is_slow(const struct comparison *c, int64_t round)
{
	for (size_t i = 0; i < c->slow.nr; i++)
		if (c->slow.rounds[i] == round)
			return true;
	return false;
}

/* How far one arm's own values of the slow rounds lie from its others', in logs. */
static double moved(const struct comparison *c, const double *values)
{
	double sum[2] = {0, 0}, nr[2] = {0, 0};

	for (size_t i = 0; i < c->n_baseline; i++) {
		bool slow = is_slow(c, c->rounds[i]);

		sum[slow] += log(values[i]);
		nr[slow]++;
	}
	return nr[0] && nr[1] ? fabs(sum[1] / nr[1] - sum[0] / nr[0]) : 0;
}

/* That trait is in every slow round, and in the others more seldom than by chance. */
static char *shared_trait(const struct comparison *c, trait *of,
			  const struct compared_side *slow,
			  const struct compared_side *other)
{
	struct proportion with[2] = {{0, 0}, {0, 0}};
	char *first = NULL;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->n_baseline; i++) {
			const struct pair_of_results p =
				pair_of(c, c->rounds[i], slow, other);
			char *text;

			if (is_slow(c, c->rounds[i]) == pass || !p.slow || !p.other)
				continue;
			text = of(&p);
			with[pass].tried++;
			if (!pass && !first && text)
				first = x_strdup(text);
			with[pass].failed += text && first && strcmp(text, first) == 0;
			free(text);
		}
	}
	if (first && with[0].failed == with[0].tried && with[1].tried &&
	    proportions_p(&with[1], &with[0], 0) <= chance)
		return first;
	free(first);
	return NULL;
}

static void explain(struct comparison *c, const struct compared_side *b,
		    const struct compared_side *x)
{
	bool is_baseline = moved(c, c->baseline_values) > moved(c, c->candidate_values);
	const struct compared_side *slow = is_baseline ? b : x;
	struct buf what;

	c->slow.arm = is_baseline ? c->baseline : c->candidate;
	buf_init(&what, BUF_UNBOUNDED);
	for (size_t i = 0; i < ARRAY_SIZE(traits); i++) {
		char *text = shared_trait(c, traits[i], slow, is_baseline ? x : b);

		if (!text)
			continue;
		strvec_add(&c->slow.shared, text);
		buf_printf(&what, "%s%s", what.len ? "; " : "", text);
		free(text);
	}
	if (c->slow.nr > 1)
		strvec_addf(&c->notes,
			    "%zu of %zu rounds are worse by %.3g %%, and it is %s that "
			    "moves in them; %s%s",
			    c->slow.nr, c->n_baseline, 100 * fabs(c->slow.difference),
			    c->slow.arm,
			    what.len ? "they alone share: "
				     : "their machines and turns have nothing in common "
				       "that the others lack",
			    what.len ? what.data : "");
	buf_release(&what);
}

void slow_rounds_explain(struct judgement *j, size_t from, const struct compared_side *b,
			 const struct compared_side *c)
{
	for (size_t i = from; i < j->nr; i++)
		if (j->items[i].slow.nr && j->items[i].rounds)
			explain(&j->items[i], b, c);
}
