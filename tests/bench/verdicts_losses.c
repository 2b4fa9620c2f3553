/*
 * Losses that hide: in rare slow rounds, in noise that only slows, in rounds that remember,
 * and in rounds that fail. Each world with a loss of one margin in its mean, which must not
 * be 'equivalent', and without a loss, which must not be 'degraded'; power beside it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/verdict/failures.h"
#include "tests/bench/verdicts_world.h"

#define THIRD (1.0 / 3)

enum { floor_rounds = 40 };

static const struct world rare5 = {.name = "1 candidate round in 10 slower by 5 margins",
				   .noise = THIRD,
				   .within = THIRD,
				   .rare = 0.1,
				   .severity = 5};
static const struct world rare10 = {
	.name = "1 candidate round in 10 slower by 10 margins",
	.noise = THIRD,
	.within = THIRD,
	.rare = 0.1,
	.severity = 10};
static const struct world skewed = {.name = "candidate's noise exponential, only slows",
				    .noise = THIRD,
				    .within = THIRD,
				    .is_skewed = true};
static const struct world none = {.name = "no memory", .noise = THIRD, .within = THIRD};
static const struct world memory3 = {.name = "memory 0.3 in each arm",
				     .noise = THIRD,
				     .within = THIRD,
				     .arm_memory = 0.3};
static const struct world memory5 = {.name = "memory 0.5 in each arm",
				     .noise = THIRD,
				     .within = THIRD,
				     .arm_memory = 0.5};
static const struct world memory8 = {.name = "memory 0.8 in each arm",
				     .noise = THIRD,
				     .within = THIRD,
				     .arm_memory = 0.8};

/* Bounds of 'equivalent' at the margin and of 'degraded' there; 0: shown. */
static const struct losses_case {
	const struct world *world;
	int rounds, floor;
	double equivalent, degraded;
} cases[] = {
	/* 0.9^n of runs have no slow round, and nothing tells them from a quiet arm. */
	{&rare5, 12, 0, 0, 0.025},
	{&rare5, 20, 0, 0, 0.025},
	{&rare5, 30, 0, 0.05, 0.025},
	{&rare10, 12, 0, 0, 0.025},
	{&rare10, 30, 0, 0.05, 0.025},
	{&skewed, 6, 0, 0.06, 0.025},
	{&skewed, 12, 0, 0.055, 0.025},
	{&skewed, 30, 0, 0.05, 0.025},
	{&none, 6, floor_rounds, 0.05, 0.025},
	{&memory3, 6, 0, 0, 0},
	{&memory3, 6, floor_rounds, 0.07, 0.04},
	{&memory5, 6, 0, 0, 0},
	{&memory5, 6, floor_rounds, 0.07, 0.04},
	{&memory8, 6, 0, 0, 0},
	{&memory8, 6, floor_rounds, 0.07, 0.04},
	{&memory5, 30, 0, 0.07, 0.04},
};

static const struct {
	const char *name;
	double loss; /* in margins */
	enum verdict verdict;
} claims[] = {{"loss = margin, 'equivalent'", 1, VERDICT_EQUIVALENT},
	      {"loss = margin, 'degraded'", 1, VERDICT_DEGRADED},
	      {"power: no difference, 'equivalent'", 0, VERDICT_EQUIVALENT},
	      {"power: loss of 2 margins, 'degraded'", 2, VERDICT_DEGRADED}};

static bool one_case(const struct seeds *seeds, size_t at)
{
	const struct losses_case *k = &cases[at];
	struct design g = {.min = k->rounds, .max = k->rounds, .floor_rounds = k->floor};
	const double bounds[] = {k->equivalent, k->degraded, 0, 0};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		double share[seed_sets];
		char what[200];

		for (int s = 0; s < seeds->nr; s++) {
			uint64_t seed = seeds->base[s] + 9000 + 10 * at;

			share[s] = tally_of(k->world, &g,
					    log1p(-claims[i].loss * BENCH_MARGIN),
					    seed + (uint64_t)claims[i].loss)
					   .of[claims[i].verdict];
		}
		snprintf(what, sizeof(what), "%s; %d rounds%s; %s", k->world->name,
			 k->rounds,
			 k->floor ? ", memory from 40 rounds of 'tare aa'" : "",
			 claims[i].name);
		ok = bench_bounded(seeds, what, share, bounds[i], true) && ok;
	}
	return ok;
}

