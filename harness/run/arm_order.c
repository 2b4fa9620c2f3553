#include "harness/run/arm_order.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "harness/plan/workload_kind.h"
#include "harness/run/journal.h"

#include <stdlib.h>
#include <string.h>

/* What a step takes where no earlier run tells: a plain guess, and said to be one. */
static const int64_t guess_lease_ns = 60 * NS_PER_S;
static const int64_t guess_reach_ns = 2 * NS_PER_S;
static const int64_t guess_bind_ns = 10 * NS_PER_S;
static const int64_t guess_place_ns = 5 * NS_PER_S;
static const int64_t guess_slice_ns = 2 * NS_PER_S;
static const int64_t guess_parts = 8; /* an H100's or H200's profiles, and the whole */
static const int64_t guess_release_ns = 3 * NS_PER_S;

/* The order that a block of two rounds begins with: Fisher and Yates, by seed and block. */
static size_t drawn_arm(const struct plan *p, int block, size_t turn)
{
	size_t *arms = x_calloc(p->arms_nr, sizeof(*arms)), arm;
	struct rng rng;

	rng_init(&rng, (uint64_t)p->schedule.seed * 1000 + (uint64_t)block);
	for (size_t i = 0; i < p->arms_nr; i++) {
		size_t k = (size_t)rng_below(&rng, i + 1);

		arms[i] = arms[k];
		arms[k] = i;
	}
	arm = arms[turn];
	free(arms);
	return arm;
}

size_t rounds_arm(const struct plan *p, int round, size_t turn)
{
	bool is_second = round % 2 == 0;

	if (is_second && p->schedule.order != ORDER_ABAB)
		turn = p->arms_nr - 1 - turn;
	return p->schedule.order == ORDER_RANDOM_BLOCKS
		       ? drawn_arm(p, (round - 1) / 2, turn)
		       : turn;
}

/* The mean time that a step took in an earlier run, or the guess. */
static int64_t step_ns(const struct journal_entries *past, enum step step,
		       const char *arm, const char *workload, int64_t guess_ns)
{
	double sum = 0;
	size_t nr = 0;

	for (size_t i = 0; past && i < past->nr; i++) {
		const struct journal_entry *e = &past->items[i];

		if (e->event != JOURNAL_END || e->step != step ||
		    strcmp(e->arm, arm) != 0 ||
		    (workload && strcmp(e->workload, workload) != 0))
			continue;
		sum += json_get_real(e->data, "took_s", 0);
		nr++;
	}
	return nr ? (int64_t)(sum / (double)nr * 1e9) : guess_ns;
}

static int64_t say(FILE *to, const char *what, const char *detail, int64_t ns)
{
	char text[32];

	if (to)
		fprintf(to, "    %-8s %-44s %s\n", what, detail,
			clock_human(ns, text, sizeof(text)));
	return ns;
}

/* The parts of its GPU that an earlier run found, as suffixes; NULL where none tells. */
static struct json_object *past_parts(const struct journal_entries *past, const char *arm)
{
	const struct journal_entry *begun =
		past ? journal_last(past, JOURNAL_BEGIN, STEP_MIG, arm) : NULL;

	return begun ? json_member(begun->data, "parts") : NULL;
}

/* A workload on every part: as an earlier run took, or so many times one of it. */
static int64_t parts_steps(const struct arm *a, const struct workload *w,
			   const struct journal_entries *past, FILE *to)
{
	struct json_object *parts = past_parts(past, a->name);
	int64_t once = w->kind->expected_ns(w->params), ns = 0;

	if (!parts)
		return say(to, "measure", "the whole GPU and each of its MIG profiles",
			   guess_parts * (once + guess_slice_ns));
	for (size_t i = 0; i < json_length(parts); i++) {
		struct json_object *suffix = json_object_array_get_idx(parts, i);
		char *name = x_asprintf("%s%s", w->name, json_object_get_string(suffix));

		ns += say(to, "measure", name,
			  step_ns(past, STEP_MEASURE, a->name, name, once) +
				  guess_slice_ns);
		free(name);
	}
	return ns;
}

static int64_t arm_steps(const struct plan *p, const struct arm *a,
			 const struct journal_entries *past, FILE *to)
{
	bool is_local = a->target == ARM_LOCAL;
	int64_t ns = 0;

	if (a->gpu_host)
		ns += say(to, "bind", a->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia",
			  step_ns(past, STEP_BIND, a->name, NULL, guess_bind_ns));
	if (a->target == ARM_VM)
		ns += say(to, "lease", a->provisioner,
			  step_ns(past, STEP_LEASE, a->name, NULL, guess_lease_ns));
	if (!is_local)
		ns += say(to, "reach",
			  a->target == ARM_SSH ? a->ssh.host : "the machine lent",
			  step_ns(past, STEP_REACH, a->name, NULL, guess_reach_ns));
	for (size_t i = 0; i < p->workloads_nr; i++) {
		const struct workload *w = &p->workloads[i];

		if (!is_local)
			ns += say(to, "place", w->kind->program,
				  step_ns(past, STEP_PLACE, a->name, w->name,
					  guess_place_ns));
		if (a->mig.is_all) {
			ns += parts_steps(a, w, past, to);
			continue;
		}
		ns += say(to, "measure", w->name,
			  step_ns(past, STEP_MEASURE, a->name, w->name,
				  w->kind->expected_ns(w->params)));
	}
	if (a->target == ARM_VM)
		ns += say(to, "release", a->provisioner,
			  step_ns(past, STEP_RELEASE, a->name, NULL, guess_release_ns));
	return ns;
}

static int64_t one_round(const struct plan *p, int round,
			 const struct journal_entries *past, FILE *to)
{
	int64_t ns = 0;

	for (size_t turn = 0; turn < p->arms_nr; turn++) {
		const struct arm *a = &p->arms[rounds_arm(p, round, turn)];

		if (to)
			fprintf(to, "  arm %s\n", a->name);
		ns += arm_steps(p, a, past, to);
	}
	return ns;
}

int64_t rounds_one_ns(const struct plan *p)
{
	return one_round(p, 1, NULL, NULL);
}

const char *rounds_text(const struct plan *p, char *text, size_t size)
{
	long long min = p->schedule.rounds_min, max = p->schedule.rounds_max;

	if (min == max)
		snprintf(text, size, "%lld round%s", max, max == 1 ? "" : "s");
	else
		snprintf(text, size, "%lld to %lld rounds", min, max);
	return text;
}

int rounds_print(const struct plan *p, const char *past_dir, FILE *to, struct err *err)
{
	struct journal_entries past = {0};
	char least[32], most[32], rounds[64];
	bool is_fixed = p->schedule.rounds_min == p->schedule.rounds_max;
	int64_t round_ns = 0;

	if (past_dir && journal_read(&past, past_dir, err))
		return -1;
	for (int round = 1; round <= 2 && round <= p->schedule.rounds_max; round++) {
		fprintf(to, "round %d\n", round);
		round_ns = one_round(p, round, past.nr ? &past : NULL, to);
	}
	if (p->schedule.rounds_max > 2)
		fprintf(to, "and so on, in this order.\n");
	fprintf(to, "%s: %s%s%s (%s).\n", rounds_text(p, rounds, sizeof(rounds)),
		is_fixed ? ""
			 : clock_human(round_ns * p->schedule.rounds_min, least,
				       sizeof(least)),
		is_fixed ? "" : " to ",
		clock_human(round_ns * p->schedule.rounds_max, most, sizeof(most)),
		past.nr ? "as an earlier run of this plan took"
			: "guessed; no earlier run tells");
	journal_entries_release(&past);
	return 0;
}
