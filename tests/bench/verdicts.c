/*
 * How often is each verdict right? 20,000 simulated comparisons whose truth is known a
 * case (verdicts_world.h), and how other gates do on the same numbers.
 *
 *	bench-verdicts [calibrate|fresh] [errors|power|losses|families|quantiles|gates]...
 *
 * Every share is taken twice: with the seeds that the method was made and calibrated with,
 * and with seeds that were first looked at when it was finished. 'calibrate' leaves the
 * second set alone; whoever changes the method then has to move it to new numbers. 'fresh'
 * leaves out the first.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "tests/bench/verdicts_world.h"

#define THIRD (1.0 / 3)

static const struct world worlds[] = {
	{.name = "quiet: noise margin/3", .noise = THIRD, .within = THIRD},
	{.name = "drift of 2 margins", .noise = THIRD, .within = THIRD, .drift = 2},
	{.name = "outliers: 1 round in 20",
	 .noise = THIRD,
	 .within = THIRD,
	 .outliers = OUTLIERS_BOTH},
	{.name = "noise = margin, drift, outliers",
	 .noise = 1,
	 .within = 1,
	 .drift = 2,
	 .outliers = OUTLIERS_BOTH},
	/* The side by side table is of those above. */
	{.name = "outliers on the candidate alone",
	 .noise = THIRD,
	 .within = THIRD,
	 .outliers = OUTLIERS_CANDIDATE},
	{.name = "noise = 10 margins", .noise = 10, .within = 1},
	{.name = "noise = margin/20", .noise = 0.05, .within = 0.05},
	{.name = "candidate 3 times as noisy",
	 .noise = THIRD,
	 .within = THIRD,
	 .ratio = 3},
	/* Shown, not held to a bound: no interval of few rounds can know of these. */
	{.name = "warm-up of 2 margins", .noise = THIRD, .within = THIRD, .warm_up = 2},
	{.name = "noise that lasts (correlation 0.5)",
	 .noise = THIRD,
	 .within = THIRD,
	 .memory = 0.5},
};
enum { gate_worlds = 4, held_worlds = 8 };

static const struct design designs[] = {
	{.name = "6 rounds", .min = 6, .max = 6},
	{.name = "rounds 3 to 12 as needed", .min = 3, .max = 12},
	/* In the worlds that the mask names. */
	{.name = "3 rounds", .min = 3, .max = 3},
	{.name = "12 rounds", .min = 12, .max = 12},
	{.name = "rounds 2 to 5 as needed", .min = 2, .max = 5},
	{.name = "rounds 5 to 15 as needed", .min = 5, .max = 15},
	{.name = "6 results a side, unpaired", .min = 6, .max = 6, .is_unpaired = true},
	{.name = "4 and 10 results, unpaired",
	 .min = 10,
	 .max = 10,
	 .is_unpaired = true,
	 .baseline_rounds = 4},
};
static const unsigned in_worlds[] = {~0U, 0x2F, 5, 5, 1, 1, 0x81, 0x81};

static bool errors_of(const struct seeds *seeds, size_t w, size_t g)
{
	static const char *const claims[] = {"no difference, 'degraded'",
					     "loss = margin, 'equivalent'",
					     "loss = margin, 'degraded'"};
	double share[3][seed_sets], bound[] = {0.025, 0.05, 0.025};
	bool ok = true;

	for (int s = 0; s < seeds->nr; s++) {
		uint64_t seed = seeds->base[s] + 1000 + 100 * g + 2 * w;
		struct tally none = tally_of(&worlds[w], &designs[g], 0, seed);
		struct tally edge =
			tally_of(&worlds[w], &designs[g], log1p(-BENCH_MARGIN), seed + 1);

		share[0][s] = none.of[VERDICT_DEGRADED];
		share[1][s] = edge.of[VERDICT_EQUIVALENT];
		share[2][s] = edge.of[VERDICT_DEGRADED];
	}
	for (int i = 0; i < 3; i++) {
		/* The candidate's own outliers are losses of their own. */
		bool is_held = w < held_worlds &&
			       !(i == 2 && worlds[w].outliers == OUTLIERS_CANDIDATE);
		char what[160];

		snprintf(what, sizeof(what), "%s; %s: %s", worlds[w].name,
			 designs[g].name, claims[i]);
		ok = bench_bounded(seeds, what, share[i], is_held ? bound[i] : 0, true) &&
		     ok;
	}
	return ok;
}