/* Rounds fail by chance on both sides; the metric itself has no difference. */
static const struct failing {
	const char *name;
	double baseline, candidate; /* share of rounds */
	int rounds;
	enum verdict verdict;
	double bound;
} failing[] = {
	{"1 round in 20 fails on both sides; 6 rounds; 'degraded'", 0.05, 0.05, 6,
	 VERDICT_DEGRADED, 0.025},
	{"1 round in 20 fails on both sides; 12 rounds; 'degraded'", 0.05, 0.05, 12,
	 VERDICT_DEGRADED, 0.025},
	{"1 round in 3 fails on both sides; 12 rounds; 'degraded'", THIRD, THIRD, 12,
	 VERDICT_DEGRADED, 0.025},
	{"1 candidate round in 2 fails; 6 rounds; green", 0, 0.5, 6, VERDICT_NONE, 0.05},
	{"2 candidate rounds in 3 fail; 6 rounds; green", 0, 2 * THIRD, 6, VERDICT_NONE,
	 0.05},
	{"2 candidate rounds in 3 fail; 9 rounds; 'degraded'", 0, 2 * THIRD, 9,
	 VERDICT_DEGRADED, 0},
	{"1 candidate round in 5 fails; 12 rounds; green", 0, 0.2, 12, VERDICT_NONE, 0},
};

static size_t failures_of(double share, int rounds, struct rng *rng)
{
	size_t nr = 0;

	for (int i = 0; i < rounds; i++)
		nr += rng_unit(rng) < share;
	return nr;
}

enum { failing_rounds_most = 12 };

static enum verdict judge_failures(int rounds, int baseline, int candidate)
{
	struct comparison c = {.is_failures = true,
			       .metric = "failures.rounds",
			       .n_baseline = (size_t)rounds,
			       .n_candidate = (size_t)rounds,
			       .tried_baseline = (size_t)rounds,
			       .tried_candidate = (size_t)rounds,
			       .failed_baseline = (uint64_t)baseline,
			       .failed_candidate = (uint64_t)candidate};
	struct looks looks;
	enum verdict v;

	looks_init(&looks, rounds, rounds);
	failures_decide(&c, &looks);
	v = c.verdict;
	free(c.reason);
	return v;
}

static bool one_failing(const struct seeds *seeds, size_t at)
{
	const struct failing *f = &failing[at];
	enum verdict verdict_of[failing_rounds_most + 1][failing_rounds_most + 1];
	double share[seed_sets];

	for (int b = 0; b <= f->rounds; b++)
		for (int c = 0; c <= f->rounds; c++)
			verdict_of[b][c] = judge_failures(f->rounds, b, c);
	for (int s = 0; s < seeds->nr; s++) {
		struct rng rng;
		size_t nr = 0;

		rng_init(&rng, seeds->base[s] + 9500 + at);
		for (int i = 0; i < comparisons; i++) {
			size_t b = failures_of(f->baseline, f->rounds, &rng);
			size_t c = failures_of(f->candidate, f->rounds, &rng);

			nr += verdict_of[b][c] == f->verdict;
		}
		share[s] = (double)nr / comparisons;
	}
	return bench_bounded(seeds, f->name, share, f->bound, true);
}

bool bench_losses(const struct seeds *seeds)
{
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok = one_case(seeds, i) && ok;
	for (size_t i = 0; i < ARRAY_SIZE(failing); i++)
		ok = one_failing(seeds, i) && ok;
	return ok;
}