static bool errors(const struct seeds *seeds)
{
	bool ok = true;

	for (size_t g = 0; g < ARRAY_SIZE(designs); g++)
		for (size_t w = 0; w < ARRAY_SIZE(worlds); w++)
			if (in_worlds[g] & (1U << w))
				ok = errors_of(seeds, w, g) && ok;
	return ok;
}

static bool power_of(const struct seeds *seeds, size_t g)
{
	double share[2][seed_sets];
	struct tally none, loss;
	char what[160];
	bool ok;

	for (int s = 0; s < seeds->nr; s++) {
		uint64_t seed = seeds->base[s] + 3000 + 10 * g;

		none = tally_of(&worlds[0], &designs[g], 0, seed);
		loss = tally_of(&worlds[0], &designs[g], log1p(-2 * BENCH_MARGIN),
				seed + 1);
		share[0][s] = none.by_six[VERDICT_EQUIVALENT];
		share[1][s] = loss.by_six[VERDICT_DEGRADED];
	}
	snprintf(what, sizeof(what), "%s; %s: no difference, 'equivalent' by round 6",
		 worlds[0].name, designs[g].name);
	ok = bench_bounded(seeds, what, share[0], 0.90, false);
	snprintf(what, sizeof(what), "%s; %s: loss of 2 margins, 'degraded' by round 6",
		 worlds[0].name, designs[g].name);
	ok = bench_bounded(seeds, what, share[1], 0.95, false) && ok;
	printf("| mean rounds used: no difference %.2f, loss of 2 margins %.2f | | | | "
	       "|\n",
	       none.rounds, loss.rounds);
	return ok;
}

static bool power(const struct seeds *seeds)
{
	bool fixed = power_of(seeds, 0);

	return power_of(seeds, 1) && fixed;
}

static bool gates(const struct seeds *seeds)
{
	bench_gates(seeds, worlds, gate_worlds);
	return true;
}

static const struct part {
	const char *name;
	bool (*run)(const struct seeds *seeds);
} parts[] = {{"errors", errors},
	     {"power", power},
	     {"losses", bench_losses},
	     {"families", bench_families},
	     {"quantiles", bench_quantiles},
	     {"gates", gates}};

static bool is_wanted(const char *name, int argc, char **argv, int from)
{
	for (int i = from; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return from >= argc;
}

int main(int argc, char **argv)
{
	struct seeds seeds = {.base = {10000, 2611300000}, .nr = seed_sets};
	int from = 1;
	bool ok = true;

	if (argc > 1 &&
	    (strcmp(argv[1], "calibrate") == 0 || strcmp(argv[1], "fresh") == 0)) {
		seeds.nr = 1;
		seeds.base[0] = seeds.base[*argv[1] == 'f'];
		from = 2;
	}
	printf("%d comparisons a case; margin %g %%, of quantiles 50 %%; seeds from %llu",
	       comparisons, 100 * BENCH_MARGIN, (unsigned long long)seeds.base[0]);
	if (seeds.nr > 1)
		printf(" (calibration) and from %llu (fresh)",
		       (unsigned long long)seeds.base[1]);
	printf("\n\n| case | %sshare | must be | |\n|---|---:|%s---|---|\n",
	       seeds.nr > 1 ? "share, calibration seeds | fresh seeds: " : "",
	       seeds.nr > 1 ? "---:|" : "");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (is_wanted(parts[i].name, argc, argv, from))
			ok = parts[i].run(&seeds) && ok;
	return ok ? 0 : 1;
}
